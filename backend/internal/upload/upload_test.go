package upload

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 4, 4))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var types = []string{"image/*", "application/pdf", "text/plain"}

func TestPutKeepsOnlyPixels(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	hidden := append(picture(t), []byte("<script>alert(1)</script>")...)
	f, err := s.Put(bytes.NewReader(hidden), `..\..\my "cat".php`, 1<<20, types)
	if err != nil {
		t.Fatal(err)
	}
	if f.Type != "image/png" || f.Name != "my cat.png" {
		t.Errorf("stored as %+v", f)
	}
	data, err := os.ReadFile(filepath.Join(s.dir, f.ID))
	if err != nil || bytes.Contains(data, []byte("script")) {
		t.Errorf("what was hidden behind the picture survived (%v)", err)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "/v1/files/"+f.ID, nil))
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") ||
		!strings.Contains(w.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("served with %d %v", w.Code, w.Header())
	}
}

func TestRefusals(t *testing.T) {
	s, _ := Open(t.TempDir())
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"html":            {[]byte("<html><script>"), ErrType},
		"program":         {[]byte("MZ\x90\x00\x03"), ErrType},
		"too large":       {bytes.Repeat([]byte("a"), 2000), ErrTooLarge},
		"half a picture":  {picture(t)[:40], ErrImage},
		"svg with script": {[]byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="x()">`), ErrType},
	} {
		if _, err := s.Put(bytes.NewReader(c.data), name, 1000, []string{"image/*"}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestNoPathLeadsOutside(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "secret.txt"), []byte("x"), 0o600)
	s, _ := Open(filepath.Join(dir, "files"))
	for _, p := range []string{"/v1/files/..%2fsecret.txt", "/v1/files/secret.txt", "/v1/files/", "/v1/files/" + strings.Repeat("a", 32) + ".exe"} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", p, nil))
		if w.Code != 404 {
			t.Errorf("%s: %d", p, w.Code)
		}
	}
}

func TestExpire(t *testing.T) {
	s, _ := Open(t.TempDir())
	f, err := s.Put(strings.NewReader("hello there"), "a", 100, types)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Expire(time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(s.dir, f.ID)); err != nil {
		t.Fatal("a fresh file was deleted")
	}
	if err := s.Expire(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(s.dir, f.ID)); err == nil {
		t.Fatal("an old file stayed")
	}
}
