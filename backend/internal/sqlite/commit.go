package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

// commit is a change of a conversation on its way through the writer's queue.
// It is used again and again: a turn's two commits take nothing from the heap.
type commit struct {
	op     *op // its fn is do
	change *session.Change
	rows   rows
	full   bool // what search finds of the head is new or has changed
	head   []byte
	split  int // in head: the visitor's JSON ends here, the page's begins
	ref    int64
	record []byte // the change, for the journal
}

// rows are messages with their extra columns, encoded.
type rows struct {
	msgs []chat.Message
	buf  []byte
	ends []int // in buf, of each message's column
}

// keepBuffer bounds what a commit keeps of its buffers for the next one.
const keepBuffer = 64 << 10

// encode prepares messages for their rows.
func (r *rows) encode(msgs []chat.Message) error {
	r.msgs, r.buf, r.ends = msgs, r.buf[:0], r.ends[:0]
	for i := range msgs {
		if senderCode(msgs[i].From) == 0 {
			return fmt.Errorf("message from %q: unknown author", msgs[i].From)
		}
		r.buf = appendExtra(r.buf, &msgs[i])
		r.ends = append(r.ends, len(r.buf))
	}
	return nil
}

// insert adds the rows to conversation n.
func (r *rows) insert(tx *Tx, n int64) error {
	from := 0
	for i := range r.msgs {
		if err := insertMessage(tx, n, &r.msgs[i], r.buf[from:r.ends[i]]); err != nil {
			return err
		}
		from = r.ends[i]
	}
	return nil
}

func (db *DB) borrowCommit() *commit {
	if c, ok := db.spareCommits.Get().(*commit); ok {
		return c
	}
	c := &commit{op: newOp(nil)}
	c.op.fn = c.do
	return c
}

func (db *DB) returnCommit(c *commit) {
	c.change, c.rows.msgs, c.op.handed, c.op.record = nil, nil, nil, nil
	if c.op.over && cap(c.rows.buf) <= keepBuffer && cap(c.record) <= keepBuffer {
		c.op.again()
		db.spareCommits.Put(c)
	}
}

// Commit implements session.Writer.
func (c *Conversations) Commit(ctx context.Context, ch *session.Change) (int64, error) {
	w := c.db.borrowCommit()
	defer c.db.returnCommit(w)
	if err := w.encode(ch); err != nil {
		return 0, err
	}
	w.record = w.appendRecord(w.record[:0])
	w.op.record, w.op.handed = w.record, ch.Handed
	if err := c.db.enqueue(ctx, c.db.queue, w.op); err != nil {
		return 0, wrap("store conversation", err)
	}
	return w.ref, nil
}

func (w *commit) encode(ch *session.Change) error {
	w.change, w.ref, w.head, w.split = ch, 0, w.head[:0], 0
	if err := w.rows.encode(ch.Messages); err != nil {
		return fmt.Errorf("store messages: %w", err)
	}
	was, head := &ch.Was, &ch.Head
	w.full = was.Version == 0 || was.Visitor != head.Visitor || was.Page != head.Page ||
		was.Operator != head.Operator || was.Comment != head.Comment // all that search finds of a head
	if !w.full {
		return nil
	}
	var err error
	if w.head, err = appendJSON(w.head, ch.Head.Visitor); err == nil {
		w.split = len(w.head)
		w.head, err = appendJSON(w.head, ch.Head.Page)
	}
	if err != nil {
		return fmt.Errorf("store conversation: %w", err)
	}
	return nil
}

// appendJSON writes a JSON column, empty for the zero value.
func appendJSON[T comparable](b []byte, v T) ([]byte, error) {
	var zero T
	if v == zero {
		return b, nil
	}
	text, err := json.Marshal(v)
	return append(b, text...), err
}

// do runs on the writer's goroutine, perhaps more than once.
func (w *commit) do(tx *Tx) (err error) {
	if w.change.Was.Version == 0 {
		w.ref, err = w.create(tx)
	} else {
		w.ref, err = w.update(tx)
	}
	if err != nil {
		return err
	}
	return w.rows.insert(tx, w.ref)
}

// update changes the row of a conversation. It changes nothing when the version
// is not the expected one.
func (w *commit) update(tx *Tx) (int64, error) {
	query := `UPDATE conversations SET version = ?, mode = ?, epoch = ?, last_seq = ?, updated_at = ?, pending = ?,
		operator = ?, unread = ?, rating = ?, comment = ?, spend = ?, tokens = ?, last_text = ?, last_from = ?, blocked = ?,
		unanswered = ?, fence = ? WHERE n = ? AND version = ? AND (? = 0 OR cold = 0)`
	if w.full {
		query = `UPDATE conversations SET version = ?, mode = ?, epoch = ?, last_seq = ?, updated_at = ?, pending = ?,
		operator = ?, unread = ?, rating = ?, comment = ?, spend = ?, tokens = ?, last_text = ?, last_from = ?, blocked = ?,
		unanswered = ?, fence = ?, site = ?, sub = ?, visitor = ?, page = ?, indexed_who = 0
		WHERE n = ? AND version = ? AND (? = 0 OR cold = 0)`
	}
	s, err := tx.stmt(query)
	if err != nil {
		return 0, err
	}
	ch, h := w.change, &w.change.Head
	s.int(h.Version).text(string(h.Mode)).text(h.Epoch).int(h.LastSeq).int(h.UpdatedAt.UnixMilli())
	w.bindState(s)
	if w.full {
		s.text(h.Site)
		w.bindWho(s)
	}
	if err := tx.finish(s.int(ch.Ref).int(ch.Was.Version).int(int64(len(ch.Messages)))); err != nil {
		return 0, err
	}
	if tx.conn.changes() == 0 {
		return 0, chat.ErrConflict
	}
	return ch.Ref, nil
}

// create adds the row of a conversation, chat.ErrConflict when it is there.
func (w *commit) create(tx *Tx) (int64, error) {
	h := &w.change.Head
	s, err := tx.stmt("SELECT 1 FROM conversations WHERE id = ?")
	if err != nil {
		return 0, err
	}
	there, err := s.text(string(h.ID)).step()
	s.done()
	if there {
		return 0, chat.ErrConflict
	}
	if err != nil {
		return 0, err
	}
	s, err = tx.stmt(`INSERT INTO conversations (id, site, version, mode, epoch, last_seq, created_at, updated_at, pending, operator,
		unread, rating, comment, spend, tokens, last_text, last_from, blocked, unanswered, fence, sub, visitor, page)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`)
	if err != nil {
		return 0, err
	}
	s.text(string(h.ID)).text(h.Site).int(h.Version).text(string(h.Mode)).text(h.Epoch).int(h.LastSeq)
	s.int(h.CreatedAt.UnixMilli()).int(h.UpdatedAt.UnixMilli())
	w.bindState(s)
	w.bindWho(s)
	err = tx.finish(s)
	return tx.conn.lastID(), err
}

// bindState binds pending to fence, in the order of the columns.
func (w *commit) bindState(s *stmt) {
	h := &w.change.Head
	s.int(h.Pending).text(h.Operator).int(h.Unread).int(int64(h.Rating)).text(h.Comment).float(h.Spend).int(h.Tokens)
	s.text(h.LastText).text(string(h.LastFrom)).bool(h.Blocked).bool(h.Unanswered).int(h.Fence)
}

// bindWho binds sub, visitor and page.
func (w *commit) bindWho(s *stmt) {
	s.text(w.change.Head.Visitor.Sub).textBytes(w.head[:w.split]).textBytes(w.head[w.split:])
}
