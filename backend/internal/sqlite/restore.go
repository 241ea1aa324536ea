package sqlite

import (
	"context"
	"fmt"
	"os"
)

// BackupFile writes a consistent copy of the database at src to path without
// opening a store on it, so that it works beside a server that uses it. The
// rules of DB.Backup hold.
func BackupFile(ctx context.Context, src, path string) error {
	pool, err := openPool(dsn(src, "_pragma=busy_timeout(10000)"), 1)
	if err != nil {
		return fmt.Errorf("back up store: %w", err)
	}
	defer pool.Close()
	if err := vacuumInto(ctx, pool, path, false); err != nil {
		return fmt.Errorf("back up store: %w", err)
	}
	if !hasRecords(src) {
		return nil
	}
	if err := completeCopy(ctx, src, path); err != nil {
		os.Remove(path)
		return fmt.Errorf("back up store: %w", err)
	}
	return nil
}

// completeCopy adds to a copy of src what only the journal of src has: after a
// power failure, until the server starts, those are the last commits.
func completeCopy(ctx context.Context, src, path string) error {
	copied := &DB{cfg: Config{Path: path}.withDefaults()}
	defer copied.disconnect()
	err := copied.connect()
	if err == nil {
		err = copied.mark.read(copied.tx)
	}
	if err == nil {
		_, err = copied.catchUp(ctx, journalPath(src))
	}
	return err
}

// SetEpochs gives every conversation a new epoch: its history was restored,
// and whoever resumes starts again from the beginning.
func (c *Conversations) SetEpochs(ctx context.Context, epoch string) error {
	return wrap("renew epochs", c.db.write(ctx, func(tx *Tx) error {
		_, err := tx.exec("UPDATE conversations SET epoch = ?, version = version + 1", epoch)
		return err
	}))
}
