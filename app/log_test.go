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

// A program without a terminal, or with a full disk, logs where it still can.
func TestLogGoesWhereItCan(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not yet there")
	file, err := backend.OpenLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var terminal bytes.Buffer
	for name, log := range map[string]either{"no terminal": {file, gone{}}, "full disk": {gone{}, &terminal}, "both": {file, &terminal}} {
		if n, err := log.Write([]byte(name + "\n")); n != len(name)+1 || err != nil {
			t.Errorf("%s: %d %v", name, n, err)
		}
	}
	if _, err := (either{gone{}, gone{}}).Write([]byte("lost")); err == nil {
		t.Error("a lost line is not told")
	}
	data, err := os.ReadFile(filepath.Join(dir, "haoke.log"))
	if err != nil || len(data) != len("no terminal\nboth\n") || terminal.Len() != len("full disk\nboth\n") {
		t.Errorf("%q %v, terminal %q", data, err, terminal.String())
	}
}

// gone takes nothing.
type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, os.ErrClosed }

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
