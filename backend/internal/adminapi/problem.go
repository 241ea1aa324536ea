package adminapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"haoke/backend/internal/auth"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/secret"
	"haoke/backend/internal/session"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/wire"
)

// fault is an error that already knows its answer.
type fault wire.Problem

// Error implements error.
func (f *fault) Error() string { return fmt.Sprintf("%d %s: %s", f.Status, f.Title, f.Detail) }

// invalid refuses one input.
func invalid(field, detail, hint string) error {
	return &fault{Type: wire.ProblemInvalid, Title: "Invalid", Status: 422, Field: field, Detail: detail, Hint: hint}
}

// exists refuses a name that is taken.
func exists(field, detail string) error {
	return &fault{Type: wire.ProblemExists, Title: "It exists already", Status: 409, Field: field, Detail: detail}
}

// locked refuses a change of what a file, the environment or a flag holds.
func locked(field, where string) error {
	return &fault{Type: wire.ProblemLocked, Title: "Locked", Status: 409, Field: field, Detail: "This is set in " + where + ".", Hint: "Change it there and start again."}
}

// notFound says that a thing is not there.
func notFound(detail string) error {
	return &fault{Type: wire.ProblemNotFound, Title: "Not found", Status: 404, Detail: detail}
}

// problem maps an error to its answer, once for the whole API.
func (a *API) problem(err error) wire.Problem {
	var f *fault
	if errors.As(err, &f) {
		return wire.Problem(*f)
	}
	if p, ok := authProblem(err); ok {
		return p
	}
	if p, ok := a.settingsProblem(err); ok {
		return p
	}
	p := wire.Problem{Title: "Internal error", Status: 500, Detail: "Something went wrong here; the log says what."}
	switch {
	case errors.Is(err, chat.ErrNotFound), errors.Is(err, sqlite.ErrNoRow):
		p = wire.Problem{Type: wire.ProblemNotFound, Title: "Not found", Status: 404, Detail: "It is not there, or no longer."}
	case errors.Is(err, chat.ErrUnreadable):
		p = wire.Problem{Title: "The archive cannot be read", Status: 503, Detail: err.Error(), Hint: "If it is damaged, restore it from a backup; if it is in ClickHouse, see the archive's page. The visitor can begin a new conversation meanwhile."}
	case errors.Is(err, chat.ErrConflict):
		p = wire.Problem{Type: wire.ProblemConflict, Title: "Changed meanwhile", Status: 409, Detail: err.Error(), Hint: "Look at it again and repeat the change."}
	case errors.Is(err, sqlite.ErrExists):
		p = wire.Problem{Type: wire.ProblemExists, Title: "It exists already", Status: 409, Detail: "There is one of this name."}
	case errors.Is(err, session.ErrTooLong):
		p = wire.Problem{Type: wire.ProblemConflict, Title: "Too long", Status: 409, Detail: "This conversation has as many messages as one can have.", Hint: "Ask the visitor to start a new one."}
	case errors.Is(err, secret.ErrLocked):
		p = wire.Problem{Title: "Locked keychain", Status: 503, Detail: err.Error(), Hint: "Unlock the keychain of this machine and try again.", RetryAfter: 5}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		p = wire.Problem{Title: "Given up", Status: 503, Detail: "It took too long, or whoever asked has gone.", RetryAfter: 1}
	case errors.Is(err, chat.ErrReadOnly):
		p = wire.Problem{Type: wire.ProblemReadOnly, Title: "Read-only", Status: 503, Detail: "The database refuses changes at the moment.", Hint: "Make room on the disk; it goes on by itself.", RetryAfter: 10}
	}
	return p
}

