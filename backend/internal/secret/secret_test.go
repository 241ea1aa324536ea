package secret

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// chain is a keychain in memory that can be locked, broken or stuck.
type chain struct {
	mu      sync.Mutex
	entries map[string]string
	err     error
	stuck   chan struct{} // nil: answers at once
	lossy   bool          // takes what it does not give back
}

func newChain() *chain { return &chain{entries: map[string]string{}} }

func (c *chain) wait() error {
	c.mu.Lock()
	stuck, err := c.stuck, c.err
	c.mu.Unlock()
	if stuck != nil {
		<-stuck
	}
	return err
}

func (c *chain) Get(service, user string) (string, error) {
	if err := c.wait(); err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.entries[service+"/"+user]
	if !ok {
		return "", ErrNoEntry
	}
	return v, nil
}

func (c *chain) Set(service, user, password string) error {
	if err := c.wait(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lossy {
		password = "other"
	}
	c.entries[service+"/"+user] = password
	return nil
}

func mustNew(t *testing.T, cfg Config) *Sealer {
	t.Helper()
	s, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSealAndOpen(t *testing.T) {
	dir := t.TempDir()
	s := mustNew(t, Config{Dir: dir, Store: "file"})
	plain, place := []byte("sk-my-key"), []byte("keys/main")
	sealed, err := s.Seal(plain, place)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, plain) {
		t.Error("the text stands in the seal")
	}
	if again, _ := s.Seal(plain, place); bytes.Equal(again, sealed) {
		t.Error("two seals are the same")
	}
	// after a restart
	next := mustNew(t, Config{Dir: dir, Store: "file"})
	if got, err := next.Open(sealed, place); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("opened %q, %v", got, err)
	}
	if _, err := next.Open(sealed, []byte("keys/other")); !errors.Is(err, ErrDamaged) {
		t.Errorf("moved to another place: %v", err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := next.Open(bad, place); err == nil {
			t.Errorf("byte %d changed unnoticed", i)
		}
		if _, err := next.Open(sealed[:i], place); !errors.Is(err, ErrDamaged) {
			t.Errorf("cut to %d bytes: %v", i, err)
		}
	}
	other := mustNew(t, Config{Dir: t.TempDir(), Store: "file"})
	if _, err := other.Open(sealed, place); !errors.Is(err, ErrOtherKey) {
		t.Errorf("with another key: %v", err)
	}
}

func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	mustNew(t, Config{Dir: dir, Store: "file"})
	path := filepath.Join(dir, keyFile)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	mustNew(t, Config{Dir: dir})
	if info, _ := os.Stat(path); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("an open key file stays open: %v", info.Mode())
	}
	if err := os.WriteFile(path, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(t.Context(), Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a damaged key file: %v", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "nonsense" {
		t.Error("a damaged key file was overwritten")
	}
	if _, err := New(t.Context(), Config{Dir: filepath.Join(dir, "none")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestTwoStartAtOnce(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for range 8 {
		wg.Go(func() {
			s, err := New(context.Background(), Config{Dir: dir, Store: "file"})
			if err != nil {
				return // the loser is told; it does not go on with a key of its own
			}
			sealed, _ := s.Seal([]byte("x"), nil)
			late, err := New(context.Background(), Config{Dir: dir})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := late.Open(sealed, nil); err != nil {
				t.Errorf("two keys: %v", err)
			}
			mu.Lock()
			made++
			mu.Unlock()
		})
	}
	wg.Wait()
	if made == 0 {
		t.Error("nobody got a key")
	}
}

func TestKeychain(t *testing.T) {
	dir, ch := t.TempDir(), newChain()
	s := mustNew(t, Config{Dir: dir, Keychain: ch})
	if s.Where() != "keychain" || len(ch.entries) != 1 {
		t.Fatalf("where %q", s.Where())
	}
	sealed, err := s.Seal([]byte("x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, keyFile)); err == nil {
		t.Error("there is a key file as well")
	}
	if got, err := mustNew(t, Config{Dir: dir, Keychain: ch}).Open(sealed, nil); err != nil || string(got) != "x" {
		t.Errorf("after a restart: %v", err)
	}

	// locked at the start, unlocked later: the start succeeds
	ch.err = errors.New("failed to unlock correct collection")
	locked := mustNew(t, Config{Dir: dir, Keychain: ch})
	if _, err := locked.Open(sealed, nil); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "collection") {
		t.Errorf("locked: %v", err)
	}
	if _, err := locked.Seal([]byte("x"), nil); !errors.Is(err, ErrLocked) {
		t.Errorf("locked: %v", err)
	}
	if err := locked.Unlock(t.Context()); !errors.Is(err, ErrLocked) {
		t.Errorf("still locked: %v", err)
	}
	ch.err = nil
	if err := locked.Unlock(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := locked.Open(sealed, nil); err != nil {
		t.Error(err)
	}
	// another account's keychain does not hold it; no new key is made
	foreign := mustNew(t, Config{Dir: dir, Keychain: newChain()})
	if err := foreign.Locked(); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "another account") {
		t.Errorf("another account: %v", err)
	}
}

func TestWithoutAWorkingKeychain(t *testing.T) {
	stuck := newChain()
	stuck.stuck = make(chan struct{})
	defer close(stuck.stuck)
	broken := newChain()
	broken.err = errors.New("no D-Bus")
	lossy := newChain()
	lossy.lossy = true
	for name, ch := range map[string]*chain{"stuck": stuck, "broken": broken, "lossy": lossy} {
		s := mustNew(t, Config{Dir: t.TempDir(), Keychain: ch, Patience: 20 * time.Millisecond})
		if s.Where() != "key file" || s.Locked() != nil {
			t.Errorf("%s: where %q, %v", name, s.Where(), s.Locked())
		}
		if _, err := New(t.Context(), Config{Dir: t.TempDir(), Store: "keychain", Keychain: ch, Patience: 20 * time.Millisecond}); err == nil {
			t.Errorf("%s: a keychain was demanded and something else taken", name)
		}
	}
	if s := mustNew(t, Config{Dir: t.TempDir(), Headless: true, Keychain: newChain()}); s.Where() != "key file" {
		t.Errorf("headless: %s", s.Where())
	}
}

func TestPassphrase(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, size := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 3*chunkSize + 17} {
		plain := make([]byte, size)
		for i := range plain {
			plain[i] = byte(rng.Uint32())
		}
		var file bytes.Buffer
		w, err := SealTo(&file, "correct horse")
		if err != nil {
			t.Fatal(err)
		}
		for rest := plain; len(rest) > 0; {
			n := min(len(rest), 1+rng.IntN(100000))
			if _, err := w.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := OpenFrom(&file, "correct horse")
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: got %d, %v", size, len(got), err)
		}
	}
}

func TestPassphraseRefusals(t *testing.T) {
	plain := bytes.Repeat([]byte("customer data "), 15000) // more than three chunks
	sealed, err := SealBytes(plain, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("customer")) {
		t.Error("the text stands in the file")
	}
	if _, err := OpenBytes(sealed, "wrong horse"); !errors.Is(err, ErrPassphrase) {
		t.Errorf("wrong passphrase: %v", err)
	}
	if _, err := SealBytes(plain, ""); err == nil {
		t.Error("an empty passphrase is taken")
	}
	const block = chunkSize + 16
	swapped := bytes.Clone(sealed)
	copy(swapped[fileHead:], sealed[fileHead+block:fileHead+2*block])
	copy(swapped[fileHead+block:], sealed[fileHead:fileHead+block])
	for name, bad := range map[string][]byte{
		"cut at a chunk":        sealed[:fileHead+2*block],
		"cut within a chunk":    sealed[:fileHead+2*block+5],
		"without its last byte": sealed[:len(sealed)-1],
		"with a byte more":      append(bytes.Clone(sealed), 0),
		"chunks swapped":        swapped,
		"head only":             sealed[:fileHead],
		"empty":                 nil,
		"hungry parameters":     append(append([]byte(magic), 0xff, 0xff, 0xff, 0xff), sealed[len(magic)+4:]...),
		"something else":        bytes.Repeat([]byte("PK\x03\x04"), 50),
	} {
		if _, err := OpenBytes(bad, "correct horse"); !errors.Is(err, ErrPassphrase) && !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, i := range []int{len(magic) + 10, fileHead - 1, fileHead + 3, fileHead + block + 9, len(sealed) - 3} {
		bad := bytes.Clone(sealed)
		bad[i] ^= 0x80
		if _, err := OpenBytes(bad, "correct horse"); err == nil {
			t.Errorf("byte %d changed unnoticed", i)
		}
	}
}

func FuzzOpen(f *testing.F) {
	s, err := New(context.Background(), Config{Dir: f.TempDir(), Store: "file"})
	if err != nil {
		f.Fatal(err)
	}
	good, _ := s.Seal([]byte("x"), []byte("a"))
	f.Add(good)
	f.Fuzz(func(t *testing.T, data []byte) {
		if plain, err := s.Open(data, []byte("a")); err == nil && !bytes.Equal(data, good) {
			t.Fatalf("a forgery opened as %q", plain)
		}
	})
}
