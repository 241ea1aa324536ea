package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"haoke/backend"
)

// build makes the real program as a version with the makers' key in it.
func build(t *testing.T, dir, version, keys string) string {
	t.Helper()
	out := filepath.Join(dir, "haoked-"+version)
	c := exec.Command("go", "build", "-ldflags", "-X haoke/backend.Version="+version+" -X haoke/backend.UpdateKeys="+keys, "-o", out, ".")
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false -trimpath")
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", version, err, text)
	}
	return out
}

// buildTwo makes the real program as 0.1.0 and as 0.2.0, which trust the
// releases signed with key, and with the others' keys.
func buildTwo(t *testing.T, dir string, others ...string) (old, fresh string, key ed25519.PrivateKey) {
	t.Helper()
	file := filepath.Join(dir, "release.key")
	public, err := backend.NewReleaseKey(file)
	if err != nil {
		t.Fatal(err)
	}
	if key, err = backend.ReadReleaseKey(file); err != nil {
		t.Fatal(err)
	}
	keys := strings.Join(append(others, public), ",")
	return build(t, dir, "0.1.0", keys), build(t, dir, "0.2.0", keys), key
}

// running is the real program as a process of its own.
type running struct {
	t    *testing.T
	cmd  *exec.Cmd
	ends chan error
	line chan string // each "ready" line
	log  *bytes.Buffer
}

func launch(t *testing.T, exe, data string, more ...string) *running {
	t.Helper()
	r := &running{t: t, ends: make(chan error, 1), line: make(chan string, 8), log: &bytes.Buffer{}}
	r.cmd = exec.Command(exe, append([]string{"serve", "--data", data, "--public", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, more...)...)
	r.cmd.Stderr = r.log
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			r.line <- s.Text()
		}
		r.ends <- r.cmd.Wait()
	}()
	t.Cleanup(func() { r.cmd.Process.Kill() })
	return r
}

func (r *running) ready() {
	r.t.Helper()
	select {
	case <-r.line:
	case err := <-r.ends:
		r.t.Fatalf("it ended: %v\n%s", err, r.log)
	case <-time.After(time.Minute):
		r.t.Fatalf("not ready\n%s", r.log)
	}
}

func (r *running) stop() {
	r.t.Helper()
	r.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-r.ends:
		if err != nil {
			r.t.Errorf("the end: %v\n%s", err, r.log)
		}
	case <-time.After(time.Minute):
		r.t.Fatal("it does not stop")
	}
}

// publish packs a program as a release beside a signed notice.
func publish(t *testing.T, dir, program, version string, key ed25519.PrivateKey, issued time.Time) {
	t.Helper()
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	files := t.TempDir()
	f, err := os.Create(filepath.Join(files, fmt.Sprintf("haoked-%s-%s-%s.tar.gz", version, runtime.GOOS, runtime.GOARCH)))
	if err != nil {
		t.Fatal(err)
	}
	z, _ := gzip.NewWriterLevel(f, gzip.BestSpeed)
	w := tar.NewWriter(z)
	err = w.WriteHeader(&tar.Header{Name: "haoked-" + version + "/haoked", Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(data))})
	if err == nil {
		_, err = w.Write(data)
	}
	if err = errors.Join(err, w.Close(), z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	n := backend.ReleaseNotice{Version: version, Notes: "What is new in " + version + ".", Issued: issued, Valid: 24 * time.Hour}
	if err := backend.WriteNotice(n, files, "", filepath.Join(dir, "latest.json"), key); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, filepath.Base(f.Name()))); err != nil {
		t.Fatal(err)
	}
}

