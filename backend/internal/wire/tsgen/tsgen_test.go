package tsgen

import (
	"bytes"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"haoke/backend/internal/wire"
)

var update = flag.Bool("update", false, "write the generated file")

func TestTypesAreCurrent(t *testing.T) {
	want, err := Admin()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(Target), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(Target, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(Target)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Fatalf("%s is not what the Go types say; run: go generate ./backend/internal/wire/tsgen", Target)
	}
}

// The unions are kept by hand, so they are compared with the constants in the
// sources: a value added there must appear here.
func TestUnionsListEveryConstant(t *testing.T) {
	byType := map[string][]string{}
	for _, dir := range []string{"..", "../../chat"} {
		collectConstants(t, dir, byType)
	}
	for typ, values := range unions() {
		listed := map[string]bool{}
		for _, v := range values {
			listed[v] = true
		}
		found := byType[typ.Name()]
		if len(found) == 0 {
			t.Errorf("no constants of type %s in the sources", typ)
		}
		for _, v := range found {
			if !listed[v] {
				t.Errorf("%s: %q is a constant but not in the union", typ, v)
			}
		}
	}
}

// collectConstants adds the string constants of a folder, by their type's name.
func collectConstants(t *testing.T, dir string, byType map[string][]string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("sources of %s: %v", dir, err)
	}
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			name, ok := spec.Type.(*ast.Ident)
			if !ok {
				return true
			}
			for _, v := range spec.Values {
				if lit, ok := v.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					text, _ := strconv.Unquote(lit.Value)
					byType[name.Name] = append(byType[name.Name], text)
				}
			}
			return true
		})
	}
}

func TestRouteTable(t *testing.T) {
	names, paths := map[string]bool{}, map[string]bool{}
	identifier := regexp.MustCompile(`^[a-z][A-Za-z]+$`)
	for _, r := range wire.AdminRoutes() {
		if names[r.Name] || !identifier.MatchString(r.Name) {
			t.Errorf("%s: name is taken or not lowerCamelCase", r.Name)
		}
		if key := r.Method + " " + r.Path; paths[key] {
			t.Errorf("%s: %s is taken", r.Name, key)
		}
		names[r.Name], paths[r.Method+" "+r.Path] = true, true
		if !strings.HasPrefix(r.Path, "/") || r.Doc == "" || !strings.ContainsAny(r.Doc[len(r.Doc)-1:], ".?") {
			t.Errorf("%s: path or doc is not complete", r.Name)
		}
		if (r.Response == nil && r.Produces == "") != (r.Status == 204) {
			t.Errorf("%s: status %d does not fit its answer", r.Name, r.Status)
		}
		if r.Request != nil && r.Accepts != "" {
			t.Errorf("%s: both a struct and a raw body", r.Name)
		}
		if r.Method == "GET" && (r.Request != nil || r.Accepts != "") {
			t.Errorf("%s: GET with a body", r.Name)
		}
		if r.Query != nil && reflect.TypeOf(r.Query).Kind() != reflect.Struct {
			t.Errorf("%s: query is not a struct", r.Name)
		}
	}
}
