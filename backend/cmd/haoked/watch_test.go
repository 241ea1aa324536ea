//go:build unix

package main

import (
	"crypto/ed25519"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"haoke/backend"
)

// TestANewVersionThatDiesAfterItsTrial: the real program is updated to one that
// passes the trial and dies at its real start, before it could put anything
// back itself. The version from before serves again, in one case after a power
// cut that leaves nobody to look after it.
func TestANewVersionThatDiesAfterItsTrial(t *testing.T) {
	if testing.Short() || runtime.GOOS != "linux" {
		t.Skip("builds the program twice")
	}
	root := t.TempDir()
	old, fresh, key := buildTwo(t, root)
	for name, c := range map[string]struct {
		end   string // how the new version ends
		power bool
	}{
		"it dies":        {end: "kill -SEGV $$"},
		"the power goes": {end: `pkill -9 -f "update-watch $SHOP_DATA"; kill -9 $$`, power: true},
	} {
		t.Run(name, func(t *testing.T) {
			data, exe, shelf := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "haoked"), t.TempDir()
			makers := httptest.NewServer(http.FileServer(http.Dir(shelf)))
			defer makers.Close()
			t.Setenv("HAOKE_UPDATES_MANIFEST", makers.URL+"/latest.json")
			t.Setenv("HAOKE_SECRETS_STORE", "file")
			t.Setenv("SHOP_DATA", data)
			if err := os.Link(old, exe); err != nil {
				t.Fatal(err)
			}
			r := launch(t, exe, data)
			r.ready()
			publishDying(t, root, shelf, fresh, c.end, key)
			if code, _, e := call("update", "--data", data); code != exitDone {
				t.Fatalf("exit %d %q", code, e)
			}
			if _, err := backend.NewDesk(backend.Attach(data)).ApplyUpdate(t.Context()); err != nil {
				t.Fatal(err)
			}
			select {
			case <-r.ends:
			case <-time.After(time.Minute):
				t.Fatalf("the new version does not end\n%s", r.log)
			}
			if c.power {
				r = launch(t, exe, data)
				r.ready()
			}
			s := until(t, data, func(s backend.UpdateState) bool { return s.Current == "0.1.0" && s.Last != nil })
			if s.Last.OK || s.Last.To != "0.2.0" || s.Last.Fault == "" {
				t.Errorf("the owner is not told: %+v", s.Last)
			}
			if left, _ := filepath.Glob(exe + "?*"); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
			end(t, data)
		})
	}
}

// publishDying puts a program on the shelf that is fresh in its trial and ends
// in another way when it is started for good.
func publishDying(t *testing.T, root, shelf, fresh, how string, key ed25519.PrivateKey) {
	t.Helper()
	dying := filepath.Join(t.TempDir(), "dying")
	script := fmt.Sprintf("#!/bin/sh\ncase \"$*\" in version|*--trial*) exec '%s' \"$@\" ;; esac\n%s\n", fresh, how)
	if err := os.WriteFile(dying, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	publish(t, shelf, dying, "0.2.0", key, time.Now().Add(-time.Hour))
}

// until asks the appliance that serves a folder until it is so.
func until(t *testing.T, data string, so func(backend.UpdateState) bool) backend.UpdateState {
	t.Helper()
	var last error
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(100 * time.Millisecond) {
		if _, err := backend.ReadRuntime(data); err != nil {
			last = err
			continue
		}
		s, err := backend.NewDesk(backend.Attach(data)).Updates(t.Context())
		if err == nil && so(s) {
			return s
		}
		last = fmt.Errorf("%+v %w", s, err)
	}
	t.Fatalf("it did not come back: %v", last)
	return backend.UpdateState{}
}

// end stops the appliance that serves a folder, whoever started it.
func end(t *testing.T, data string) {
	t.Helper()
	running, err := backend.ReadRuntime(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(running.PID, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(100 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(data, "runtime.json")); os.IsNotExist(err) {
			return
		}
	}
	t.Error("it does not stop")
}

// TestOpenPrintsALinkThatSignsIn: once.
func TestOpenPrintsALinkThatSignsIn(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	if code, _, e := call("open", "--print", "--data", t.TempDir()); code != exitFailed || !strings.Contains(e, "open the admin page") {
		t.Errorf("where nothing runs: exit %d %q", code, e)
	}
	t.Setenv("HAOKE_SECRETS_STORE", "file")
	data := filepath.Join(t.TempDir(), "data")
	launch(t, build(t, t.TempDir(), "0.1.0", ""), data)
	code, out, e := call("open", "--print", "--wait", "1m", "--data", data)
	if code != exitDone || !strings.HasPrefix(out, "http://127.0.0.1:") {
		t.Fatalf("exit %d %q %q", code, out, e)
	}
	page, ticket, _ := strings.Cut(strings.TrimSpace(out), "/#ticket=")
	for _, want := range []int{http.StatusOK, http.StatusUnauthorized} {
		resp, err := http.Post(page+"/api/admin/v1/session/ticket", "application/json", strings.NewReader(`{"ticket":"`+ticket+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("signing in: %s, want %d", resp.Status, want)
		}
	}
}
