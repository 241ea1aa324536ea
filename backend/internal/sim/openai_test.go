package sim

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// modules finds the installed npm packages of the browser tests, or those that
// HAOKE_NPM names; the test is skipped when they lack the wanted file.
func modules(t *testing.T, file string) string {
	t.Helper()
	dir := os.Getenv("HAOKE_NPM")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "frontend", "e2e", "node_modules")
	}
	path, err := filepath.Abs(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		missing(t, fmt.Sprintf("npm package not installed (npm ci in frontend/e2e): %v", err))
	}
	if _, err := exec.LookPath("node"); err != nil {
		missing(t, "node is not installed")
	}
	return path
}

// TestOpenAIClient: the official client for Node.js works with the simulator.
func TestOpenAIClient(t *testing.T) {
	client := modules(t, filepath.Join("openai", "index.mjs"))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	served := make(chan error, 1)
	go func() {
		served <- New(Config{Keys: []string{"sk-sim"}, Pace: time.Millisecond, RPM: 600}).Serve(ctx, l)
	}()
	defer func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	cmd := exec.CommandContext(ctx, "node", "--test", filepath.Join("testdata", "openai-client.mjs"))
	cmd.Env = append(os.Environ(), "BASE_URL=http://"+l.Addr().String()+"/v1", "API_KEY=sk-sim", "OPENAI_MODULE="+client)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
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
