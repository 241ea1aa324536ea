package update

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// RolledBackError says that a new version did not become ready and that the
// previous one is to be started in the place of this process.
type RolledBackError struct {
	Exe      string // the previous version, at its old place
	From, To string
	Cause    error
}

// Error implements error.
func (e *RolledBackError) Error() string {
	return fmt.Sprintf("version %s did not become ready (%v); version %s is back", e.To, e.Cause, e.From)
}

// Unwrap gives the cause.
func (e *RolledBackError) Unwrap() error { return e.Cause }

// Causes when nobody is left to say one.
var (
	errStarted = errors.New("its first start did not get as far as serving")
	errStopped = errors.New("it was stopped before it served")
	errCut     = errors.New("it was cut off before the new version was in place")
)

// Starting is called at each start when the data folder is held and nothing in
// it has been opened. A version that was started before and did not get as far
// as Serving is put back: *RolledBackError. back brings the data to how it was
// before the new version touched it; since is when the new version came.
func Starting(dir, version string, now time.Time, back func(since time.Time) error) error {
	m, err := loadMemory(dir)
	if err != nil || m.Pending == nil {
		return err
	}
	p := m.Pending
	switch {
	case p.To != version:
		return stay(dir, m, now, back)
	case p.Next != "" && !exists(p.Next):
		// The programs have changed places, so the new one served: the power
		// went before that was noted.
		return Serving(dir, version, now)
	case p.Starts > 0 && !p.Watched:
		return putBack(dir, m, now, errStarted, back)
	}
	p.Starts++
	p.Fault, p.Stopped = "", false
	return m.save(dir)
}

// stay ends an update for good at a start of the version from before: the new
// one did not serve, or the power went on the way, or somebody put yet another
// version there.
func stay(dir string, m memory, now time.Time, back func(since time.Time) error) error {
	p := m.Pending
	if err := back(p.At); err != nil {
		return fmt.Errorf("bring the data to version %s: %w", p.From, err)
	}
	fault := errCut
	if p.Starts > 0 {
		fault = errStarted
	}
	switch {
	case p.Fault != "":
		fault = errors.New(p.Fault)
	case p.Stopped:
		fault = errStopped
	}
	m.Pending = nil
	m.Last = &Outcome{From: p.From, To: p.To, Fault: fault.Error(), At: now.UTC()}
	if err := m.save(dir); err != nil {
		return err
	}
	if p.Next != "" {
		if err := os.Remove(p.Next); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove the version that did not start: %w", err)
		}
	}
	return nil
}

// Failed is called when a start ended before Serving: if it was the first of a
// new version, the one from before is to follow and a *RolledBackError is
// returned; else nil. Where a watcher puts it back, that is told why.
func Failed(dir, version string, now time.Time, cause error, back func(since time.Time) error) error {
	m, err := loadMemory(dir)
	if err != nil || m.Pending == nil || m.Pending.To != version {
		return err
	}
	if m.Pending.Watched {
		m.Pending.Fault = cause.Error()
		return m.save(dir)
	}
	return putBack(dir, m, now, cause, back)
}

// Interrupted is called when somebody ended a start before Serving: that says
// nothing about the version, and its next start counts as the first. While the
// version from before has its place, that is what the next start starts.
func Interrupted(dir, version string) error {
	m, err := loadMemory(dir)
	if err != nil || m.Pending == nil || m.Pending.To != version {
		return err
	}
	m.Pending.Starts, m.Pending.Stopped = 0, true
	return m.save(dir)
}

// Serving is called when everything is open and before the first visitor is
// served: from now on this version stays. Its program takes the old one's place.
func Serving(dir, version string, now time.Time) error {
	m, err := loadMemory(dir)
	if err != nil || m.Pending == nil || m.Pending.To != version {
		return err
	}
	p := m.Pending
	if p.Next != "" && exists(p.Next) {
		if err := swap(p.Next, p.Exe, p.Previous); err != nil {
			return err
		}
	}
	m.Last = &Outcome{From: p.From, To: version, OK: true, At: now.UTC()}
	m.Pending = nil
	return m.save(dir)
}

// putBack makes the previous version the one that is started.
func putBack(dir string, m memory, now time.Time, cause error, back func(time.Time) error) error {
	p := *m.Pending
	// The data first: cut off here, the new version is started again and ends
	// up at this place; the other way round the old one could not read them.
	if err := back(p.At); err != nil {
		return fmt.Errorf("version %s did not become ready (%w), and its data could not be put back: %w", p.To, cause, err)
	}
	if p.Next == "" {
		if err := unswap(p.Exe, p.Previous); err != nil {
			return fmt.Errorf("version %s did not become ready (%w), and version %s could not be put back: %w", p.To, cause, p.From, err)
		}
	} else if !exists(p.Exe) {
		return fmt.Errorf("version %s did not become ready (%w), and version %s is gone from %s", p.To, cause, p.From, p.Exe)
	}
	m.Pending = nil
	m.Last = &Outcome{From: p.From, To: p.To, Fault: cause.Error(), At: now.UTC()}
	if err := m.save(dir); err != nil {
		return err
	}
	if p.Next != "" {
		_ = os.Remove(p.Next) // in use on some systems; the next update replaces it
	}
	return &RolledBackError{Exe: p.Exe, From: p.From, To: p.To, Cause: cause}
}

// unswap undoes swap. The program that did not start is removed: it is the
// makers' file, and a running one cannot always be.
func unswap(exe, previous string) error {
	if _, err := os.Stat(previous); err != nil {
		return fmt.Errorf("the previous version is gone: %w", err)
	}
	failed := filepath.Join(filepath.Dir(exe), "."+filepath.Base(exe)+".failed")
	if err := os.Remove(failed); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Rename(previous, exe); err == nil {
		return syncDir(filepath.Dir(exe))
	}
	if err := os.Rename(exe, failed); err != nil { // Windows: it runs
		return err
	}
	if err := os.Rename(previous, exe); err != nil {
		return errors.Join(err, os.Rename(failed, exe))
	}
	return nil
}
