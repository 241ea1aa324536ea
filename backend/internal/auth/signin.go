package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Bootstrap makes the first owner with the password of the settings. With an
// owner already there, or without a password, it does nothing.
func (g *Guard) Bootstrap(ctx context.Context, password string) error {
	if password == "" {
		return nil
	}
	list, err := g.accounts.ListAccounts(ctx)
	if err != nil {
		return fmt.Errorf("first owner: %w", err)
	}
	if len(list) > 0 {
		return nil
	}
	return g.firstOwner(ctx, "owner", password)
}

func (g *Guard) firstOwner(ctx context.Context, name, password string) error {
	hash, err := g.hasher.hash(ctx, password)
	if err != nil {
		return fmt.Errorf("first owner: %w", err)
	}
	a := Account{Name: name, Display: name, Role: RoleOwner, Hash: hash, Created: g.cfg.Now()}
	if err := g.accounts.PutAccount(ctx, a, true); err != nil {
		return fmt.Errorf("first owner: %w", err)
	}
	return nil
}

// Claimed reports whether somebody has set a password.
func (g *Guard) Claimed(ctx context.Context) (bool, error) {
	list, err := g.accounts.ListAccounts(ctx)
	return len(list) > 0, err
}

// ClaimToken returns the one-time token for the log and the tray, in groups
// for reading aloud.
func (g *Guard) ClaimToken() string { return g.claim.text() }

// Claimable reports whether who sent r may claim: from this machine, directly.
func (g *Guard) Claimable(r *http.Request) bool {
	for _, h := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	return connectionIP(r).IsLoopback() && g.cfg.ClientIP(r).IsLoopback()
}

// Claim sets the first owner's password with the token of the log and signs
// in. Errors: ErrNotHere, ErrClaimed, ErrToken, *Invalid, *TooMany.
func (g *Guard) Claim(w http.ResponseWriter, r *http.Request, token, name, password string) (Person, error) {
	if !g.Claimable(r) {
		return Person{}, ErrNotHere
	}
	claimed, err := g.Claimed(r.Context())
	if err != nil {
		return Person{}, fmt.Errorf("claim: %w", err)
	}
	if claimed {
		return Person{}, ErrClaimed
	}
	if name == "" {
		name = "owner"
	}
	if err := errors.Join(checkName(name), checkPassword(password)); err != nil {
		return Person{}, first(err)
	}
	ip := g.cfg.ClientIP(r)
	if err := g.tries.begin("(claim)", ip); err != nil {
		return Person{}, err
	}
	if !g.claim.take(token) {
		return Person{}, ErrToken
	}
	g.tries.succeed("(claim)", ip)
	if err := g.firstOwner(r.Context(), name, password); err != nil {
		g.claim.renew() // it was not used after all
		return Person{}, err
	}
	return g.open(w, r, Account{Name: name, Display: name, Role: RoleOwner})
}

// first unpacks errors.Join for callers that want one typed error.
func first(err error) error {
	var inv *Invalid
	if errors.As(err, &inv) {
		return inv
	}
	return err
}

// SignIn checks name and password and opens a session: its cookie is set on w.
// An empty name means the only owner. Errors: ErrWrong, ErrUnclaimed, *TooMany.
func (g *Guard) SignIn(w http.ResponseWriter, r *http.Request, name, password string) (Person, error) {
	ctx := r.Context()
	list, err := g.accounts.ListAccounts(ctx)
	if err != nil {
		return Person{}, fmt.Errorf("sign in: %w", err)
	}
	if len(list) == 0 {
		return Person{}, ErrUnclaimed
	}
	name = strings.ToLower(strings.TrimSpace(name))
	account := choose(list, name)
	ip := g.cfg.ClientIP(r)
	if len(name) > 40 || len(password) > 4*maxPassword {
		return Person{}, ErrWrong
	}
	if err := g.tries.begin(name, ip); err != nil {
		return Person{}, err
	}
	ok, err := g.hasher.matches(ctx, password, account.Hash)
	if err != nil {
		return Person{}, fmt.Errorf("sign in: %w", err)
	}
	if !ok {
		return Person{}, ErrWrong
	}
	g.tries.succeed(name, ip)
	return g.open(w, r, account)
}

