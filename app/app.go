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
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
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
	if len(args) == 2 && args[0] == "update-watch" { // the version from before, while a new one starts
		return failed(backend.WatchUpdate(context.Background(), args[1]))
	}
	cfg := backend.Config{Desktop: true}
	flags := flag.NewFlagSet("haoke", flag.ContinueOnError)
	flags.StringVar(&cfg.DataDir, "data", dataDefault(), "data folder")
	flags.StringVar(&cfg.ConfigFile, "config", os.Getenv("HAOKE_CONFIG"), "config.toml to read")
	public := flags.String("public", "", "address of the visitors' listener")
	admin := flags.String("admin", "", "address of the admin listener")
	hidden := flags.Bool("hidden", false, "start in the tray, without showing the window")
	version := flags.Bool("version", false, "print the version and leave")
	trial := flags.Bool("trial", false, "open everything on free ports, serve nobody, leave when ready (an update's trial on a copy of the data)")
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
	if *trial {
		return failed(backend.Trial(context.Background(), cfg))
	}
	nameLocale()
	cfg.Args = args
	a := newApp(cfg)
	a.hidden = *hidden
	if err := wails.Run(a.options()); err != nil {
		return failed(err)
	}
	if a.successor == "" {
		return 0
	}
	if a.away && !*hidden {
		args = append(args, "--hidden")
	}
	return failed(backend.Replace(a.successor, args))
}

// failed is the exit code for an error, which it tells.
func failed(err error) int {
	var config *backend.ConfigError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &config):
		fmt.Fprintln(os.Stderr, "haoke:", err)
		return 2
	}
	fmt.Fprintln(os.Stderr, "haoke:", err)
	return 1
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
	door   door
	bridge *Bridge
	hidden bool
	login  login
	log    io.Writer
	notes  bool          // the system shows notifications
	nudge  chan struct{} // look at everything now
	placed sync.Once
	// started is when this program began.
	started time.Time
	// successor is the program that takes this one's place when the window has
	// closed; "": none. Written before the window is told to.
	successor string

	ctx    context.Context // Wails' own, from startup on
	cancel context.CancelFunc
	server sync.WaitGroup // the appliance and the watcher

	mu       sync.Mutex
	place    place
	quitting bool // the person chose to quit, not only to close the window
	attached bool // another process serves
	away     bool // the window is hidden
	lost     int  // how many looks found no place for the tray meanwhile
	tray     *tray
	desktop  backend.Desktop
	followed bool // desktop was read at least once
	waiters  waiters
}

func newApp(cfg backend.Config) *App {
	a := &App{
		started: time.Now(), cfg: cfg, place: loadPlace(cfg.DataDir), log: os.Stderr, nudge: make(chan struct{}, 1),
		desktop: backend.Desktop{Language: "auto", Theme: "auto", CloseToTray: true, Notifications: true},
	}
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
		BackgroundColour:         ground(a.place.Dark),
		AssetServer:              &assetserver.Options{Middleware: a.door.middleware},
		OnStartup:                a.startup,
		OnDomReady:               a.domReady,
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

// startup starts the server, or attaches the window to one that runs already.
func (a *App) startup(ctx context.Context) {
	run, cancel := context.WithCancel(context.Background())
	log, closeLog := startLog(a.cfg.DataDir)
	a.mu.Lock()
	a.ctx, a.cancel, a.log = ctx, cancel, log
	a.mu.Unlock()
	a.cfg.LogOutput = log
	a.cfg.Ready = func(at backend.Addresses) {
		fmt.Printf("ready public=%s admin=%s\n", at.Public, at.Admin)
	}
	var err error
	if a.login, err = newLogin(a.cfg.DataDir, a.cfg.DataDir == backend.DefaultDataDir()); err != nil {
		fmt.Fprintln(log, "haoke:", err)
	}
	a.setAway(a.hidden)
	a.endBySignal(run)
	handler := a.serve(run, closeLog)
	if handler == nil {
		a.show() // also when it was to start hidden: somebody has to read the reason
		return
	}
	if err := runtime.InitializeNotifications(ctx); err != nil {
		fmt.Fprintln(log, "haoke: no notifications here:", err)
	} else {
		a.notes = runtime.IsNotificationAvailable(ctx)
		runtime.OnNotificationResponse(ctx, func(r runtime.NotificationResult) {
			if hash, ok := r.Response.UserInfo["hash"].(string); ok {
				a.goTo(hash)
			}
		})
	}
	a.attend(run, handler)
}

// endBySignal takes the end of the desktop's session for what it is: an order,
// about which nobody can be asked.
func (a *App) endBySignal(run context.Context) {
	stop := make(chan os.Signal, 1)
	signal.Reset(os.Interrupt, syscall.SIGTERM) // Wails would ask whether to quit
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-stop:
			a.quit()
		case <-run.Done():
		}
		signal.Stop(stop)
	}()
}

