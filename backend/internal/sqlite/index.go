package sqlite

import (
	"context"
	"database/sql"
	"strings"

	"haoke/backend/internal/chat"
)

const (
	// indexBatch is how many messages enter the full-text index in one write.
	// It is small because a visitor's message may wait behind it.
	indexBatch = 64
	// indexText bounds what is indexed of one message, in bytes.
	indexText = 32 << 10
)

// indexItem is a text on its way into the full-text index.
type indexItem struct {
	mid  int64
	text string
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
		"WHERE indexed_seq < last_seq OR indexed_who = 0 LIMIT 32", nil, func(r *sql.Rows) error {
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
		t := &convs[i]
		t.upto = t.from
		items = append(items, indexItem{t.n << seqBits, who(&t.head)})
		if len(items) >= indexBatch {
			convs, more = convs[:i+1], true
			break
		}
		got, upto, err := db.unindexed(ctx, t.stored, t.from, indexBatch-len(items))
		if err != nil {
			return false, err
		}
		items, t.upto = append(items, got...), upto
	}
	err = db.writeIdle(ctx, func(tx *Tx) error {
		for _, it := range items {
			if it.mid&(1<<seqBits-1) == 0 {
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
