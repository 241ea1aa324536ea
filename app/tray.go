package app

import (
	"embed"
	"fmt"
	goruntime "runtime"
	"sync"

	"fyne.io/systray"

	"haoke/backend"
)

//go:embed icon.png
var icon []byte

//go:embed icons
var trayIcons embed.FS

// trayIcon is the picture of a state with the number of those who wait, in the
// format that the system wants.
func trayIcon(state string, waiting int) []byte {
	name, windows := "icons/"+state+".png", goruntime.GOOS == "windows"
	if windows && waiting == 0 {
		name = "icons/" + state + ".ico" // in several sizes
	}
	data, err := trayIcons.ReadFile(name)
	switch {
	case err != nil:
		return icon
	case waiting == 0:
		return data
	}
	data = badge(data, waiting)
	if windows {
		data = ico(data)
	}
	return data
}

// trayDeeds is what the menu can do.
type trayDeeds struct {
	open, browser, quit func()
	pause, login        func(on bool)
}

// tray is the icon beside the clock. The place for it may come later than this
// program (at the start of a session) and go before it. Without a session to
// ask there is none (nil). Its methods are safe for concurrent use and do
// nothing on nil.
type tray struct {
	deeds trayDeeds
	end   sync.Once

	mu    sync.Mutex
	ready bool
	shown backend.Status
	login bool
	items struct{ open, browser, state, pause, login, quit *systray.MenuItem }
}

// available reports whether somebody shows the icon now. The window hides only
// then: it could not be found again.
func (t *tray) available() bool { return t != nil && trayHost() }

// startTray shows the icon as soon as the system has a place for it. Its loop
// has a thread of its own beside the window's: on Windows messages belong to
// threads.
func startTray(deeds trayDeeds) *tray {
	if !traySession() {
		return nil
	}
	t := &tray{deeds: deeds, shown: backend.Status{State: "ok"}}
	go func() {
		goruntime.LockOSThread()
		systray.Run(t.build, func() {})
	}()
	return t
}

// build makes the menu: six entries, no more.
func (t *tray) build() {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := &t.items
	i.open = systray.AddMenuItem(words("Open Haoke"), "")
	i.browser = systray.AddMenuItem(words("Open in browser"), "")
	i.state = systray.AddMenuItem(words("status-ok"), "")
	i.state.Disable()
	systray.AddSeparator()
	i.pause = systray.AddMenuItemCheckbox(words("Pause"), "", false)
	i.login = systray.AddMenuItemCheckbox(words("Start at login"), "", t.login)
	systray.AddSeparator()
	i.quit = systray.AddMenuItem(words("Quit"), "")
	systray.SetOnTapped(t.deeds.open)
	onClick(i.open, t.deeds.open)
	onClick(i.browser, t.deeds.browser)
	onClick(i.quit, t.deeds.quit)
	onClick(i.pause, func() { t.deeds.pause(!t.paused()) })
	onClick(i.login, func() { t.deeds.login(!t.atLogin()) })
	t.ready = true
	t.draw()
}

// onClick follows one entry until the tray ends and its channel with it.
func onClick(item *systray.MenuItem, do func()) {
	go func() {
		for range item.ClickedCh {
			do()
		}
	}()
}

func (t *tray) paused() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.shown.State == "paused"
}

func (t *tray) atLogin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.login
}

// show brings a status into the picture, the tip and the menu.
func (t *tray) show(s backend.Status, login bool) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ready && t.shown == s && t.login == login {
		return
	}
	t.shown, t.login = s, login
	if t.ready {
		t.draw()
	}
}

// translate writes the menu and the tip anew in the language of now.
func (t *tray) translate() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ready {
		return
	}
	i := &t.items
	for item, key := range map[*systray.MenuItem]string{i.open: "Open Haoke", i.browser: "Open in browser", i.pause: "Pause", i.login: "Start at login", i.quit: "Quit"} {
		item.SetTitle(words(key))
	}
	t.draw()
}

// draw is called with the lock held.
func (t *tray) draw() {
	line := statusLine(t.shown)
	systray.SetIcon(trayIcon(t.shown.State, t.shown.Waiting))
	systray.SetTooltip("Haoke: " + line)
	t.items.state.SetTitle(line)
	check(t.items.pause, t.shown.State == "paused")
	check(t.items.login, t.login)
}

func check(item *systray.MenuItem, on bool) {
	if on {
		item.Check()
	} else {
		item.Uncheck()
	}
}

// statusLine is a status as one short line.
func statusLine(s backend.Status) string {
	line := words("status-" + s.State)
	if s.Waiting > 0 {
		line += ", " + fmt.Sprintf(words("waiting"), s.Waiting)
	}
	return line
}

func (t *tray) stop() {
	if t != nil {
		t.end.Do(systray.Quit)
	}
}