// TestUpdateOfTheRealProgram goes from 0.1.0 to 0.2.0 by one command while the
// program serves, refuses a 0.3.0 that does not start, and comes back from a
// 0.2.0 that died in its first start.
func TestUpdateOfTheRealProgram(t *testing.T) {
	if testing.Short() || runtime.GOOS != "linux" {
		t.Skip("builds the program twice")
	}
	root := t.TempDir()
	spare, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	old, fresh, key := buildTwo(t, root, base64.StdEncoding.EncodeToString(spare))
	shelf := filepath.Join(root, "shelf")
	if err := os.Mkdir(shelf, 0o700); err != nil {
		t.Fatal(err)
	}
	makers := httptest.NewServer(http.FileServer(http.Dir(shelf)))
	defer makers.Close()
	t.Setenv("HAOKE_UPDATES_MANIFEST", makers.URL+"/latest.json")
	t.Setenv("HAOKE_SECRETS_STORE", "file")

	// Installed from a tar.gz into a folder of one's own.
	data, exe := filepath.Join(root, "data [1]"), filepath.Join(root, "opt 好客", "haoked")
	if err := os.MkdirAll(filepath.Dir(exe), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(old, exe); err != nil {
		t.Fatal(err)
	}
	issued := time.Now().Add(-time.Hour)
	publish(t, shelf, old, "0.1.0", key, issued)
	r := launch(t, exe, data)
	r.ready()
	if code, out, e := call("update", "--data", data); code != exitDone || !strings.Contains(out, "no newer one") {
		t.Fatalf("the same version: exit %d %q %q", code, out, e)
	}
	publish(t, shelf, fresh, "0.2.0", key, issued.Add(time.Minute))
	if code, out, _ := call("update", "--data", data); code != exitDone || !strings.Contains(out, "0.2.0 is there") || !strings.Contains(out, "What is new") || !strings.Contains(out, "--apply") {
		t.Fatalf("exit %d %q", code, out)
	}
	code, out, e := call("update", "--data", data, "--apply")
	if code != exitDone || !strings.Contains(out, "version 0.2.0 serves") {
		t.Fatalf("exit %d %q %q\n%s", code, out, e, r.log)
	}
	r.ready() // the same process, the second line
	if running, err := backend.ReadRuntime(data); err != nil || running.PID != r.cmd.Process.Pid || running.Version != "0.2.0" {
		t.Errorf("%+v %v, process %d", running, err, r.cmd.Process.Pid)
	}
	if kept, _ := filepath.Glob(filepath.Join(root, "data \\[1\\]", "backups", "*.backup")); len(kept) != 1 {
		t.Errorf("backups before the update: %v", kept)
	}
	if _, err := os.Stat(exe + ".previous"); err != nil {
		t.Error(err)
	}

	// A release that cannot start on this data: nothing changes.
	broken := filepath.Join(root, "broken")
	script := "#!/bin/sh\n[ \"$1\" = version ] && { echo haoked 0.3.0; exit 0; }\necho 'open store: this build is broken' >&2\nexit 1\n"
	if err := os.WriteFile(broken, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	publish(t, shelf, broken, "0.3.0", key, issued.Add(2*time.Minute))
	if code, _, e := call("update", "--data", data, "--apply"); code != exitFailed || !strings.Contains(e, "this build is broken") {
		t.Errorf("exit %d %q", code, e)
	}
	if running, err := backend.ReadRuntime(data); err != nil || running.Version != "0.2.0" {
		t.Errorf("%+v %v", running, err)
	}
	r.stop()

	// The power went in the first start of 0.2.0, after its migration.
	setBack(t, data, exe)
	r = launch(t, exe, data)
	r.ready()
	if running, err := backend.ReadRuntime(data); err != nil || running.Version != "0.1.0" || running.PID != r.cmd.Process.Pid {
		t.Errorf("%+v %v\n%s", running, err, r.log)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := backend.NewDesk(backend.Attach(data)).Updates(ctx)
	if err != nil || s.Current != "0.1.0" || s.Last == nil || s.Last.OK || s.Last.To != "0.2.0" {
		t.Errorf("the owner is not told: %+v %v", s, err)
	}
	if kept, _ := filepath.Glob(filepath.Join(root, "data \\[1\\]", "before-restore-*", "haoke.db")); len(kept) != 1 {
		t.Errorf("what the failed version made is not kept: %v", kept)
	}
	r.stop()
}

// setBack leaves the folder as a first start of 0.2.0 that was cut off would.
func setBack(t *testing.T, data, exe string) {
	t.Helper()
	at := time.Now().Add(-time.Minute)
	note, err := json.Marshal(map[string]any{"pending": map[string]any{
		"from": "0.1.0", "to": "0.2.0", "exe": exe, "previous": exe + ".previous", "at": at, "starts": 1,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "update.json"), note, 0o600); err != nil {
		t.Fatal(err)
	}
	db := filepath.Join(data, "haoke.db")
	raw, err := os.ReadFile(db)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(db+".schema2.bak", raw, 0o600); err != nil {
		t.Fatal(err)
	}
}
