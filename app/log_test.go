package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"haoke/backend"
)

func TestLogIsBounded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not yet there")
	l, err := openLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	line := append(bytes.Repeat([]byte("x"), 1<<20-1), '\n')
	for range 13 {
		if n, err := l.Write(line); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	for name, want := range map[string]int64{"haoke.log": 3 << 20, "haoke.log.1": 5 << 20} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() != want {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := l.Write(line); n != len(line) || err != nil {
		t.Errorf("after the end: %d %v", n, err)
	}
	again, err := openLog(dir)
	if err != nil || again.size != 3<<20 {
		t.Errorf("opened again: %+v %v", again, err)
	}
	again.Close()
}

func TestUpdateIsToldOnce(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	on := backend.Desktop{Notifications: true}
	if n := updateNote("1.3.0", "", on, noon); n == nil || !strings.Contains(n.title, "1.3.0") || !pageHash(n.hash) {
		t.Errorf("%+v", n)
	}
	for name, n := range map[string]*note{
		"none":   updateNote("", "", on, noon),
		"told":   updateNote("1.3.0", "1.3.0", on, noon),
		"off":    updateNote("1.3.0", "", backend.Desktop{}, noon),
		"quiet":  updateNote("1.3.0", "", backend.Desktop{Notifications: true, QuietFrom: "11:00", QuietTo: "13:00"}, noon),
		"nobody": updateNote("", "1.3.0", on, noon),
	} {
		if n != nil {
			t.Errorf("%s: %+v", name, n)
		}
	}
}

// Without a session there is no tray, and everything about it is a no-op.
func TestNoTray(t *testing.T) {
	var tr *tray
	if tr.available() {
		t.Error("a tray that is not there is available")
	}
	tr.show(backend.Status{State: "ok"}, true)
	tr.stop()
}
