// Package app is the Wails shell: the native window around the admin page, its
// place on the screen, the tray, notifications and file dialogs. It knows the
// appliance only through package backend and the page through frontend.
package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/wailsapp/wails/v2"
	"github.com/wailsapp/wails/v2/pkg/options"
	"github.com/wailsapp/wails/v2/pkg/options/assetserver"
	"github.com/wailsapp/wails/v2/pkg/options/linux"
	"github.com/wailsapp/wails/v2/pkg/options/mac"
	"github.com/wailsapp/wails/v2/pkg/options/windows"
	"github.com/wailsapp/wails/v2/pkg/runtime"

	"haoke/backend"
)

// The window's smallest size, in CSS pixels.
const (
	minWidth  = 960
	minHeight = 640
)

// Main runs the desktop program and returns its exit code: 0 done, 1 failed,
// 2 wrong usage.
func Main(args []string) int {
	cfg := backend.Config{Desktop: true}
	flags := flag.NewFlagSet("haoke", flag.ContinueOnError)
	flags.StringVar(&cfg.DataDir, "data", dataDefault(), "data folder")
	flags.StringVar(&cfg.ConfigFile, "config", os.Getenv("HAOKE_CONFIG"), "config.toml to read")
	public := flags.String("public", "", "address of the visitors' listener")
	admin := flags.String("admin", "", "address of the admin listener")
	hidden := flags.Bool("hidden", false, "start in the tray, without showing the window")
	version := flags.Bool("version", false, "print the version and leave")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if *version {
		fmt.Printf("haoke %s (%s)\n", backend.Version, backend.Commit)
		return 0
	}
	for _, f := range []backend.Flag{{Name: "--public", Path: "server.public_addr", Value: *public}, {Name: "--admin", Path: "server.admin_addr", Value: *admin}} {
		if f.Value != "" {
			cfg.Flags = append(cfg.Flags, f)
		}
	}
	a := newApp(cfg)
	a.hidden = *hidden
	if err := wails.Run(a.options()); err != nil {
		fmt.Fprintln(os.Stderr, "haoke:", err)
		return 1
	}
	return 0
}

func dataDefault() string {
	if d := os.Getenv("HAOKE_DATA"); d != "" {
		return d
	}
	return backend.DefaultDataDir()
}

// App is the running desktop program.
type App struct {
	cfg    backend.Config
	place  place
	door   door
	bridge *Bridge
	hidden bool

	ctx    context.Context // Wails' own, from startup on
	cancel context.CancelFunc
	server sync.WaitGroup

	mu       sync.Mutex
	quitting bool // the person chose to quit, not only to close the window
	visible  bool
	tray     *tray
}

func newApp(cfg backend.Config) *App {
	a := &App{cfg: cfg, place: loadPlace(cfg.DataDir)}
	a.bridge = &Bridge{app: a}
	return a
}

