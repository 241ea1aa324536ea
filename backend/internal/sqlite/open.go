package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// applicationID marks the file as Haoke's (PRAGMA application_id): "HAOK".
const applicationID = 0x48414f4b

var magic = []byte("SQLite format 3\x00")

// preflight looks at the file without opening it as a database, so that one
// that must not be touched is not: opening alone can replay a WAL into it.
func (db *DB) preflight(ctx context.Context) error {
	f, err := os.Open(db.cfg.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	var head [100]byte
	n, err := io.ReadFull(f, head[:])
	wal := fileSize(db.cfg.Path + "-wal")
	db.unclean = wal > 0
	if n == 0 {
		if wal > 0 {
			// The main file is gone but its log is not: opening would take it
			// for an empty database and throw the log away.
			return db.corrupt("the file is empty although its write-ahead log is not")
		}
		return nil
	}
	if err != nil || !bytes.Equal(head[:16], magic) {
		return db.corrupt("it does not begin like an SQLite file")
	}
	version := int(binary.BigEndian.Uint32(head[60:]))
	app := binary.BigEndian.Uint32(head[68:])
	if wal > 0 {
		if v, a, perr := db.peek(ctx); perr == nil {
			version, app = v, a
		}
	}
	if app != 0 && app != applicationID {
		return &ForeignError{Path: db.cfg.Path}
	}
	if app == 0 && version != 0 {
		return &ForeignError{Path: db.cfg.Path}
	}
	if known := len(migrationNames()); version > known {
		return &NewerError{Path: db.cfg.Path, Found: version, Known: known}
	}
	return nil
}

// peek reads version and application id through a connection that cannot
// write, WAL included.
func (db *DB) peek(ctx context.Context) (version int, app uint32, err error) {
	pool, err := openPool(dsn(db.cfg.Path, "mode=ro", "_query_only=1"), 1)
	if err != nil {
		return 0, 0, err
	}
	defer pool.Close()
	if err := pool.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return 0, 0, err
	}
	err = pool.QueryRowContext(ctx, "PRAGMA application_id").Scan(&app)
	return version, app, err
}

// checkAtStart runs quick_check after an unclean stop, for at most the budget.
// A large database is checked to the end in Run, so that a restart after a
// crash is quick.
func (db *DB) checkAtStart(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, db.cfg.CheckBudget)
	defer cancel()
	pool, err := openPool(dsn(db.cfg.Path, "_query_only=1"), 1)
	if err != nil {
		return err
	}
	defer pool.Close()
	err = quickCheck(ctx, pool)
	if err == nil {
		db.checked.Store(true)
		return nil
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// queryer is what quickCheck needs of a connection or a pool.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// errDamage carries the words of quick_check.
type errDamage struct{ text string }

func (e *errDamage) Error() string { return e.text }

// quickCheck returns nil when SQLite finds the file sound.
func quickCheck(ctx context.Context, q queryer) error {
	rows, err := q.QueryContext(ctx, "PRAGMA quick_check(5)")
	return eachRow(rows, err, func(r *sql.Rows) error {
		var s string
		if err := r.Scan(&s); err != nil {
			return err
		}
		if s != "ok" {
			return &errDamage{s}
		}
		return nil
	})
}

// orCorrupt turns an error that speaks of damage into a *CorruptError.
func (db *DB) orCorrupt(err error) error {
	var d *errDamage
	if damaged(err) || errors.As(err, &d) {
		db.disconnect()
		return db.corrupt(err.Error())
	}
	return err
}

// corrupt keeps a copy of the damaged files aside and describes the case.
func (db *DB) corrupt(detail string) error {
	kept, err := keepAside(db.cfg.Path)
	if err != nil {
		kept = ""
	}
	return &CorruptError{Path: db.cfg.Path, Kept: kept, Detail: detail}
}

// keepAside copies the database with its WAL and its journal. The name carries
// the time of the last change, so that starting again and again does not fill
// the disk with equal copies.
func keepAside(path string) (string, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	kept := path + ".damaged-" + fi.ModTime().UTC().Format("20060102-150405")
	if old, err := os.Stat(kept); err == nil && old.Size() == fi.Size() {
		return kept, nil
	}
	if err := copyFile(kept, path); err != nil {
		return "", err
	}
	if fileSize(path+"-wal") > 0 {
		if err := copyFile(kept+"-wal", path+"-wal"); err != nil {
			return "", err
		}
	}
	if hasRecords(path) {
		if err := copyFile(journalPath(kept), journalPath(path)); err != nil {
			return "", err
		}
	}
	return kept, nil
}

// copyFile copies through a temporary name, so that a copy is whole or absent.
func copyFile(dst, src string) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(filepath.Dir(dst), filepath.Base(dst)+".part-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	if _, err = io.Copy(out, in); err == nil {
		err = out.Sync()
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("copy %s: %w", src, err)
	}
	return os.Rename(out.Name(), dst)
}
