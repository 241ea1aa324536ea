package adminapi

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"haoke/backend/internal/wire"
)

// What the page "About" names beside modules can be read, is under a named
// licence, and its words are in the tree (those of npm packages are beside them).
func TestOtherPartsHaveLicences(t *testing.T) {
	var list []struct {
		wire.Licence
		Npm  bool   `json:"npm"`
		File string `json:"file"`
	}
	if err := json.Unmarshal(others, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) < 8 {
		t.Fatalf("only %d other parts", len(list))
	}
	shown := licences()
	for _, o := range list {
		if o.Licence.Licence == "" || o.Npm == (o.File != "") {
			t.Errorf("%s: no licence, or neither a package of npm nor a file with its words", o.Package)
		}
		if o.File != "" {
			if text, err := os.ReadFile(filepath.Join("../../..", o.File)); err != nil || len(text) < 300 {
				t.Errorf("%s: %d bytes of words: %v", o.Package, len(text), err)
			}
		}
		found := false
		for _, l := range shown {
			found = found || l == o.Licence
		}
		if !found {
			t.Errorf("%s is not among what the page shows", o.Package)
		}
	}
}

// Every module that is linked on some system has its licence's name here.
func TestEveryModuleHasItsLicence(t *testing.T) {
	seen := map[string]bool{}
	for _, system := range []string{"linux", "windows", "darwin"} {
		cgo := "CGO_ENABLED=1"
		if system == "windows" {
			cgo = "CGO_ENABLED=0"
		}
		list := exec.Command("go", "list", "-deps", "-tags", "webkit2_41,desktop,production",
			"-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", ".", "./backend/cmd/haoked")
		list.Dir = "../../.."
		list.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", cgo)
		var wrong bytes.Buffer
		list.Stderr = &wrong
		out, err := list.Output()
		if err != nil {
			t.Fatalf("go list for %s: %v\n%s", system, err, wrong.String())
		}
		for module := range strings.FieldsSeq(string(out)) {
			if !seen[module] && licenceOf(module) == "" {
				t.Errorf("%s (linked on %s) has no licence in knownLicences", module, system)
			}
			seen[module] = true
		}
	}
	if len(seen) < 40 {
		t.Fatalf("only %d modules were looked at", len(seen))
	}
}
