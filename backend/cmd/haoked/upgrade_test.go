package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"haoke/backend"
)

// TestMain lets the test's own binary be the program that is killed.
func TestMain(m *testing.M) {
	if os.Getenv("TEST_AS_HAOKED") != "" {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// TestKilledInTheUpgrade takes the data of the first release over and is killed
// again and again on the way, each time a little later. In the end everything
// is there.
func TestKilledInTheUpgrade(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there a process is not killed in this way")
	}
	const token = "a-token-for-scripts-1234"
	t.Setenv("TEST_AS_HAOKED", "1")
	t.Setenv("HAOKE_ADMIN_TOKEN", token)
	t.Setenv("HAOKE_SECRETS_STORE", "file")
	first := unpacked(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cut, served := 0, false
	for delay := 10 * time.Millisecond; !served; delay = delay * 5 / 4 {
		// Each cut starts from the release's data; what it leaves is taken over.
		data := first()
		r := launch(t, exe, data)
		select {
		case <-r.line:
			served = true
		case err := <-r.ends:
			t.Fatalf("it ended by itself: %v\n%s", err, r.log)
		case <-time.After(delay):
			cut++
		}
		r.cmd.Process.Kill()
		<-r.ends
		whole(t, exe, data, token)
	}
	if cut < 3 {
		t.Errorf("only %d starts were cut off before they were ready", cut)
	}
}

// whole starts on a folder and fails unless the release's conversation and key
// are there.
func whole(t *testing.T, exe, data, token string) {
	t.Helper()
	r := launch(t, exe, data)
	r.ready()
	defer r.stop()
	running, err := backend.ReadRuntime(data)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/conversations?limit=5": `"last_seq":6`, "/keys": `"name":"main"`, "/operators": `"name":"mei"`, "/faq?query=wrap": "red paper"} {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, running.Admin+"/api/admin/v1"+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		var got json.RawMessage
		err = json.NewDecoder(resp.Body).Decode(&got)
		resp.Body.Close()
		if err != nil || !strings.Contains(string(got), want) {
			t.Errorf("%s lacks %s: %.300s %v", path, want, got, err)
		}
	}
}

// unpacked gives copies of the first release's data folder.
func unpacked(t *testing.T) func() string {
	t.Helper()
	archive, err := filepath.Abs("../../testdata/releases/0.1.0.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	return func() string {
		dir := t.TempDir()
		if out, err := exec.Command("tar", "-xzf", archive, "-C", dir).CombinedOutput(); err != nil {
			t.Fatalf("unpack: %v %s", err, out)
		}
		return dir
	}
}

// TestNewerDataIsRefusedWithASentence: what a newer version left is not touched
// and the words say what to do.
func TestNewerDataIsRefusedWithASentence(t *testing.T) {
	t.Setenv("HAOKE_SECRETS_STORE", "file")
	data := unpacked(t)()
	path := filepath.Join(data, "haoke.db")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[62], raw[63] = 3, 231
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, e := call("serve", "--data", data, "--public", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	if code != exitFailed || out != "" || !strings.Contains(e, "newer version") {
		t.Errorf("exit %d %q", code, e)
	}
	if now, err := os.ReadFile(path); err != nil || string(now) != string(raw) {
		t.Errorf("it was changed (%v)", err)
	}
	if code, out, _ := call("doctor", "--data", data); code != exitFailed || !strings.Contains(out, "newer") {
		t.Errorf("doctor: exit %d %q", code, out)
	}
}
