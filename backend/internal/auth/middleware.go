package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// touchEvery bounds how often a session's use is written down.
const touchEvery = time.Minute

// Protect wraps the handler of the browser's door with everything but the Host
// check: foreign pages are refused, and whoever has signed in is put into the
// request's context. It refuses nobody for not being signed in; Require does.
func (g *Guard) Protect(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusForbidden, "about:blank", "Foreign page", "This request came from another site.", 0)
	}))
	return cross.Handler(g.Identify(next))
}

// Identify puts whoever has signed in into the request's context: by the
// window's door, by bearer token, by session cookie. A wrong token is refused;
// an ended session counts as none.
func (g *Guard) Identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := Operator(r.Context()); ok {
			next.ServeHTTP(w, r)
			return
		}
		if given := r.Header.Get("Authorization"); given != "" {
			p, err := g.byToken(r, given)
			if err != nil {
				refuseTry(w, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(WithOperator(r.Context(), p)))
			return
		}
		p, err := g.bySession(r)
		switch {
		case err == nil:
			r = r.WithContext(WithOperator(r.Context(), p))
		case !errors.Is(err, ErrNotFound):
			refuse(w, http.StatusServiceUnavailable, "about:blank", "Unavailable", "Sessions cannot be read at the moment.", 5)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// longToken is from what length on nobody guesses a token, in bytes. A shorter
// one is not taken either from an address that has to wait: else the back-off
// would hold up every guess but the right one.
const longToken = 20

// byToken checks the scripts' token, in constant time and with the back-off of
// addresses.
func (g *Guard) byToken(r *http.Request, header string) (Person, error) {
	scheme, given, _ := strings.Cut(header, " ")
	want := g.cfg.Token()
	a, b := sha256.Sum256([]byte(strings.TrimSpace(given))), sha256.Sum256([]byte(want))
	same := subtle.ConstantTimeCompare(a[:], b[:]) == 1
	if same && want != "" && strings.EqualFold(scheme, "Bearer") {
		if len(want) < longToken {
			if err := g.tries.wait(scripts, g.cfg.ClientIP(r)); err != nil {
				return Person{}, err
			}
		}
		return Person{Name: "script", Display: "", Role: RoleOwner, Door: DoorToken, script: a}, nil
	}
	if err := g.tries.begin(scripts, g.cfg.ClientIP(r)); err != nil {
		return Person{}, err
	}
	return Person{}, ErrToken
}

// bySession finds the person of the session cookie; ErrNotFound without a
// valid one. Role and display name are those of now, not of the sign-in.
func (g *Guard) bySession(r *http.Request) (Person, error) {
	token := g.presented(r)
	if token == nil {
		return Person{}, ErrNotFound
	}
	ctx := r.Context()
	if p, ok := g.local.get(token, g.cfg.Now(), g.idle(), g.max()); ok {
		return p, nil
	}
	s, a, err := g.openSession(ctx, token)
	if err != nil {
		return Person{}, err
	}
	now := g.cfg.Now()
	if now.Sub(s.Seen) >= touchEvery {
		s.Seen = now
		s.Expires = earlier(now.Add(g.idle()), s.Created.Add(g.max()))
		// a session that cannot be prolonged ends earlier: no reason to refuse now
		_ = g.sessions.PutSession(context.WithoutCancel(ctx), s, false)
	}
	return Person{Name: a.Name, Display: a.Display, Role: a.Role, Door: DoorBrowser, Session: token}, nil
}

// openSession reads a stored session that has not ended, and whose it is.
func (g *Guard) openSession(ctx context.Context, token []byte) (Session, Account, error) {
	s, err := g.sessions.GetSession(ctx, token)
	if err != nil {
		return s, Account{}, err
	}
	now := g.cfg.Now()
	end := earlier(s.Created.Add(g.max()), s.Seen.Add(g.idle()+touchEvery))
	if !now.Before(s.Expires) || !now.Before(end) {
		return s, Account{}, ErrNotFound
	}
	a, err := g.account(ctx, s.Operator)
	return s, a, err
}

// Still reports whether somebody who signed in before is signed in yet, and with
// the same role: for what outlives a request. It does not count as a use of the
// session. When that cannot be found out nothing has ended.
func (g *Guard) Still(ctx context.Context, p Person) bool {
	switch p.Door {
	case DoorToken:
		want := g.cfg.Token()
		return want != "" && p.script == sha256.Sum256([]byte(want))
	case DoorBrowser:
		if g.local.has(p.Session, g.cfg.Now(), g.idle(), g.max()) {
			return true
		}
		_, a, err := g.openSession(ctx, p.Session)
		if err != nil {
			return !errors.Is(err, ErrNotFound)
		}
		return a.Role == p.Role
	}
	return true
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// Require refuses whoever has not signed in (401) or may not (403). want ""
// lets everybody through.
func (g *Guard) Require(want Role) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p, ok := Operator(r.Context())
			switch {
			case want == "" || ok && p.Role.allows(want):
				next.ServeHTTP(w, r)
			case ok:
				refuse(w, http.StatusForbidden, "haoke:forbidden", "Not allowed", fmt.Sprintf("This needs the role %q.", want), 0)
			default:
				g.refuseStranger(w, r)
			}
		})
	}
}

// Near lets through who has signed in, and whoever asks on this machine itself
// and directly: for figures that monitoring reads. Strangers of the network are
// refused.
func (g *Guard) Near(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := Operator(r.Context()); ok || g.Claimable(r) {
			next.ServeHTTP(w, r)
			return
		}
		g.refuseStranger(w, r)
	})
}

func (g *Guard) refuseStranger(w http.ResponseWriter, r *http.Request) {
	claimed, err := g.Claimed(r.Context())
	if err == nil && !claimed {
		refuse(w, http.StatusUnauthorized, "haoke:unclaimed", "No password yet", "Nobody has set a password yet. Claim the appliance on its own machine with the token of the log, or set admin.password.", 0)
		return
	}
	refuse(w, http.StatusUnauthorized, "haoke:signed-out", "Signed out", "Sign in first.", 0)
}

// refuseTry answers a wrong token.
func refuseTry(w http.ResponseWriter, err error) {
	var many *TooMany
	if errors.As(err, &many) {
		refuse(w, http.StatusTooManyRequests, "haoke:rate-limited", "Too many tries", many.Error()+".", int(many.RetryAfter.Seconds()))
		return
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="haoke"`)
	refuse(w, http.StatusUnauthorized, "haoke:signed-out", "Wrong token", "The bearer token is not the one of admin.token.", 0)
}

// refuse writes an RFC 9457 problem.
func refuse(w http.ResponseWriter, status int, kind, title, detail string, retryAfter int) {
	body, err := json.Marshal(struct {
		Type       string `json:"type"`
		Title      string `json:"title"`
		Status     int    `json:"status"`
		Detail     string `json:"detail"`
		RetryAfter int    `json:"retry_after,omitempty"`
	}{kind, title, status, detail, retryAfter})
	if err != nil {
		http.Error(w, title, status)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if retryAfter > 0 {
		h.Set("Retry-After", fmt.Sprint(retryAfter))
	}
	w.WriteHeader(status)
	w.Write(body) // whoever has gone needs no answer
}
