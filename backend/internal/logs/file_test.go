package logs

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestFileIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "not yet there", "haoke.log")
	f, err := OpenFile(path, 5<<10)
	if err != nil {
		t.Fatal(err)
	}
	line := append(bytes.Repeat([]byte("x"), 1<<10-1), '\n')
	for range 13 {
		if n, err := f.Write(line); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	sizes := func(want map[string]int64) {
		t.Helper()
		for name, size := range want {
			if info, err := os.Stat(name); err != nil || info.Size() != size || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
				t.Errorf("%s: %v %v, want %d bytes for the owner alone", name, info, err, size)
			}
		}
	}
	sizes(map[string]int64{path: 3 << 10, path + ".1": 5 << 10})
	if err := errors.Join(f.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(line); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
	// The bound holds across a start, and a write of more has a file of its own.
	again, err := OpenFile(path, 5<<10)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, err := again.Write(bytes.Repeat(line, 7)); err != nil {
		t.Fatal(err)
	}
	sizes(map[string]int64{path: 7 << 10, path + ".1": 3 << 10})
}

// What lies in the way of the old file does not stop the log: it grows on.
func TestFileThatCannotBeMovedGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "haoke.log")
	if err := os.MkdirAll(filepath.Join(path+".1", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(path, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 3 {
		if _, err := f.Write([]byte("nine more\n")); err != nil {
			t.Fatal(err)
		}
	}
	if data, err := os.ReadFile(path); err != nil || len(data) != 30 {
		t.Errorf("%q %v", data, err)
	}
}

func TestFileSaysWhyItCannotBeOpened(t *testing.T) {
	if _, err := OpenFile(t.TempDir(), 10); err == nil {
		t.Error("a folder was opened as a log")
	}
}
