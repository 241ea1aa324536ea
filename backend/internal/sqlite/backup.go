package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Backup writes a consistent copy of the database to path while the store is
// in use. The copy is compact, needs no WAL, has mode 0600 and appears whole
// or not at all. An existing file at path is an error (fs.ErrExist).
func (db *DB) Backup(ctx context.Context, path string) error {
	conn, err := db.readers.Conn(ctx)
	if err != nil {
		return fmt.Errorf("back up store: %w", err)
	}
	defer conn.Close()
	// query_only would forbid writing the copy as well.
	if _, err := conn.ExecContext(ctx, "PRAGMA query_only = 0"); err != nil {
		return fmt.Errorf("back up store: %w", err)
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA query_only = 1")
	if err := vacuumInto(ctx, conn, path, false); err != nil {
		return fmt.Errorf("back up store: %w", err)
	}
	return nil
}

// execer is what vacuumInto needs of a connection.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// vacuumInto copies the database to path by way of a temporary name, checks
// the copy and flushes it to disk.
func vacuumInto(ctx context.Context, conn execer, path string, replace bool) error {
	if _, err := os.Stat(path); err == nil && !replace {
		return &fs.PathError{Op: "back up", Path: path, Err: fs.ErrExist}
	}
	part := path + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// VACUUM INTO accepts an existing empty file: made here for its mode.
	f, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	defer os.Remove(part)
	if _, err := conn.ExecContext(ctx, "VACUUM INTO ?", part); err != nil {
		return err
	}
	if err := Verify(ctx, part); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// Verify reports whether path is a sound Haoke database that this program can
// use, without changing it: nil, or *NewerError, *ForeignError, *CorruptError.
// Restoring calls it before it replaces anything.
func Verify(ctx context.Context, path string) error {
	pool, err := openPool(dsn(path, "mode=ro", "_query_only=1"), 1)
	if err != nil {
		return fmt.Errorf("verify database: %w", err)
	}
	defer pool.Close()
	var version, app int
	err = pool.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	if err == nil {
		err = pool.QueryRowContext(ctx, "PRAGMA application_id").Scan(&app)
	}
	if err == nil {
		err = quickCheck(ctx, pool)
	}
	var d *errDamage
	switch {
	case damaged(err) || errors.As(err, &d):
		return &CorruptError{Path: path, Kept: path, Detail: err.Error()}
	case err != nil:
		return fmt.Errorf("verify database: %w", err)
	case app != applicationID:
		return &ForeignError{Path: path}
	case version > len(migrationNames()):
		return &NewerError{Path: path, Found: version, Known: len(migrationNames())}
	}
	return nil
}
