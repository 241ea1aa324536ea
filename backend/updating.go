package backend

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"haoke/backend/internal/update"
)

// Set by the linker; see the Makefile.
var (
	// UpdateKeys are the makers' public keys (base64, separated by commas): the
	// present one and the next. Without any, no notice of an update is believed.
	UpdateKeys = ""
	// UpdateAddress is where this build looks for newer versions unless the
	// setting updates.manifest says otherwise; "": nowhere.
	UpdateAddress = ""
	// Managed names who else updates this build ("nix"); "": it looks by itself.
	Managed = ""
)

// RolledBackError says that this version did not become ready and that the
// previous one is back in its place: the program starts it with Replace.
type RolledBackError = update.RolledBackError

// Replace starts the program exe in the place of this process. It returns only
// on an error.
func Replace(exe string, args []string) error { return update.Replace(exe, args) }

// Self is the file by which this program is started again, for entries of menus
// and of the session's start.
func Self() (string, error) { return update.Self() }

// WatchUpdate waits, as a process of its own, until an update of the data folder
// dir is through, and starts the version from before when the new one does not
// serve.
func WatchUpdate(ctx context.Context, dir string) error { return update.Watch(ctx, dir) }

// RunUpdate carries out the plan of an update by an installer, as a process of
// its own while the program is not running.
func RunUpdate(ctx context.Context, plan string) error { return update.RunPlan(ctx, plan, time.Now) }

// RunRaisedUpdate installs an update for everybody on a Windows machine, or puts
// the version from before back (order), as a process of its own with an
// administrator's rights: the only one that has them, and only for that.
func RunRaisedUpdate(ctx context.Context, order, dir, id string) error {
	keys, err := update.ParseKeys(UpdateKeys)
	if err != nil {
		return fmt.Errorf("the keys of this build: %w", err)
	}
	return update.RunRaised(ctx, update.Raised{Version: Version, Keys: keys}, order, dir, id)
}

// newUpdater is the updater of this program for a data folder.
func newUpdater(cfg Config, dir string) (*update.Updater, error) {
	keys, err := update.ParseKeys(UpdateKeys)
	if err != nil {
		return nil, fmt.Errorf("the keys of this build: %w", err)
	}
	program := "haoked"
	if cfg.Desktop {
		program = "haoke"
	}
	return update.New(update.Config{
		Dir: dir, Version: Version, Keys: keys, Args: cfg.Args, Installed: update.Find(program, Managed),
		Free: func(dir string) (int64, bool) { n := diskFree(dir); return n, n > 0 },
	}), nil
}

// starting asks, with the folder held and the database closed, whether this
// version may go on or an earlier one is put back.
func (b *Backend) starting() error {
	return update.Starting(b.dir, Version, time.Now(), b.dataBack)
}

// failed puts the previous version back when a new one cannot be opened.
func (b *Backend) failed(ctx context.Context, err error) error {
	var held *HeldError
	var back *RolledBackError
	if errors.As(err, &held) || errors.As(err, &back) {
		return err
	}
	lock, lerr := lockDataDir(b.dir)
	if lerr != nil {
		return err
	}
	defer lock.Unlock()
	if ctx.Err() != nil {
		return errors.Join(err, update.Interrupted(b.dir, Version))
	}
	if rolled := update.Failed(b.dir, Version, time.Now(), err, b.dataBack); rolled != nil {
		return rolled
	}
	return err
}

// dataBack brings the database back to how it was before a migration that took
// place since then. What the migration made is kept aside. Nothing is lost by
// it: no visitor was served in between.
func (b *Backend) dataBack(since time.Time) error {
	copies, err := filepath.Glob(filepath.Join(globQuote(b.dir), fileDatabase+".schema*.bak"))
	if err != nil {
		return err
	}
	// The lowest schema is the one from before.
	slices.SortFunc(copies, func(a, b string) int {
		if d := len(a) - len(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, c := range copies {
		info, err := os.Stat(c)
		if err != nil || info.ModTime().Before(since) {
			continue
		}
		if _, err := keepAside(b.dir); err != nil {
			return fmt.Errorf("keep the changed data aside: %w", err)
		}
		return os.Rename(c, filepath.Join(b.dir, fileDatabase))
	}
	return nil
}

// globQuote makes a folder's name match only itself.
func globQuote(dir string) string {
	if os.PathSeparator == '\\' {
		return dir // there a backslash is no escape, and brackets are rare
	}
	return strings.NewReplacer(`\`, `\\`, `[`, `\[`, `*`, `\*`, `?`, `\?`).Replace(dir)
}

// machine is the updater's view of the appliance.
type machine struct {
	b    *Backend
	stop context.CancelFunc
}

var _ update.Machine = machine{}

// Rehearse implements update.Machine: a copy of the database and of the key that
// opens its secrets.
func (m machine) Rehearse(ctx context.Context, dir string) ([]string, error) {
	b := m.b
	if info, err := os.Stat(filepath.Join(b.dir, fileDatabase)); err == nil {
		// The copy, and what a migration keeps of it.
		need := 3*info.Size() + 64<<20
		if free := diskFree(b.dir); free > 0 && free < need {
			return nil, fmt.Errorf("the disk is too full for a copy of the data: %d bytes are left, %d are needed", free, need)
		}
	}
	if err := b.db.Backup(ctx, filepath.Join(dir, fileDatabase)); err != nil {
		return nil, err
	}
	for _, name := range []string{"secret.key", "secret.where"} {
		data, err := os.ReadFile(filepath.Join(b.dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o600)
		}
		if err != nil {
			return nil, err
		}
	}
	args := []string{"--trial", "--data", dir}
	if b.file != "" {
		args = append(args, "--config", b.file)
	}
	if !b.cfg.Desktop {
		args = append([]string{"serve"}, args...)
	}
	return args, nil
}

// Keep implements update.Machine.
func (m machine) Keep(ctx context.Context) error { return m.b.parts.api.KeepBackup(ctx) }

// Restart implements update.Machine.
func (m machine) Restart(exe string) {
	m.b.successor.Store(&exe)
	m.stop()
}

// Successor is the program that is to be started in the place of this process
// after Run has returned: an update is in place. ended is also true when none is
// to be started because an installer does that.
func (b *Backend) Successor() (exe string, ended bool) {
	if p := b.successor.Load(); p != nil {
		return *p, true
	}
	return "", false
}

// Trial opens everything on a data folder that is a copy, serves it for a
// moment on free ports of this machine without answering anybody, and closes
// it: how an update learns whether this version becomes ready.
func Trial(ctx context.Context, cfg Config) error {
	cfg.Desktop = false // a keychain is not asked for a copy's sake
	cfg.Flags = append(slices.Clone(cfg.Flags), Flag{Name: "--public", Path: "server.public_addr", Value: "127.0.0.1:0"}, Flag{Name: "--admin", Path: "server.admin_addr", Value: "127.0.0.1:0"})
	b, err := New(ctx, cfg)
	if err != nil {
		return err
	}
	defer b.close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return b.public.Run(gctx, time.Second) })
	g.Go(func() error { return b.admin.Run(gctx, time.Second) })
	g.Go(func() error {
		defer stop()
		at := b.Addresses()
		for _, address := range []string{at.Public + "/healthz", at.Public + "/widget.js", at.Admin + "/"} {
			if err := answers(gctx, address); err != nil {
				return err
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("trial: %w", err)
	}
	return nil
}

// answers asks one's own listener; its certificate may be for another name.
func answers(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // loopback, one's own
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 8<<20)); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", address, resp.Status)
	}
	return nil
}