// serve opens the appliance, or finds the one that serves the folder already,
// and returns its admin side; nil when neither is possible.
func (a *App) serve(run context.Context, closeLog func()) http.Handler {
	backend.Tune()
	b, err := backend.New(run, a.cfg)
	var held *backend.HeldError
	var back *backend.RolledBackError
	switch {
	case errors.As(err, &back):
		fmt.Fprintln(a.log, "haoke:", err)
		a.succeed(back.Exe)
		return nil
	case errors.As(err, &held):
		handler := backend.Attach(a.cfg.DataDir)
		a.mu.Lock()
		a.attached = true
		a.mu.Unlock()
		a.door.attach(handler)
		fmt.Printf("attached admin=%s\n", held.Running.Admin)
		return handler
	case err != nil:
		fmt.Fprintln(a.log, "haoke:", err)
		a.door.fail(err)
		return nil
	}
	handler := b.AdminHandler()
	a.door.set(handler)
	a.server.Add(1)
	go func() {
		defer a.server.Done()
		defer closeLog()
		if err := b.Run(run); err != nil {
			a.door.fail(err)
			runtime.WindowReload(a.ctx)
		} else if exe, ended := b.Successor(); ended {
			a.succeed(exe)
		}
	}()
	return handler
}

// succeed ends this program for another one: a version that was installed, or
// the previous one. For "" an installer starts it.
func (a *App) succeed(exe string) {
	a.successor = exe
	go a.quit() // whoever calls is waited for by the end of the window
}

// attend starts the tray and what keeps it in step.
func (a *App) attend(run context.Context, handler http.Handler) {
	d := backend.NewDesk(handler)
	short := func(do func(context.Context) error) {
		ctx, cancel := context.WithTimeout(run, 10*time.Second)
		defer cancel()
		if err := do(ctx); err != nil {
			fmt.Fprintln(a.log, "haoke: tray:", err)
		}
		select {
		case a.nudge <- struct{}{}:
		default: // one is on its way
		}
	}
	if desktop, err := d.Desktop(run); err == nil {
		setLanguage(desktop.Language) // before the menu is written
	}
	t := startTray(trayDeeds{
		open: a.show, quit: a.quit,
		browser: func() {
			short(func(ctx context.Context) error {
				link, err := d.BrowserLink(ctx)
				if err == nil {
					runtime.BrowserOpenURL(a.ctx, link)
				}
				return err
			})
		},
		pause: func(on bool) { short(func(ctx context.Context) error { _, err := d.Pause(ctx, on); return err }) },
		login: func(on bool) { short(func(ctx context.Context) error { return d.SetStartAtLogin(ctx, on) }) },
	})
	a.mu.Lock()
	a.tray = t
	a.mu.Unlock()
	a.server.Add(1)
	go func() {
		defer a.server.Done()
		a.watch(run, d)
	}()
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
