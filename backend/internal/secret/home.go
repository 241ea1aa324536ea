package secret

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/zalando/go-keyring"
)

// Names in the data folder.
const (
	keyFile   = "secret.key"   // the master key itself, mode 0600
	whereFile = "secret.where" // "keychain ID" when the key lives there
	service   = "haoke"        // the entry's name in the keychain
)

// Keychain is the operating system's store of secrets. Get gives
// ErrNoEntry when there is no such entry.
type Keychain interface {
	Get(service, user string) (string, error)
	Set(service, user, password string) error
}

// ErrNoEntry is a Keychain's answer to a question for what it does not hold.
var ErrNoEntry = keyring.ErrNotFound

// system is the keychain of this machine's user.
type system struct{}

func (system) Get(service, user string) (string, error) { return keyring.Get(service, user) }
func (system) Set(service, user, password string) error {
	return keyring.Set(service, user, password)
}

var _ Keychain = system{}

// Config says where the master key lives.
type Config struct {
	// Dir is the data folder; it must exist.
	Dir string
	// Store is "auto" (also ""), "keychain" or "file". auto keeps to what the
	// folder has; a fresh folder takes the keychain where one works, else a key
	// file.
	Store string
	// Headless makes auto choose the key file: a service's account has no
	// keychain, or another one than the person at the screen.
	Headless bool
	// Keychain is the one to use; nil: that of the operating system.
	Keychain Keychain
	// Patience bounds how long the keychain may take; 0: 800 ms.
	Patience time.Duration
}

// home knows where the key lives.
type home struct {
	cfg Config
}

// New finds the master key, or makes one in a fresh folder. A keychain that
// does not answer in time never stops the start: the Sealer is then locked
// (ErrLocked) until Unlock succeeds. Errors are those of the data folder, and
// with Store "keychain" in a fresh folder also those of the keychain.
func New(ctx context.Context, cfg Config) (*Sealer, error) {
	if cfg.Keychain == nil {
		cfg.Keychain = system{}
	}
	if cfg.Patience <= 0 {
		cfg.Patience = 800 * time.Millisecond
	}
	s := &Sealer{home: home{cfg}}
	key, where, err := s.home.find(ctx)
	if errors.Is(err, ErrLocked) {
		s.where, s.locked = where, err
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	return s, s.setKey(key, where)
}

// Unlock tries again to get a key that was locked. It returns nil when the
// Sealer works.
func (s *Sealer) Unlock(ctx context.Context) error {
	if s.Locked() == nil {
		return nil
	}
	key, where, err := s.home.find(ctx)
	if err != nil {
		return err
	}
	return s.setKey(key, where)
}

// find returns the key of the folder, made if the folder is fresh.
func (h home) find(ctx context.Context) (key []byte, where string, err error) {
	const inFile, inChain = "key file", "keychain"
	key, err = h.readFile()
	if err == nil {
		return key, inFile, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, "", err
	}
	id, err := h.readWhere()
	if err != nil {
		return nil, "", err
	}
	if id != "" {
		key, err = h.fromKeychain(ctx, id)
		return key, inChain, err
	}
	key = make([]byte, keySize)
	rand.Read(key)
	if h.cfg.Store == "keychain" || h.cfg.Store != "file" && !h.cfg.Headless {
		err = h.intoKeychain(ctx, key)
		if err == nil || h.cfg.Store == "keychain" {
			return key, inChain, err
		}
	}
	return key, inFile, h.writeFile(key)
}

func (h home) readFile() ([]byte, error) {
	path := filepath.Join(h.cfg.Dir, keyFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	key, err := decodeKey(string(data))
	if err != nil {
		return nil, fmt.Errorf("read key file %s: %w; restore it from a backup, or remove it to start with a new key (sealed keys must then be entered again)", path, err)
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
		// Others could read it. On Windows the bits mean nothing and this does nothing.
		if err := os.Chmod(path, 0o600); err != nil {
			return nil, fmt.Errorf("protect key file: %w", err)
		}
	}
	return key, nil
}

// writeFile makes the key durable before it is used.
func (h home) writeFile(key []byte) error {
	return h.write(keyFile, base64.StdEncoding.EncodeToString(key)+"\n")
}

func (h home) write(name, text string) error {
	tmp, err := os.CreateTemp(h.cfg.Dir, name+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer os.Remove(tmp.Name()) // fails after the rename, as it should
	_, err = tmp.WriteString(text)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		// A link fails where a rename would overwrite: two processes that start
		// at once in a fresh folder must not end with two keys.
		err = os.Link(tmp.Name(), filepath.Join(h.cfg.Dir, name))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			err = os.Rename(tmp.Name(), filepath.Join(h.cfg.Dir, name))
		}
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// readWhere returns the id under which the keychain holds this folder's key,
// "" when it does not.
func (h home) readWhere() (string, error) {
	data, err := os.ReadFile(filepath.Join(h.cfg.Dir, whereFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", whereFile, err)
	}
	kind, id, _ := strings.Cut(strings.TrimSpace(string(data)), " ")
	if kind != "keychain" || len(id) != 32 {
		return "", fmt.Errorf("read %s: it says %q, not where the key is", whereFile, kind)
	}
	return id, nil
}

func (h home) fromKeychain(ctx context.Context, id string) ([]byte, error) {
	var text string
	err := h.patiently(ctx, func() (err error) {
		text, err = h.cfg.Keychain.Get(service, id)
		return err
	})
	if errors.Is(err, ErrNoEntry) {
		return nil, fmt.Errorf("%w: the keychain of this account does not hold it; it was stored by another account, or on another machine", ErrLocked)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the keychain says: %v", ErrLocked, err)
	}
	key, err := decodeKey(text)
	if err != nil {
		return nil, fmt.Errorf("%w: the keychain's entry %s of %s is damaged", ErrLocked, id, service)
	}
	return key, nil
}

// intoKeychain stores the key, reads it back, and only then notes the place.
func (h home) intoKeychain(ctx context.Context, key []byte) error {
	raw := make([]byte, 16)
	rand.Read(raw)
	id := hex.EncodeToString(raw)
	text := base64.StdEncoding.EncodeToString(key)
	var back string
	err := h.patiently(ctx, func() (err error) {
		if err = h.cfg.Keychain.Set(service, id, text); err != nil {
			return err
		}
		back, err = h.cfg.Keychain.Get(service, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("store the master key in the keychain: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(back), []byte(text)) != 1 {
		return errors.New("store the master key in the keychain: it does not give back what it was given")
	}
	return h.write(whereFile, "keychain "+id+"\n")
}

// patiently waits for f up to the patience. A keychain that never answers
// keeps its goroutine: neither D-Bus nor the other systems' calls can be
// called off. f must not be looked at after an error.
func (h home) patiently(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	timer := time.NewTimer(h.cfg.Patience)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return fmt.Errorf("no answer within %s", h.cfg.Patience)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func decodeKey(text string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != keySize {
		return nil, errors.New("it holds no key")
	}
	return key, nil
}
