// Package tsgen writes the TypeScript types of the admin API from the Go
// structs of wire, so that the page cannot drift from the server.
package tsgen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strings"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/wire"
)

// header opens the generated file.
const header = `// Generated from the Go package wire by "go generate ./backend/internal/wire/tsgen". Do not edit.
`

// Admin returns the whole file: interfaces, unions and the route table. The
// output depends on nothing but the code, so that it can be compared.
func Admin() ([]byte, error) {
	g := generator{done: map[string]string{}, types: map[string]reflect.Type{}}
	routes := wire.AdminRoutes()
	for _, r := range routes {
		for _, v := range []any{r.Query, r.Request, r.Response} {
			if v == nil {
				continue
			}
			if _, err := g.typeName(reflect.TypeOf(v)); err != nil {
				return nil, fmt.Errorf("route %s: %w", r.Name, err)
			}
		}
	}
	for _, v := range []any{wire.Problem{}, wire.LiveEvent{}, wire.LiveCommand{}} {
		if _, err := g.typeName(reflect.TypeOf(v)); err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	out.WriteString(header)
	names := make([]string, 0, len(g.done))
	for name := range g.done {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		out.WriteString("\n" + g.done[name])
	}
	writeRoutes(&out, routes)
	return out.Bytes(), nil
}

// generator collects declarations by name.
type generator struct {
	done  map[string]string
	types map[string]reflect.Type
}

// unions are the closed sets of values, which reflection cannot see.
func unions() map[reflect.Type][]string {
	return map[reflect.Type][]string{
		reflect.TypeOf(chat.Mode("")):        {"ai", "human", "waiting", "offline"},
		reflect.TypeOf(chat.From("")):        {"visitor", "ai", "operator", "system"},
		reflect.TypeOf(chat.Finish("")):      {"", "stop", "length", "blocked", "stopped", "error"},
		reflect.TypeOf(chat.Action("")):      {"", "note", "mask", "replace", "handover", "block"},
		reflect.TypeOf(chat.Layer("")):       {"words", "patterns", "review"},
		reflect.TypeOf(chat.Direction("")):   {"in", "out"},
		reflect.TypeOf(chat.Role("")):        {"system", "user", "assistant"},
		reflect.TypeOf(wire.AdminRole("")):   {"", "operator", "owner"},
		reflect.TypeOf(wire.SessionKind("")): {"signed_in", "signed_out", "unclaimed"},
		reflect.TypeOf(wire.Door("")):        {"window", "browser"},
		reflect.TypeOf(wire.ServiceState("")): {"ok", "degraded", "stopped",
			"paused"},
		reflect.TypeOf(wire.FilterWay("")): {"in", "out", "both"},
		reflect.TypeOf(wire.SettingType("")): {"string", "text", "secret", "bool", "int", "float", "duration", "enum",
			"strings", "addr", "url", "json"},
		reflect.TypeOf(wire.LiveType("")): {"hello", "stats", "status", "conversation", "gone", "message", "draft",
			"typing", "key", "settings", "log", "filters", "faq", "pong"},
	}
}

// typeName returns the TypeScript type of t and declares what it needs.
func (g *generator) typeName(t reflect.Type) (string, error) {
	switch t {
	case reflect.TypeOf(time.Time{}):
		return "string", nil
	case reflect.TypeOf(json.RawMessage{}):
		return "unknown", nil
	case reflect.TypeOf(chat.Facts("")): // kept as text, an object in JSON
		return g.structure(reflect.TypeOf(chat.FactSheet{}))
	}
	switch t.Kind() {
	case reflect.Bool:
		return "boolean", nil
	case reflect.Int, reflect.Int64, reflect.Uint64, reflect.Float64:
		return "number", nil
	case reflect.String:
		return g.union(t)
	case reflect.Interface:
		return "unknown", nil
	case reflect.Pointer:
		inner, err := g.typeName(t.Elem())
		return inner + " | null", err
	case reflect.Slice, reflect.Array:
		inner, err := g.typeName(t.Elem())
		if strings.Contains(inner, " ") {
			inner = "(" + inner + ")"
		}
		if t.Kind() == reflect.Array {
			return "[" + strings.TrimSuffix(strings.Repeat(inner+", ", t.Len()), ", ") + "]", err
		}
		return inner + "[]", err
	case reflect.Map:
		inner, err := g.typeName(t.Elem())
		return "Record<string, " + inner + ">", err
	case reflect.Struct:
		return g.structure(t)
	}
	return "", fmt.Errorf("no TypeScript for Go type %s", t)
}

// union declares a closed set of strings.
func (g *generator) union(t reflect.Type) (string, error) {
	values, ok := unions()[t]
	if !ok {
		if t.Name() != "string" {
			return "", fmt.Errorf("the values of %s are not listed in unions", t)
		}
		return "string", nil
	}
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = fmt.Sprintf("%q", v)
	}
	if err := g.claim(t.Name(), t); err != nil {
		return "", err
	}
	g.done[t.Name()] = fmt.Sprintf("export type %s = %s;\n", t.Name(), strings.Join(quoted, " | "))
	return t.Name(), nil
}

