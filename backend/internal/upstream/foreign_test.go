package upstream

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/sim"
)

// mockLLM starts @dwmkerr/mock-llm from the npm packages of the browser tests,
// or from those that HAOKE_NPM names, and returns its base URL.
func mockLLM(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("HAOKE_NPM")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "frontend", "e2e", "node_modules")
	}
	program, err := filepath.Abs(filepath.Join(dir, "@dwmkerr", "mock-llm", "dist", "main.js"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		missing(t, fmt.Sprintf("npm package not installed (npm ci in frontend/e2e): %v", err))
	}
	if _, err := exec.LookPath("node"); err != nil {
		missing(t, "node is not installed")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // a port that is free now
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	rules, err := filepath.Abs(filepath.Join("testdata", "mock-llm.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", program, "--config", rules)
	cmd.Env = append(os.Environ(), "HOST=127.0.0.1", fmt.Sprint("PORT=", port))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	base := fmt.Sprintf("http://127.0.0.1:%d/v1", port)
	plain := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	waitFor(t, func() bool {
		resp, err := plain.Get(base + "/models")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	})
	return base
}

// TestForeignServer: the client works with a server that others wrote, which
// cuts its pieces within characters and answers errors inside a stream.
func TestForeignServer(t *testing.T) {
	base := mockLLM(t)
	r := newRig(t, Config{Merge: true}, sim.Config{})
	r.gate.targets[0].BaseURL = base
	ctx := within(t, time.Minute)
	const q = "Where is my order? 😀😀😀 几点开门?"
	got, res, err := r.ask(ctx, q)
	if err != nil || got != "You said: "+q || res.Finish != chat.FinishStop || !res.Usage.Estimated || res.Usage.Completion == 0 {
		t.Errorf("%q %+v %v", got, res, err)
	}
	whole, res, err := r.Judge(ctx, question(q), chat.Caller{})
	if err != nil || whole != "You said: "+q || res.Usage.Completion != 4 {
		t.Errorf("%q %+v %v", whole, res, err)
	}
	if _, _, err := r.ask(ctx, "wrong key"); chat.FaultOf(err) != chat.FaultAuth || !strings.Contains(err.Error(), `the key "main" was refused`) {
		t.Error(err)
	}
	if rep := r.TestKey(ctx, r.gate.targets[0]); !rep.OK || len(rep.Models) != 1 {
		t.Errorf("%+v", rep)
	}
}

// missing skips a test whose outside program is not there, or fails it where
// everything was to be installed (HAOKE_TEST_REQUIRE).
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("HAOKE_TEST_REQUIRE") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}
