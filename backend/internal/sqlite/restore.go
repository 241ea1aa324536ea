package sqlite

import (
	"context"
	"fmt"
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
	// After a power failure the journal has commits that the database lacks
	// until the server starts.
	copied := &DB{cfg: Config{Path: path}.withDefaults()}
	defer copied.disconnect()
	if err := copied.connect(); err != nil {
		return fmt.Errorf("back up store: %w", err)
	}
	if _, _, err := copied.catchUp(ctx, journalPath(src)); err != nil {
		return fmt.Errorf("back up store: %w", err)
	}
	return nil
}

// SetEpochs gives every conversation a new epoch: its history was restored,
// and whoever resumes starts again from the beginning.
func (c *Conversations) SetEpochs(ctx context.Context, epoch string) error {
	return wrap("renew epochs", c.db.write(ctx, func(tx *Tx) error {
		_, err := tx.exec("UPDATE conversations SET epoch = ?, version = version + 1", epoch)
		return err
	}))
}
