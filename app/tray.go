package app

import (
	_ "embed"
	goruntime "runtime"
	"sync"

	"fyne.io/systray"
)

//go:embed icon.png
var icon []byte

// tray is the icon beside the clock. On systems without a place for it there
// is none, and the window then never hides.
type tray struct {
	once    sync.Once
	running bool
}

func (t *tray) available() bool { return t != nil && t.running }

// startTray shows the icon where the system has a place for it. Its loop has a
// thread of its own beside the window's.
func (a *App) startTray() {
	if !trayHost() {
		return
	}
	t := &tray{running: true}
	a.mu.Lock()
	a.tray = t
	a.mu.Unlock()
	go func() {
		goruntime.LockOSThread()
		systray.Run(func() { a.trayReady() }, func() {})
	}()
}

func (a *App) trayReady() {
	systray.SetIcon(icon)
	systray.SetTooltip("Haoke")
	open := systray.AddMenuItem(words("Open Haoke"), "")
	state := systray.AddMenuItem(words("status-ok"), "")
	state.Disable()
	systray.AddSeparator()
	quit := systray.AddMenuItem(words("Quit"), "")
	systray.SetOnTapped(a.show)
	go func() {
		for {
			select {
			case _, ok := <-open.ClickedCh:
				if !ok {
					return
				}
				a.show()
			case _, ok := <-quit.ClickedCh:
				if !ok {
					return
				}
				a.quit()
			}
		}
	}()
}

func (t *tray) stop() {
	if t.available() {
		t.once.Do(systray.Quit)
	}
}
