package backend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"

	"haoke/backend/internal/httpd"
	"haoke/backend/internal/logs"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/update"
)

// Config says what an appliance is made of. The zero value serves the default
// data folder with the default settings.
type Config struct {
	DataDir    string   // default DefaultDataDir()
	ConfigFile string   // config.toml; default: the one in the data folder, if there is one
	Flags      []Flag   // settings given on the command line
	Environ    []string // default os.Environ()
	LogOutput  io.Writer
	Desktop    bool     // a person sits at this machine's screen: the keychain may be asked
	Args       []string // of this process, for its start after an update
	// Ready is told the real addresses once both listeners serve.
	Ready func(Addresses)
}

// Flag is a setting given on the command line.
type Flag = settings.Flag

// Addresses are where the appliance can be reached from this machine.
type Addresses struct {
	Public string // "http://127.0.0.1:8787"
	Admin  string
}

// ConfigError is wrong usage or configuration; programs exit with 2 for it.
type ConfigError struct{ Err error }

// Error implements error.
func (e *ConfigError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *ConfigError) Unwrap() error { return e.Err }

// Backend is the whole appliance without a window. New opens it, Run serves
// until its context ends.
type Backend struct {
	cfg      Config
	dir      string
	file     string // config.toml in use, "": none
	lock     *flock.Flock
	settings *settings.Store
	logs     *logs.Log
	log      *slog.Logger
	db       *sqlite.DB
	parts    *parts
	public   *door
	admin    *door
	ready    atomic.Bool
	updater  *update.Updater
	// successor is what is started in this process's place; nil: nothing.
	successor atomic.Pointer[string]
}

// New reads the configuration, locks the data folder, opens the database and
// both listeners. Nothing is served before Run. Errors: *ConfigError for what
// the owner wrote wrong, *HeldError when another process serves the folder,
// *httpd.AddrError for a port that is taken, the store's typed errors,
// *RolledBackError when a new version gave way to the previous one, else what
// the operating system said.
func New(ctx context.Context, cfg Config) (*Backend, error) {
	if cfg.DataDir == "" {
		cfg.DataDir = DefaultDataDir()
	}
	if cfg.Environ == nil {
		cfg.Environ = os.Environ()
	}
	if cfg.LogOutput == nil {
		cfg.LogOutput = os.Stderr
	}
	dir, err := filepath.Abs(cfg.DataDir)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	b := &Backend{cfg: cfg, dir: dir}
	if err := b.open(ctx); err != nil {
		b.close()
		return nil, b.failed(ctx, err)
	}
	return b, nil
}

// open does the work of New; what it opened before an error is closed by close.
func (b *Backend) open(ctx context.Context) (err error) {
	file, required := b.cfg.ConfigFile, true
	if file == "" {
		file, required = filepath.Join(b.dir, fileConfig), false
		if _, err := os.Stat(file); err != nil {
			file = "" // none there, or a folder that cannot be used: its own check says so
		}
	}
	b.settings, err = settings.Open(settings.Config{
		File: file, FileRequired: required, Environ: b.cfg.Environ, Flags: b.cfg.Flags,
		IgnoreEnv: otherEnv(),
		Checks:    settingChecks,
	})
	if err != nil {
		return &ConfigError{err}
	}
	if _, err := os.Stat(file); err == nil {
		b.file = file
	}
	s := b.settings.Current()
	b.logs, err = newLogs(s, b.cfg)
	if err != nil {
		return &ConfigError{err}
	}
	b.log = b.logs.Logger()
	if b.lock, err = lockDataDir(b.dir); err != nil {
		return err
	}
	if err = b.starting(); err != nil {
		return err
	}
	if b.updater, err = newUpdater(b.cfg, b.dir); err != nil {
		return err
	}
	if err = b.stagedRestore(); err != nil {
		return err
	}
	b.db, err = sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(b.dir, fileDatabase), Log: b.log})
	if err != nil {
		return err
	}
	if b.parts, err = build(ctx, b); err != nil {
		return err
	}
	s = b.settings.Current()
	b.public, err = openDoor(httpd.Config{
		Name: "public", Addr: s.Server.PublicAddr, Setting: "server.public_addr", Flag: "--public",
		Handler: b.parts.publicHandler(b), Log: b.log, TLS: b.parts.publicTLS,
	})
	if err != nil {
		return err
	}
	b.admin, err = openDoor(httpd.Config{
		Name: "admin", Addr: s.Server.AdminAddr, Setting: "server.admin_addr", Flag: "--admin",
		Handler: b.parts.adminHandler(b), Log: b.log, TLS: b.parts.adminTLS,
	})
	return err
}

