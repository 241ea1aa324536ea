package sqlite

import (
	"context"
	"database/sql"
	"strings"

	"haoke/backend/internal/chat"
)

const (
	// indexBatch is how many messages enter the full-text index in one write.
	// It is small because a visitor's message may wait behind it, and not
	// smaller because each write makes a segment that has to be merged.
	indexBatch = 128
	// mergePages is how much of the index one write merges, for the same reason:
	// FTS5's own merging does what is due at once, which took up to 90 ms.
	mergePages = 4
	// manySegments is the number of segments on one level from which FTS5 merges
	// them at once after all.
	manySegments = 400
	// indexText bounds what is indexed of one message, in bytes.
	indexText = 32 << 10
)

// indexItem is a text on its way into the full-text index.
type indexItem struct {
	mid   int64
	text  string
	again bool // an entry of that key is there already
}

// tuneIndex takes the merging of the index's segments out of the writes that
// add to it: mergeStep does it in small steps. The setting stays in the file.
func (db *DB) tuneIndex() error {
	var v int
	err := db.tx.row("SELECT v FROM message_fts_config WHERE k = 'automerge'", nil, &v)
	if err == nil && v == 0 || err != nil && !noRows(err) {
		return wrap("read the index's settings", err)
	}
	if _, err := db.tx.exec("INSERT INTO message_fts (message_fts, rank) VALUES ('automerge', 0)"); err != nil {
		return wrap("tune the index", err)
	}
	_, err = db.tx.exec("INSERT INTO message_fts (message_fts, rank) VALUES ('crisismerge', ?)", manySegments)
	return wrap("tune the index", err)
}

// mergeStep merges a little of the full-text index and reports whether there
// may be more to merge.
func (db *DB) mergeStep(ctx context.Context) (more bool, err error) {
	err = db.writeIdle(ctx, func(tx *Tx) error {
		var before, after int64
		if err := tx.row("SELECT total_changes()", nil, &before); err != nil {
			return err
		}
		if _, err := tx.exec("INSERT INTO message_fts (message_fts, rank) VALUES ('merge', ?)", mergePages); err != nil {
			return err
		}
		err := tx.row("SELECT total_changes()", nil, &after)
		more = after-before >= 2 // the documented sign that something was merged
		return err
	})
	return more, wrap("merge the index", err)
}

// indexStep puts a batch of new messages into the full-text index and reports
// whether there may be more. Search looks through what is not indexed yet by
// itself, so nobody has to wait for it.
func (db *DB) indexStep(ctx context.Context) (more bool, err error) {
	type due struct {
		stored
		upto int64 // seq after this step
		from int64
	}
	var convs []due
	var items []indexItem
	err = db.each(ctx, "SELECT "+headColumns+", indexed_seq FROM conversations INDEXED BY conversations_unindexed "+
		"WHERE indexed_seq < last_seq OR indexed_who = 0 LIMIT 64", nil, func(r *sql.Rows) error {
		var t due
		var err error
		t.stored, err = scanHead(func(dest ...any) error { return r.Scan(append(dest, &t.from)...) })
		convs = append(convs, t)
		return err
	})
	if err != nil || len(convs) == 0 {
		return false, wrap("read what is to be indexed", err)
	}
	for i := range convs {
		if len(items) >= indexBatch-1 { // room for the head and a message at least
			convs = convs[:i]
			break
		}
		t := &convs[i]
		t.upto = t.from
		items = append(items, indexItem{mid: t.n << seqBits, text: who(&t.head), again: t.from > 0})
		got, upto, err := db.unindexed(ctx, t.stored, t.from, indexBatch-len(items))
		if err != nil {
			return false, err
		}
		items, t.upto = append(items, got...), upto
	}
	err = db.writeIdle(ctx, func(tx *Tx) error {
		for _, it := range items {
			if it.again {
				if _, err := tx.exec("DELETE FROM message_fts WHERE rowid = ?", it.mid); err != nil {
					return err
				}
			}
			if _, err := tx.insert("INSERT INTO message_fts (rowid, text) VALUES (?,?)", it.mid, it.text); err != nil {
				return err
			}
		}
		for i := range convs {
			// A conversation that was deleted meanwhile leaves entries behind
			// that lead nowhere; they are taken back here.
			n, err := tx.exec("UPDATE conversations SET indexed_seq = ?, indexed_who = 1 WHERE n = ? AND indexed_seq = ?",
				convs[i].upto, convs[i].n, convs[i].from)
			if err != nil {
				return err
			}
			if n == 0 {
				lo, hi := midRange(convs[i].n)
				if _, err := tx.exec("DELETE FROM message_fts WHERE rowid BETWEEN ? AND ?", lo, hi); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return true, wrap("index messages", err)
}

// unindexed reads messages of a conversation that the index lacks. A sealed
// conversation has no rows any more: sealing indexes first (see Seal), so what
// is missing then is given up.
func (db *DB) unindexed(ctx context.Context, s stored, from int64, limit int) ([]indexItem, int64, error) {
	if s.cold != warm {
		return nil, s.head.LastSeq, nil
	}
	var items []indexItem
	upto := from
	base := s.n << seqBits
	err := db.each(ctx, "SELECT mid, text FROM messages WHERE mid > ? AND mid <= ? ORDER BY mid LIMIT ?",
		[]any{base | from, base | s.head.LastSeq, limit}, func(r *sql.Rows) error {
			var it indexItem
			if err := r.Scan(&it.mid, &it.text); err != nil {
				return err
			}
			it.text = indexed(it.text)
			items = append(items, it)
			upto = it.mid & (1<<seqBits - 1)
			return nil
		})
	if len(items) < limit {
		upto = s.head.LastSeq
	}
	return items, upto, wrap("read messages to index", err)
}

// indexed is the form of a text in the index.
func indexed(text string) string {
	if len(text) > indexText {
		text = strings.ToValidUTF8(text[:indexText], "")
	}
	return spread(fold(text))
}

// who is the searchable text of a conversation's head.
func who(h *chat.Conversation) string {
	return indexed(whoPlain(h))
}

func whoPlain(h *chat.Conversation) string {
	return strings.Join([]string{h.Visitor.Name, h.Visitor.Email, h.Visitor.Sub, h.Visitor.IP, h.Page.Title, h.Page.URL, h.Operator, h.Comment}, "\n")
}
