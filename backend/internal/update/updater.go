package update

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// Machine is what the updater asks of the appliance around it.
type Machine interface {
	// Rehearse puts a copy of the data into dir and returns the arguments with
	// which a version of this program shows on that copy that it can start: it
	// ends with 0 as soon as it would be ready.
	Rehearse(ctx context.Context, dir string) (args []string, err error)
	// Keep makes a backup of the data.
	Keep(ctx context.Context) error
	// Restart ends this process in order and starts exe in its place with the
	// same arguments; "" only ends it. It returns at once.
	Restart(exe string)
}

// Config says what an Updater works with.
type Config struct {
	Dir       string // the data folder
	Version   string // of this program
	Keys      []ed25519.PublicKey
	Installed Installed
	// Args are this process's arguments, for the start after an installer.
	Args []string
	// Ready is how long a new version may take to become ready; 0: 90 s.
	Ready time.Duration
	// Free is how many bytes a folder's disk has left; nil: not asked.
	Free   func(dir string) (int64, bool)
	Client *http.Client     // nil: one that follows few redirects
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: silent
}

// Stage is what the updater does at the moment.
type Stage string

// Stages, in their order.
const (
	StageNone        Stage = ""
	StageDownloading Stage = "downloading"
	StageChecking    Stage = "checking"
	StageKeeping     Stage = "keeping" // a backup is made
	StageTrying      Stage = "trying"  // the new version starts on a copy
	StageRestarting  Stage = "restarting"
)

// State is what is known and done.
type State struct {
	Latest, Notes, NotesZH, URL string // Latest "": none newer known
	CheckedAt                   time.Time
	Fault                       string // of the latest look
	Stage                       Stage
	Done, Total                 int64 // bytes, while downloading
	ApplyFault                  string
	Last                        *Outcome
	// Command is what to type where a package manager owns the program.
	Command string
	// Address is the file that Command or the person's hand needs; "": none.
	Address string
	// CanApply: Request would do it.
	CanApply bool
}

// News is the version that is worth telling of unasked; "": none. A version
// that was tried here and taken back is none: it waits on the page for whoever
// wants to try it again.
func (s State) News() string {
	if s.Last != nil && !s.Last.OK && s.Last.To == s.Latest {
		return ""
	}
	return s.Latest
}

// Updater looks for updates and carries them out. Its methods are safe for
// concurrent use.
type Updater struct {
	Config
	client *http.Client
	wanted chan struct{}

	mu       sync.Mutex
	state    State
	manifest *Manifest
	from     string // address of the manifest
	notice   signed // the manifest as it came
	machine  Machine
}

// New makes an updater; it asks nobody.
func New(cfg Config) *Updater {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Ready <= 0 {
		cfg.Ready = 90 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	u := &Updater{Config: cfg, client: cfg.Client, wanted: make(chan struct{}, 1)}
	if u.client == nil {
		u.client = newClient()
	}
	return u
}

// Serve gives the updater the appliance that it may restart.
func (u *Updater) Serve(m Machine) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.machine = m
}

// State is what is known; it asks nobody.
func (u *Updater) State() State {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.state
	if m, err := loadMemory(u.Dir); err == nil {
		s.Last = m.Last
	}
	if u.manifest == nil || s.Latest == "" {
		return s
	}
	f, ok := u.file()
	if ok {
		if a, err := f.address(u.from); err == nil {
			s.Address = a
			s.Command = u.Installed.Command(filepath.Base(f.URL))
		}
	} else if u.Installed.Manager == "docker" {
		s.Command = u.Installed.Command("")
	}
	s.CanApply = ok && u.machine != nil && s.Stage == StageNone && (u.Installed.Way == WayReplace || u.Installed.Way == WaySetup)
	return s
}

// file is the release's file for this installation. It is called with the lock
// held.
func (u *Updater) file() (File, bool) {
	return u.manifest.Find(u.Installed.Program, u.Installed.Kind, runtime.GOOS, runtime.GOARCH)
}

