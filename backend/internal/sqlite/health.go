package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"haoke/backend/internal/chat"
)

// health is whether the store accepts writes. After an error of the disk it
// refuses them, at once and for everybody, until a probe has written again: a
// disk that fails now and then must not decide message by message.
type health struct {
	mu      sync.Mutex
	cause   error // nil: healthy
	damage  bool  // the content is wrong: no probe can heal that
	tries   int   // probes since then
	next    time.Time
	reserve string // path of the reserve file; empty: none
	size    int64
}

func (h *health) init(cfg Config) {
	if cfg.Reserve < 0 {
		return
	}
	h.reserve, h.size = cfg.Path+".reserve", cfg.Reserve
	if err := h.fill(); err != nil {
		cfg.Log.Warn("the disk is nearly full: no reserve could be set aside", "path", h.reserve, "error", err)
	}
}

// fill writes the reserve. It is written rather than truncated to size because
// only written blocks are really taken.
func (h *health) fill() error {
	if h.reserve == "" || fileSize(h.reserve) == h.size {
		return nil
	}
	f, err := os.OpenFile(h.reserve, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	// Not zeroes: some file systems make holes of them.
	block := make([]byte, 64<<10)
	for i := range block {
		block[i] = byte(i*7 + i>>8)
	}
	for left := h.size; left > 0 && err == nil; left -= int64(len(block)) {
		_, err = f.Write(block[:min(left, int64(len(block)))])
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(h.reserve)
	}
	return err
}

// ReadOnly returns why writes are refused, nil when they are accepted. The
// error wraps chat.ErrReadOnly.
func (db *DB) ReadOnly() error { return db.readOnlyErr() }

func (db *DB) readOnlyErr() error {
	db.health.mu.Lock()
	defer db.health.mu.Unlock()
	if db.health.cause == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", chat.ErrReadOnly, db.health.cause)
}

// degrade makes the store read-only. It runs on the writer's goroutine or the
// maintainer's.
func (db *DB) degrade(err error) {
	h := &db.health
	h.mu.Lock()
	first := h.cause == nil
	h.cause = err
	var d *errDamage
	h.damage = h.damage || damaged(err) || errors.As(err, &d)
	if first {
		h.tries, h.next = 0, db.cfg.Now().Add(probeEvery)
	}
	h.mu.Unlock()
	if !first {
		return
	}
	db.cfg.Log.Error("the store is read-only now", "error", err)
	if diskFull(err) && h.reserve != "" {
		os.Remove(h.reserve)
	}
}

const (
	probeEvery = 2 * time.Second
	probeMax   = time.Minute
)

// probe tries to write when the store is read-only and the time has come, and
// makes it writable again when that works. Damage needs the owner.
func (db *DB) probe(ctx context.Context) {
	h := &db.health
	h.mu.Lock()
	due := h.cause != nil && !h.damage && !db.cfg.Now().Before(h.next)
	h.mu.Unlock()
	if !due {
		return
	}
	err := db.enqueue(ctx, db.idle, &op{done: make(chan error, 1), solo: true, force: true, fn: func(tx *Tx) error {
		// A connection that has seen an I/O error starts afresh.
		db.disconnect()
		if err := db.connect(); err != nil {
			return err
		}
		if err := checkpoint(db.tx); err != nil {
			return err
		}
		_, err := db.tx.exec("INSERT INTO meta (key, value) VALUES ('probe', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1", db.now())
		return err
	}})
	if err == nil {
		// Room for the reserve is the low-water mark: with less, the next
		// message would stop everything again.
		err = h.fill()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.cause = nil
		db.cfg.Log.Info("the store accepts writes again")
		return
	}
	h.tries++
	h.next = db.cfg.Now().Add(min(probeEvery<<min(h.tries, 5), probeMax))
}

// checkpoint brings the WAL home and cuts it to nothing.
func checkpoint(tx *Tx) error {
	var busy, log, done int
	if err := tx.row("PRAGMA wal_checkpoint(TRUNCATE)", nil, &busy, &log, &done); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}
