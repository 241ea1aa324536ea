package app

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	goruntime "runtime"
	"strconv"
	"strings"

	"github.com/wailsapp/wails/v2/pkg/options"
	"github.com/wailsapp/wails/v2/pkg/runtime"
)

//go:embed shell.js
var shellScript string

// domReady runs at each load of the page. The place on the screen is taken up
// once; the shell's script belongs to the page and goes with it.
func (a *App) domReady(ctx context.Context) {
	a.placed.Do(func() {
		p := a.placeNow()
		if p.Width > 0 && p.onScreen(ctx) {
			runtime.WindowSetPosition(ctx, p.X, p.Y)
		}
		if p.Maximised {
			runtime.WindowMaximise(ctx)
		}
	})
	runtime.WindowExecJS(ctx, strings.Replace(shellScript, "__ZOOM__", strconv.Itoa(zoomOf(a.placeNow().Zoom)), 1))
}

// zoomOf bounds a zoom in percent; 0 is 100.
func zoomOf(percent int) int {
	if percent == 0 {
		return 100
	}
	return min(max(percent, 50), 200)
}

// ground is the colour behind the page: what is seen before its first paint and
// at the edge of a window that grows.
func ground(dark bool) *options.RGBA {
	if dark {
		return options.NewRGB(0x16, 0x15, 0x13)
	}
	return options.NewRGB(0xFA, 0xF9, 0xF7)
}

// shaded gives the window the page's colour, now and at the next start.
func (a *App) shaded(dark bool) {
	if a.placeNow().Dark == dark {
		return
	}
	a.keep(func(p *place) { p.Dark = dark })
	c := ground(dark)
	runtime.WindowSetBackgroundColour(a.ctx, c.R, c.G, c.B, c.A)
}

// painted writes down how soon a page was seen. The figures come from a script
// in the page and are taken for what they are, so they are only written when
// they make sense.
func (a *App) painted(began, after float64) {
	since := began + after - float64(a.started.UnixMilli())
	if !(after >= 0 && after < 1e6 && since >= 0 && since < 1e12) {
		return
	}
	fmt.Fprintf(a.log, "haoke: window: first paint %.0f ms after its load began, %.0f ms after the program\n", after, since)
}

// beforeClose decides what closing the window means. Service never stops
// without asking: with a tray the window hides, without one the person is
// asked. A window that shows another process's service just closes.
func (a *App) beforeClose(ctx context.Context) (prevent bool) {
	a.rememberPlace(ctx)
	a.mu.Lock()
	quitting, attached := a.quitting, a.attached
	toTray := a.tray.available() && a.desktop.CloseToTray
	a.mu.Unlock()
	switch {
	case quitting || a.door.broken():
		return false
	case attached && !toTray:
		return false
	case !toTray:
		return !a.confirmQuit(ctx)
	}
	if !a.placeNow().TrayExplained {
		a.keep(func(p *place) { p.TrayExplained = true })
		if quit, err := a.askQuit(ctx, words("tray")); quit && err == nil {
			return false
		}
	}
	a.hide()
	return true
}

// confirmQuit asks before service stops. Where nobody can be asked the person's
// wish counts.
func (a *App) confirmQuit(ctx context.Context) bool {
	quit, err := a.askQuit(ctx, words("quit?"))
	return quit || err != nil
}

// askQuit asks a question whose "Yes" means to quit: Linux and Windows name the
// buttons themselves, and "No" is what Enter and Escape say there. Service never
// stops by a key too many.
func (a *App) askQuit(ctx context.Context, question string) (bool, error) {
	quit, keep := words("Quit"), words("Keep running")
	o := runtime.MessageDialogOptions{Type: runtime.QuestionDialog, Title: "Haoke", Message: question, Buttons: []string{quit, keep}, DefaultButton: keep, CancelButton: keep}
	if goruntime.GOOS == "windows" {
		o.DefaultButton = "No"
	}
	choice, err := runtime.MessageDialog(ctx, o)
	return choice == "Yes" || choice == quit, err
}

func (a *App) rememberPlace(ctx context.Context) {
	if runtime.WindowIsMinimised(ctx) {
		return // a minimised window has no place worth keeping
	}
	maximised := runtime.WindowIsMaximised(ctx)
	w, h := runtime.WindowGetSize(ctx)
	x, y := runtime.WindowGetPosition(ctx)
	a.keep(func(p *place) {
		p.Maximised = maximised
		if !maximised {
			p.X, p.Y, p.Width, p.Height = x, y, w, h
		}
	})
}

// placeNow is a copy of what the window remembers.
func (a *App) placeNow() place {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.place
}

// keep changes what the window remembers.
func (a *App) keep(change func(*place)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(&a.place)
	a.place.save(a.cfg.DataDir)
}

func (a *App) show() {
	a.mu.Lock()
	ctx, away, p := a.ctx, a.away, a.place
	a.mu.Unlock()
	if ctx == nil {
		return
	}
	a.setAway(false)
	runtime.Show(ctx)
	runtime.WindowShow(ctx)
	runtime.WindowUnminimise(ctx)
	if away && p.Width > 0 && !p.Maximised && p.onScreen(ctx) {
		runtime.WindowSetPosition(ctx, p.X, p.Y) // window managers place a window anew that was hidden
	}
}

func (a *App) hide() {
	a.setAway(true)
	runtime.Hide(a.ctx)
}

func (a *App) setAway(on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.away, a.lost = on, 0
}

// patience is how many looks a hidden window waits for a place for its icon: at
// the start of a session the panel may come later than this program.
const patience = 15

// unlose shows a hidden window whose icon nobody shows (any more).
func (a *App) unlose() {
	a.mu.Lock()
	t, away := a.tray, a.away
	a.mu.Unlock()
	if !away {
		return
	}
	shown := t.available()
	a.mu.Lock()
	if shown {
		a.lost = 0
	} else {
		a.lost++
	}
	lost := a.lost >= patience
	a.mu.Unlock()
	if lost {
		a.show()
	}
}

// quit ends the program; the person has chosen so.
func (a *App) quit() {
	a.mu.Lock()
	a.quitting = true
	a.mu.Unlock()
	runtime.Quit(a.ctx)
}

// goTo shows the window at a place of the page.
func (a *App) goTo(hash string) {
	if !pageHash(hash) {
		return
	}
	a.show()
	quoted, err := json.Marshal(hash)
	if err == nil {
		runtime.WindowExecJS(a.ctx, "location.hash = "+string(quoted))
	}
}

// pageHash reports whether hash is a place inside the admin page and nothing
// else: it may come back from the notification service, which anybody on the
// session bus can speak to.
func pageHash(hash string) bool {
	if !strings.HasPrefix(hash, "#/") || len(hash) > 200 {
		return false
	}
	return !strings.ContainsFunc(hash, func(r rune) bool { return r < 0x21 || r > 0x7e || strings.ContainsRune(`<>"'\`, r) })
}
