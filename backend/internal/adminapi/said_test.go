package adminapi

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// speaker is a part of the server whose sentences the admin page shows. Whoever
// adds one there sees in TestSaid that it needs its Chinese words.
type speaker struct {
	files string           // glob, from this folder
	names []string         // fields and variables that hold sentences
	calls map[string][]int // arguments, counted from 0, of what is called or filled in order
}

// errorCalls make errors that the page shows as they are.
var errorCalls = map[string][]int{"errors.New": {0}, "fmt.Errorf": {0}}

// also is errorCalls and more.
func also(more map[string][]int) map[string][]int {
	out := maps.Clone(errorCalls)
	maps.Copy(out, more)
	return out
}

var speakers = []speaker{
	{"*.go", []string{"Detail", "Hint", "Text", "Comment", "Fault"}, map[string][]int{"invalid": {1, 2}, "exists": {1}, "notFound": {0}, "note": {3}}},
	{"../../farther.go", []string{"Text", "Hint"}, nil},
	{"../../updating.go", nil, errorCalls},
	{"../auth/p*.go", nil, map[string][]int{"Invalid": {0, 1}}},
	{"../settings/rules*.go", []string{"allowed", "message"}, map[string][]int{"refuse": {0}, "refusal": {0}}},
	{"../settings/cross.go", []string{"allowed"}, map[string][]int{"bad": {1, 2}, "warn": {1}, "fault": {1, 2}}},
	{"../settings/change.go", nil, map[string][]int{"Warning": {1}}},
	{"../settings/errors.go", nil, errorCalls},
	{"../filter/load.go", nil, also(map[string][]int{"problem": {1}})},
	{"../filter/decode.go", nil, errorCalls},
	{"../filter/build.go", []string{"reason"}, also(map[string][]int{"add": {2}})},
	{"../filter/words/*.go", nil, errorCalls},
	{"../filter/pattern/*.go", []string{"Reason"}, also(map[string][]int{"Error": {1}, "fmt.Sprintf": {0}})},
	{"../filter/review/*.go", nil, map[string][]int{"errors.New": {0}}},
	{"../upstream/*.go", []string{"Reason", "Diagnosis", "advice", "words", "reason"}, map[string][]int{"fault": {1}, "bad": {0}, "say": {0}, "errors.New": {0}}},
	{"../keypool/*.go", []string{"Reason", "why"}, map[string][]int{"pause": {1}, "bench": {4}}},
	{"../admit/*.go", []string{"Reason", "why"}, nil},
	{"../engine/*.go", []string{"Reason", "reason"}, nil},
	{"../update/*.go", []string{"Fault"}, errorCalls},
	{"../backup/*.go", nil, errorCalls},
	{"../clickhouse/*.go", []string{"Text", "Hint"}, nil},
	{"../upload/*.go", nil, map[string][]int{"errors.New": {0}}},
}

// forScripts are sentences that only whoever writes a script meets, and what
// an owner types rather than reads.
var forScripts = regexp.MustCompile(`JSON|json|cursor|series|[Ss]tep|^for example |^GET |at most 64|^cup\.png$|^There is no %s here|could not be encoded|^question, ?answer|` +
	`^%s is not possible here|^%q (is not an? |does not fit|cannot be column)|^Write it as|^(ai|open|in|same|note|text|words|json|original|debug), |^in or out$|^text or csv$|see upload.types|` +
	`^save word list|describe the release|action %q|^direction must|read starter|bad head|unknown key|^seal: `)

var (
	letters = regexp.MustCompile(`[a-zA-Z]{2}`)
	verb    = regexp.MustCompile(`%[-+#0-9.]*[a-zA-Z]`)
	entry   = regexp.MustCompile(`(?m)^ +(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"):`)
)

// TestSaid: every sentence of the server that reaches the admin page has
// Chinese words there, also the pieces of which it is put together.
func TestSaid(t *testing.T) {
	known := chineseWords(t)
	missing := 0
	for _, s := range speakers {
		said := sentences(t, s)
		if len(said) == 0 {
			t.Errorf("%s says nothing: is the list of speakers out of date?", s.files)
		}
		for text, file := range said {
			if !forScripts.MatchString(text) && !inChinese(known, text) {
				missing++
				t.Errorf("%s: no Chinese words for %q", file, text)
			}
		}
	}
	if inChinese(known, "the kettle boils: %s") || !inChinese(known, "read word list: %s") {
		t.Errorf("the words are not compared (%d missing)", missing)
	}
}

