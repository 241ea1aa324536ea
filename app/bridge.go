package app

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	gopath "path"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"

	"github.com/wailsapp/wails/v2/pkg/runtime"
)

// Bridge is what the page may ask of the window and a browser could not do.
// Strangers' texts are shown in that page, so it stays small, and nothing in it
// reads files, runs programs of the page's choice or touches secrets.
type Bridge struct {
	app *App

	mu    sync.Mutex
	saved []string // the latest files that the person saved from here
}

// maxSaved bounds how many saved files can be shown in their folder later.
const maxSaved = 50

// maxSave bounds what SaveBytes takes, in base64.
const maxSave = 64 << 20

// apiPath is the only part of the appliance that Download may read.
const apiPath = "/api/admin/v1/"

// Download asks where to save and writes what the admin API answers at path.
// It returns the file's path, "" when the person cancelled.
func (b *Bridge) Download(path, name string) (string, error) {
	r, err := apiRequest(path)
	if err != nil {
		return "", err
	}
	handler := b.app.door.handler.Load()
	if handler == nil {
		return "", errors.New("save: the appliance is not running")
	}
	return b.save(name, func(out io.Writer) error {
		w := &fileWriter{header: http.Header{}, status: http.StatusOK, out: out}
		(*handler).ServeHTTP(w, r)
		if w.status != http.StatusOK {
			return fmt.Errorf("the appliance answered %d", w.status)
		}
		return w.err
	})
}

// apiRequest is a GET of the admin API, and of nothing else, whatever the page
// wrote.
func apiRequest(path string) (*http.Request, error) {
	r, err := http.NewRequest(http.MethodGet, path, http.NoBody)
	if err != nil || r.URL.Host != "" || r.URL.Scheme != "" || !strings.HasPrefix(r.URL.Path, apiPath) || gopath.Clean(r.URL.Path) != r.URL.Path {
		return nil, errors.New("save: only the admin API can be saved from")
	}
	r.Host, r.RemoteAddr = "127.0.0.1", "127.0.0.1:0"
	return r, nil
}

// SaveBytes asks where to save and writes these bytes, given in base64. It
// returns the file's path, "" when the person cancelled.
func (b *Bridge) SaveBytes(name, data string) (string, error) {
	if len(data) > maxSave {
		return "", errors.New("save: the file is too large")
	}
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return "", fmt.Errorf("save: %w", err)
	}
	return b.save(name, func(out io.Writer) error {
		_, err := out.Write(raw)
		return err
	})
}

// save asks where to and lets write fill the file, which appears whole or not
// at all.
func (b *Bridge) save(name string, write func(io.Writer) error) (string, error) {
	target, err := runtime.SaveFileDialog(b.app.ctx, runtime.SaveDialogOptions{Title: words("Save"), DefaultFilename: fileName(name), CanCreateDirectories: true})
	if target == "" || err != nil {
		return "", err
	}
	if err := writeWhole(target, write); err != nil {
		return "", err
	}
	b.mu.Lock()
	b.saved = append(b.saved, target)
	b.saved = b.saved[max(0, len(b.saved)-maxSaved):]
	b.mu.Unlock()
	return target, nil
}

// fileName is a proposal without folders or characters that some system
// refuses.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < 0x20 || strings.ContainsRune(`<>:"/\|?*`, r) {
			return '-'
		}
		return r
	}, name)
	name = strings.Trim(name, ". -")
	if name == "" {
		return "haoke"
	}
	return name
}

// writeWhole writes beside the target and renames, so that a full disk leaves
// the file that was there.
func writeWhole(target string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(target), ".haoke-*")
	if err != nil {
		return fmt.Errorf("save: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := write(f); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	return finish(f, target)
}

func finish(f *os.File, target string) error {
	if err := f.Close(); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	if err := os.Rename(f.Name(), target); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	return nil
}

// Reveal shows the data folder, what lies in it, or a file that was saved from
// here in the file manager; nothing else is named to another program.
func (b *Bridge) Reveal(path string) error {
	path = filepath.Clean(path)
	if !b.mayReveal(path) {
		return errors.New("show in folder: only the data folder and saved files can be shown")
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("show in folder: %w", err)
	}
	dir := path
	if !info.IsDir() {
		dir = filepath.Dir(path)
	}
	program := map[string]string{"windows": "explorer", "darwin": "open"}[goruntime.GOOS]
	if program == "" {
		program = "xdg-open"
	}
	c := exec.Command(program, dir)
	if err := c.Start(); err != nil {
		return fmt.Errorf("show in folder: %w", err)
	}
	go func() { _ = c.Wait() }() // its exit code says nothing: explorer's is 1 always
	return nil
}

// mayReveal reports whether a path is one of ours.
func (b *Bridge) mayReveal(path string) bool {
	if dir, err := filepath.Abs(b.app.cfg.DataDir); err == nil {
		if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
			return true
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Contains(b.saved, path)
}

// OpenLink opens an address in the real browser or mail program; other schemes
// are ignored, as they could start programs.
func (b *Bridge) OpenLink(address string) {
	if safeLink(address) {
		runtime.BrowserOpenURL(b.app.ctx, address)
	}
}

func safeLink(address string) bool {
	u, err := url.Parse(address)
	if err != nil || len(address) > 4096 {
		return false
	}
	switch u.Scheme {
	case "http", "https":
		return u.Host != ""
	case "mailto", "tel":
		return u.Opaque != ""
	}
	return false
}

// Zoomed remembers the page's zoom in percent.
func (b *Bridge) Zoomed(percent int) { b.app.keep(func(p *place) { p.Zoom = zoomOf(percent) }) }

// Shaded says whether the page is dark.
func (b *Bridge) Shaded(dark bool) { b.app.shaded(dark) }

// Painted notes when a page was first seen: began is the start of its load in
// milliseconds since 1970, after is how many later the first text or picture
// was on the screen.
func (b *Bridge) Painted(began, after float64) { b.app.painted(began, after) }

// Notify is the page's wish for a native notification. Waiting visitors are the
// shell's own business, which knows the quiet hours and does not say a thing
// twice; so the wish only makes it look now.
func (b *Bridge) Notify(title, body, hash string) {
	select {
	case b.app.nudge <- struct{}{}:
	default: // it is about to look
	}
}

// fileWriter is the answer of a handler as a file.
type fileWriter struct {
	header http.Header
	status int
	out    io.Writer
	err    error
}

func (w *fileWriter) Header() http.Header { return w.header }

func (w *fileWriter) WriteHeader(status int) { w.status = status }

func (w *fileWriter) Write(p []byte) (int, error) {
	if w.status != http.StatusOK {
		return len(p), nil // a problem's words are not the file
	}
	n, err := w.out.Write(p)
	w.err = errors.Join(w.err, err)
	return n, err
}
