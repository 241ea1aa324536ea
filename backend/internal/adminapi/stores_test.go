package adminapi_test

import (
	"context"
	"errors"

	"haoke/backend/internal/auth"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/sqlite"
)

type rows struct{ s *sqlite.Settings }

func (r rows) LoadSettings(ctx context.Context) ([]settings.Row, error) {
	got, err := r.s.Load(ctx)
	out := make([]settings.Row, len(got))
	for i, x := range got {
		out[i] = settings.Row(x)
	}
	return out, err
}

func (r rows) SaveSettings(ctx context.Context, rows []settings.Row) error {
	out := make([]sqlite.Setting, len(rows))
	for i, x := range rows {
		out[i] = sqlite.Setting(x)
	}
	return r.s.Save(ctx, out)
}

type accounts struct{ o *sqlite.Operators }

func (a accounts) ListAccounts(ctx context.Context) ([]auth.Account, error) {
	got, err := a.o.List(ctx)
	var out []auth.Account
	for _, r := range got {
		out = append(out, auth.Account{Name: r.Name, Display: r.Display, Role: auth.Role(r.Role), Hash: r.Hash, Created: r.Created, Seen: r.Seen, Sessions: r.SignIns})
	}
	return out, err
}

func (a accounts) PutAccount(ctx context.Context, x auth.Account, fresh bool) error {
	row := sqlite.Operator{Name: x.Name, Display: x.Display, Role: string(x.Role), Hash: x.Hash, Created: x.Created}
	if fresh {
		return mapped(a.o.Add(ctx, row))
	}
	return mapped(a.o.Change(ctx, row))
}

func (a accounts) DeleteAccount(ctx context.Context, name string) error {
	return mapped(a.o.Delete(ctx, name))
}

func (a accounts) PutSession(ctx context.Context, s auth.Session, fresh bool) error {
	if !fresh {
		return mapped(a.o.Touch(ctx, s.Token, s.Expires))
	}
	return mapped(a.o.PutSignIn(ctx, sqlite.SignIn{Token: s.Token, Operator: s.Operator, Created: s.Created, Seen: s.Seen, Expires: s.Expires}))
}

func (a accounts) GetSession(ctx context.Context, token []byte) (auth.Session, error) {
	s, err := a.o.SignIn(ctx, token)
	return auth.Session{Token: s.Token, Operator: s.Operator, Created: s.Created, Seen: s.Seen, Expires: s.Expires}, mapped(err)
}

func (a accounts) EndSessions(ctx context.Context, operator string, token []byte) error {
	var err error
	if token != nil {
		err = a.o.SignOut(ctx, token)
	} else {
		err = a.o.SignOutAll(ctx, operator)
	}
	if errors.Is(err, sqlite.ErrNoRow) {
		return nil
	}
	return err
}

func mapped(err error) error {
	switch {
	case errors.Is(err, sqlite.ErrNoRow):
		return auth.ErrNotFound
	case errors.Is(err, sqlite.ErrExists):
		return auth.ErrExists
	}
	return err
}
