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
func (a *API) updateState() wire.UpdateState {
	s := a.Updates.State()
	out := wire.UpdateState{
		Current: a.Version, Latest: s.Latest, Notes: s.Notes, NotesZH: s.NotesZH, URL: s.URL, CheckedAt: sometime(s.CheckedAt),
		Enabled: a.Settings.Current().Updates.Check, Fault: s.Fault, Managed: a.Updates.Installed.Manager,
		CanApply: s.CanApply, Command: s.Command, File: s.Address, Stage: string(s.Stage), Done: s.Done, Total: s.Total, ApplyFault: s.ApplyFault,
	}
	if s.Last != nil {
		last := wire.UpdateOutcome(*s.Last)
		out.Last = &last
	}
	return out
}

// checkUpdates asks the manifest's address now. What goes wrong stands in the
// state's Fault.
func (a *API) checkUpdates(ctx context.Context) wire.UpdateState {
	_, _ = a.Updates.Check(ctx, a.updateAddress()) // the state carries the error
	return a.updateState()
}

func (a *API) applyUpdate(*call) (any, error) {
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
	return a.updateState(), nil
}

// tellFailed is how long the owner is told of an update that did not succeed.
const tellFailed = 7 * 24 * time.Hour

// updateTroubles are a newer version, and one that did not start.
func (a *API) updateTroubles() []wire.Trouble {
	var out []wire.Trouble
	s := a.Updates.State()
	if s.Latest != "" {
		out = append(out, wire.Trouble{Code: "update", Level: "info", Text: "Version " + s.Latest + " is there.", Args: map[string]string{"version": s.Latest}, Page: "about"})
	}
	if l := s.Last; l != nil && !l.OK && a.Now().Sub(l.At) < tellFailed {
		out = append(out, wire.Trouble{Code: "update_failed", Level: "warn", Text: "Version " + l.To + " did not start; " + a.Version + " is in use: " + l.Fault,
			Args: map[string]string{"version": l.To, "now": a.Version, "reason": l.Fault}, Page: "about"})
	}
	return out
}

// KeepBackup makes a backup as the schedule would: before an update. One that
// is being made is an error.
func (a *API) KeepBackup(ctx context.Context) error { return a.scheduledBackup(ctx) }
