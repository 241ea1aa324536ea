package adminapi

import (
	"time"

	"haoke/backend/internal/auth"
	"haoke/backend/internal/wire"
)

func (a *API) sessionHandlers() map[string]func(*call) (any, error) {
	return map[string]func(*call) (any, error){
		"getSession":     func(c *call) (any, error) { return a.sessionState(c, c.who) },
		"signIn":         a.signIn,
		"signOut":        a.signOut,
		"claim":          a.claim,
		"signInByTicket": a.signInByTicket,
		"openBrowser":    a.openBrowser,
		"changePassword": a.changePassword,
	}
}

// sessionState says who is at this door.
func (a *API) sessionState(c *call, who auth.Person) (wire.SessionState, error) {
	s := a.Settings.Current()
	out := wire.SessionState{
		State: wire.SessionSignedOut, Door: wire.DoorBrowser, Product: "Haoke", Version: a.Version,
		SiteName: s.Site.Name, WizardDone: s.Desktop.WizardDone, Language: s.Desktop.Language, Theme: s.Desktop.Theme,
	}
	if who.Door == auth.DoorWindow {
		out.Door = wire.DoorWindow
	}
	if who.Name != "" {
		out.State = wire.SessionSignedIn
		out.Operator = &wire.Operator{Name: who.Name, Display: who.Display, Role: wire.AdminRole(who.Role), Self: true}
		return out, nil
	}
	claimed, err := a.Guard.Claimed(c.ctx())
	if err != nil {
		return out, err
	}
	if !claimed {
		out.State, out.Claimable = wire.SessionUnclaimed, a.Guard.Claimable(c.r)
	}
	return out, nil
}

func (a *API) signIn(c *call) (any, error) {
	in, err := body[wire.SignIn](c)
	if err != nil {
		return nil, err
	}
	who, err := a.Guard.SignIn(c.w, c.r, in.Name, in.Password)
	if err != nil {
		return nil, err
	}
	return a.sessionState(c, who)
}

func (a *API) signOut(c *call) (any, error) {
	q, err := query[wire.SignOutQuery](c)
	if err != nil {
		return nil, err
	}
	return nil, a.Guard.SignOut(c.w, c.r, q.Everywhere)
}

func (a *API) claim(c *call) (any, error) {
	in, err := body[wire.Claim](c)
	if err != nil {
		return nil, err
	}
	who, err := a.Guard.Claim(c.w, c.r, in.Token, in.Name, in.Password)
	if err != nil {
		return nil, err
	}
	return a.sessionState(c, who)
}

func (a *API) signInByTicket(c *call) (any, error) {
	in, err := body[wire.TicketSignIn](c)
	if err != nil {
		return nil, err
	}
	who, err := a.Guard.SignInByTicket(c.w, c.r, in.Ticket)
	if err != nil {
		return nil, &fault{Type: wire.ProblemSignedOut, Title: "Spent", Status: 401, Detail: "This link was used already, or it is older than 30 seconds.", Hint: "Open the page from the window once more."}
	}
	return a.sessionState(c, who)
}

func (a *API) openBrowser(c *call) (any, error) {
	ticket, until := a.Guard.Tickets().Issue(auth.ForBrowser, c.who)
	_, admin := a.Host.Addresses()
	return wire.BrowserLink{URL: admin + "/#ticket=" + ticket, ExpiresAt: until.UTC().Truncate(time.Second)}, nil
}

func (a *API) changePassword(c *call) (any, error) {
	in, err := body[wire.PasswordChange](c)
	if err != nil {
		return nil, err
	}
	return nil, a.Guard.ChangePassword(c.ctx(), in.Current, in.Password)
}
