package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const pass = "a good passphrase"

// write makes a backup of some bytes that stand for a database.
func write(t *testing.T, o Options, content []byte) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "x.backup")
	o.Version, o.At = "1.2.3", time.Date(2026, 1, 31, 15, 4, 5, 0, time.UTC)
	n, err := Write(context.Background(), out, o, func(_ context.Context, path string) error { return os.WriteFile(path, content, 0o600) })
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(out); err != nil || info.Size() != n || info.Mode().Perm() != 0o600 {
		t.Fatalf("%d bytes told, %v, %v", n, info, err)
	}
	return out
}

func TestThereAndBack(t *testing.T) {
	content := bytes.Repeat([]byte("a row of a table "), 10_000)
	secrets := Secrets{"keys/main": []byte("sk-the-plain-value")}
	for name, o := range map[string]Options{"open": {Secrets: secrets}, "sealed": {Passphrase: pass, Secrets: secrets}} {
		t.Run(name, func(t *testing.T) {
			file := write(t, o, content)
			raw, err := os.ReadFile(file)
			if err != nil || bytes.Contains(raw, []byte("sk-the-plain")) || bytes.Contains(raw, []byte("a row of")) {
				t.Fatalf("the file shows what is in it (%v)", err)
			}
			head, err := Head(file)
			if err != nil || head.Version != "1.2.3" || head.Sealed != (o.Passphrase != "") {
				t.Fatalf("head: %+v, %v", head, err)
			}
			to := filepath.Join(t.TempDir(), "db")
			info, got, err := Extract(context.Background(), file, o.Passphrase, to)
			if err != nil || info != head {
				t.Fatalf("extracted: %+v, %v", info, err)
			}
			if back, err := os.ReadFile(to); err != nil || !bytes.Equal(back, content) {
				t.Fatalf("%d bytes came back, %v", len(back), err)
			}
			if want := o.Passphrase != ""; (string(got["keys/main"]) == "sk-the-plain-value") != want {
				t.Errorf("secrets: %q", got)
			}
			if _, _, err := Extract(context.Background(), file, o.Passphrase, to); !errors.Is(err, ErrExists) {
				t.Errorf("extracted over a file: %v", err)
			}
		})
	}
}

func TestNothingIsReplaced(t *testing.T) {
	file := write(t, Options{}, []byte("first"))
	copyTo := func(_ context.Context, path string) error { return os.WriteFile(path, []byte("second"), 0o600) }
	if _, err := Write(context.Background(), file, Options{}, copyTo); !errors.Is(err, ErrExists) {
		t.Errorf("written over a backup: %v", err)
	}
	other := filepath.Join(filepath.Dir(file), "other")
	if err := os.WriteFile(other, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Place(other, file); !errors.Is(err, ErrExists) {
		t.Errorf("placed over a backup: %v", err)
	}
	broken := errors.New("no room")
	for name, o := range map[string]struct {
		o    Options
		copy func(context.Context, string) error
	}{
		"the copy fails":  {Options{}, func(context.Context, string) error { return broken }},
		"the check fails": {Options{Check: func(context.Context, string) error { return broken }}, copyTo},
	} {
		out := filepath.Join(filepath.Dir(file), "failed")
		if _, err := Write(context.Background(), out, o.o, o.copy); !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 2 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestDamage flips and cuts everywhere: a damaged file is never taken for a
// sound one, and nothing stays behind.
func TestDamage(t *testing.T) {
	content := bytes.Repeat([]byte("some rows "), 500)
	for name, o := range map[string]Options{"open": {}, "sealed": {Passphrase: pass}} {
		t.Run(name, func(t *testing.T) {
			whole, err := os.ReadFile(write(t, o, content))
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			file, to := filepath.Join(dir, "f"), filepath.Join(dir, "db")
			try := func(what string, data []byte) {
				t.Helper()
				if err := os.WriteFile(file, data, 0o600); err != nil {
					t.Fatal(err)
				}
				_, _, err := Extract(context.Background(), file, o.Passphrase, to)
				if err == nil {
					back, _ := os.ReadFile(to)
					if !bytes.Equal(back, content) {
						t.Errorf("%s: taken for sound", what)
					}
					os.Remove(to)
					return
				}
				if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign) && !errors.Is(err, ErrPassphrase) {
					t.Errorf("%s: an error without a name: %v", what, err)
				}
				if _, err := os.Stat(to); err == nil {
					t.Fatalf("%s: something stays behind", what)
				}
			}
			step := len(whole)/12 + 1 // each try of a sealed file derives a key
			for i := 0; i < len(whole); i += step {
				flipped := bytes.Clone(whole)
				flipped[i] ^= 0x40
				try("flipped", flipped)
				try("cut", whole[:i])
			}
			try("cut at the end", whole[:len(whole)-1])
		})
	}
}

func TestPassphrase(t *testing.T) {
	file := write(t, Options{Passphrase: pass}, []byte("rows"))
	for _, wrong := range []string{"", "another passphrase"} {
		to := filepath.Join(t.TempDir(), "db")
		if _, _, err := Extract(context.Background(), file, wrong, to); !errors.Is(err, ErrPassphrase) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

// TestStrangeArchives: names inside never become paths, and what lacks a
// database is refused.
func TestStrangeArchives(t *testing.T) {
	pack := func(names ...string) string {
		var body bytes.Buffer
		z := gzip.NewWriter(&body)
		w := tar.NewWriter(z)
		for _, n := range names {
			data := []byte("{}")
			if err := w.WriteHeader(&tar.Header{Name: n, Size: int64(len(data)), Mode: 0o600}); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(data); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(w.Close(), z.Close()); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(file, append([]byte(Magic+"{}\n"), body.Bytes()...), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	dir := filepath.Join(t.TempDir(), "deep")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Extract(context.Background(), pack("../../evil", "/tmp/evil-haoke", "haoke.db"), "", filepath.Join(dir, "db")); err != nil {
		t.Errorf("unknown entries: %v", err)
	}
	for _, p := range []string{filepath.Join(dir, "..", "evil"), filepath.Join(dir, "..", "..", "evil"), "/tmp/evil-haoke"} {
		if _, err := os.Stat(p); err == nil {
			t.Errorf("%s was written", p)
		}
	}
	if _, _, err := Extract(context.Background(), pack("manifest.json"), "", filepath.Join(dir, "none")); !errors.Is(err, ErrDamaged) {
		t.Errorf("without a database: %v", err)
	}
	for name, data := range map[string]string{"empty": "", "other": "PK\x03\x04 something else entirely", "no head": Magic, "long head": Magic + string(bytes.Repeat([]byte("x"), 10_000))} {
		file := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Head(file); !errors.Is(err, ErrForeign) && !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGivenUp(t *testing.T) {
	file := write(t, Options{}, bytes.Repeat([]byte("rows"), 100_000))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	to := filepath.Join(t.TempDir(), "db")
	if _, _, err := Extract(ctx, file, "", to); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("something stays behind")
	}
}
