package adminapi_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/wire"
)

// TestForbidden goes over the table of routes: whoever may not call one is
// told so before anything else happens.
func TestForbidden(t *testing.T) {
	h := open(t, options{})
	nobody, operator, owner := h.nobody(), h.signedIn("lin", operatorPassword), h.script()
	fill := func(path string) string {
		return strings.NewReplacer("{id}", "1", "{name}", "x", "{seq}", "1").Replace(path)
	}
	for _, r := range wire.AdminRoutes() {
		var in any
		if r.Request != nil {
			in = "{}"
		}
		if r.Role != wire.RoleOpen {
			if got := nobody.send(r.Method, fill(r.Path), in); got.status != 401 || got.problem(t).Type != wire.ProblemSignedOut {
				t.Errorf("%s for nobody: %d %s", r.Name, got.status, got.body)
			}
		}
		if r.Role == wire.RoleOwner {
			if got := operator.send(r.Method, fill(r.Path), in); got.status != 403 || got.problem(t).Type != wire.ProblemForbidden {
				t.Errorf("%s for an operator: %d %s", r.Name, got.status, got.body)
			}
		}
		if r.Method != http.MethodGet {
			got := operator.send(r.Method, fill(r.Path), in, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
			if got.status != 403 {
				t.Errorf("%s from a foreign page: %d %s", r.Name, got.status, got.body)
			}
		}
		if got := owner.send(r.Method, fill(r.Path), in, "Host", "rebound.example"); got.status != 421 {
			t.Errorf("%s under a foreign name: %d %s", r.Name, got.status, got.body)
		}
	}
	if got := owner.send("GET", "/nothing", nil); got.status != 404 || got.problem(t).Hint == "" {
		t.Errorf("an unknown path: %d %s", got.status, got.body)
	}
	if got := owner.send("PATCH", "/status", nil); got.status != 405 {
		t.Errorf("an unknown method: %d %s", got.status, got.body)
	}
	wrong := h.nobody()
	wrong.token = "not-the-token-not-the-token"
	if got := wrong.send("GET", "/status", nil); got.status != 401 {
		t.Errorf("a wrong token: %d %s", got.status, got.body)
	}
}

// TestBadBodies sends to every route that takes JSON what it cannot take.
func TestBadBodies(t *testing.T) {
	h := open(t, options{})
	owner := h.script()
	id := string(h.conversation("Hello?"))
	list, err := h.db.Filters().PutList(context.Background(), sqlite.WordList{Name: "L", Way: "both", Source: "own"})
	if err != nil {
		t.Fatal(err)
	}
	pattern, err := h.db.Filters().PutPattern(context.Background(), sqlite.Pattern{Name: "P", Expr: "a+", Way: "both"})
	if err != nil {
		t.Fatal(err)
	}
	b := decode[wire.Backup](t, owner.send("POST", "/backups", wire.BackupNew{}))
	for _, r := range wire.AdminRoutes() {
		if r.Request == nil {
			continue
		}
		path := r.Path
		switch {
		case strings.HasPrefix(path, "/conversations"):
			path = strings.Replace(path, "{id}", id, 1)
		case strings.HasPrefix(path, "/filters/lists"):
			path = strings.Replace(path, "{id}", fmt.Sprint(list), 1)
		case strings.HasPrefix(path, "/filters/patterns"):
			path = strings.Replace(path, "{id}", fmt.Sprint(pattern), 1)
		case strings.HasPrefix(path, "/backups"):
			path = strings.Replace(path, "{name}", b.Name, 1)
		case strings.HasPrefix(path, "/filters/detectors"):
			path = strings.Replace(path, "{name}", "email", 1)
		}
		path = strings.NewReplacer("{id}", "1", "{name}", "x").Replace(path)
		most := r.MaxBody
		if most == 0 {
			most = 1 << 20
		}
		for _, c := range []struct {
			name   string
			in     raw
			status int
		}{
			{"no media type", raw{"", []byte("{}")}, 415},
			{"a form", raw{"application/x-www-form-urlencoded", []byte("a=b")}, 415},
			{"no JSON", raw{"application/json", []byte("{")}, 422},
			{"two values", raw{"application/json", []byte("{}{}")}, 422},
			{"an unknown field", raw{"application/json", []byte(`{"no_such_field":1}`)}, 422},
			{"a list", raw{"application/json", []byte(`[]`)}, 422},
			{"too much", raw{"application/json", append([]byte(`{"`), bytes.Repeat([]byte("x"), int(most)+1)...)}, 413},
		} {
			got := owner.send(r.Method, path, c.in)
			if got.status != c.status {
				t.Errorf("%s with %s: %d, not %d: %s", r.Name, c.name, got.status, c.status, got.body)
			} else {
				got.problem(t)
			}
		}
	}
}
