package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Setting is a value that the owner set in the window.
type Setting struct {
	Path     string
	Value    []byte // JSON; secrets sealed
	Revision int64  // 1, 2, 3, ...
}

// ErrRevision: somebody else changed the setting meanwhile.
var ErrRevision = errors.New("the setting was changed meanwhile")

// Settings stores what the owner set in the window.
type Settings struct{ db *DB }

// Settings returns the store of settings.
func (db *DB) Settings() *Settings { return &Settings{db} }

// Load returns all settings, by path.
func (s *Settings) Load(ctx context.Context) ([]Setting, error) {
	var out []Setting
	err := s.db.each(ctx, "SELECT path, value, revision FROM settings ORDER BY path", nil, func(r *sql.Rows) error {
		var x Setting
		err := r.Scan(&x.Path, &x.Value, &x.Revision)
		out = append(out, x)
		return err
	})
	return out, wrap("load settings", err)
}

// Save writes all rows or none. Each row's Revision must be one more than the
// stored one (1 for a new path), otherwise ErrRevision.
func (s *Settings) Save(ctx context.Context, rows []Setting) error {
	err := s.db.write(ctx, func(tx *Tx) error {
		for _, x := range rows {
			n, err := tx.exec(`INSERT INTO settings (path, value, revision, updated_at) SELECT ?1, ?2, ?3, ?4
				WHERE ?3 = 1 + coalesce((SELECT revision FROM settings WHERE path = ?1), 0)
				ON CONFLICT (path) DO UPDATE SET value = ?2, revision = ?3, updated_at = ?4`,
				x.Path, x.Value, x.Revision, s.db.now())
			if err != nil {
				return err
			}
			if n == 0 {
				return fmt.Errorf("%s: %w", x.Path, ErrRevision)
			}
		}
		return nil
	})
	return wrap("save settings", err)
}

// Values stores small things of the appliance itself by name, for example how
// far the first-run wizard got.
type Values struct{ db *DB }

// Values returns the store of small values.
func (db *DB) Values() *Values { return &Values{db} }

// Get returns a value, empty when there is none.
func (v *Values) Get(ctx context.Context, name string) (string, error) {
	var s string
	err := v.db.row(ctx, "SELECT value FROM meta WHERE key = ?", []any{"value." + name}, &s)
	if noRows(err) {
		return "", nil
	}
	return s, wrap("read value", err)
}

// Set stores a value; empty removes it.
func (v *Values) Set(ctx context.Context, name, value string) error {
	err := v.db.write(ctx, func(tx *Tx) error {
		if value == "" {
			_, err := tx.exec("DELETE FROM meta WHERE key = ?", "value."+name)
			return err
		}
		_, err := tx.exec("INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2", "value."+name, value)
		return err
	})
	return wrap("store value", err)
}
