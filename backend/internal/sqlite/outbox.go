package sqlite

import (
	"context"
	"database/sql"
	"time"

	"haoke/backend/internal/chat"
)

// Shipment is an entry of the outbox. At least once: it stays until Done.
type Shipment struct {
	ID       int64
	Kind     string // "ship" or "delete"
	Conv     chat.ConversationID
	Version  int64 // of the blob to ship
	Batch    string
	Attempts int
	Created  time.Time
	Error    string // of the latest attempt
}

// enqueue adds to the outbox; one entry of a kind and conversation is enough.
func enqueue(tx *Tx, kind string, id chat.ConversationID, version, now int64) error {
	_, err := tx.exec(`INSERT INTO outbox (kind, conv, version, created_at) VALUES (?1,?2,?3,?4)
		ON CONFLICT (conv, kind) DO UPDATE SET version = ?3, batch = '', attempts = 0, next_at = 0, error = ''`,
		kind, string(id), version, now)
	return err
}

// EnqueueDelete notes durably that the archive's copies of a conversation are
// to be deleted.
func (c *Cold) EnqueueDelete(ctx context.Context, id chat.ConversationID) error {
	err := c.db.write(ctx, func(tx *Tx) error { return enqueue(tx, "delete", id, 0, c.db.now()) })
	return wrap("note deletion", err)
}

// EnqueueAll puts sealed conversations that were never shipped into the
// outbox, at most limit of them, and returns how many: for an archive server
// that is set up after conversations were sealed. Repeat until 0.
func (c *Cold) EnqueueAll(ctx context.Context, limit int) (int64, error) {
	var n int64
	err := c.db.writeIdle(ctx, func(tx *Tx) (err error) {
		n, err = tx.exec(`INSERT INTO outbox (kind, conv, version, created_at)
			SELECT 'ship', c.id, b.version, ? FROM blobs b INDEXED BY blobs_size JOIN conversations c ON c.n = b.conv
			WHERE b.shipped_at = 0 AND c.cold = 1 AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.conv = c.id AND o.kind = 'ship') LIMIT ?`,
			c.db.now(), limit)
		return err
	})
	return n, wrap("fill outbox", err)
}

// Outbox lists entries that are due, oldest first. Entries that already have a
// batch come with their whole batch as far as limit allows. What has the id of a
// conversation whose deletion waits is not due before that: a visitor who came
// back after it writes under the same id, and the server would delete both.
func (c *Cold) Outbox(ctx context.Context, limit int) ([]Shipment, error) {
	var out []Shipment
	err := c.db.each(ctx, `SELECT id, kind, conv, version, batch, attempts, created_at, error FROM outbox o WHERE next_at <= ?
		AND (kind = 'delete' OR NOT EXISTS (SELECT 1 FROM outbox d WHERE d.conv = o.conv AND d.kind = 'delete')) ORDER BY next_at, id LIMIT ?`, []any{c.db.now(), limit}, func(r *sql.Rows) error {
		var s Shipment
		var created int64
		err := r.Scan(&s.ID, &s.Kind, &s.Conv, &s.Version, &s.Batch, &s.Attempts, &created, &s.Error)
		s.Created = fromMillis(created)
		out = append(out, s)
		return err
	})
	return out, wrap("read outbox", err)
}

// Stamp fixes the batch of entries before their first try, so that a repeated
// try can be recognised as the same. Entries that have one keep it. From here
// on the server may have a copy.
func (c *Cold) Stamp(ctx context.Context, batch string, ids []int64) error {
	return c.forEach(ctx, "stamp outbox", ids, func(tx *Tx, id int64) error {
		if _, err := tx.exec("UPDATE outbox SET batch = ? WHERE id = ? AND batch = ''", batch, id); err != nil {
			return err
		}
		_, err := tx.exec("UPDATE conversations SET far = 1 WHERE id = (SELECT conv FROM outbox WHERE id = ?)", id)
		return err
	})
}

// Fail notes an attempt that failed and when to try again.
func (c *Cold) Fail(ctx context.Context, ids []int64, next time.Time, reason string) error {
	return c.forEach(ctx, "note failed shipment", ids, func(tx *Tx, id int64) error {
		_, err := tx.exec("UPDATE outbox SET attempts = attempts + 1, next_at = ?, error = ? WHERE id = ?", next.UnixMilli(), reason, id)
		return err
	})
}

// Done removes entries whose shipment was confirmed and read back. The blobs
// are marked as shipped and, when drop is set, lose their bytes here; a
// conversation that was thawed or sealed again meanwhile is left alone.
func (c *Cold) Done(ctx context.Context, done []Shipment, drop bool) error {
	err := c.db.writeIdle(ctx, func(tx *Tx) error {
		for _, s := range done {
			n, err := tx.exec("DELETE FROM outbox WHERE id = ? AND version = ?", s.ID, s.Version)
			if err != nil {
				return err
			}
			if n == 0 || s.Kind != "ship" {
				continue
			}
			if err := markShipped(tx, s, c.db.now(), drop); err != nil {
				return err
			}
		}
		return nil
	})
	return wrap("finish shipment", err)
}

func markShipped(tx *Tx, s Shipment, now int64, drop bool) error {
	var n int64
	err := tx.row("SELECT c.n FROM conversations c JOIN blobs b ON b.conv = c.n WHERE c.id = ? AND c.cold > 0 AND b.version = ?",
		[]any{string(s.Conv), s.Version}, &n)
	if noRows(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := tx.exec("UPDATE blobs SET shipped_at = ?, data = iif(?, NULL, data) WHERE conv = ?", now, drop, n); err != nil {
		return err
	}
	if !drop {
		return nil
	}
	_, err = tx.exec("UPDATE conversations SET cold = 2 WHERE n = ?", n)
	return err
}

// Backlog is what waits in the outbox.
type Backlog struct {
	Entries int64
	Bytes   int64     // of the blobs to ship
	Oldest  time.Time // zero: nothing waits
}

// Backlog sums up the outbox.
func (c *Cold) Backlog(ctx context.Context) (Backlog, error) {
	var b Backlog
	var oldest int64
	err := c.db.row(ctx, `SELECT count(*), coalesce(sum((SELECT b.size FROM conversations c JOIN blobs b ON b.conv = c.n WHERE c.id = o.conv)), 0),
		coalesce(min(created_at), 0) FROM outbox o`, nil, &b.Entries, &b.Bytes, &oldest)
	b.Oldest = fromMillis(oldest)
	return b, wrap("sum up outbox", err)
}

func (c *Cold) forEach(ctx context.Context, action string, ids []int64, f func(*Tx, int64) error) error {
	err := c.db.writeIdle(ctx, func(tx *Tx) error {
		for _, id := range ids {
			if err := f(tx, id); err != nil {
				return err
			}
		}
		return nil
	})
	return wrap(action, err)
}
