package backend

import (
	"context"
	"net/http"

	"haoke/backend/internal/wire"
)

// UpdateState is what is known of newer versions, and how far an update is.
type UpdateState = wire.UpdateState

// Updates says what is known of newer versions; it asks nobody outside.
func (d *Desk) Updates(ctx context.Context) (UpdateState, error) {
	var s UpdateState
	return s, d.ask(ctx, http.MethodGet, "/updates", nil, &s)
}

// CheckUpdates asks the makers' address now; what goes wrong there stands in
// the state's Fault.
func (d *Desk) CheckUpdates(ctx context.Context) (UpdateState, error) {
	var s UpdateState
	return s, d.ask(ctx, http.MethodPost, "/updates/check", nil, &s)
}

// ApplyUpdate begins to install the newest version that is known. Updates then
// says how far it is.
func (d *Desk) ApplyUpdate(ctx context.Context) (UpdateState, error) {
	var s UpdateState
	return s, d.ask(ctx, http.MethodPost, "/updates/apply", nil, &s)
}
