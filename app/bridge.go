package app

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"

	"github.com/wailsapp/wails/v2/pkg/runtime"
)

// Bridge is what the page may ask of the window and a browser could not do.
// Strangers' texts are shown in that page, so it stays small, and nothing in it
// reads files, runs programs of the page's choice or touches secrets.
type Bridge struct{ app *App }

// maxSave bounds what SaveBytes takes, in base64.
const maxSave = 64 << 20

// apiPath is the only part of the appliance that Download may read.
const apiPath = "/api/admin/v1/"

// Download asks where to save and writes what the admin API answers at path.
// It returns the file's path, "" when the person cancelled.
func (b *Bridge) Download(path, name string) (string, error) {
	if !strings.HasPrefix(path, apiPath) || strings.Contains(path, "..") {
		return "", errors.New("only the admin API can be downloaded from")
	}
	handler := b.app.door.handler.Load()
	if handler == nil {
		return "", errors.New("the appliance is not running")
	}
	target, err := b.ask(name)
	if target == "" || err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Dir(target), ".haoke-*")
	if err != nil {
		return "", fmt.Errorf("save: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	w := &fileWriter{header: http.Header{}, status: http.StatusOK, out: f}
	(*handler).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if w.err != nil || w.status != http.StatusOK {
		return "", fmt.Errorf("save: the appliance answered %d: %w", w.status, errors.Join(w.err))
	}
	return target, finish(f, target)
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
	target, err := b.ask(name)
	if target == "" || err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Dir(target), ".haoke-*")
	if err != nil {
		return "", fmt.Errorf("save: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.Write(raw); err != nil {
		return "", fmt.Errorf("save: %w", err)
	}
	return target, finish(f, target)
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

func (b *Bridge) ask(name string) (string, error) {
	return runtime.SaveFileDialog(b.app.ctx, runtime.SaveDialogOptions{DefaultFilename: filepath.Base(name), CanCreateDirectories: true})
}

// Reveal shows a file of the data folder, or one that was just saved, in the
// file manager.
func (b *Bridge) Reveal(path string) error {
	path = filepath.Clean(path)
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
	if err := exec.Command(program, dir).Start(); err != nil {
		return fmt.Errorf("show in folder: %w", err)
	}
	return nil
}

// Notify shows a native notification.
func (b *Bridge) Notify(title, body, hash string) error {
	return runtime.SendNotification(b.app.ctx, runtime.NotificationOptions{
		ID: "haoke-" + fingerprint(hash), Title: title, Body: body, Data: map[string]any{"hash": hash},
	})
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
