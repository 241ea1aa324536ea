package auth

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

func checkName(name string) error {
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,39}$`).MatchString(name) {
		return &Invalid{"name", "must be 1 to 40 of a-z, 0-9, dot, underscore and hyphen"}
	}
	return nil
}

func checkDisplay(display string) error {
	if n := utf8.RuneCountInString(display); n < 1 || n > 60 || !utf8.ValidString(display) || strings.ContainsAny(display, "\r\n\t\x00\x1b") {
		return &Invalid{"display", "must have 1 to 60 characters on one line"}
	}
	return nil
}

func checkRole(role Role) error {
	if role != RoleOwner && role != RoleOperator {
		return &Invalid{"role", "must be owner or operator"}
	}
	return nil
}

// People lists who may sign in, owners first.
func (g *Guard) People(ctx context.Context) ([]Account, error) {
	list, err := g.accounts.ListAccounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	slices.SortStableFunc(list, func(a, b Account) int {
		if (a.Role == RoleOwner) != (b.Role == RoleOwner) {
			if a.Role == RoleOwner {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list, nil
}

// AddPerson adds somebody who may sign in. Errors: *Invalid, ErrExists.
func (g *Guard) AddPerson(ctx context.Context, name, display string, role Role, password string) (Account, error) {
	name, display = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(display)
	if display == "" {
		display = name
	}
	if err := errors.Join(checkName(name), checkDisplay(display), checkRole(role), checkPassword(password)); err != nil {
		return Account{}, first(err)
	}
	if _, err := g.account(ctx, name); err == nil {
		return Account{}, ErrExists
	}
	hash, err := g.hasher.hash(ctx, password)
	if err != nil {
		return Account{}, fmt.Errorf("add person: %w", err)
	}
	a := Account{Name: name, Display: display, Role: role, Hash: hash, Created: g.cfg.Now()}
	if err := g.accounts.PutAccount(ctx, a, true); err != nil {
		return Account{}, fmt.Errorf("add person: %w", err)
	}
	return a, nil
}

// Change is a wanted change of a person; nil fields stay.
type Change struct {
	Display  *string
	Role     *Role
	Password *string // ends the person's sessions
}

// ChangePerson changes somebody. A new role counts at once, in open sessions
// too. Errors: *Invalid, ErrNotFound, ErrLastOwner.
func (g *Guard) ChangePerson(ctx context.Context, name string, c Change) (Account, error) {
	a, err := g.account(ctx, name)
	if err != nil {
		return Account{}, err
	}
	if c.Display != nil {
		a.Display = strings.TrimSpace(*c.Display)
		if err := checkDisplay(a.Display); err != nil {
			return Account{}, err
		}
	}
	if c.Role != nil && *c.Role != a.Role {
		if err := checkRole(*c.Role); err != nil {
			return Account{}, err
		}
		if err := g.anotherOwner(ctx, a); err != nil {
			return Account{}, err
		}
		a.Role = *c.Role
	}
	if c.Password != nil {
		if err := checkPassword(*c.Password); err != nil {
			return Account{}, err
		}
		if a.Hash, err = g.hasher.hash(ctx, *c.Password); err != nil {
			return Account{}, fmt.Errorf("change person: %w", err)
		}
	}
	if err := g.accounts.PutAccount(ctx, a, false); err != nil {
		return Account{}, fmt.Errorf("change person: %w", err)
	}
	if c.Password != nil {
		if err := g.sessions.EndSessions(ctx, a.Name, nil); err != nil {
			return Account{}, fmt.Errorf("change person: end sessions: %w", err)
		}
	}
	return a, nil
}

// ChangePassword changes the caller's own password and ends the person's other
// sessions. In the window current may be empty. Errors: *Invalid, ErrNotFound,
// *TooMany.
func (g *Guard) ChangePassword(ctx context.Context, current, password string) error {
	p, ok := Operator(ctx)
	if !ok {
		return ErrNotFound
	}
	a, err := g.account(ctx, p.Name)
	if errors.Is(err, ErrNotFound) && p.Door == DoorWindow {
		if err := checkPassword(password); err != nil {
			return err
		}
		return g.firstOwner(ctx, p.Name, password) // the window sets the first password
	}
	if err != nil {
		return err
	}
	if p.Door != DoorWindow {
		ok, err := g.hasher.matches(ctx, short(current, 4*maxPassword), a.Hash)
		if err != nil {
			return fmt.Errorf("change password: %w", err)
		}
		if !ok {
			return &Invalid{"current", "is not the present password"}
		}
	}
	if err := checkPassword(password); err != nil {
		return err
	}
	if a.Hash, err = g.hasher.hash(ctx, password); err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	if err := g.accounts.PutAccount(ctx, a, false); err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	return g.endOthers(ctx, p)
}

// endOthers ends all sessions of a person but the present one.
func (g *Guard) endOthers(ctx context.Context, p Person) error {
	var keep *Session
	if p.Session != nil {
		if s, err := g.sessions.GetSession(ctx, p.Session); err == nil {
			keep = &s
		}
	}
	if err := g.sessions.EndSessions(ctx, p.Name, nil); err != nil {
		return fmt.Errorf("end other sessions: %w", err)
	}
	if keep != nil {
		if err := g.sessions.PutSession(ctx, *keep, true); err != nil {
			return fmt.Errorf("keep the present session: %w", err)
		}
	}
	return nil
}

// RemovePerson removes somebody and ends their sessions. Errors: ErrNotFound,
// ErrLastOwner.
func (g *Guard) RemovePerson(ctx context.Context, name string) error {
	a, err := g.account(ctx, name)
	if err != nil {
		return err
	}
	if err := g.anotherOwner(ctx, a); err != nil {
		return err
	}
	if err := g.sessions.EndSessions(ctx, name, nil); err != nil {
		return fmt.Errorf("remove person: end sessions: %w", err)
	}
	if err := g.accounts.DeleteAccount(ctx, name); err != nil {
		return fmt.Errorf("remove person: %w", err)
	}
	return nil
}

// anotherOwner refuses to take the last owner away.
func (g *Guard) anotherOwner(ctx context.Context, a Account) error {
	if a.Role != RoleOwner {
		return nil
	}
	list, err := g.accounts.ListAccounts(ctx)
	if err != nil {
		return fmt.Errorf("list people: %w", err)
	}
	for _, o := range list {
		if o.Role == RoleOwner && o.Name != a.Name {
			return nil
		}
	}
	return ErrLastOwner
}

func (g *Guard) account(ctx context.Context, name string) (Account, error) {
	list, err := g.accounts.ListAccounts(ctx)
	if err != nil {
		return Account{}, fmt.Errorf("list people: %w", err)
	}
	for _, a := range list {
		if a.Name == name {
			return a, nil
		}
	}
	return Account{}, ErrNotFound
}
