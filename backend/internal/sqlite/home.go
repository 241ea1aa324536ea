package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

const (
	// homePause is the least time between two of bringHome's steps.
	homePause = 50 * time.Millisecond
	// homeCommits is after how many commits the WAL is brought home: about a
	// thousand pages, or 4 MB.
	homeCommits = 128
	// homePages is the length of the WAL, in pages, from which the writer itself
	// brings the rest home, so that the file is used again from its start.
	homePages = 3000
)

// bringHome copies the WAL into the database while visitors write, on a
// connection of its own: in the writer, where SQLite would do it, a thousand
// pages and two syncs stand between a visitor and the acknowledgement (up to
// 200 ms were seen). The writer only does the small rest, and only when the
// file has grown: SQLite starts it anew when everything in it was copied. It
// sleeps until the writer says that the WAL has grown: looking twenty times a
// second cost half a percent of a processor on a server at rest.
func (db *DB) bringHome(ctx context.Context) {
	var pool *sql.DB
	defer func() {
		if pool != nil {
			pool.Close()
		}
	}()
	pause := time.NewTimer(homePause)
	defer pause.Stop()
	var grown chan struct{} // nobody is listened to during the pause
	for {
		select {
		case <-ctx.Done():
			return
		case <-db.closing:
			return
		case <-pause.C:
			grown = db.grown
			continue
		case <-grown:
		}
		grown = nil
		pause.Reset(homePause)
		if db.readOnlyErr() != nil {
			continue
		}
		var err error
		if pool == nil {
			pool, err = openPool(dsn(db.cfg.Path, "_pragma=wal_autocheckpoint(0)"), 1)
		}
		if err == nil {
			err = db.homeStep(ctx, pool)
		}
		if err != nil && ctx.Err() == nil && db.readOnlyErr() == nil {
			db.cfg.Log.Warn("the write-ahead log could not be brought home", "error", err)
		}
	}
}

// homeStep copies what is in the WAL now.
func (db *DB) homeStep(ctx context.Context, pool *sql.DB) error {
	const passive = "PRAGMA wal_checkpoint(PASSIVE)"
	var busy, pages, done int
	if err := pool.QueryRowContext(ctx, passive).Scan(&busy, &pages, &done); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if pages < homePages {
		return nil
	}
	return db.alone(ctx, func(tx *Tx) error {
		if err := tx.row(passive, nil, &busy, &pages, &done); err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
		return nil
	})
}
