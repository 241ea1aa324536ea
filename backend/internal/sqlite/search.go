package sqlite

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"

	"haoke/backend/internal/chat"
)

const (
	searchChunk = 512    // index entries looked at in one go
	searchMax   = 20_000 // index entries one search looks at; then the page ends, and Next goes on
	searchTail  = 500    // conversations not yet indexed that are looked through
	searchScan  = 5_000  // messages looked through when no word can be looked up
)

// found collects the conversations that match, by n.
type found struct {
	words []string
	hits  map[int64]bool
	below int64 // only n smaller than this
}

// search finds conversations by words. Words of one or two letters (not of
// Chinese characters) are too short for the index: alone, they are looked for
// in the newest messages only.
func (c *Conversations) search(ctx context.Context, q Query, words []string) (Page, error) {
	f := found{words: words, hits: make(map[int64]bool), below: 1 << 42}
	if q.Cursor != "" {
		_, n, err := decodeCursor(q.Cursor)
		if err != nil {
			return Page{}, err
		}
		f.below = n
	}
	if err := c.searchID(ctx, &f); err != nil {
		return Page{}, err
	}
	expr := matchAll(words)
	if expr == "" {
		if err := c.searchNewest(ctx, &f); err != nil {
			return Page{}, err
		}
		return c.pick(ctx, q, &f, 0)
	}
	if err := c.searchTail(ctx, &f); err != nil {
		return Page{}, err
	}
	floor, err := c.searchIndex(ctx, q, &f, expr)
	if err != nil {
		return Page{}, err
	}
	return c.pick(ctx, q, &f, floor)
}

// searchID takes the search for the beginning of an id.
func (c *Conversations) searchID(ctx context.Context, f *found) error {
	id := f.words[0]
	if len(f.words) != 1 || len(id) < 8 || len(id) > 32 || !chat.ConversationID(id+strings.Repeat("0", 32-len(id))).Valid() {
		return nil
	}
	return c.collect(ctx, f, "SELECT n FROM conversations WHERE id >= ? AND id < ? AND n < ? LIMIT 50", id, id+"g", f.below)
}

func (c *Conversations) collect(ctx context.Context, f *found, query string, args ...any) error {
	return c.db.each(ctx, query, args, func(r *sql.Rows) error {
		var n int64
		err := r.Scan(&n)
		f.hits[n] = true
		return err
	})
}

// searchNewest looks through the newest messages without an index.
func (c *Conversations) searchNewest(ctx context.Context, f *found) error {
	return c.verify(ctx, f, "SELECT mid, text FROM messages WHERE mid < ? ORDER BY mid DESC LIMIT ?", f.below<<seqBits, searchScan)
}

// searchTail looks through the messages that are not in the index yet.
func (c *Conversations) searchTail(ctx context.Context, f *found) error {
	var heads []stored
	var from []int64
	err := c.db.each(ctx, "SELECT "+headColumns+", indexed_seq FROM conversations INDEXED BY conversations_unindexed "+
		"WHERE (indexed_seq < last_seq OR indexed_who = 0) AND n < ? ORDER BY n DESC LIMIT ?", []any{f.below, searchTail}, func(r *sql.Rows) error {
		var seq int64
		s, err := scanHead(func(dest ...any) error { return r.Scan(append(dest, &seq)...) })
		heads, from = append(heads, s), append(from, seq)
		return err
	})
	if err != nil {
		return err
	}
	for i, s := range heads {
		if containsAll(fold(whoPlain(&s.head)), f.words) {
			f.hits[s.n] = true
			continue
		}
		base := s.n << seqBits
		err := c.verify(ctx, f, "SELECT mid, text FROM messages WHERE mid > ? AND mid <= ?", base|from[i], base|s.head.LastSeq)
		if err != nil {
			return err
		}
	}
	return nil
}

// verify reads rows of mid and text and keeps those that contain the words.
func (c *Conversations) verify(ctx context.Context, f *found, query string, args ...any) error {
	return c.db.each(ctx, query, args, func(r *sql.Rows) error {
		var mid int64
		var text string
		if err := r.Scan(&mid, &text); err != nil {
			return err
		}
		if n := mid >> seqBits; !f.hits[n] && containsAll(fold(text), f.words) {
			f.hits[n] = true
		}
		return nil
	})
}

// searchIndex goes through the index from the newest conversation down until
// enough are found. It returns the n below which it has not looked, 0 when it
// has seen everything. It reads in chunks because a search that held one
// reader while asking for another could starve the pool.
func (c *Conversations) searchIndex(ctx context.Context, q Query, f *found, expr string) (floor int64, err error) {
	below := f.below << seqBits
	for looked := 0; looked < searchMax; looked += searchChunk {
		var mids []int64
		err := c.db.each(ctx, "SELECT rowid FROM message_fts WHERE message_fts MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
			[]any{expr, below, searchChunk}, func(r *sql.Rows) error {
				var mid int64
				err := r.Scan(&mid)
				mids = append(mids, mid)
				return err
			})
		if err != nil {
			return 0, err
		}
		for _, mid := range mids {
			if err := c.verifyEntry(ctx, f, mid); err != nil {
				return 0, err
			}
		}
		if len(mids) < searchChunk {
			return 0, nil
		}
		below = mids[len(mids)-1]
		if len(f.hits) > 2*q.Limit {
			break
		}
	}
	floor = below >> seqBits
	if !f.hits[floor] && floor+1 < f.below {
		floor++ // that conversation has been looked at in part: the next page takes it up again
	}
	return floor, nil
}

// verifyEntry checks one index entry against the text it came from. The text
// of a sealed conversation is in its blob: there the index is believed.
func (c *Conversations) verifyEntry(ctx context.Context, f *found, mid int64) error {
	n := mid >> seqBits
	if f.hits[n] {
		return nil
	}
	if mid&(1<<seqBits-1) == 0 {
		s, err := c.byN(ctx, n)
		if err == nil && containsAll(fold(whoPlain(&s.head)), f.words) {
			f.hits[n] = true
		}
		if noRows(err) {
			err = nil
		}
		return err
	}
	var text string
	err := c.db.row(ctx, "SELECT text FROM messages WHERE mid = ?", []any{mid}, &text)
	if noRows(err) {
		return c.collect(ctx, f, "SELECT n FROM conversations WHERE n = ? AND cold > 0", n)
	}
	if err == nil && containsAll(fold(text), f.words) {
		f.hits[n] = true
	}
	return err
}

func (c *Conversations) byN(ctx context.Context, n int64) (stored, error) {
	return scanHead(func(dest ...any) error {
		return c.db.row(ctx, "SELECT "+headColumns+" FROM conversations WHERE n = ?", []any{n}, dest...)
	})
}

// pick makes the page out of what was found. floor is the n below which the
// search has not looked yet.
func (c *Conversations) pick(ctx context.Context, q Query, f *found, floor int64) (Page, error) {
	ns := slices.Sorted(maps.Keys(f.hits))
	slices.Reverse(ns)
	var page Page
	for _, n := range ns {
		// Conversations below the floor may have further hits that come
		// before them: they belong to the next page.
		if n < floor || n >= f.below {
			continue
		}
		s, err := c.byN(ctx, n)
		if noRows(err) {
			continue
		}
		if err != nil {
			return Page{}, err
		}
		if !q.fits(&s) {
			continue
		}
		if len(page.Items) == q.Limit {
			page.Next = encodeCursor(0, n+1)
			return page, nil
		}
		page.Items = append(page.Items, s.item())
	}
	if floor > 0 {
		page.Next = encodeCursor(0, floor)
	}
	return page, nil
}
