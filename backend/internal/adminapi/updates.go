package adminapi

import (
	"context"
	"errors"
	"time"

	"haoke/backend/internal/update"
	"haoke/backend/internal/wire"
)

// updateAddress is where newer versions are announced; "": nowhere.
func (a *API) updateAddress() string {
	if at := a.Settings.Current().Updates.Manifest; at != "" {
		return at
	}
	return a.UpdateAddress
}

// updateState says what is known; it asks nobody.
func (a *API) updateState(ctx context.Context) wire.UpdateState {
	s := a.Updates.State()
	out := wire.UpdateState{
		Current: a.Version, Latest: s.Latest, Notes: s.Notes, NotesZH: s.NotesZH, URL: s.URL, CheckedAt: sometime(s.CheckedAt),
		Enabled: a.Settings.Current().Updates.Check, Fault: s.Fault, Managed: a.Updates.Installed.Manager,
		CanApply: s.CanApply, Command: s.Command, File: s.Address, Stage: string(s.Stage), Done: s.Done, Total: s.Total, ApplyFault: s.ApplyFault,
	}
	if s.Last != nil {
		l := *s.Last
		out.Last = &wire.UpdateOutcome{From: l.From, To: l.To, OK: l.OK, Fault: l.Fault, At: l.At, Seen: a.updateSeen(ctx, l)}
	}
	return out
}

// checkUpdates asks the manifest's address now. What goes wrong stands in the
// state's Fault.
func (a *API) checkUpdates(ctx context.Context) wire.UpdateState {
	_, _ = a.Updates.Check(ctx, a.updateAddress()) // the state carries the error
	return a.updateState(ctx)
}

// seenUpdate is the value that names the outcome of which notice was taken.
const seenUpdate = "update_seen"

func outcomeMark(o update.Outcome) string { return o.To + " " + o.At.UTC().Format(time.RFC3339Nano) }

// updateSeen reports whether somebody has taken notice of an outcome. When that
// cannot be read, it is told of once more.
func (a *API) updateSeen(ctx context.Context, o update.Outcome) bool {
	mark, err := a.DB.Values().Get(ctx, seenUpdate)
	return err == nil && mark == outcomeMark(o)
}

func (a *API) seeUpdate(c *call) (any, error) {
	last := a.Updates.State().Last
	if last == nil {
		return nil, &fault{Type: wire.ProblemConflict, Title: "Nothing to see", Status: 409, Detail: "There was no update yet."}
	}
	if err := a.DB.Values().Set(c.ctx(), seenUpdate, outcomeMark(*last)); err != nil {
		return nil, err
	}
	if st, err := a.Status(c.ctx()); err == nil {
		a.live.status(st)
	}
	return a.updateState(c.ctx()), nil
}

func (a *API) applyUpdate(c *call) (any, error) {
	err := a.Updates.Request()
	switch {
	case errors.Is(err, update.ErrNothing):
		return nil, &fault{Type: wire.ProblemConflict, Title: "Nothing to install", Status: 409, Detail: "No newer version is known.", Hint: "Look for one first."}
	case errors.Is(err, update.ErrBusy):
		return nil, &fault{Type: wire.ProblemConflict, Title: "Busy", Status: 409, Detail: "An update is under way.", Hint: "Wait until it is done."}
	case errors.Is(err, update.ErrManual):
		return nil, &fault{Type: wire.ProblemConflict, Title: "Not from here", Status: 409, Detail: "This installation is not updated from here.", Hint: "Use what it was installed with."}
	case err != nil:
		return nil, err
	}
	return a.updateState(c.ctx()), nil
}

// tellFailed is how long the owner is told of an update that did not succeed,
// unless notice was taken of it before.
const tellFailed = 7 * 24 * time.Hour

// updateTroubles are a newer version, and one that did not start.
func (a *API) updateTroubles(ctx context.Context) []wire.Trouble {
	var out []wire.Trouble
	s := a.Updates.State()
	if news := s.News(); news != "" {
		out = append(out, wire.Trouble{Code: "update", Level: "info", Text: "Version " + news + " is there.", Args: map[string]string{"version": news}, Page: "about"})
	}
	if l := s.Last; l != nil && !l.OK && a.Now().Sub(l.At) < tellFailed && !a.updateSeen(ctx, *l) {
		out = append(out, wire.Trouble{Code: "update_failed", Level: "warn", Text: "Version " + l.To + " did not start; " + a.Version + " is in use: " + l.Fault,
			Args: map[string]string{"version": l.To, "now": a.Version, "reason": l.Fault}, Page: "about"})
	}
	return out
}

// KeepBackup makes a backup as the schedule would: before an update. One that
// is being made is an error.
func (a *API) KeepBackup(ctx context.Context) error { return a.scheduledBackup(ctx) }
