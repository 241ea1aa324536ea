package backend

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"haoke/backend/internal/auth"
	"haoke/backend/internal/httpd"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/sqlite"
)

// buildAuth makes the admin side's door keeper. Without a password the log
// shows the one-time token with which this machine's owner claims the browser
// page.
func (p *parts) buildAuth(ctx context.Context, s *settings.Settings) error {
	store := accounts{p.db.Operators()}
	suffix, err := p.kept(ctx, "instance", func() string { r, _ := randomHex(4); return r })
	if err != nil {
		return err
	}
	p.auth = auth.New(auth.Config{
		Instance: suffix, Secure: p.adminTLS != nil,
		Token:    func() string { return p.settings.Current().Admin.Token.Reveal() },
		Idle:     func() time.Duration { return p.settings.Current().Admin.SessionIdle },
		Max:      func() time.Duration { return p.settings.Current().Admin.SessionMax },
		ClientIP: func(r *http.Request) netip.Addr { a, _ := netip.ParseAddr(httpd.ClientIP(r)); return a },
	}, store, store)
	if err := p.auth.Bootstrap(ctx, s.Admin.Password.Reveal()); err != nil {
		return err
	}
	claimed, err := p.auth.Claimed(ctx)
	if err == nil && !claimed {
		p.log.Info("nobody has set a password for the admin page yet: open it on this machine and type these words: " + p.auth.ClaimToken())
	}
	return err
}

// accounts is auth's view of the stored operators and sign-ins.
type accounts struct{ o *sqlite.Operators }

// ListAccounts implements auth.Accounts.
func (a accounts) ListAccounts(ctx context.Context) ([]auth.Account, error) {
	rows, err := a.o.List(ctx)
	out := make([]auth.Account, 0, len(rows))
	for _, r := range rows {
		out = append(out, auth.Account{Name: r.Name, Display: r.Display, Role: auth.Role(r.Role), Hash: r.Hash, Created: r.Created, Seen: r.Seen, Sessions: r.SignIns})
	}
	return out, err
}

// PutAccount implements auth.Accounts.
func (a accounts) PutAccount(ctx context.Context, x auth.Account, fresh bool) error {
	row := sqlite.Operator{Name: x.Name, Display: x.Display, Role: string(x.Role), Hash: x.Hash, Created: x.Created}
	if fresh {
		return mapped(a.o.Add(ctx, row))
	}
	return mapped(a.o.Change(ctx, row))
}

// DeleteAccount implements auth.Accounts.
func (a accounts) DeleteAccount(ctx context.Context, name string) error {
	return mapped(a.o.Delete(ctx, name))
}

// PutSession implements auth.Sessions.
func (a accounts) PutSession(ctx context.Context, s auth.Session, fresh bool) error {
	if !fresh {
		return mapped(a.o.Touch(ctx, s.Token, s.Expires))
	}
	return mapped(a.o.PutSignIn(ctx, sqlite.SignIn{
		Token: s.Token, Operator: s.Operator, Created: s.Created, Seen: s.Seen, Expires: s.Expires, IP: s.IP, Agent: s.Agent,
	}))
}

// GetSession implements auth.Sessions.
func (a accounts) GetSession(ctx context.Context, token []byte) (auth.Session, error) {
	s, err := a.o.SignIn(ctx, token)
	return auth.Session{
		Token: s.Token, Operator: s.Operator, Created: s.Created, Seen: s.Seen, Expires: s.Expires, IP: s.IP, Agent: s.Agent,
	}, mapped(err)
}

// EndSessions implements auth.Sessions.
func (a accounts) EndSessions(ctx context.Context, operator string, token []byte) error {
	var err error
	if token != nil {
		err = a.o.SignOut(ctx, token)
	} else {
		err = a.o.SignOutAll(ctx, operator)
	}
	if errors.Is(err, sqlite.ErrNoRow) {
		return nil // gone already
	}
	return err
}

// mapped turns the store's errors into auth's.
func mapped(err error) error {
	switch {
	case errors.Is(err, sqlite.ErrNoRow):
		return auth.ErrNotFound
	case errors.Is(err, sqlite.ErrExists):
		return auth.ErrExists
	}
	return err
}
