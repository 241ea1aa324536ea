package adminapi

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"haoke/backend/internal/wire"
)

// Run makes the scheduled backups and looks for updates once a day until ctx
// ends. What fails is logged and tried again an hour later.
func (a *API) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		a.Look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// schedule is what Run remembers between its looks.
type schedule struct {
	notBefore  time.Time // no backup before that: the last one failed
	nextUpdate time.Time
}

// Look does what is due now. Run calls it once a minute; it belongs to one
// goroutine.
func (a *API) Look(ctx context.Context) {
	now, s := a.Now(), &a.planned
	if !now.Before(s.notBefore) {
		if due, err := a.backupDue(ctx, now); err != nil || due {
			if err == nil {
				err = a.scheduledBackup(ctx)
			}
			if err != nil && ctx.Err() == nil {
				a.Log.Error("the scheduled backup failed; it is tried again in an hour", "err", err)
				s.notBefore = now.Add(time.Hour)
			}
		}
	}
	if a.Settings.Current().Updates.Check && a.updateAddress() != "" && !now.Before(s.nextUpdate) {
		s.nextUpdate = now.Add(24 * time.Hour)
		if st := a.checkUpdates(ctx); st.Fault != "" {
			a.Log.Warn("could not look for updates", "reason", st.Fault)
			s.nextUpdate = now.Add(time.Hour)
		}
	}
}

// backupDue reports whether the latest time of the schedule has passed without
// a scheduled backup since.
func (a *API) backupDue(ctx context.Context, now time.Time) (bool, error) {
	b := a.Settings.Current().Backup
	if b.Schedule != "daily" && b.Schedule != "weekly" {
		return false, nil
	}
	items, err := a.backups(ctx)
	if err != nil {
		return false, err
	}
	planned := a.lastPlanned(b.Schedule, b.At, now)
	for _, x := range items {
		if x.Auto && !x.At.Before(planned) {
			return false, nil
		}
	}
	return true, nil
}

// lastPlanned is the latest planned time that is not after now. Weekly is the
// night to Monday.
func (a *API) lastPlanned(every, at string, now time.Time) time.Time {
	zone := time.UTC
	if a.Zone != nil {
		zone = a.Zone()
	}
	clock, err := time.Parse("15:04", at)
	if err != nil {
		clock = time.Date(0, 1, 1, 3, 30, 0, 0, time.UTC)
	}
	y, m, d := now.In(zone).Date()
	for back := 0; ; back++ {
		t := time.Date(y, m, d-back, clock.Hour(), clock.Minute(), 0, 0, zone)
		if !t.After(now) && (every == "daily" || t.Weekday() == time.Monday) {
			return t
		}
	}
}

// scheduledBackup makes one and removes the oldest beyond those to keep.
func (a *API) scheduledBackup(ctx context.Context) error {
	end, err := a.work.begin()
	if err != nil {
		return err
	}
	defer end()
	s := a.Settings.Current().Backup
	b, err := a.makeBackup(ctx, s.Passphrase.Reveal(), true)
	if err != nil {
		return err
	}
	a.Log.Info("backup made", "name", b.Name, "bytes", b.Bytes)
	items, err := a.backups(ctx)
	if err != nil {
		return err
	}
	return a.dropOld(ctx, items, max(1, s.Keep))
}

// dropOld removes scheduled backups, the oldest first. What the owner made by
// hand stays.
func (a *API) dropOld(ctx context.Context, items []wire.Backup, keep int) error {
	n := 0
	for _, x := range items {
		if !x.Auto {
			continue
		}
		if n++; n <= keep {
			continue
		}
		if err := os.Remove(filepath.Join(a.backupFolder(), x.Name)); err != nil {
			return err
		}
		if err := a.noteCheck(ctx, x.Name, nil); err != nil {
			return err
		}
	}
	return nil
}
