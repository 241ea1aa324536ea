package adminapi

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/wire"
)

// openAPI makes the OpenAPI 3.1 document of the routes. It is made once, at
// start, from the very table that the router is made from.
func openAPI(routes []wire.Route, version string) []byte {
	s := &schemas{defs: map[string]any{}}
	paths := map[string]map[string]any{}
	for _, r := range routes {
		path := wire.AdminPrefix + r.Path
		if paths[path] == nil {
			paths[path] = map[string]any{}
		}
		paths[path][strings.ToLower(r.Method)] = s.operation(r)
	}
	s.of(reflect.TypeFor[wire.Problem]())
	doc := map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title": "Haoke admin API", "version": version,
			"description": "Behind the window and the admin page. Scripts send Authorization: Bearer <admin.token>.",
			"license":     map[string]any{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"servers": []any{map[string]any{"url": "/"}},
		"paths":   paths,
		"components": map[string]any{
			"schemas": s.defs,
			"securitySchemes": map[string]any{
				"token":   map[string]any{"type": "http", "scheme": "bearer"},
				"session": map[string]any{"type": "apiKey", "in": "cookie", "name": "haoke_session"},
			},
		},
	}
	data, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return []byte("{}") // cannot happen: plain maps and strings
	}
	return data
}

type schemas struct{ defs map[string]any }

func (s *schemas) operation(r wire.Route) map[string]any {
	op := map[string]any{"operationId": r.Name, "description": r.Doc, "summary": firstSentence(r.Doc)}
	if r.Role != wire.RoleOpen {
		op["security"] = []any{map[string]any{"token": []any{}}, map[string]any{"session": []any{}}}
		op["x-role"] = string(r.Role)
	}
	var params []any
	for _, part := range strings.Split(r.Path, "/") {
		if strings.HasPrefix(part, "{") {
			params = append(params, map[string]any{"name": strings.Trim(part, "{}"), "in": "path", "required": true, "schema": map[string]any{"type": "string"}})
		}
	}
	if r.Query != nil {
		t := reflect.TypeOf(r.Query)
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			params = append(params, map[string]any{"name": name, "in": "query", "schema": s.of(t.Field(i).Type)})
		}
	}
	if params != nil {
		op["parameters"] = params
	}
	switch {
	case r.Accepts != "":
		op["requestBody"] = map[string]any{"required": true, "content": map[string]any{r.Accepts: map[string]any{}}}
	case r.Request != nil:
		op["requestBody"] = map[string]any{"required": true, "content": map[string]any{"application/json": map[string]any{"schema": s.of(reflect.TypeOf(r.Request))}}}
	}
	success := map[string]any{"description": "done"}
	switch {
	case r.Produces != "":
		success["content"] = map[string]any{r.Produces: map[string]any{}}
	case r.Response != nil:
		success["content"] = map[string]any{"application/json": map[string]any{"schema": s.of(reflect.TypeOf(r.Response))}}
	}
	op["responses"] = map[string]any{
		itoa(r.Status): success,
		"default": map[string]any{"description": "an error", "content": map[string]any{
			"application/problem+json": map[string]any{"schema": map[string]any{"$ref": "#/components/schemas/Problem"}}}},
	}
	return op
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

func firstSentence(s string) string {
	if i := strings.IndexAny(s, ".;"); i > 0 {
		return s[:i]
	}
	return s
}

// of is the JSON schema of a Go type; structs become named definitions.
func (s *schemas) of(t reflect.Type) map[string]any {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[json.RawMessage](), t.Kind() == reflect.Interface:
		return map[string]any{}
	case t == reflect.TypeFor[chat.Facts](): // kept as text, an object in JSON
		return s.of(reflect.TypeFor[chat.FactSheet]())
	}
	switch t.Kind() {
	case reflect.Pointer:
		return map[string]any{"anyOf": []any{s.of(t.Elem()), map[string]any{"type": "null"}}}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Float64, reflect.Float32:
		return map[string]any{"type": "number"}
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return map[string]any{"type": "string", "contentEncoding": "base64"}
		}
		return map[string]any{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.Struct:
		return s.object(t)
	}
	return map[string]any{"type": "integer"}
}

func (s *schemas) object(t reflect.Type) map[string]any {
	ref := map[string]any{"$ref": "#/components/schemas/" + t.Name()}
	if _, done := s.defs[t.Name()]; done {
		return ref
	}
	def := map[string]any{"type": "object"}
	s.defs[t.Name()] = def // before the fields: types may contain themselves
	props := map[string]any{}
	var required []any
	for i := range t.NumField() {
		f := t.Field(i)
		name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		props[name] = s.of(f.Type)
		if !strings.Contains(opts, "omitempty") && f.Type.Kind() != reflect.Pointer {
			required = append(required, name)
		}
	}
	def["properties"] = props
	if required != nil {
		def["required"] = required
	}
	return ref
}
