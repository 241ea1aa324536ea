package update

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// RolledBackError says that a new version did not become ready and that the
// previous one is back: it is to be started in the place of this process.
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

// errStarted is the cause when nobody is left to say one.
var errStarted = errors.New("its first start did not get as far as serving")

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
	if p.To != version {
		// The swap did not take place, or the power went in the middle of
		// putting back, or somebody put another version there.
		if err := back(p.At); err != nil {
			return fmt.Errorf("bring the data to version %s: %w", p.From, err)
		}
		m.Pending = nil
		m.Last = &Outcome{From: p.From, To: p.To, Fault: "it was cut off before the new version was in place", At: now.UTC()}
		return m.save(dir)
	}
	if p.Starts > 0 {
		return putBack(dir, m, now, errStarted, back)
	}
	p.Starts++
	return m.save(dir)
}

// Failed is called when a start ended before Serving: if it was the first of a
// new version, that is put back and a *RolledBackError is returned; else nil.
func Failed(dir, version string, now time.Time, cause error, back func(since time.Time) error) error {
	m, err := loadMemory(dir)
	if err != nil || m.Pending == nil || m.Pending.To != version {
		return err
	}
	return putBack(dir, m, now, cause, back)
}

// Interrupted is called when somebody ended a start before Serving: that says
// nothing about the version, and the next start counts as its first.
func Interrupted(dir, version string) error {
	m, err := loadMemory(dir)
	if err != nil || m.Pending == nil || m.Pending.To != version {
		return err
	}
	m.Pending.Starts = 0
	return m.save(dir)
}

// Serving is called when everything is open and before the first visitor is
// served: from now on this version stays.
func Serving(dir, version string, now time.Time) error {
	m, err := loadMemory(dir)
	if err != nil || m.Pending == nil || m.Pending.To != version {
		return err
	}
	m.Last = &Outcome{From: m.Pending.From, To: version, OK: true, At: now.UTC()}
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
	if err := unswap(p.Exe, p.Previous); err != nil {
		return fmt.Errorf("version %s did not become ready (%w), and version %s could not be put back: %w", p.To, cause, p.From, err)
	}
	m.Pending = nil
	m.Last = &Outcome{From: p.From, To: p.To, Fault: cause.Error(), At: now.UTC()}
	if err := m.save(dir); err != nil {
		return err
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
