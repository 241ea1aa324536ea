// Package arch holds the tests that guard the architecture: who may import
// whom, one owner for each fixed third-party package, a sentence for each
// package.
package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// pkg is the part of `go list -json` that the tests look at.
type pkg struct {
	ImportPath, Doc, Dir      string
	Imports, TestImports      []string
	XTestImports, GoFiles     []string
	TestGoFiles, XTestGoFiles []string
}

func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Doc,Dir,Imports,TestImports,XTestImports,GoFiles,TestGoFiles,XTestGoFiles", "haoke/...")
	cmd.Dir = "../../../.."
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false -tags=desktop,production,webkit2_41")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var pkgs []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		// Packages inside node_modules of the front ends are not ours.
		if !strings.Contains(p.ImportPath, "/node_modules/") {
			pkgs = append(pkgs, p)
		}
	}
}

// layers, from the top: a package may import what stands below it, and inside
// the same layer only what sideways allows.
var layers = [][]string{
	{"haoke", "haoke/backend/cmd/haoked"},
	{"haoke/app"},
	{"haoke/backend"},
	{"httpd", "adminapi", "gateway", "auth", "loadtest"},
	{"engine"},
	{"filter", "session", "prompt", "tokens", "admit", "keypool", "price", "upstream", "sqlite", "archive",
		"clickhouse", "wsconn", "wire", "settings", "secret", "metrics", "logs", "offline", "sim", "phrases", "doctor", "update", "upload", "collector"},
	{"chat", "codec", "span"},
}

// sideways lists the imports inside one layer, each with its reason.
var sideways = map[string]string{
	"adminapi auth":   "handlers ask who the operator is",
	"httpd auth":      "the admin router mounts the guards",
	"admit keypool":   "a lease is a place at a key",
	"admit price":     "a lease reserves money",
	"keypool price":   "a key's spend",
	"prompt tokens":   "the budget is counted in tokens; words are split the same way",
	"offline tokens":  "words are split as recall splits them",
	"offline prompt":  "both tell a text's language the same way",
	"prompt offline":  "both tell a text's language the same way",
	"sqlite session":  "the record types of the store that session asks for",
	"archive session": "the record types of sealed sessions",
	"wire codec":      "frames are built by its appenders",
}

// owners: one package, and its folders below, may import the module.
var owners = map[string]string{
	"github.com/wailsapp/wails/v2":        "haoke/app",
	"fyne.io/systray":                     "haoke/app",
	"nhooyr.io/websocket":                 "haoke/backend/internal/wsconn",
	"modernc.org/sqlite":                  "haoke/backend/internal/sqlite",
	"modernc.org/libc":                    "haoke/backend/internal/sqlite",
	"github.com/ClickHouse/clickhouse-go": "haoke/backend/internal/clickhouse",
	"github.com/golang/snappy":            "haoke/backend/internal/archive",
	"github.com/json-iterator/go":         "haoke/backend/internal/codec",
	"github.com/zalando/go-keyring":       "haoke/backend/internal/secret",
	"github.com/spf13/cobra":              "haoke/backend/cmd/haoked",
}

// chiUsers may import chi: it routes both listeners and the admin API.
var chiUsers = []string{"httpd", "adminapi", "auth"}

func TestLayering(t *testing.T) {
	level := map[string]int{}
	for i, names := range layers {
		for _, n := range names {
			level[full(n)] = i
		}
	}
	for _, p := range list(t) {
		from, known := room(p.ImportPath, level)
		if !known {
			continue // testkit, frontend and installers stand outside the layers
		}
		for _, imp := range p.Imports {
			to, known := room(imp, level)
			if !known || to == from {
				continue
			}
			switch {
			case level[to] < level[from]:
				t.Errorf("%s imports %s: imports point down only", p.ImportPath, imp)
			case level[to] == level[from] && sideways[short(from)+" "+short(to)] == "":
				t.Errorf("%s imports %s sideways: let the consumer own a small interface instead, or give the reason in this test", p.ImportPath, imp)
			}
		}
	}
}

func TestTestKitStaysInTests(t *testing.T) {
	for _, p := range list(t) {
		if strings.Contains(p.ImportPath, "/testkit") {
			continue
		}
		for _, imp := range p.Imports {
			if strings.Contains(imp, "haoke/backend/internal/testkit") && !strings.HasPrefix(p.ImportPath, "haoke/backend/internal/loadtest") {
				t.Errorf("%s imports %s: testkit is for tests and the load test", p.ImportPath, imp)
			}
		}
	}
}

