package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// ErrNoRow: there is no such entry.
var ErrNoRow = errors.New("no such entry")

// Key is an upstream key as stored: the secret only in sealed form.
type Key struct {
	Name     string
	Provider string
	Pos      int64 // order among the provider's keys
	Enabled  bool
	Sealed   []byte
	Masked   string // for example "sk-…4f2a"
	RPM, TPM int64  // 0: learn it
	Weight   float64
	Created  time.Time // set by Put when zero
}

// Provider is a further upstream API. Config is the caller's JSON.
type Provider struct {
	Name    string
	Pos     int64
	Enabled bool
	Config  string
}

// Keys stores providers and keys.
type Keys struct{ db *DB }

// Keys returns the store of providers and keys.
func (db *DB) Keys() *Keys { return &Keys{db} }

// List returns all keys, by provider and position.
func (k *Keys) List(ctx context.Context) ([]Key, error) {
	var out []Key
	err := k.db.each(ctx, "SELECT name, provider, pos, enabled, sealed, masked, rpm, tpm, weight, created_at FROM keys ORDER BY provider, pos, name",
		nil, func(r *sql.Rows) error {
			var x Key
			var created int64
			err := r.Scan(&x.Name, &x.Provider, &x.Pos, &x.Enabled, &x.Sealed, &x.Masked, &x.RPM, &x.TPM, &x.Weight, &created)
			x.Created = fromMillis(created)
			out = append(out, x)
			return err
		})
	return out, wrap("list keys", err)
}

// Put adds or replaces a key by name.
func (k *Keys) Put(ctx context.Context, x Key) error {
	created := millis(x.Created)
	if created == 0 {
		created = k.db.now()
	}
	err := k.db.write(ctx, func(tx *Tx) error {
		_, err := tx.exec(`INSERT INTO keys (name, provider, pos, enabled, sealed, masked, rpm, tpm, weight, created_at, updated_at)
			VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11) ON CONFLICT (name) DO UPDATE SET provider = ?2, pos = ?3, enabled = ?4,
			sealed = ?5, masked = ?6, rpm = ?7, tpm = ?8, weight = ?9, updated_at = ?11`,
			x.Name, x.Provider, x.Pos, x.Enabled, x.Sealed, x.Masked, x.RPM, x.TPM, x.Weight, created, k.db.now())
		return err
	})
	return wrap("store key", err)
}

// Delete removes a key; ErrNoRow when there is none of that name.
func (k *Keys) Delete(ctx context.Context, name string) error {
	return k.db.deleteOne(ctx, "delete key", "DELETE FROM keys WHERE name = ?", name)
}

// Providers returns the providers in order.
func (k *Keys) Providers(ctx context.Context) ([]Provider, error) {
	var out []Provider
	err := k.db.each(ctx, "SELECT name, pos, enabled, config FROM providers ORDER BY pos, name", nil, func(r *sql.Rows) error {
		var p Provider
		err := r.Scan(&p.Name, &p.Pos, &p.Enabled, &p.Config)
		out = append(out, p)
		return err
	})
	return out, wrap("list providers", err)
}

// PutProvider adds or replaces a provider by name.
func (k *Keys) PutProvider(ctx context.Context, p Provider) error {
	err := k.db.write(ctx, func(tx *Tx) error {
		_, err := tx.exec(`INSERT INTO providers (name, pos, enabled, config, updated_at) VALUES (?1,?2,?3,?4,?5)
			ON CONFLICT (name) DO UPDATE SET pos = ?2, enabled = ?3, config = ?4, updated_at = ?5`,
			p.Name, p.Pos, p.Enabled, p.Config, k.db.now())
		return err
	})
	return wrap("store provider", err)
}

// DeleteProvider removes a provider and its keys.
func (k *Keys) DeleteProvider(ctx context.Context, name string) error {
	err := k.db.write(ctx, func(tx *Tx) error {
		n, err := tx.exec("DELETE FROM providers WHERE name = ?", name)
		if err == nil && n == 0 {
			return ErrNoRow
		}
		if err != nil {
			return err
		}
		_, err = tx.exec("DELETE FROM keys WHERE provider = ?", name)
		return err
	})
	return wrap("delete provider", err)
}

// deleteOne runs a DELETE that must remove something.
func (db *DB) deleteOne(ctx context.Context, action, query string, args ...any) error {
	err := db.write(ctx, func(tx *Tx) error {
		n, err := tx.exec(query, args...)
		if err == nil && n == 0 {
			return ErrNoRow
		}
		return err
	})
	return wrap(action, err)
}