// Check asks for the manifest at address now. What goes wrong is returned and
// stands in the state's Fault; what was known before stays.
func (u *Updater) Check(ctx context.Context, address string) (State, error) {
	m, notice, err := u.fetch(ctx, address)
	u.mu.Lock()
	u.state.CheckedAt, u.state.Fault = u.Now().UTC(), ""
	switch {
	case err != nil:
		u.state.Fault = err.Error()
	case Newer(m.Version, u.Version):
		u.manifest, u.from, u.notice = &m, address, notice
		u.state.Latest, u.state.Notes, u.state.NotesZH, u.state.URL = m.Version, m.Notes, m.NotesZH, m.URL
	default:
		u.manifest = nil
		u.state.Latest, u.state.Notes, u.state.NotesZH, u.state.URL = "", "", "", ""
	}
	u.mu.Unlock()
	return u.State(), err
}

// fetch gets a manifest and proves it: signature, time, and that no newer one
// was seen before.
func (u *Updater) fetch(ctx context.Context, address string) (Manifest, signed, error) {
	if address == "" {
		return Manifest{}, signed{}, errors.New("no update address is set")
	}
	if len(u.Keys) == 0 {
		return Manifest{}, signed{}, errors.New("this build carries no key to prove an update's notice with")
	}
	data, err := u.small(ctx, address, maxManifest)
	if err != nil {
		return Manifest{}, signed{}, fmt.Errorf("fetch the update's notice: %w", err)
	}
	sig, err := u.small(ctx, address+".sig", maxSignature)
	if err != nil {
		return Manifest{}, signed{}, fmt.Errorf("fetch the notice's signature: %w", err)
	}
	m, err := Open(data, sig, u.Keys)
	if err != nil {
		return Manifest{}, signed{}, err
	}
	if !m.counts(u.Now()) {
		return Manifest{}, signed{}, ErrExpired
	}
	return m, signed{data, sig}, u.seen(m)
}

// seen remembers the newest manifest and refuses older ones.
func (u *Updater) seen(m Manifest) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	mem, err := loadMemory(u.Dir)
	switch {
	case err != nil:
		return err
	case m.Issued.Before(mem.Seen):
		return ErrReplay
	case m.Issued.Equal(mem.Seen):
		return nil
	}
	mem.Seen = m.Issued
	return mem.save(u.Dir)
}

// Errors of Request.
var (
	ErrNothing = errors.New("no newer version is known")
	ErrBusy    = errors.New("an update is under way")
	ErrManual  = errors.New("this installation is not updated from here")
)

// Request asks Run to carry the known update out. Errors: ErrNothing, ErrBusy,
// ErrManual.
func (u *Updater) Request() error {
	if err := u.begin(); err != nil {
		return err
	}
	u.wanted <- struct{}{} // has room: begin lets one in at a time
	return nil
}

// begin takes the one place for an update.
func (u *Updater) begin() error {
	s := u.State()
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.manifest == nil:
		return ErrNothing
	case u.state.Stage != StageNone:
		return ErrBusy
	case !s.CanApply:
		return ErrManual
	}
	f, _ := u.file()
	u.state.Stage, u.state.Done, u.state.Total, u.state.ApplyFault = StageDownloading, 0, f.Size, ""
	return nil
}

// Run carries out what Request asks for, until ctx ends.
func (u *Updater) Run(ctx context.Context) error {
	// A watcher cannot always remove the copy that its trial had open.
	if err := removeAll(filepath.Join(u.Dir, workFolder, "trial")); err != nil {
		u.Log.Warn("the copy of the data from the latest update could not be removed", "err", err)
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-u.wanted:
			if err := u.carryOut(ctx); err != nil && ctx.Err() == nil {
				u.Log.Error("the update was not carried out; this version goes on", "err", err)
			}
		}
	}
}

// progress counts bytes of a download.
func (u *Updater) progress(n int64) {
	u.mu.Lock()
	u.state.Done += n
	u.mu.Unlock()
}

// stage tells what is done now.
func (u *Updater) stage(s Stage) {
	u.mu.Lock()
	u.state.Stage = s
	u.mu.Unlock()
}

// limited keeps the last bytes of what a program says.
type limited struct{ tail []byte }

const maxTail = 2048

func (l *limited) Write(p []byte) (int, error) {
	l.tail = append(l.tail, p...)
	l.tail = l.tail[max(0, len(l.tail)-maxTail):]
	return len(p), nil
}

var _ io.Writer = (*limited)(nil)