func TestAppSeesOnlyBackendAndFrontend(t *testing.T) {
	for _, p := range list(t) {
		if !strings.HasPrefix(p.ImportPath, "haoke/app") {
			continue
		}
		for _, imp := range p.Imports {
			if strings.HasPrefix(imp, "haoke/") && imp != "haoke/backend" && imp != "haoke/frontend" && !strings.HasPrefix(imp, "haoke/app") {
				t.Errorf("%s imports %s: the window knows the facade only", p.ImportPath, imp)
			}
		}
	}
}

func TestOneOwnerForEachModule(t *testing.T) {
	for _, p := range list(t) {
		for _, imp := range all(p) {
			for module, owner := range owners {
				if (imp == module || strings.HasPrefix(imp, module+"/")) && p.ImportPath != owner && !strings.HasPrefix(p.ImportPath, owner+"/") {
					t.Errorf("%s imports %s, which belongs to %s alone", p.ImportPath, imp, owner)
				}
			}
			if strings.HasPrefix(imp, "github.com/go-chi/chi/") && !mayUseChi(p.ImportPath) {
				t.Errorf("%s imports chi, which belongs to %v", p.ImportPath, chiUsers)
			}
		}
	}
}

func TestMandatedModulesAreUsed(t *testing.T) {
	used := map[string]bool{}
	for _, p := range list(t) {
		for _, imp := range p.Imports {
			used[imp] = true
		}
	}
	for _, module := range []string{
		"github.com/wailsapp/wails/v2", "github.com/go-chi/chi/v5", "nhooyr.io/websocket", "modernc.org/sqlite",
		"github.com/ClickHouse/clickhouse-go/v2", "github.com/golang/snappy", "github.com/json-iterator/go",
	} {
		if !used[module] {
			t.Errorf("%s is not used for its job", module)
		}
	}
}

// The C library under the database is generated together with it: another
// version of one of the two can corrupt memory without a word (see the
// "Fragile modernc.org/libc dependency" note of modernc.org/sqlite).
func TestDatabaseKeepsItsLibrary(t *testing.T) {
	required := func(file string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require ")); len(f) >= 2 && f[0] == "modernc.org/libc" {
				return f[1]
			}
		}
		t.Fatalf("%s does not name modernc.org/libc", file)
		return ""
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.GoMod}}", "modernc.org/sqlite").Output()
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := required("../../../../go.mod"), required(strings.TrimSpace(string(out)))
	if ours != theirs {
		t.Errorf("modernc.org/libc %s, but modernc.org/sqlite was made with %s", ours, theirs)
	}
}

func TestChatKnowsOnlyTheStandardLibrary(t *testing.T) {
	for _, p := range list(t) {
		if p.ImportPath != "haoke/backend/internal/chat" {
			continue
		}
		for _, imp := range p.Imports {
			if first, _, _ := strings.Cut(imp, "/"); strings.Contains(first, ".") || first == "haoke" {
				t.Errorf("chat imports %s", imp)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range list(t) {
		if len(p.GoFiles) > 0 && p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

func all(p pkg) []string {
	return append(append(append([]string{}, p.Imports...), p.TestImports...), p.XTestImports...)
}

func full(name string) string {
	if strings.HasPrefix(name, "haoke") {
		return name
	}
	return "haoke/backend/internal/" + name
}

func short(path string) string { return strings.TrimPrefix(path, "haoke/backend/internal/") }

// room maps a package to its layer's entry: folders below belong to it.
func room(path string, level map[string]int) (string, bool) {
	for p := path; strings.HasPrefix(p, "haoke"); {
		if _, ok := level[p]; ok && (p == path || strings.Contains(p, "/internal/") || p == "haoke/app") {
			return p, true
		}
		i := strings.LastIndexByte(p, '/')
		if i < 0 {
			break
		}
		p = p[:i]
	}
	return "", false
}

func mayUseChi(path string) bool {
	for _, n := range chiUsers {
		if path == full(n) || strings.HasPrefix(path, full(n)+"/") {
			return true
		}
	}
	return false
}
