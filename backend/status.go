package backend

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"haoke/backend/internal/wire"
)

// Status is the appliance in a few words, as the tray shows it.
type Status struct {
	State     string // "ok", "degraded", "paused", "stopped"
	Reason    string // the worst problem in plain words; "": none
	Visitors  int    // sockets open now
	Waiting   int    // conversations that wait for a person
	WaitingID string // the one that waits longest; "": none
	Update    string // a newer version that is there; "": none known
	Public    string // the visitors' address from here
	Admin     string
}

// Desktop is what the owner set for the window and the tray.
type Desktop struct {
	Language, Theme           string // "auto" or a choice
	CloseToTray, StartAtLogin bool
	Notifications             bool
	QuietFrom, QuietTo        string // "15:04"; both "": never quiet
}

// Status is how the appliance is now. It reads the store, so it is for once a
// second, not for every turn.
func (b *Backend) Status(ctx context.Context) (Status, error) {
	s, err := b.parts.api.Status(ctx)
	if err != nil {
		return Status{}, fmt.Errorf("read the status: %w", err)
	}
	return statusOf(s), nil
}

// Healthy reports whether visitors are served: what a watchdog asks. It takes
// no lock and touches no disk.
func (b *Backend) Healthy() bool { return b.ready.Load() && b.db.ReadOnly() == nil }

func statusOf(s wire.Status) Status {
	out := Status{
		State: string(s.State), Visitors: s.Visitors, Waiting: s.Waiting, WaitingID: s.WaitingID,
		Public: s.PublicURL, Admin: s.AdminURL,
	}
	for _, p := range s.Problems {
		if p.Code == "update" {
			out.Update = p.Args["version"]
		}
	}
	for _, p := range s.Problems {
		if p.Code != "waiting" && p.Level != "info" {
			out.Reason = p.Text
			break
		}
	}
	if out.Reason == "" && out.State == string(wire.ServiceDegraded) {
		out.State = string(wire.ServiceOK) // somebody waits: that is a number, not a fault
	}
	return out
}

// ErrGone says that no server runs in the data folder at the moment.
var ErrGone = errors.New("the service is not running")

// Desk is the appliance as the tray and the notifications use it, through the
// handler of either AdminHandler or Attach: what serves, this process or
// another, makes no difference. It is safe for concurrent use.
type Desk struct{ handler http.Handler }

// NewDesk asks through this handler, whose caller counts as the owner.
func NewDesk(handler http.Handler) *Desk { return &Desk{handler} }

// Status is how the appliance is now; ErrGone when nothing serves.
func (d *Desk) Status(ctx context.Context) (Status, error) {
	var s wire.Status
	if err := d.ask(ctx, http.MethodGet, "/status", nil, &s); err != nil {
		return Status{}, err
	}
	return statusOf(s), nil
}

// Desktop reads the settings of the window and the tray.
func (d *Desk) Desktop(ctx context.Context) (Desktop, error) {
	var all wire.SettingsState
	if err := d.ask(ctx, http.MethodGet, "/settings", nil, &all); err != nil {
		return Desktop{}, err
	}
	var out Desktop
	into := map[string]any{
		"desktop.language": &out.Language, "desktop.theme": &out.Theme, "desktop.close_to_tray": &out.CloseToTray,
		"desktop.start_at_login": &out.StartAtLogin, "desktop.notifications": &out.Notifications,
		"desktop.quiet_from": &out.QuietFrom, "desktop.quiet_to": &out.QuietTo,
	}
	for _, f := range all.Fields {
		if to := into[f.Path]; to != nil {
			if err := json.Unmarshal(f.Value, to); err != nil {
				return Desktop{}, fmt.Errorf("read the setting %s: %w", f.Path, err)
			}
		}
	}
	return out, nil
}

// SetStartAtLogin saves the setting desktop.start_at_login.
func (d *Desk) SetStartAtLogin(ctx context.Context, on bool) error {
	value, err := json.Marshal(on)
	if err != nil {
		return err
	}
	return d.ask(ctx, http.MethodPatch, "/settings", wire.SettingPatch{Path: "desktop.start_at_login", Value: value, Revision: -1}, nil)
}

// Pause stops or resumes taking new conversations.
func (d *Desk) Pause(ctx context.Context, on bool) (Status, error) {
	var s wire.Status
	if err := d.ask(ctx, http.MethodPost, "/status/pause", wire.Pause{Paused: on}, &s); err != nil {
		return Status{}, err
	}
	return statusOf(s), nil
}

// BrowserLink is an address, good once and for 30 s, that opens the admin page
// in a browser with the owner signed in.
func (d *Desk) BrowserLink(ctx context.Context) (string, error) {
	var link wire.BrowserLink
	if err := d.ask(ctx, http.MethodPost, "/session/browser", nil, &link); err != nil {
		return "", err
	}
	return link.URL, nil
}

// maxAnswer bounds what an answer of the admin API may hold in memory.
const maxAnswer = 4 << 20

// ask makes one call of the admin API without a network between.
func (d *Desk) ask(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader = http.NoBody
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		body = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(ctx, method, wire.AdminPrefix+path, body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	r.Host, r.RemoteAddr = "127.0.0.1", "127.0.0.1:0"
	r.Header.Set("Content-Type", "application/json")
	w := &answer{header: http.Header{}, status: http.StatusOK}
	d.handler.ServeHTTP(w, r)
	switch {
	case w.status == http.StatusServiceUnavailable:
		return ErrGone
	case w.status >= 300:
		var p wire.Problem
		_ = json.Unmarshal(w.body.Bytes(), &p) // without words the status has to do
		return fmt.Errorf("%s %s: status %d: %s", method, path, w.status, p.Detail)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(w.body.Bytes(), out); err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	return nil
}

// answer collects what a handler writes, up to maxAnswer.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) Write(p []byte) (int, error) {
	if a.body.Len()+len(p) > maxAnswer {
		return 0, errors.New("the answer is too large")
	}
	return a.body.Write(p)
}
