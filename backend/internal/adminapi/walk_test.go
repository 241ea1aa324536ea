package adminapi_test

import (
	"strings"
	"testing"

	"haoke/backend/internal/wire"
)

// walk calls routes by name, checks each answer against the document, and
// remembers which routes succeeded.
type walk struct {
	*testing.T
	h      *house
	doc    *document
	routes map[string]wire.Route
	done   map[string]bool
}

func newWalk(t *testing.T, h *house) *walk {
	w := &walk{T: t, h: h, doc: h.document(), routes: map[string]wire.Route{}, done: map[string]bool{}}
	for _, r := range wire.AdminRoutes() {
		w.routes[r.Name] = r
	}
	return w
}

// call sends a request to a route; args fill its path's parameters, a last one
// that begins with "?" is the query.
func (w *walk) call(d *door, name string, in any, args ...string) answer {
	w.Helper()
	r, ok := w.routes[name]
	if !ok {
		w.Fatalf("there is no route %s", name)
	}
	path := r.Path
	for _, a := range args {
		if strings.HasPrefix(a, "?") {
			path += a
			continue
		}
		i, j := strings.Index(path, "{"), strings.Index(path, "}")
		path = path[:i] + a + path[j+1:]
	}
	got := d.send(r.Method, path, in)
	op, ok := w.doc.paths[wire.AdminPrefix+r.Path][strings.ToLower(r.Method)]
	if !ok || op.OperationID != name {
		w.Fatalf("%s is not in the document", name)
	}
	if err := w.doc.check(op, got); err != nil {
		w.Errorf("%s answers %d, which does not fit its schema: %v\n%s", name, got.status, err, got.body)
	}
	if got.status == r.Status {
		w.done[name] = true
	}
	return got
}

// ok calls and wants success.
func (w *walk) ok(d *door, name string, in any, args ...string) answer {
	w.Helper()
	got := w.call(d, name, in, args...)
	if want := w.routes[name].Status; got.status != want {
		w.Fatalf("%s: %d, not %d: %s", name, got.status, want, got.body)
	}
	return got
}

// not calls and wants a problem of a status and type.
func (w *walk) not(d *door, status int, typ, name string, in any, args ...string) wire.Problem {
	w.Helper()
	got := w.call(d, name, in, args...)
	if got.status != status {
		w.Fatalf("%s: %d, not %d: %s", name, got.status, status, got.body)
	}
	p := got.problem(w.T)
	if p.Type != typ {
		w.Fatalf("%s: %q, not %q: %s", name, p.Type, typ, got.body)
	}
	return p
}
