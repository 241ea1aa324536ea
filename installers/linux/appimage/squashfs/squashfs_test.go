package squashfs

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// made is an image of many entries: folders whose lists and inodes take more
// than one block, files of one block, of many, and with a hole.
func made(t testing.TB) (data []byte, files map[string]string) {
	t.Helper()
	if _, err := exec.LookPath("mksquashfs"); err != nil {
		if os.Getenv("HAOKE_TEST_REQUIRE") != "" {
			t.Fatal("mksquashfs is missing: make setup-test installs it")
		}
		t.Skip("needs mksquashfs (package squashfs-tools)")
	}
	dir := t.TempDir()
	files = map[string]string{"big": string(bytes.Repeat([]byte("0123456789abcdef"), 40_000)), "hole": string(make([]byte, 300_000)) + "x", "empty": ""}
	for n := range 900 {
		files[fmt.Sprintf("many/客 %04d with a long name so that the list grows", n)] = fmt.Sprint(n)
	}
	for name, text := range files {
		path := filepath.Join(dir, "in", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "image")
	cmd := exec.Command("mksquashfs", filepath.Join(dir, "in"), out, "-quiet", "-no-progress", "-no-xattrs", "-no-fragments", "-comp", "zstd", "-b", "128K")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("mksquashfs: %v %s", err, said)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return data, files
}

func TestWalk(t *testing.T) {
	data, files := made(t)
	i, err := Open(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	for range 2 {
		seen, folders := 0, 0
		err = i.Walk(func(e *Entry) error {
			if e.Mode.IsDir() {
				folders++
				return nil
			}
			seen++
			var b bytes.Buffer
			if _, err := e.WriteTo(&b); err != nil {
				return err
			}
			if want, ok := files[e.Path]; !ok || b.String() != want || e.Mode != 0o640 {
				t.Errorf("%s: %d bytes, %v", e.Path, b.Len(), e.Mode)
			}
			return nil
		})
		if err != nil || seen != len(files) || folders != 2 {
			t.Fatalf("%d files, %d folders, %v", seen, folders, err)
		}
	}
	if err := i.Walk(func(*Entry) error { return fs.SkipAll }); err != fs.SkipAll {
		t.Errorf("a visitor's error: %v", err)
	}
}

// FuzzWalk: whatever the bytes, it ends without a panic and within the bounds.
func FuzzWalk(f *testing.F) {
	data, _ := made(f)
	f.Add(data[:min(len(data), 20_000)], 40, byte(3))
	f.Add([]byte("hsqs"), 0, byte(0))
	f.Fuzz(func(t *testing.T, head []byte, at int, change byte) {
		b := bytes.Clone(data)
		copy(b, head)
		b[uint(at)%uint(len(b))] ^= change
		i, err := Open(bytes.NewReader(b))
		if err != nil {
			return
		}
		defer i.Close()
		n := 0
		_ = i.Walk(func(e *Entry) error {
			if n++; n > maxEntries {
				t.Fatal("too many entries")
			}
			if e.Mode.IsRegular() && n < 10 {
				_, _ = e.WriteTo(io.Discard)
			}
			return nil
		})
	})
}
