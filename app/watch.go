package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wailsapp/wails/v2/pkg/runtime"

	"haoke/backend"
)

// How often the shell looks: at the status for the tray, and (each fifth time)
// at the settings of the window.
const (
	lookEvery     = 2 * time.Second
	settingsEvery = 5
)

// desk is what the watcher asks of the appliance.
type desk interface {
	Status(ctx context.Context) (backend.Status, error)
	Desktop(ctx context.Context) (backend.Desktop, error)
	SetStartAtLogin(ctx context.Context, on bool) error
}

// watch keeps tray, notifications and start at login in step with the
// appliance until ctx ends.
func (a *App) watch(ctx context.Context, d desk) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		a.look(ctx, d, n%settingsEvery == 0)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-a.nudge:
			n = -1 // something was changed from here: read everything anew
		}
	}
}

func (a *App) look(ctx context.Context, d desk, settings bool) {
	if settings {
		if got, err := d.Desktop(ctx); err == nil {
			if !got.StartAtLogin && askedAtSetup() && d.SetStartAtLogin(ctx, true) == nil {
				got.StartAtLogin = true
			}
			a.follow(got)
		}
	}
	status, err := d.Status(ctx)
	if err != nil {
		status = backend.Status{State: "stopped"}
		if !errors.Is(err, backend.ErrGone) {
			status.Reason = err.Error()
		}
	}
	now := time.Now()
	a.mu.Lock()
	desktop, t := a.desktop, a.tray
	waiting := a.waiters.next(status, desktop, now)
	told := a.place.ToldUpdate
	a.mu.Unlock()
	t.show(status, desktop.StartAtLogin)
	a.unlose()
	a.notify("haoke-waiting", waiting)
	if n := updateNote(status.Update, told, desktop, now); n != nil {
		a.keep(func(p *place) { p.ToldUpdate = status.Update })
		a.notify("haoke-update", n)
	}
}

// notify shows a notification; nil: none.
func (a *App) notify(id string, n *note) {
	if n == nil || !a.notes {
		return
	}
	opts := runtime.NotificationOptions{ID: id, Title: n.title, Body: n.body, Data: map[string]any{"hash": n.hash}}
	if err := runtime.SendNotification(a.ctx, opts); err != nil {
		fmt.Fprintln(a.log, "haoke: a notification could not be shown:", err)
	}
}

// updateNote tells of a newer version, once for each; nil: not now.
func updateNote(version, told string, d backend.Desktop, now time.Time) *note {
	if version == "" || version == told || !d.Notifications || quiet(d.QuietFrom, d.QuietTo, now) {
		return nil
	}
	return &note{title: fmt.Sprintf(words("update-title"), version), body: words("update-body"), hash: "#/about"}
}

// follow carries changed settings of the window out.
func (a *App) follow(d backend.Desktop) {
	a.mu.Lock()
	before, first, t := a.desktop, !a.followed, a.tray
	a.desktop, a.followed = d, true
	a.mu.Unlock()
	if d.Language != before.Language || first {
		setLanguage(d.Language)
		t.translate()
	}
	if d.Theme != before.Theme || first {
		switch d.Theme {
		case "dark":
			runtime.WindowSetDarkTheme(a.ctx)
		case "light":
			runtime.WindowSetLightTheme(a.ctx)
		default:
			runtime.WindowSetSystemDefaultTheme(a.ctx)
		}
	}
	if d.StartAtLogin != before.StartAtLogin || first {
		if err := a.login.set(d.StartAtLogin); err != nil {
			fmt.Fprintln(a.log, "haoke: start at login:", err)
		}
	}
}

// note is one notification.
type note struct{ title, body, hash string }

// waiters decides when waiting visitors are worth a notification. Many who come
// at once make one notification, and the next comes a while later.
type waiters struct {
	told int       // how many were waiting when it was last said
	last time.Time // when
}

// quietBetween is the least time between two notifications.
const quietBetween = 30 * time.Second

// next returns the notification that is due now, or nil.
func (w *waiters) next(s backend.Status, d backend.Desktop, now time.Time) *note {
	if s.Waiting < w.told {
		w.told = s.Waiting // those who left no longer count
	}
	switch {
	case s.Waiting <= w.told, !d.Notifications, quiet(d.QuietFrom, d.QuietTo, now), now.Sub(w.last) < quietBetween:
		return nil
	}
	w.told, w.last = s.Waiting, now
	n := &note{title: words("waiting-title"), body: words("waiting-body"), hash: "#/conversations"}
	if s.Waiting > 1 {
		n.title = fmt.Sprintf(words("waiting-titles"), s.Waiting)
	}
	if s.WaitingID != "" {
		n.hash += "/" + s.WaitingID
	}
	return n
}

// quiet reports whether now lies between two times of day ("15:04"); the time
// may run over midnight. Without both there is no quiet.
func quiet(from, to string, now time.Time) bool {
	a, err1 := time.Parse("15:04", from)
	b, err2 := time.Parse("15:04", to)
	if err1 != nil || err2 != nil {
		return false
	}
	minutes := func(t time.Time) int { return t.Hour()*60 + t.Minute() }
	f, t, n := minutes(a), minutes(b), minutes(now)
	if f <= t {
		return n >= f && n < t
	}
	return n >= f || n < t
}
