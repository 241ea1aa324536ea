package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
)

// people is Accounts and Sessions in memory.
type people struct {
	mu       sync.Mutex
	accounts map[string]Account
	sessions map[string]Session
	err      error
}

func newPeople() *people {
	return &people{accounts: map[string]Account{}, sessions: map[string]Session{}}
}

func (p *people) ListAccounts(context.Context) ([]Account, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Account
	for _, a := range p.accounts {
		for _, s := range p.sessions {
			if s.Operator == a.Name {
				a.Sessions++
			}
		}
		out = append(out, a)
	}
	return out, p.err
}

func (p *people) PutAccount(_ context.Context, a Account, fresh bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, there := p.accounts[a.Name]; there == fresh {
		return ErrExists
	}
	p.accounts[a.Name] = a
	return nil
}

func (p *people) DeleteAccount(_ context.Context, name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.accounts, name)
	return nil
}

func (p *people) PutSession(_ context.Context, s Session, fresh bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.accounts[s.Operator]; !ok {
		return fmt.Errorf("a session of nobody: %q", s.Operator)
	}
	if _, there := p.sessions[string(s.Token)]; there == fresh {
		return fmt.Errorf("session there: %v", there)
	}
	p.sessions[string(s.Token)] = s
	return nil
}

func (p *people) GetSession(_ context.Context, token []byte) (Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.sessions[string(token)]
	if !ok {
		return Session{}, ErrNotFound
	}
	return s, p.err
}

func (p *people) EndSessions(_ context.Context, operator string, token []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, s := range p.sessions {
		if token != nil && k == string(token) || token == nil && s.Operator == operator {
			delete(p.sessions, k)
		}
	}
	return nil
}

// site is a Guard behind a real server.
type site struct {
	*httptest.Server
	guard  *Guard
	people *people
	mu     sync.Mutex
	at     time.Time
	from   string // address of who asks; "": the connection's
}

func (s *site) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

func (s *site) later(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = s.at.Add(d)
}

const (
	ownerPass    = "correct horse battery"
	operatorPass = "another long one"
	scriptToken  = "the long token of the scripts"
)

func newSite(t *testing.T, claimed bool) *site {
	t.Helper()
	s := &site{people: newPeople(), at: time.Now()}
	s.guard = New(Config{
		Instance: "test", Token: func() string { return scriptToken }, Now: s.now,
		ClientIP: func(r *http.Request) netip.Addr {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.from != "" {
				return netip.MustParseAddr(s.from)
			}
			return connectionIP(r)
		},
	}, s.people, s.people)
	s.guard.hasher = newHasher(params{memory: 64, time: 1, threads: 1}) // the real cost would be most of the tests' time
	if claimed {
		ctx := t.Context()
		if err := s.guard.Bootstrap(ctx, ownerPass); err != nil {
			t.Fatal(err)
		}
		if _, err := s.guard.AddPerson(ctx, "amy", "Amy", RoleOperator, operatorPass); err != nil {
			t.Fatal(err)
		}
	}
	s.Server = httptest.NewServer(s.routes())
	t.Cleanup(s.Close)
	return s
}

// routes is a small admin API with what the real one does.
func (s *site) routes() http.Handler {
	g := s.guard
	r := chi.NewRouter()
	r.Use(NewHosts(func() []string { return []string{"chat.shop.example"} }).Handler, g.Protect)
	who := func(w http.ResponseWriter, r *http.Request) {
		p, _ := Operator(r.Context())
		fmt.Fprintf(w, "%s/%s/%s", p.Name, p.Role, p.Door)
	}
	r.Group(func(r chi.Router) { r.Use(g.Require("")); r.Get("/open", who) })
	r.Group(func(r chi.Router) {
		r.Use(g.Require(RoleOperator))
		r.Get("/answer", who)
		r.Post("/answer", who)
		r.Get("/ticket", func(w http.ResponseWriter, r *http.Request) {
			p, _ := Operator(r.Context())
			id, _ := g.Tickets().Issue(ForLive, p)
			io.WriteString(w, id)
		})
		r.Put("/password", func(w http.ResponseWriter, r *http.Request) {
			status(w, g.ChangePassword(r.Context(), r.FormValue("current"), r.FormValue("password")))
		})
	})
	r.Group(func(r chi.Router) { r.Use(g.Require(RoleOwner)); r.Get("/settings", who); r.Post("/settings", who) })
	r.Post("/session", func(w http.ResponseWriter, r *http.Request) {
		_, err := g.SignIn(w, r, r.FormValue("name"), r.FormValue("password"))
		status(w, err)
	})
	r.Post("/claim", func(w http.ResponseWriter, r *http.Request) {
		_, err := g.Claim(w, r, r.FormValue("token"), r.FormValue("name"), r.FormValue("password"))
		status(w, err)
	})
	r.Post("/session/ticket", func(w http.ResponseWriter, r *http.Request) {
		_, err := g.SignInByTicket(w, r, r.FormValue("ticket"))
		status(w, err)
	})
	r.Delete("/session", func(w http.ResponseWriter, r *http.Request) {
		status(w, g.SignOut(w, r, r.URL.Query().Get("everywhere") != ""))
	})
	return r
}

func status(w http.ResponseWriter, err error) {
	var many *TooMany
	var inv *Invalid
	switch {
	case err == nil:
	case errors.As(err, &many):
		w.Header().Set("Retry-After", fmt.Sprint(many.RetryAfter.Seconds()))
		http.Error(w, err.Error(), 429)
	case errors.As(err, &inv):
		http.Error(w, err.Error(), 422)
	case errors.Is(err, ErrClaimed):
		http.Error(w, err.Error(), 409)
	case errors.Is(err, ErrNotHere):
		http.Error(w, err.Error(), 403)
	case errors.Is(err, ErrWrong), errors.Is(err, ErrToken), errors.Is(err, ErrUnclaimed):
		http.Error(w, err.Error(), 401)
	default:
		http.Error(w, err.Error(), 500)
	}
}

// browser keeps cookies, like one.
func (s *site) browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

// do sends a request; header pairs follow, "Host" among them.
func (s *site) do(t *testing.T, c *http.Client, method, path, body string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		} else {
			req.Header.Set(header[i], header[i+1])
		}
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

func (s *site) signedIn(t *testing.T, name, password string) *http.Client {
	t.Helper()
	c := s.browser(t)
	if code, body := s.do(t, c, "POST", "/session", "name="+name+"&password="+password); code != 200 {
		t.Fatalf("sign in as %s: %d %s", name, code, body)
	}
	return c
}
