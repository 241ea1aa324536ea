package sqlite

import (
	"context"
	"time"
)

const (
	// tick is how often Run looks for something to do.
	tick = time.Second
	// tickWork bounds the background work of one tick.
	tickWork = 800 * time.Millisecond
	// breather is how many times as long as a step took the background work
	// pauses behind it while visitors write: steps stand in their way.
	breather = 4
)

// Run does what can wait until ctx ends: it fills the full-text index, brings
// the WAL home when nobody writes, deletes in small steps, gives free pages
// back to the disk, tries to leave the read-only state, and finishes the check
// of a large file after an unclean stop. It returns nil when ctx ends.
func (db *DB) Run(ctx context.Context) error {
	if db.unclean && !db.checked.Load() {
		db.checkInBackground(ctx)
	}
	homing := make(chan struct{})
	go func() { defer close(homing); db.bringHome(ctx) }()
	defer func() { <-homing }()
	t := time.NewTicker(tick)
	defer t.Stop()
	var last uint64
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-db.closing:
			return nil
		case <-t.C:
		}
		db.probe(ctx)
		ops := db.ops.Load()
		quiet := ops == last
		if err := db.maintain(ctx, quiet); err != nil && ctx.Err() == nil && db.readOnlyErr() == nil {
			db.cfg.Log.Warn("background work on the store failed", "error", err)
		}
		last = db.ops.Load()
	}
}

// checkInBackground finishes the check that Open had no time for.
func (db *DB) checkInBackground(ctx context.Context) {
	err := quickCheck(ctx, db.readers)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		kept, kerr := keepAside(db.cfg.Path)
		if kerr != nil {
			kept = ""
		}
		db.degrade(&CorruptError{Path: db.cfg.Path, Kept: kept, Detail: err.Error()})
		db.health.mu.Lock()
		db.health.damage = true
		db.health.mu.Unlock()
	default:
		db.checked.Store(true)
	}
}

// maintain does a tick's worth of background work. quiet says that nobody has
// written since the last tick.
func (db *DB) maintain(ctx context.Context, quiet bool) error {
	if db.readOnlyErr() != nil {
		return nil
	}
	did := false
	start := time.Now()
	for _, step := range []func(context.Context) (bool, error){db.indexStep, db.mergeStep, db.purgeNext} {
		for time.Since(start) < tickWork {
			begun, ops := time.Now(), db.ops.Load()
			more, err := step(ctx)
			if err != nil {
				return err
			}
			did = did || more
			if !more {
				break
			}
			if db.ops.Load() > ops+1 { // others wrote beside this step
				db.rest(ctx, breather*time.Since(begun))
			}
		}
	}
	if did || !quiet {
		return nil
	}
	return db.tidy(ctx)
}

// rest pauses for d, shorter when the end comes.
func (db *DB) rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(min(d, tickWork))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-db.closing:
	}
}

// purgeNext removes a step's worth of rows that wait for deletion.
func (db *DB) purgeNext(ctx context.Context) (more bool, err error) {
	var lo, hi int64
	var fts bool
	err = db.row(ctx, "SELECT lo, hi, fts FROM purge LIMIT 1", nil, &lo, &hi, &fts)
	if noRows(err) {
		return false, nil
	}
	if err != nil {
		return false, wrap("read what is to be deleted", err)
	}
	err = db.writeIdle(ctx, func(tx *Tx) error {
		left, err := purgeRange(tx, lo, hi, fts)
		if err != nil {
			return err
		}
		if _, err := tx.exec("DELETE FROM purge WHERE lo = ?", lo); err != nil || left == 0 {
			return err
		}
		return purgeLater(tx, left, hi, fts)
	})
	return true, wrap("delete messages", err)
}

// tidy brings the WAL home and gives free pages back, when nobody writes.
func (db *DB) tidy(ctx context.Context) error {
	if fileSize(db.cfg.Path+"-wal") > 0 {
		err := db.alone(ctx, func(tx *Tx) error {
			if err := checkpoint(tx); err != nil || fileSize(db.cfg.Path+"-wal") > 0 {
				return err // a reader holds on to the WAL
			}
			if err := db.journal.wipe(); err != nil {
				db.withoutJournal(err)
			}
			return nil
		})
		if err != nil {
			return wrap("checkpoint", err)
		}
	}
	var free, pages int64
	if err := db.row(ctx, "PRAGMA freelist_count", nil, &free); err != nil {
		return wrap("count free pages", err)
	}
	if err := db.row(ctx, "PRAGMA page_count", nil, &pages); err != nil {
		return wrap("count pages", err)
	}
	// Some free pages are kept for what comes next.
	if free < 1024 || free < pages/20 {
		return nil
	}
	return wrap("shrink the file", db.alone(ctx, func(tx *Tx) error {
		_, err := tx.exec("PRAGMA incremental_vacuum(1024)")
		return err
	}))
}

// Settle does all background work that is due now and brings the WAL home. It
// is for the end of an import, before a measurement, and for tests.
func (db *DB) Settle(ctx context.Context) error {
	for _, step := range []func(context.Context) (bool, error){db.indexStep, db.mergeStep, db.purgeNext} {
		for more := true; more; {
			var err error
			if more, err = step(ctx); err != nil {
				return err
			}
		}
	}
	return db.tidy(ctx)
}
