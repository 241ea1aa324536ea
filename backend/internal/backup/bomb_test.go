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
)

// member is a gzip stream of its own; readers take several in a row for one.
func member(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(data)
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// head is the header of an entry in a tar file.
func head(t *testing.T, name string, size int64) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := tar.NewWriter(&b).WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestBomb: a small file that unpacks to much is refused before it fills the
// disk, wherever in it the much lies.
func TestBomb(t *testing.T) {
	const much = 600 << 20
	zeros := bytes.Repeat(member(t, make([]byte, 20<<20)), much/(20<<20))
	end := member(t, make([]byte, 1024))
	for name, parts := range map[string][][]byte{
		"database":       {member(t, head(t, entryDatabase, much)), zeros, end},
		"another entry":  {member(t, head(t, "filler", much)), zeros, member(t, head(t, entryDatabase, 0)), end},
		"behind the end": {member(t, head(t, entryDatabase, 0)), end, zeros},
	} {
		dir := t.TempDir()
		file, to := filepath.Join(dir, "f"), filepath.Join(dir, "db")
		body := bytes.Join(parts, nil)
		if err := os.WriteFile(file, append([]byte(Magic+"{}\n"), body...), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Extract(context.Background(), file, "", to); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %d bytes that unpack to %d: %v", name, len(body), much, err)
		}
		if _, err := os.Stat(to); err == nil {
			t.Errorf("%s: something stays behind", name)
		}
	}
}
