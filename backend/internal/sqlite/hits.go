package sqlite

import (
	"context"
	"database/sql"
	"time"

	"haoke/backend/internal/chat"
)

// FilterHit is an entry of the hit log.
type FilterHit struct {
	ID            int64
	At            time.Time
	Layer         chat.Layer
	Rule          string
	Category      string
	Action        chat.Action
	Shadow        bool // recorded only
	Direction     chat.Direction
	Match         string // as written
	Context       string // some words around it
	Conversation  chat.ConversationID
	Seq           int64
	FalsePositive bool
}

// HitCount is a rule with its hits.
type HitCount struct {
	Layer chat.Layer
	Rule  string
	Count int64
}

const (
	hitsMax  = 100_000 // entries of the log kept; the oldest go
	dayStamp = "2006-01-02"
)

// AddHits appends to the hit log and its daily counts in one commit that may
// wait for visitors' writes. Zero times are now. A hit quotes its visitor: one
// whose conversation is not there (deleted while the hit waited) is counted and
// not kept, so a hit is added after its conversation was stored.
func (f *Filters) AddHits(ctx context.Context, hits []FilterHit) error {
	if len(hits) == 0 {
		return nil
	}
	err := f.db.writeIdle(ctx, func(tx *Tx) error {
		var last int64
		for _, h := range hits {
			at := h.At
			if at.IsZero() {
				at = f.db.cfg.Now()
			}
			n, err := tx.exec(`INSERT INTO filter_hits (at, layer, rule, category, action, shadow, direction, match, context, conversation, seq)
				SELECT ?,?,?,?,?,?,?,?,?,?10,?11 WHERE ?10 = '' OR EXISTS (SELECT 1 FROM conversations WHERE id = ?10)`,
				at.UnixMilli(), string(h.Layer), h.Rule, h.Category, string(h.Action), h.Shadow,
				string(h.Direction), h.Match, h.Context, string(h.Conversation), h.Seq)
			if err != nil {
				return err
			}
			if n > 0 {
				last = tx.conn.lastID()
			}
			_, err = tx.exec(`INSERT INTO hit_counts (day, layer, rule, count) VALUES (?,?,?,1)
				ON CONFLICT (day, layer, rule) DO UPDATE SET count = count + 1`, at.UTC().Format(dayStamp), string(h.Layer), h.Rule)
			if err != nil {
				return err
			}
		}
		_, err := tx.exec("DELETE FROM filter_hits WHERE id <= ?", last-hitsMax)
		return err
	})
	return wrap("store filter hits", err)
}

// Hits returns entries of the log, newest first: those with an id smaller than
// before (0: the newest), of a layer and a rule (empty: any), at most limit.
func (f *Filters) Hits(ctx context.Context, layer chat.Layer, rule string, before int64, limit int) ([]FilterHit, error) {
	if before <= 0 {
		before = 1 << 62
	}
	if limit <= 0 {
		limit = 50
	}
	var out []FilterHit
	err := f.db.each(ctx, `SELECT id, at, layer, rule, category, action, shadow, direction, match, context, conversation, seq, false_positive
		FROM filter_hits WHERE id < ?1 AND (?2 = '' OR layer = ?2) AND (?3 = '' OR rule = ?3) ORDER BY id DESC LIMIT ?4`,
		[]any{before, string(layer), rule, limit}, func(r *sql.Rows) error {
			var h FilterHit
			var at int64
			err := r.Scan(&h.ID, &at, &h.Layer, &h.Rule, &h.Category, &h.Action, &h.Shadow, &h.Direction, &h.Match, &h.Context,
				&h.Conversation, &h.Seq, &h.FalsePositive)
			h.At = fromMillis(at)
			out = append(out, h)
			return err
		})
	return out, wrap("read filter hits", err)
}

// FalsePositive marks a hit as wrong and adds its match to the exceptions. It
// returns the hit, ErrNoRow when there is none of that id.
func (f *Filters) FalsePositive(ctx context.Context, id int64) (FilterHit, error) {
	var h FilterHit
	err := f.db.write(ctx, func(tx *Tx) error {
		h = FilterHit{ID: id, FalsePositive: true}
		err := tx.row("SELECT layer, rule, match FROM filter_hits WHERE id = ?", []any{id}, &h.Layer, &h.Rule, &h.Match)
		if noRows(err) {
			return ErrNoRow
		}
		if err != nil {
			return err
		}
		if _, err := tx.exec("UPDATE filter_hits SET false_positive = 1 WHERE id = ?", id); err != nil {
			return err
		}
		if h.Match == "" {
			return nil
		}
		_, err = tx.exec("INSERT INTO exceptions (text, rule, created_at) VALUES (?,?,?) ON CONFLICT DO NOTHING", h.Match, h.Rule, f.db.now())
		return err
	})
	return h, wrap("mark false positive", err)
}

// TopHits returns the rules with most hits since a time, at most limit. It
// counts whole days of UTC.
func (f *Filters) TopHits(ctx context.Context, since time.Time, limit int) ([]HitCount, error) {
	var out []HitCount
	err := f.db.each(ctx, "SELECT layer, rule, sum(count) AS c FROM hit_counts WHERE day >= ? GROUP BY layer, rule ORDER BY c DESC, rule LIMIT ?",
		[]any{since.UTC().Format(dayStamp), limit}, func(r *sql.Rows) error {
			var c HitCount
			err := r.Scan(&c.Layer, &c.Rule, &c.Count)
			out = append(out, c)
			return err
		})
	return out, wrap("count filter hits", err)
}

// DropHits removes entries and counts older than a time.
func (f *Filters) DropHits(ctx context.Context, before time.Time) error {
	return wrap("delete old filter hits", f.db.writeIdle(ctx, func(tx *Tx) error {
		if _, err := tx.exec("DELETE FROM hit_counts WHERE day < ?", before.UTC().Format(dayStamp)); err != nil {
			return err
		}
		_, err := tx.exec("DELETE FROM filter_hits WHERE id <= (SELECT max(id) FROM filter_hits WHERE at < ?)", before.UnixMilli())
		return err
	}))
}