// claim refuses two Go types of one name, which would overwrite each other.
func (g *generator) claim(name string, t reflect.Type) error {
	if old, ok := g.types[name]; ok && old != t {
		return fmt.Errorf("two types are called %s: %s and %s", name, old, t)
	}
	g.types[name] = t
	return nil
}

// structure declares an interface and whatever its fields need.
func (g *generator) structure(t reflect.Type) (string, error) {
	name := t.Name()
	if err := g.claim(name, t); err != nil {
		return "", err
	}
	if _, ok := g.done[name]; ok {
		return name, nil
	}
	g.done[name] = "" // a type may contain itself
	var b strings.Builder
	fmt.Fprintf(&b, "export interface %s {\n", name)
	for i := range t.NumField() {
		f := t.Field(i)
		tag, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag == "-" || !f.IsExported() {
			continue
		}
		if tag == "" {
			return "", fmt.Errorf("%s.%s has no json name", name, f.Name)
		}
		inner, err := g.typeName(f.Type)
		if err != nil {
			return "", fmt.Errorf("%s.%s: %w", name, f.Name, err)
		}
		mark := ""
		if strings.Contains(opts, "omitempty") || strings.Contains(opts, "omitzero") {
			mark = "?"
			inner = strings.TrimSuffix(inner, " | null")
		}
		fmt.Fprintf(&b, "  %s%s: %s;\n", tag, mark, inner)
	}
	b.WriteString("}\n")
	g.done[name] = b.String()
	return name, nil
}

// writeRoutes writes the table of routes, once as values and once as types.
func writeRoutes(out *bytes.Buffer, routes []wire.Route) {
	fmt.Fprintf(out, "\nexport const prefix = %q;\n\n", wire.AdminPrefix)
	out.WriteString("/** Method, path below prefix and the role it needs. */\nexport const routes = {\n")
	for _, r := range routes {
		fmt.Fprintf(out, "  %s: [%q, %q, %q],\n", r.Name, r.Method, r.Path, r.Role)
	}
	out.WriteString("} as const;\n\nexport type RouteName = keyof typeof routes;\n\n")
	out.WriteString("/** What each route takes and gives; raw bodies are Blobs. */\nexport interface Api {\n")
	for _, r := range routes {
		request := tsName(r.Request, "undefined")
		if r.Accepts != "" {
			request = "Blob | string"
		}
		response := tsName(r.Response, "void")
		if r.Produces != "" {
			response = "Blob"
		}
		fmt.Fprintf(out, "  %s: { params: %s; query: %s; request: %s; response: %s };\n",
			r.Name, pathParams(r.Path), partial(r.Query), request, response)
	}
	out.WriteString("}\n")
}

// tsName is the name of a struct value, or none when there is no value.
func tsName(v any, none string) string {
	if v == nil {
		return none
	}
	return reflect.TypeOf(v).Name()
}

// partial is the type of a query: all of its parameters are optional.
func partial(v any) string {
	if v == nil {
		return "undefined"
	}
	return "Partial<" + reflect.TypeOf(v).Name() + ">"
}

// pathParams is the type of the parameters in a path such as /keys/{name}/test.
func pathParams(path string) string {
	var fields []string
	for _, part := range strings.Split(path, "/") {
		if strings.HasPrefix(part, "{") {
			fields = append(fields, strings.Trim(part, "{}")+": string | number")
		}
	}
	if len(fields) == 0 {
		return "undefined"
	}
	return "{ " + strings.Join(fields, "; ") + " }"
}
