package settings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
)

// Source is a kind of place that a value can come from.
type Source string

// The sources, weakest first.
const (
	BuiltIn     Source = "default"
	Window      Source = "window"
	File        Source = "file"
	Environment Source = "env"
	FlagLine    Source = "flag"
)

// Origin says where a value came from.
type Origin struct {
	Source Source
	// Where is fit for a sentence "set in …": "default", "window",
	// "config.toml:12", "HAOKE_UPSTREAM_MODEL", "--public".
	Where string
}

// Locked reports whether the window cannot change the value.
func (o Origin) Locked() bool { return o.Source != BuiltIn && o.Source != Window }

// Flag is a setting given on the command line.
type Flag struct {
	Name  string // "--public"
	Path  string // "server.public_addr"
	Value string
}

// layer is the typed values of one or more sources, by path.
type layer map[string]layered

type layered struct {
	value  reflect.Value
	origin Origin
}

// read converts v for l and, when it is good, puts it into the layer.
func (ly layer) read(r *reader, l *leaf, v any, o Origin) {
	dst := reflect.New(l.in(&Settings{}).Type()).Elem()
	if r.read(l, l.path, v, dst) {
		ly[l.path] = layered{dst, o}
	}
}

// envName is the environment variable of a path.
func envName(path string) string {
	return "HAOKE_" + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// oneKey is the variable that gives a single key.
const oneKey = "HAOKE_UPSTREAM_KEY"

// readEnv reads every HAOKE_ variable. An empty variable counts as not set, as
// compose files produce it. NAME_FILE names a file that holds a secret's text.
// ignored names variables that belong to others.
func readEnv(environ []string, ignored func(string) bool, out layer) []Problem {
	sch := theSchema()
	byName := map[string]*leaf{}
	names := []string{oneKey}
	for i := range sch.leaves {
		n := envName(sch.leaves[i].path)
		byName[n] = &sch.leaves[i]
		names = append(names, n)
	}
	var problems []Problem
	for _, kv := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, "HAOKE_") || value == "" || ignored(name) {
			continue
		}
		target, inFile := name, false
		l := byName[name]
		if base, ok := strings.CutSuffix(name, "_FILE"); ok && l == nil {
			target, inFile = base, true
			l = byName[base]
		}
		problem := func(string) Problem { return Problem{Source: name} }
		if l == nil && target != oneKey {
			problems = append(problems, Problem{Source: name, Message: "unknown environment variable", Suggest: nearest(name, names)})
			continue
		}
		if inFile {
			text, err := readSecretFile(value)
			if err != nil {
				problems = append(problems, Problem{Source: name, Message: err.Error()})
				continue
			}
			value = text
		}
		r := &reader{at: problem}
		if target == oneKey {
			readOneKey(r, name, value, out)
		} else {
			out.readText(r, l, value, Origin{Source: Environment, Where: name})
		}
		problems = append(problems, r.problems...)
	}
	return problems
}

// readOneKey makes the list of keys a single one. Where the list below holds
// exactly one key as well, that key's name and limits stay.
func readOneKey(r *reader, where, value string, out layer) {
	l := theSchema().byPath["upstream.keys"]
	k := Key{Name: "main"}
	if below, ok := out[l.path]; ok {
		if ks := below.value.Interface().([]Key); len(ks) == 1 {
			k = ks[0]
		}
	}
	k.Value, k.Env, k.File = Secret(clean(value)), "", ""
	if len(k.Value) > 4096 {
		r.problems = append(r.problems, Problem{Source: where, Message: "is longer than 4096 bytes"})
		return
	}
	out[l.path] = layered{reflect.ValueOf([]Key{k}), Origin{Source: Environment, Where: where}}
}

func readSecretFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	defer f.Close()
	buf := make([]byte, 8193)
	n, err := f.Read(buf)
	if err != nil {
		return "", fmt.Errorf("read secret %s: %w", path, err)
	}
	if n > 8192 {
		return "", fmt.Errorf("read secret %s: larger than 8192 bytes", path)
	}
	return strings.TrimRight(string(buf[:n]), "\r\n"), nil
}

// readFlags reads the command line's settings.
func readFlags(flags []Flag, out layer) []Problem {
	var problems []Problem
	for _, f := range flags {
		l := theSchema().byPath[f.Path]
		r := &reader{at: func(string) Problem { return Problem{Source: f.Name} }}
		if l == nil {
			r.unknown(f.Path, theSchema().paths())
		} else {
			out.readText(r, l, f.Value, Origin{Source: FlagLine, Where: f.Name})
		}
		problems = append(problems, r.problems...)
	}
	return problems
}

// readText reads a value that is text by nature: of the environment or of a
// flag. Lists are JSON when they begin with "[", else separated by commas.
func (ly layer) readText(r *reader, l *leaf, s string, o Origin) {
	v, err := untyped(l.kind, s)
	if err != nil {
		shown := any(s)
		r.refuse(l, l.path, shown, err)
		return
	}
	ly.read(r, l, v, o)
}

func untyped(k kind, s string) (any, error) {
	switch k {
	case kindString, kindSecret, kindDuration:
		return s, nil
	case kindBool:
		switch strings.ToLower(strings.TrimSpace(s)) {
		case "true", "1", "yes", "on":
			return true, nil
		case "false", "0", "no", "off":
			return false, nil
		}
		return nil, refuse("is not true or false")
	case kindInt, kindFloat:
		return json.Number(strings.TrimSpace(s)), nil
	case kindStrings:
		if !strings.HasPrefix(strings.TrimSpace(s), "[") {
			var list []any
			for part := range strings.SplitSeq(s, ",") {
				if part = strings.TrimSpace(part); part != "" {
					list = append(list, part)
				}
			}
			return list, nil
		}
	}
	return decodeJSON([]byte(s))
}

// decodeJSON reads one JSON value with numbers kept as written.
func decodeJSON(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, refuse("is not valid JSON")
	}
	if dec.More() {
		return nil, refuse("is more than one JSON value")
	}
	return v, nil
}