// choose finds the account of a name; for an empty name the only owner. The
// zero Account stands for nobody.
func choose(list []Account, name string) Account {
	var found Account
	owners := 0
	for _, a := range list {
		if name != "" && a.Name == name {
			return a
		}
		if name == "" && a.Role == RoleOwner {
			found = a
			owners++
		}
	}
	if owners == 1 {
		return found
	}
	return Account{}
}

// SignInByTicket exchanges a ticket of "open in browser" for a session.
// Errors: ErrToken.
func (g *Guard) SignInByTicket(w http.ResponseWriter, r *http.Request, ticket string) (Person, error) {
	p, ok := g.tickets.Take(ForBrowser, ticket)
	if !ok {
		return Person{}, ErrToken
	}
	a, err := g.account(r.Context(), p.Name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Person{}, err
	}
	if err == nil {
		return g.open(w, r, a)
	}
	if p.Door != DoorWindow {
		return Person{}, ErrToken // removed since the ticket was issued
	}
	// The person at the screen needs no account; their browser session lives in
	// memory and ends with the program.
	value := newToken()
	p.Door, p.Session = DoorBrowser, tokenHash(value)
	g.local.put(p, g.cfg.Now())
	g.setCookie(w, value)
	return p, nil
}

// open makes a new session, so that a cookie planted before is worth nothing,
// and ends the one that the request came with.
func (g *Guard) open(w http.ResponseWriter, r *http.Request, a Account) (Person, error) {
	ctx := r.Context()
	if old := g.presented(r); old != nil {
		if err := g.sessions.EndSessions(ctx, "", old); err != nil {
			return Person{}, fmt.Errorf("sign in: end the old session: %w", err)
		}
	}
	value := newToken()
	now := g.cfg.Now()
	s := Session{
		Token: tokenHash(value), Operator: a.Name, Created: now, Seen: now, Expires: now.Add(min(g.idle(), g.max())),
		IP: g.cfg.ClientIP(r).String(), Agent: short(r.UserAgent(), 300),
	}
	if err := g.sessions.PutSession(ctx, s, true); err != nil {
		return Person{}, fmt.Errorf("sign in: %w", err)
	}
	g.setCookie(w, value)
	return Person{Name: a.Name, Display: a.Display, Role: a.Role, Door: DoorBrowser, Session: s.Token}, nil
}

// SignOut ends the session that r came with, or all of its person, and removes
// the cookie. Without a session it does nothing.
func (g *Guard) SignOut(w http.ResponseWriter, r *http.Request, everywhere bool) error {
	token := g.presented(r)
	if token == nil {
		return nil
	}
	operator := ""
	if everywhere {
		p, ok := Operator(r.Context())
		if ok && p.Door == DoorBrowser {
			operator, token = p.Name, nil
		}
	}
	g.local.end(operator, token)
	if err := g.sessions.EndSessions(r.Context(), operator, token); err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	c := g.cookie("")
	c.MaxAge = -1
	http.SetCookie(w, c)
	return nil
}

func newToken() string {
	raw := make([]byte, 32)
	rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)
}

func (g *Guard) setCookie(w http.ResponseWriter, value string) {
	c := g.cookie(value)
	c.MaxAge = int(g.max().Seconds())
	http.SetCookie(w, c)
}

// cookieName is the session cookie's. Over HTTPS it has the prefix that keeps
// subdomains and plain HTTP from planting one.
func (g *Guard) cookieName() string {
	name := "haoke_session_" + g.cfg.Instance
	if g.cfg.Secure {
		return "__Host-" + name
	}
	return name
}

func (g *Guard) cookie(value string) *http.Cookie {
	return &http.Cookie{
		Name: g.cookieName(), Value: value, Path: "/", HttpOnly: true, Secure: g.cfg.Secure, SameSite: http.SameSiteStrictMode,
	}
}

// presented is the hash of the session token that r carries, nil without one.
func (g *Guard) presented(r *http.Request) []byte {
	c, err := r.Cookie(g.cookieName())
	if err != nil || len(c.Value) != 43 {
		return nil
	}
	return tokenHash(c.Value)
}

func tokenHash(value string) []byte {
	sum := sha256.Sum256([]byte(value))
	return sum[:]
}

func short(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}
