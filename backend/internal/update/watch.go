package update

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// watchWord is the subcommand of both programs that carries Watch out.
const watchWord = "update-watch"

const (
	// handOver is how long the old version may take to end, beside the time
	// that the new one has.
	handOver = time.Minute
	// managerTime is left to a service manager to start the program itself.
	managerTime = 10 * time.Second
	lookEvery   = 200 * time.Millisecond
)

// watcher says how patient Watch is.
type watcher struct{ handOver, manager time.Duration }

// Watch sees to it that some version serves in the end: it is a process of the
// old version that waits until the new one serves. When that ends before, or is
// not ready in time, it is ended, and the old version, which is still in its
// place, is started again: by whoever looks after it, or else from here. That
// start brings the data back and tells the owner. It returns when nothing is
// under way.
func Watch(ctx context.Context, dir string) error {
	return watcher{handOver, managerTime}.run(ctx, dir)
}

func (w watcher) run(ctx context.Context, dir string) error {
	m, err := loadMemory(dir)
	if err != nil || m.Pending == nil || m.Pending.Next == "" {
		return err
	}
	p := *m.Pending
	fault, err := w.awaitServing(ctx, dir, &p)
	if err != nil || fault == "" {
		return err
	}
	if err := change(dir, func(m *memory) {
		if m.Pending != nil && m.Pending.Fault == "" {
			m.Pending.Fault = fault
		}
	}); err != nil {
		return err
	}
	if over, err := wait(ctx, w.manager, func() (bool, error) { return p.over(dir) }); over || err != nil {
		return err
	}
	if !exists(p.Exe) {
		return fmt.Errorf("version %s %s, and version %s is gone from %s", p.To, fault, p.From, p.Exe)
	}
	return detach(p.Exe, p.Args)
}

// awaitServing waits until the new version serves, or says what it did instead.
func (w watcher) awaitServing(ctx context.Context, dir string, p *pending) (fault string, err error) {
	began := birth(p.PID)
	gone := false
	over, err := wait(ctx, p.Ready+w.handOver, func() (bool, error) {
		// In this order: what ends at the moment has written before.
		gone = birth(p.PID) != began || began == ""
		over, err := p.over(dir)
		return over || gone, err
	})
	switch {
	case err != nil:
		return "", err
	case over && !gone:
		return "", nil
	}
	if done, err := p.over(dir); done || err != nil {
		return "", err
	}
	if gone {
		return "it ended before it served", nil
	}
	if err := end(p.PID); err != nil {
		return "", fmt.Errorf("end version %s, which does not become ready: %w", p.To, err)
	}
	if _, err := wait(ctx, w.manager, func() (bool, error) { return birth(p.PID) != began, nil }); err != nil {
		return "", err
	}
	return fmt.Sprintf("it did not serve within %v", p.Ready+w.handOver), nil
}

// over reports whether this update is no longer under way: it is through, or
// given up, or somebody stopped it.
func (p *pending) over(dir string) (bool, error) {
	m, err := loadMemory(dir)
	if errors.Is(err, os.ErrPermission) {
		err = nil // Windows, while the file is being replaced
		return false, err
	}
	return err == nil && (m.Pending == nil || m.Pending.Stopped || m.Pending.To != p.To || !m.Pending.At.Equal(p.At)), err
}

// wait asks until it is so, for as long as most says; false: it was not.
func wait(ctx context.Context, most time.Duration, so func() (bool, error)) (bool, error) {
	late := time.NewTimer(most)
	defer late.Stop()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if yes, err := so(); yes || err != nil {
			return yes, err
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-late.C:
			return false, nil
		case <-tick.C:
		}
	}
}
