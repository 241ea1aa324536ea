package sqlite

import (
	"context"
	"database/sql"
	"errors"
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
	// indexBytes is about how much text one write indexes at most.
	indexBytes = 256 << 10
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

// due is a conversation that is to be indexed further.
type due struct {
	stored
	from  int64 // seq up to which it is indexed
	upto  int64 // seq after this step
	items []indexItem
}

// dueColumns are what scanDue reads.
const dueColumns = headColumns + ", indexed_seq"

func scanDue(scan func(dest ...any) error) (t due, err error) {
	t.stored, err = scanHead(func(dest ...any) error { return scan(append(dest, &t.from)...) })
	return t, err
}

// indexStep puts a batch of new messages into the full-text index and reports
// whether there may be more. Search looks through what is not indexed yet by
// itself, so nobody has to wait for it.
func (db *DB) indexStep(ctx context.Context) (more bool, err error) {
	var convs []due
	err = db.each(ctx, "SELECT "+dueColumns+" FROM conversations INDEXED BY conversations_unindexed "+
		"WHERE indexed_seq < last_seq OR indexed_who = 0 LIMIT 64", nil, func(r *sql.Rows) error {
		t, err := scanDue(r.Scan)
		convs = append(convs, t)
		return err
	})
	if err != nil || len(convs) == 0 {
		return false, wrap("read what is to be indexed", err)
	}
	room := indexBatch
	for i := range convs {
		if room <= 1 { // room for the head and a message at least
			convs = convs[:i]
			break
		}
		if err := db.unindexed(ctx, &convs[i], room-1); err != nil {
			return false, err
		}
		room -= len(convs[i].items)
	}
	return true, db.putIndex(ctx, convs)
}

// indexConversation puts all of a conversation into the full-text index, in
// steps as small as those of indexStep.
func (db *DB) indexConversation(ctx context.Context, id chat.ConversationID) error {
	for {
		t, err := scanDue(func(dest ...any) error {
			return db.row(ctx, "SELECT "+dueColumns+" FROM conversations WHERE id = ?", []any{string(id)}, dest...)
		})
		if noRows(err) {
			return chat.ErrNotFound
		}
		if err != nil || t.cold != warm || t.from >= t.head.LastSeq {
			return err
		}
		if err := db.unindexed(ctx, &t, indexBatch); err != nil {
			return err
		}
		if err := db.putIndex(ctx, []due{t}); err != nil {
			return err
		}
	}
}

// putIndex writes the entries of conversations in one commit. What has been
// deleted or indexed further by another meanwhile is left out.
func (db *DB) putIndex(ctx context.Context, convs []due) error {
	return wrap("index messages", db.writeIdle(ctx, func(tx *Tx) error {
		for i := range convs {
			t := &convs[i]
			var at int64
			err := tx.row("SELECT indexed_seq FROM conversations WHERE n = ?", []any{t.n}, &at)
			if noRows(err) || err == nil && at != t.from {
				continue
			}
			if err != nil {
				return err
			}
			if err := t.put(tx); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (t *due) put(tx *Tx) error {
	for _, it := range t.items {
		if it.again {
			if _, err := tx.exec("DELETE FROM message_fts WHERE rowid = ?", it.mid); err != nil {
				return err
			}
		}
		if _, err := tx.insert("INSERT INTO message_fts (rowid, text) VALUES (?,?)", it.mid, it.text); err != nil {
			return err
		}
	}
	_, err := tx.exec("UPDATE conversations SET indexed_seq = ?, indexed_who = 1 WHERE n = ?", t.upto, t.n)
	return err
}

// errEnough ends a reading early.
var errEnough = errors.New("enough")

// unindexed reads messages of a conversation that the index lacks, at most
// limit and about indexBytes of them, and what is known of its visitor. A
// sealed conversation has no rows any more: sealing indexes first, so what is
// missing then is given up.
func (db *DB) unindexed(ctx context.Context, t *due, limit int) error {
	t.items = append(t.items, indexItem{mid: t.n << seqBits, text: who(&t.head), again: t.from > 0})
	t.upto = t.head.LastSeq
	if t.cold != warm {
		return nil
	}
	base, read, size := t.n<<seqBits, 0, 0
	upto := t.from
	err := db.each(ctx, "SELECT mid, text FROM messages WHERE mid > ? AND mid <= ? ORDER BY mid LIMIT ?",
		[]any{base | t.from, base | t.head.LastSeq, limit}, func(r *sql.Rows) error {
			var it indexItem
			if err := r.Scan(&it.mid, &it.text); err != nil {
				return err
			}
			it.text = indexed(it.text)
			t.items = append(t.items, it)
			upto = it.mid & (1<<seqBits - 1)
			read, size = read+1, size+len(it.text)
			if size >= indexBytes {
				return errEnough
			}
			return nil
		})
	if read == limit || errors.Is(err, errEnough) {
		t.upto, err = upto, nil
	}
	return wrap("read messages to index", err)
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
