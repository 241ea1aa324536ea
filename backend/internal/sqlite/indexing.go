package sqlite

import (
	"context"

	"haoke/backend/internal/chat"
)

// due is a conversation that is to be indexed further.
type due struct {
	n, version int64
	cold       bool
	last       int64 // seq of its last message
	from       int64 // seq up to which it is indexed
	upto       int64 // seq after this step
	who        int   // item with what is known of its visitor; -1: that has not changed
	items      [2]int
}

// indexItem is a text on its way into the full-text index.
type indexItem struct {
	mid   int64
	text  [2]int // where it begins and ends
	again bool   // an entry of that key is there already
}

// indexing is what one step reads and writes. The next one uses its memory.
type indexing struct {
	convs []due
	items []indexItem
	texts []byte
}

// keepIndexing bounds the memory that is kept from step to step. It is not left
// to a pool: steps are so far apart that each would find an empty one.
const keepIndexing = 1 << 20

func (db *DB) borrowIndexing() *indexing {
	if x := db.spareIndexing.Swap(nil); x != nil {
		return x
	}
	return new(indexing)
}

func (db *DB) returnIndexing(x *indexing) {
	if cap(x.texts) <= keepIndexing {
		x.convs, x.items, x.texts = x.convs[:0], x.items[:0], x.texts[:0]
		db.spareIndexing.Store(x)
	}
}

// indexStep puts a batch of new messages into the full-text index and reports
// whether there may be more. Search looks through what is not indexed yet by
// itself, so nobody has to wait for it.
func (db *DB) indexStep(ctx context.Context) (more bool, err error) {
	x := db.borrowIndexing()
	defer db.returnIndexing(x)
	err = db.read(ctx, dueQuery+" INDEXED BY conversations_unindexed WHERE indexed_seq < last_seq OR indexed_who = 0 LIMIT 64",
		func(*stmt) {}, x.due)
	if err != nil || len(x.convs) == 0 {
		return false, wrap("read what is to be indexed", err)
	}
	room := indexBatch
	for i := range x.convs {
		if room <= 1 { // room for the head and a message at least
			x.convs = x.convs[:i]
			break
		}
		read, err := db.unindexed(ctx, x, &x.convs[i], room-1)
		if err != nil {
			return false, err
		}
		room -= 1 + read
	}
	return true, db.putIndex(ctx, x)
}

// indexConversation puts all of a conversation into the full-text index, in
// steps as small as those of indexStep.
func (db *DB) indexConversation(ctx context.Context, id chat.ConversationID) error {
	for {
		x := new(indexing)
		err := db.read(ctx, dueQuery+" WHERE id = ?", func(s *stmt) { s.text(string(id)) }, x.due)
		if err != nil {
			return err
		}
		if len(x.convs) == 0 {
			return chat.ErrNotFound
		}
		t := &x.convs[0]
		if t.cold || t.from >= t.last {
			return nil
		}
		if _, err := db.unindexed(ctx, x, t, indexBatch); err != nil {
			return err
		}
		if err := db.putIndex(ctx, x); err != nil {
			return err
		}
	}
}

const dueQuery = `SELECT n, version, cold, last_seq, indexed_seq, indexed_who, operator, comment, visitor, page FROM conversations`

// due reads a row of dueQuery.
func (x *indexing) due(s *stmt) error {
	t := due{n: s.getInt(0), version: s.getInt(1), cold: s.getInt(2) != warm, last: s.getInt(3), from: s.getInt(4), who: -1}
	if s.getInt(5) == 0 {
		text, err := whoRow(s)
		if err != nil {
			return err
		}
		t.who = len(x.items)
		x.add(t.n<<seqBits, []byte(text), t.from > 0)
	}
	x.convs = append(x.convs, t)
	return nil
}

func whoRow(s *stmt) (string, error) {
	h := chat.Conversation{Operator: s.getText(6), Comment: s.getText(7)}
	var err error
	if h.Visitor, err = decoded[chat.Visitor](s.view(8)); err == nil {
		h.Page, err = decoded[chat.Page](s.view(9))
	}
	return whoPlain(&h), err
}

func (x *indexing) add(mid int64, text []byte, again bool) {
	from := len(x.texts)
	x.texts = appendIndexed(x.texts, text)
	x.items = append(x.items, indexItem{mid: mid, text: [2]int{from, len(x.texts)}, again: again})
}

// unindexed reads messages of a conversation that the index lacks, at most
// limit and about indexBytes of them, and returns how many. A sealed
// conversation has no rows any more: sealing indexes first, so what is missing
// then is given up.
func (db *DB) unindexed(ctx context.Context, x *indexing, t *due, limit int) (read int, err error) {
	t.upto = t.last
	t.items = [2]int{len(x.items), len(x.items)}
	if t.cold {
		return 0, nil
	}
	base, upto, room := t.n<<seqBits, t.from, len(x.texts)+indexBytes
	err = db.read(ctx, "SELECT mid, text FROM messages WHERE mid > ? AND mid <= ? ORDER BY mid LIMIT ?",
		func(s *stmt) { s.int(base | t.from).int(base | t.last).int(int64(limit)) },
		func(s *stmt) error {
			mid := s.getInt(0)
			x.add(mid, s.view(1), false)
			upto = mid & (1<<seqBits - 1)
			if read++; len(x.texts) >= room {
				return errEnough
			}
			return nil
		})
	if read == limit || len(x.texts) >= room {
		t.upto = upto
	}
	t.items[1] = len(x.items)
	return read, wrap("read messages to index", err)
}

// putIndex writes the entries of conversations in one commit. What has been
// deleted or indexed further by another meanwhile is left out.
func (db *DB) putIndex(ctx context.Context, x *indexing) error {
	return wrap("index messages", db.writeIdle(ctx, func(tx *Tx) error {
		for i := range x.convs {
			if err := x.put(tx, &x.convs[i]); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (x *indexing) put(tx *Tx, t *due) error {
	var at int64
	there := false
	err := tx.conn.read("SELECT indexed_seq FROM conversations WHERE n = ?", func(s *stmt) { s.int(t.n) }, func(s *stmt) error {
		at, there = s.getInt(0), true
		return nil
	})
	if err != nil || !there || at != t.from {
		return err
	}
	if t.who >= 0 {
		if err := x.putItem(tx, &x.items[t.who]); err != nil {
			return err
		}
	}
	for i := t.items[0]; i < t.items[1]; i++ {
		if err := x.putItem(tx, &x.items[i]); err != nil {
			return err
		}
	}
	// When the head has changed since it was read, the next step looks again.
	s, err := tx.stmt("UPDATE conversations SET indexed_seq = ?, indexed_who = iif(? AND version = ?, 1, indexed_who) WHERE n = ?")
	if err != nil {
		return err
	}
	return tx.finish(s.int(t.upto).bool(t.who >= 0).int(t.version).int(t.n))
}

func (x *indexing) putItem(tx *Tx, it *indexItem) error {
	if it.again {
		s, err := tx.stmt("DELETE FROM message_fts WHERE rowid = ?")
		if err != nil {
			return err
		}
		if err := tx.finish(s.int(it.mid)); err != nil {
			return err
		}
	}
	s, err := tx.stmt("INSERT INTO message_fts (rowid, text) VALUES (?,?)")
	if err != nil {
		return err
	}
	return tx.finish(s.int(it.mid).textBytes(x.texts[it.text[0]:it.text[1]]))
}
