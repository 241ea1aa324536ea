package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"haoke/backend"
)

// shop is a data folder that was served once.
func shop(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HAOKE_SECRETS_STORE", "file")
	if err := backend.Trial(t.Context(), backend.Config{DataDir: dir}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSealedBackupByTheCommandLine(t *testing.T) {
	data, dir := shop(t), t.TempDir()
	pass, out := filepath.Join(dir, "pass"), filepath.Join(dir, "haoke.backup")
	if err := os.WriteFile(pass, []byte("correct horse battery\r\nnot this line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, o, e := call("backup", "--data", data, "--out", out, "--passphrase-file", pass); code != exitDone || !strings.Contains(o, "sealed") {
		t.Fatalf("exit %d %q %q", code, o, e)
	}
	if code, o, e := call("backup", "--verify", out, "--passphrase-file", pass); code != exitDone || !strings.Contains(o, "is sound") {
		t.Errorf("exit %d %q %q", code, o, e)
	}
	if code, _, e := call("backup", "--verify", out); code != exitFailed || !strings.Contains(e, "--passphrase-file") {
		t.Errorf("without the passphrase: exit %d %q", code, e)
	}
	if code, _, e := call("restore", out, "--data", t.TempDir()); code != exitFailed || !strings.Contains(e, "--passphrase-file") {
		t.Errorf("without the passphrase: exit %d %q", code, e)
	}
	fresh := t.TempDir()
	if code, o, e := call("restore", out, "--data", fresh, "--passphrase-file", pass); code != exitDone || !strings.Contains(o, "restored") {
		t.Errorf("exit %d %q %q", code, o, e)
	}
	if _, err := os.Stat(filepath.Join(fresh, "haoke.db")); err != nil {
		t.Error(err)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(out, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, e := call("backup", "--verify", out, "--passphrase-file", pass); code != exitFailed || !strings.Contains(e, "damaged") {
		t.Errorf("a flipped bit: exit %d %q", code, e)
	}
}

func TestPassphraseFiles(t *testing.T) {
	dir := t.TempDir()
	put := func(text string) string {
		f := filepath.Join(dir, "p")
		if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return f
	}
	for text, want := range map[string]string{"a b c": "a b c", "a\n": "a", " 密码 \r\nx": " 密码 "} {
		if got, err := passphrase(nil, put(text)); err != nil || got != want {
			t.Errorf("%q: %q %v", text, got, err)
		}
	}
	if got, err := passphrase(strings.NewReader("from a pipe\n"), "-"); err != nil || got != "from a pipe" {
		t.Errorf("%q %v", got, err)
	}
	if got, err := passphrase(nil, ""); err != nil || got != "" {
		t.Errorf("%q %v", got, err)
	}
	if code, _, e := call("backup", "--out", filepath.Join(dir, "b"), "--passphrase-file", put("\nsecond")); code != exitUsage || !strings.Contains(e, "empty") {
		t.Errorf("exit %d %q", code, e)
	}
	if code, _, _ := call("backup", "--out", "a", "--verify", "b"); code != exitUsage {
		t.Errorf("both at once: exit %d", code)
	}
}

// TestTrial: what an update asks of a new version, and what it says when the
// data is not for it.
func TestTrial(t *testing.T) {
	data := shop(t)
	if code, out, e := call("serve", "--trial", "--data", data); code != exitDone || strings.Contains(out, "ready") {
		t.Errorf("exit %d %q %q", code, out, e)
	}
	if err := os.WriteFile(filepath.Join(data, "config.toml"), []byte("[server]\nnonsense = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, e := call("serve", "--trial", "--data", data); code != exitUsage || !strings.Contains(e, "nonsense") {
		t.Errorf("exit %d %q", code, e)
	}
}
