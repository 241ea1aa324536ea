package auth

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestNear: figures are for this machine and for who has signed in.
func TestNear(t *testing.T) {
	g := New(Config{Token: func() string { return "a long token of scripts" }}, newPeople(), newPeople())
	h := g.Identify(g.Near(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })))
	for name, c := range map[string]struct {
		remote, forwarded, bearer string
		want                      int
	}{
		"this machine":                 {"127.0.0.1:4711", "", "", 204},
		"this machine, IPv6":           {"[::1]:4711", "", "", 204},
		"the network":                  {"192.168.1.7:4711", "", "", 401},
		"somebody behind a proxy here": {"127.0.0.1:4711", "203.0.113.7", "", 401},
		"a script in the network":      {"192.168.1.7:4711", "", "a long token of scripts", 204},
		"a wrong script":               {"127.0.0.1:4711", "", "another token", 401},
	} {
		r := httptest.NewRequest("GET", "/metrics", http.NoBody)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if c.bearer != "" {
			r.Header.Set("Authorization", "Bearer "+c.bearer)
		}
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != c.want {
			t.Errorf("%s: %d, want %d", name, w.Code, c.want)
		}
	}
}

// TestGuessingScripts: a short token is not found by trying, and a broken
// monitor does not lock out a script with a long one.
func TestGuessingScripts(t *testing.T) {
	for token, want := range map[string]int{"hunter2": 429, "0123456789abcdef0123456789abcdef": 204} {
		g := New(Config{Token: func() string { return token }}, newPeople(), newPeople())
		h := g.Identify(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
		try := func(token string) int {
			r := httptest.NewRequest("GET", "/x", http.NoBody)
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Code
		}
		if got := try(token); got != 204 {
			t.Errorf("%q at first: %d", token, got)
		}
		for range 50 {
			try("wrong")
		}
		if got := try(token); got != want {
			t.Errorf("%q after 50 guesses: %d, want %d", token, got, want)
		}
	}
}
