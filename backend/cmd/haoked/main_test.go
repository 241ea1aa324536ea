package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// call runs the program as a person would and returns what it printed.
func call(args ...string) (code int, out, errOut string) {
	var o, e bytes.Buffer
	code = run(args, &o, &e)
	return code, o.String(), e.String()
}

func TestUsageErrorsExitWithTwo(t *testing.T) {
	for _, args := range [][]string{
		{"dance"}, {"serve", "--nonsense"}, {"serve", "extra"}, {"backup", "--data", t.TempDir()}, {"restore"},
	} {
		if code, _, e := call(args...); code != exitUsage || !strings.HasPrefix(e, "haoked: ") {
			t.Errorf("%v: exit %d, %q", args, code, e)
		}
	}
}

func TestConfigurationErrorsNameLineKeyAndWhatIsAllowed(t *testing.T) {
	for name, c := range map[string]struct{ toml, want string }{
		"typo":       {"[upstream]\nbase_ulr = \"x\"\n", "base_ulr"},
		"suggestion": {"[upstream]\nbase_ulr = \"x\"\n", "base_url"},
		"line":       {"[server]\n\npublic_addr = \"nowhere\"\n", ":3:"},
		"enum":       {"[filter]\naction_in = \"explode\"\n", "block"},
		"syntax":     {"[server\n", "config.toml:1"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "config.toml")
			if err := os.WriteFile(file, []byte(c.toml), 0o600); err != nil {
				t.Fatal(err)
			}
			code, out, e := call("serve", "--config", file, "--data", dir)
			if code != exitUsage || !strings.Contains(e, c.want) || out != "" {
				t.Errorf("exit %d, %q; want %q in it", code, e, c.want)
			}
		})
	}
}

func TestPortInUseSaysWhichAndHowToChangeIt(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	code, _, e := call("serve", "--data", t.TempDir(), "--public", ln.Addr().String(), "--admin", "127.0.0.1:0")
	if code != exitFailed {
		t.Errorf("exit %d", code)
	}
	for _, want := range []string{ln.Addr().String(), "server.public_addr", "--public"} {
		if !strings.Contains(e, want) {
			t.Errorf("%q is not in %q", want, e)
		}
	}
}

func TestDataFolderThatCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, e := call("serve", "--data", filepath.Join(file, "data"))
	if code != exitFailed || !strings.Contains(e, "--data") {
		t.Errorf("exit %d, %q", code, e)
	}
}

func TestDamagedDatabaseIsKeptAside(t *testing.T) {
	dir := t.TempDir()
	junk := bytes.Repeat([]byte("this is no database "), 1000)
	db := filepath.Join(dir, "haoke.db")
	if err := os.WriteFile(db, junk, 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, e := call("serve", "--data", dir, "--public", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	if code != exitFailed || !strings.Contains(e, "haoked restore") {
		t.Errorf("exit %d, %q", code, e)
	}
	if now, err := os.ReadFile(db); err != nil || !bytes.Equal(now, junk) {
		t.Error("the damaged file was changed")
	}
}

func TestVersionAndHelp(t *testing.T) {
	if code, out, _ := call("version"); code != exitDone || !strings.HasPrefix(out, "haoked ") {
		t.Errorf("exit %d, %q", code, out)
	}
	for _, sub := range []string{"serve", "sim", "backup", "restore", "doctor"} {
		if code, out, _ := call(sub, "--help"); code != exitDone || !strings.Contains(out, "Examples:") {
			t.Errorf("%s --help has no example: exit %d", sub, code)
		}
	}
}