// chineseWords are the sentences that the page can say in Chinese.
func chineseWords(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	for _, name := range []string{"saidzh.ts", "saidwhy.ts"} {
		source, err := os.ReadFile("../../../frontend/admin/src/i18n/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range entry.FindAllStringSubmatch(string(source), -1) {
			key := m[1] + m[2]
			for _, c := range []string{`\'`, `\"`, `\\`} {
				key = strings.ReplaceAll(key, c, c[1:])
			}
			known[key] = true
		}
	}
	if len(known) < 300 {
		t.Fatalf("only %d sentences are known", len(known))
	}
	return known
}

// inChinese reads a sentence as the page does: whole, else in its pieces.
func inChinese(known map[string]bool, text string) bool {
	text = strings.TrimSpace(text)
	for _, joint := range []string{"; ", "("} { // what is added to another sentence
		text = strings.TrimPrefix(text, joint)
	}
	if strings.Count(text, ")") > strings.Count(text, "(") {
		text = strings.TrimSuffix(text, ")")
	}
	if known[text] || known[text+"."] || !letters.MatchString(verb.ReplaceAllString(text, "")) {
		return true
	}
	for _, mark := range []string{": ", "; ", " ("} {
		for at := 0; ; {
			i := strings.Index(text[at:], mark)
			if i < 0 {
				break
			}
			at += i
			rest := text[at+len(mark):]
			if mark == " (" {
				rest = strings.TrimSuffix(strings.TrimSuffix(rest, "."), ")")
			}
			if inChinese(known, text[:at]) && inChinese(known, rest) {
				return true
			}
			at += len(mark)
		}
	}
	return false
}

// sentences are those of a speaker, with the file of each.
func sentences(t *testing.T, s speaker) map[string]string {
	t.Helper()
	out := map[string]string{}
	files, err := filepath.Glob(s.files)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		heard := func(e ast.Expr) {
			if text := plain(written(e)); letters.MatchString(verb.ReplaceAllString(text, "")) {
				out[text] = file
			}
		}
		ast.Inspect(tree, func(n ast.Node) bool { return s.listen(n, heard) })
	}
	return out
}

// listen passes on what a node says. What a trouble says has words by its code.
func (s speaker) listen(n ast.Node, heard func(ast.Expr)) bool {
	pick := func(name string, args []ast.Expr) {
		if name == "Invalid" && len(args) == 2 && len(s.calls[name]) == 2 { // its error begins with the field
			field := &ast.BinaryExpr{X: args[0], Op: token.ADD, Y: &ast.BasicLit{Kind: token.STRING, Value: `" "`}}
			heard(&ast.BinaryExpr{X: field, Op: token.ADD, Y: args[1]})
			return
		}
		for _, i := range s.calls[name] {
			if i < len(args) {
				heard(args[i])
			}
		}
	}
	switch x := n.(type) {
	case *ast.CallExpr:
		pick(nameOf(x.Fun), x.Args)
	case *ast.CompositeLit:
		if nameOf(x.Type) == "Trouble" {
			return false
		}
		pick(nameOf(x.Type), x.Elts)
		for _, e := range x.Elts {
			if kv, ok := e.(*ast.KeyValueExpr); ok && slices.Contains(s.names, nameOf(kv.Key)) {
				heard(kv.Value)
			}
		}
	case *ast.AssignStmt:
		for i, l := range x.Lhs {
			if i < len(x.Rhs) && slices.Contains(s.names, nameOf(l)) {
				heard(x.Rhs[i])
			}
		}
	}
	return true
}

// written is the text of an expression; %s stands for what is not in it.
func written(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.ParenExpr:
		return written(x.X)
	case *ast.BasicLit:
		if text, err := strconv.Unquote(x.Value); err == nil && x.Kind == token.STRING {
			return strings.ReplaceAll(text, "%", "%%")
		}
	case *ast.BinaryExpr:
		if x.Op == token.ADD {
			return written(x.X) + written(x.Y)
		}
	case *ast.CallExpr:
		if name := nameOf(x.Fun); len(x.Args) > 0 && (name == "fmt.Sprintf" || name == "fmt.Errorf") {
			return strings.ReplaceAll(written(x.Args[0]), "%%", "%")
		}
	}
	return "%s"
}

// plain brings a format to the gaps that the page knows: %d, %q and %s.
func plain(format string) string {
	format = verb.ReplaceAllStringFunc(format, func(v string) string {
		if v == "%d" || v == "%q" {
			return v
		}
		return "%s"
	})
	return strings.ReplaceAll(strings.ReplaceAll(format, "%%", "%"), "%s%s", "%s")
}

// nameOf is what is called or filled: of fmt and errors with its package.
func nameOf(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		if id, ok := x.X.(*ast.Ident); ok && (id.Name == "fmt" || id.Name == "errors") {
			return id.Name + "." + x.Sel.Name
		}
		return x.Sel.Name
	}
	return ""
}