func (b *Backend) close() {
	if b.public != nil {
		b.public.Close()
	}
	if b.admin != nil {
		b.admin.Close()
	}
	if b.parts != nil {
		b.parts.close()
	}
	if b.db != nil {
		b.db.Close()
	}
	if b.logs != nil {
		b.logs.Close()
	}
	if b.lock != nil {
		b.lock.Unlock()
	}
}

// drain is how long running answers may go on after the stop.
const drain = 10 * time.Second

// Run serves until ctx ends, then stops in order: no new connections, widgets
// are told to come back later, running answers finish for at most ten seconds,
// then the stores close. It returns nil after an orderly stop.
func (b *Backend) Run(ctx context.Context) error {
	defer b.close()
	// Everything is open and nobody is served yet: from here on there is no way
	// back to an earlier version.
	if err := update.Serving(b.dir, Version, time.Now()); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	b.updater.Serve(machine{b, stop})
	// inner lives longer than ctx: what an answer needs must not stop before
	// the answers have.
	inner, stopInner := context.WithCancel(context.WithoutCancel(ctx))
	defer stopInner()
	within, ictx := errgroup.WithContext(inner)
	b.parts.background(ictx, within.Go)
	within.Go(func() error { return b.updater.Run(ictx) })

	front, fctx := errgroup.WithContext(ctx)
	front.Go(func() error { return b.public.Run(fctx, time.Second) })
	front.Go(func() error { return b.parts.engine.Run(fctx) })
	front.Go(func() error { <-fctx.Done(); b.parts.gateway.CloseIdle(b.parts.engine.Busy); return nil })
	front.Go(func() error {
		// A part of the inside that fails takes the whole down, in order.
		select {
		case <-ictx.Done():
			return context.Cause(ictx)
		case <-fctx.Done():
			return nil
		}
	})
	admin, stopAdmin := context.WithCancel(inner)
	defer stopAdmin()
	within.Go(func() error { return b.admin.Run(admin, 2*time.Second) })

	if err := b.announce(); err != nil {
		return err
	}
	err := front.Wait()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	b.ready.Store(false)
	end, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	b.parts.gateway.CloseAll(end)
	stopInner()
	if ierr := within.Wait(); err == nil && !errors.Is(ierr, context.Canceled) {
		err = ierr
	}
	os.Remove(filepath.Join(b.dir, fileRuntime))
	return err
}

// writeRuntime notes for other processes where this one serves.
func (b *Backend) writeRuntime() error {
	a := b.Addresses()
	return writeRuntime(b.dir, Runtime{PID: os.Getpid(), Public: a.Public, Admin: a.Admin, Token: b.parts.localToken, Version: Version})
}

// announce tells whoever waits that both listeners serve.
func (b *Backend) announce() error {
	a := b.Addresses()
	if err := b.writeRuntime(); err != nil {
		return err
	}
	b.ready.Store(true)
	b.log.Info("serving: the demo shop is at "+a.Public+"/demo, the admin page at "+a.Admin, "public", a.Public, "admin", a.Admin, "data", b.dir, "version", Version)
	if b.cfg.Ready != nil {
		b.cfg.Ready(a)
	}
	return nil
}

// Addresses are where both listeners can be reached from this machine.
func (b *Backend) Addresses() Addresses {
	return Addresses{Public: b.public.URL(), Admin: b.admin.URL()}
}

// AdminHandler is the admin API and page for the window: the same handler as
// on the admin listener, with the operator at the machine already signed in.
func (b *Backend) AdminHandler() http.Handler { return b.parts.windowHandler() }

// DataDir is the folder that the appliance serves.
func (b *Backend) DataDir() string { return b.dir }
