package sqlite

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
)

// The numbered files are applied in order, each in one transaction together
// with its number, so that a kill leaves the old schema or the new one.
// A published file is never changed: a new one is added.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrationNames returns the files in order; the version of a schema is the
// number of files applied.
func migrationNames() []string {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	return names
}

// migrate brings the schema up to date. An existing database is copied first.
func (db *DB) migrate(ctx context.Context) error {
	var have int
	if err := db.tx.row("PRAGMA user_version", nil, &have); err != nil {
		return err
	}
	names := migrationNames()
	if have > len(names) {
		return &NewerError{Path: db.cfg.Path, Found: have, Known: len(names)}
	}
	if have == 0 {
		if err := db.refuseForeign(); err != nil {
			return err
		}
	}
	if have > 0 && have < len(names) {
		if err := db.backupBefore(ctx, have); err != nil {
			return err
		}
	}
	for i := have; i < len(names); i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := db.apply(names[i], i+1); err != nil {
			return fmt.Errorf("migrate to schema %d (%s): %w", i+1, names[i], err)
		}
	}
	return nil
}

// refuseForeign stops before the first table is made in a file that has some.
func (db *DB) refuseForeign() error {
	var tables int
	if err := db.tx.row("SELECT count(*) FROM sqlite_schema", nil, &tables); err != nil {
		return err
	}
	if tables > 0 {
		return &ForeignError{Path: db.cfg.Path}
	}
	return nil
}

// apply runs one migration and notes its number in the same transaction.
func (db *DB) apply(name string, version int) error {
	script, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	if err := db.tx.conn.script(migration(string(script), version)); err != nil {
		db.rollback()
		return err
	}
	return nil
}

// migration makes one transaction of a script and its number.
func migration(script string, version int) string {
	return fmt.Sprintf("BEGIN IMMEDIATE;\n%s\nPRAGMA application_id = %d;\nPRAGMA user_version = %d;\nCOMMIT;",
		script, applicationID, version)
}

// backupBefore keeps the database as it was before a migration. An earlier
// copy of the same version is from an attempt that did not get through.
func (db *DB) backupBefore(ctx context.Context, version int) error {
	path := fmt.Sprintf("%s.schema%d.bak", db.cfg.Path, version)
	pool, err := openPool(dsn(db.cfg.Path), 1)
	if err == nil {
		defer pool.Close()
		err = vacuumInto(ctx, pool, path, true)
	}
	if err != nil {
		return fmt.Errorf("back up before the migration: %w", err)
	}
	return nil
}