func authProblem(err error) (wire.Problem, bool) {
	var many *auth.TooMany
	var bad *auth.Invalid
	switch {
	case errors.As(err, &many):
		return wire.Problem{Type: wire.ProblemRateLimited, Title: "Too many tries", Status: 429, Detail: many.Error(), RetryAfter: int(many.RetryAfter.Seconds()) + 1}, true
	case errors.As(err, &bad):
		return wire.Problem{Type: wire.ProblemInvalid, Title: "Invalid", Status: 422, Field: bad.Field, Detail: bad.Error()}, true
	case errors.Is(err, auth.ErrWrong):
		return wire.Problem{Type: wire.ProblemSignedOut, Title: "Wrong", Status: 401, Field: "password", Detail: "Name or password is wrong."}, true
	case errors.Is(err, auth.ErrUnclaimed):
		return wire.Problem{Type: wire.ProblemUnclaimed, Title: "No password yet", Status: 401, Detail: "Nobody has set a password yet.", Hint: "Claim the appliance on its own machine."}, true
	case errors.Is(err, auth.ErrClaimed):
		return wire.Problem{Type: wire.ProblemConflict, Title: "Claimed already", Status: 409, Detail: "The appliance has an owner already.", Hint: "Sign in with the password."}, true
	case errors.Is(err, auth.ErrNotHere):
		return wire.Problem{Type: wire.ProblemForbidden, Title: "Not from here", Status: 403, Detail: "The appliance can be claimed on its own machine only.", Hint: "Open the page there, or set admin.password."}, true
	case errors.Is(err, auth.ErrToken):
		return wire.Problem{Type: wire.ProblemInvalid, Title: "Wrong token", Status: 422, Field: "token", Detail: "The token is wrong or has been used.", Hint: "The log shows the present one; a restart makes a new one."}, true
	case errors.Is(err, auth.ErrExists):
		return wire.Problem{Type: wire.ProblemExists, Title: "It exists already", Status: 409, Field: "name", Detail: "The name is taken."}, true
	case errors.Is(err, auth.ErrLastOwner):
		return wire.Problem{Type: wire.ProblemConflict, Title: "The last owner", Status: 409, Detail: "Somebody must remain the owner.", Hint: "Make another person owner first."}, true
	case errors.Is(err, auth.ErrNotFound):
		return wire.Problem{Type: wire.ProblemNotFound, Title: "Not found", Status: 404, Detail: "There is no such person or session."}, true
	}
	return wire.Problem{}, false
}

// settingsProblem maps what settings refuse; a conflict carries the field as
// it is now.
func (a *API) settingsProblem(err error) (wire.Problem, bool) {
	var conflict *settings.Conflict
	var wrong *settings.Error
	switch {
	case errors.As(err, &conflict):
		p := wire.Problem{Type: wire.ProblemConflict, Title: "Changed meanwhile", Status: 409, Field: conflict.Path, Detail: conflict.Error(), Hint: "Look at the present value and repeat the change."}
		if f, ok := a.settingField(conflict.Path); ok {
			p.Current = f
		}
		return p, true
	case errors.Is(err, settings.ErrLocked):
		return wire.Problem{Type: wire.ProblemLocked, Title: "Locked", Status: 409, Detail: err.Error(), Hint: "Change it there and start again."}, true
	case errors.Is(err, settings.ErrUnknown):
		return wire.Problem{Type: wire.ProblemInvalid, Title: "Invalid", Status: 422, Detail: err.Error()}, true
	case errors.As(err, &wrong):
		p := wire.Problem{Type: wire.ProblemInvalid, Title: "Invalid", Status: 422, Detail: wrong.Error()}
		if len(wrong.Problems) > 0 {
			first := wrong.Problems[0]
			p.Field, p.Detail, p.Hint = first.Key, first.Message, first.Allowed
		}
		return p, true
	}
	return wire.Problem{}, false
}

func writeProblem(w http.ResponseWriter, p wire.Problem) {
	if p.Type == "" {
		p.Type = "about:blank"
	}
	data, err := json.Marshal(p)
	if err != nil {
		http.Error(w, p.Title, p.Status)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if p.RetryAfter > 0 {
		h.Set("Retry-After", fmt.Sprint(p.RetryAfter))
	}
	w.WriteHeader(p.Status)
	w.Write(data) // whoever has gone needs no answer
}