// options describes the window. Nothing is opened here: building the bindings
// runs this code too.
func (a *App) options() *options.App {
	width, height := max(a.place.Width, minWidth), max(a.place.Height, minHeight)
	if a.place.Width == 0 {
		width, height = 1240, 800
	}
	lock := &options.SingleInstanceLock{UniqueId: "haoke-" + fingerprint(a.cfg.DataDir), OnSecondInstanceLaunch: func(options.SecondInstanceData) { a.show() }}
	if os.Getenv("WEBKIT_DISABLE_DMABUF_RENDERER") == "" {
		// Blank windows on some graphics drivers; the page needs no GPU.
		os.Setenv("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
	}
	return &options.App{
		Title: "Haoke", Width: width, Height: height, MinWidth: minWidth, MinHeight: minHeight,
		StartHidden:              a.hidden,
		BackgroundColour:         options.NewRGB(0xFA, 0xF9, 0xF7),
		AssetServer:              &assetserver.Options{Middleware: a.door.middleware},
		OnStartup:                a.startup,
		OnDomReady:               sync1(a.domReady),
		OnBeforeClose:            a.beforeClose,
		OnShutdown:               a.shutdown,
		SingleInstanceLock:       lock,
		Bind:                     []any{a.bridge},
		EnableDefaultContextMenu: false,
		Windows:                  &windows.Options{Theme: windows.SystemDefault, WebviewUserDataPath: filepath.Join(a.cfg.DataDir, "webview")},
		Mac:                      &mac.Options{TitleBar: mac.TitleBarDefault(), About: &mac.AboutInfo{Title: "Haoke " + backend.Version}},
		Linux:                    &linux.Options{ProgramName: "haoke", WebviewGpuPolicy: linux.WebviewGpuPolicyNever, Icon: icon},
	}
}

// sync1 makes a callback run once: Wails calls OnDomReady at each reload.
func sync1(f func(context.Context)) func(context.Context) {
	var once sync.Once
	return func(ctx context.Context) { once.Do(func() { f(ctx) }) }
}

// startup starts the server, or attaches the window to one that runs already.
func (a *App) startup(ctx context.Context) {
	a.mu.Lock()
	a.ctx, a.visible = ctx, !a.hidden
	a.mu.Unlock()
	run, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	log, closeLog := logFile(a.cfg.DataDir)
	a.cfg.LogOutput = log
	a.cfg.Ready = func(at backend.Addresses) {
		fmt.Printf("ready public=%s admin=%s\n", at.Public, at.Admin)
	}
	b, err := backend.New(run, a.cfg)
	var held *backend.HeldError
	switch {
	case errors.As(err, &held):
		a.door.set(backend.Attach(a.cfg.DataDir))
		fmt.Printf("attached admin=%s\n", held.Running.Admin)
	case err != nil:
		a.door.fail(err)
	default:
		a.door.set(b.AdminHandler())
		a.server.Add(1)
		go func() {
			defer a.server.Done()
			defer closeLog()
			if err := b.Run(run); err != nil {
				a.door.fail(err)
			}
		}()
	}
	a.startTray()
	if err := runtime.InitializeNotifications(ctx); err != nil {
		fmt.Fprintln(log, "haoke: no notifications here:", err)
	}
}

// logFile is where a program without a terminal writes its log; one earlier
// log is kept.
func logFile(dataDir string) (io.Writer, func()) {
	nothing := func() {}
	if os.MkdirAll(dataDir, 0o700) != nil {
		return os.Stderr, nothing
	}
	name := filepath.Join(dataDir, "haoke.log")
	if info, err := os.Stat(name); err == nil && info.Size() > 5<<20 {
		os.Rename(name, name+".1")
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return os.Stderr, nothing
	}
	return io.MultiWriter(f, os.Stderr), func() { f.Close() }
}

func (a *App) domReady(ctx context.Context) {
	if a.place.Width > 0 && a.place.onScreen(ctx) {
		runtime.WindowSetPosition(ctx, a.place.X, a.place.Y)
	}
	if a.place.Maximised {
		runtime.WindowMaximise(ctx)
	}
}

// beforeClose decides what closing the window means. Service never stops
// without asking: with a tray the window hides, without one the person is
// asked.
func (a *App) beforeClose(ctx context.Context) (prevent bool) {
	a.rememberPlace(ctx)
	a.mu.Lock()
	quitting, hasTray := a.quitting, a.tray.available()
	a.mu.Unlock()
	if quitting || a.door.broken() {
		return false
	}
	if !hasTray {
		return !a.confirmQuit(ctx)
	}
	if !a.place.TrayExplained {
		a.place.TrayExplained = true
		a.place.save(a.cfg.DataDir)
		keep, quit := words("Keep running"), words("Quit")
		choice, err := runtime.MessageDialog(ctx, runtime.MessageDialogOptions{
			Type: runtime.QuestionDialog, Title: "Haoke", Message: words("tray"), Buttons: []string{keep, quit}, DefaultButton: keep, CancelButton: keep,
		})
		// Linux and Windows answer Yes or No whatever the buttons are called.
		if err == nil && (choice == quit || choice == "No") {
			return false
		}
	}
	a.hide()
	return true
}

func (a *App) confirmQuit(ctx context.Context) bool {
	choice, err := runtime.MessageDialog(ctx, runtime.MessageDialogOptions{
		Type: runtime.QuestionDialog, Title: "Haoke", Message: words("quit?"), Buttons: []string{words("Quit"), words("Keep running")}, DefaultButton: words("Keep running"), CancelButton: words("Keep running"),
	})
	return err != nil || choice == "Yes" || choice == words("Quit")
}

func (a *App) rememberPlace(ctx context.Context) {
	a.place.Maximised = runtime.WindowIsMaximised(ctx)
	if !a.place.Maximised {
		a.place.Width, a.place.Height = runtime.WindowGetSize(ctx)
		a.place.X, a.place.Y = runtime.WindowGetPosition(ctx)
	}
	a.place.save(a.cfg.DataDir)
}

func (a *App) show() {
	a.mu.Lock()
	ctx := a.ctx
	a.visible = true
	a.mu.Unlock()
	if ctx != nil {
		runtime.WindowUnminimise(ctx)
		runtime.Show(ctx)
		runtime.WindowShow(ctx)
	}
}

func (a *App) hide() {
	a.mu.Lock()
	a.visible = false
	a.mu.Unlock()
	runtime.Hide(a.ctx)
}

// quit ends the program; the person has chosen so.
func (a *App) quit() {
	a.mu.Lock()
	a.quitting = true
	a.mu.Unlock()
	runtime.Quit(a.ctx)
}

// shutdown lets running answers finish before the program ends.
func (a *App) shutdown(ctx context.Context) {
	runtime.CleanupNotifications(ctx)
	a.tray.stop()
	a.cancel()
	done := make(chan struct{})
	go func() { a.server.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
	}
}
