package backend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// pendingUpdate leaves dir as an update to this version does right after the
// programs have changed places.
func pendingUpdate(t *testing.T, dir string, starts int) (exe string) {
	t.Helper()
	exe = filepath.Join(t.TempDir(), "haoked")
	for name, text := range map[string]string{exe: "new", exe + ".previous": "old"} {
		if err := os.WriteFile(name, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	note := fmt.Sprintf(`{"pending":{"from":"0.0.9","to":%q,"exe":%q,"previous":%q,"at":%q,"starts":%d}}`,
		Version, exe, exe+".previous", time.Now().Add(-time.Minute).Format(time.RFC3339Nano), starts)
	if err := os.WriteFile(filepath.Join(dir, "update.json"), []byte(note), 0o600); err != nil {
		t.Fatal(err)
	}
	return exe
}

func is(t *testing.T, exe, want string) {
	t.Helper()
	if got, err := os.ReadFile(exe); err != nil || string(got) != want {
		t.Errorf("the program is %q (%v), want %q", got, err, want)
	}
}

// TestAnUpdateThatCannotOpen: whatever stops the first start of a new version,
// also what stands before the folder is locked, the previous one is back.
func TestAnUpdateThatCannotOpen(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"settings": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, fileConfig), []byte("[server]\nnonsense = 1\n"), 0o600)
		},
		"database": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, fileDatabase), []byte("this is no database, and long enough to be looked at as one: it is not. ............"), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			exe := pendingUpdate(t, dir, 0)
			if err := spoil(dir); err != nil {
				t.Fatal(err)
			}
			_, err := New(t.Context(), Config{DataDir: dir, LogOutput: io.Discard, Environ: []string{"HAOKE_SECRETS_STORE=file"}})
			var back *RolledBackError
			if !errors.As(err, &back) || back.Exe != exe || back.From != "0.0.9" {
				t.Fatalf("%v", err)
			}
			is(t, exe, "old")
			// The previous version, which may fail as well, is not put back again.
			if _, err := New(t.Context(), Config{DataDir: dir, LogOutput: io.Discard, Environ: []string{"HAOKE_SECRETS_STORE=file"}}); err == nil || errors.As(err, &back) {
				t.Errorf("again: %v", err)
			}
		})
	}
}

// TestAnUpdateThatServesStays, and one that is stopped on the way is no failure.
func TestAnUpdateThatServesStays(t *testing.T) {
	dir := t.TempDir()
	exe := pendingUpdate(t, dir, 0)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(ended, Config{DataDir: dir, LogOutput: io.Discard, Environ: []string{"HAOKE_SECRETS_STORE=file"}}); !errors.Is(err, context.Canceled) {
		t.Fatalf("a start that is stopped: %v", err)
	}
	run(t, dir).stop()
	is(t, exe, "new")
	a := run(t, dir)
	var s UpdateState
	if code := a.api("GET", "/updates", "", &s); code != 200 || s.Last == nil || !s.Last.OK || s.Last.From != "0.0.9" {
		t.Errorf("%d %+v", code, s)
	}
}

// TestASecondServerIsNoFailedUpdate: a folder that is in use is left alone.
func TestASecondServerIsNoFailedUpdate(t *testing.T) {
	dir := t.TempDir()
	run(t, dir)
	exe := pendingUpdate(t, dir, 0)
	var held *HeldError
	if _, err := New(t.Context(), Config{DataDir: dir, LogOutput: io.Discard, Environ: []string{"HAOKE_SECRETS_STORE=file"}}); !errors.As(err, &held) {
		t.Fatalf("%v", err)
	}
	is(t, exe, "new")
}
