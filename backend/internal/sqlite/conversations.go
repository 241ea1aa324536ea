package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

// Conversations is the store of conversations and messages: session.Store and
// what the admin page, the archive and the prompt need beside it. It is safe
// for concurrent use.
type Conversations struct{ db *DB }

var _ session.Store = (*Conversations)(nil)

// Conversations returns the store of conversations.
func (db *DB) Conversations() *Conversations { return &Conversations{db} }

// Values of conversations.cold.
const (
	warm    = 0 // message rows
	sealed  = 1 // blob in this database
	shipped = 2 // blob only in the archive
)

const headColumns = `n, id, version, site, mode, epoch, last_seq, created_at, updated_at, cold, pending, operator,
	unread, rating, comment, spend, tokens, last_text, last_from, blocked, unanswered, fence, visitor, page`

// stored is a row of conversations.
type stored struct {
	n    int64
	cold int
	head chat.Conversation
}

// scanHead reads a row of headColumns.
func scanHead(scan func(...any) error) (stored, error) {
	var s stored
	var created, updated int64
	var visitor, page string
	h := &s.head
	err := scan(&s.n, &h.ID, &h.Version, &h.Site, &h.Mode, &h.Epoch, &h.LastSeq, &created, &updated, &s.cold, &h.Pending,
		&h.Operator, &h.Unread, &h.Rating, &h.Comment, &h.Spend, &h.Tokens, &h.LastText, &h.LastFrom, &h.Blocked,
		&h.Unanswered, &h.Fence, &visitor, &page)
	if err != nil {
		return s, err
	}
	h.CreatedAt, h.UpdatedAt = fromMillis(created), fromMillis(updated)
	if err := decodeJSON(visitor, &h.Visitor); err != nil {
		return s, err
	}
	return s, decodeJSON(page, &h.Page)
}

// decodeJSON reads a JSON column, empty for the zero value.
func decodeJSON(text string, v any) error {
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("decode stored value: %w", err)
	}
	return nil
}

// head reads the row of a conversation, chat.ErrNotFound when there is none.
func (c *Conversations) head(ctx context.Context, id chat.ConversationID) (h stored, err error) {
	conn, err := c.db.borrow(ctx)
	if err != nil {
		return h, err
	}
	defer func() { c.db.giveBack(conn, err) }()
	s, err := conn.prepare("SELECT " + headColumns + " FROM conversations WHERE id = ?")
	if err != nil {
		return h, err
	}
	defer s.done()
	switch there, err := s.text(string(id)).step(); {
	case err != nil:
		return h, err
	case !there:
		return h, chat.ErrNotFound
	}
	return readHead(s)
}

// readHead reads a row that begins with headColumns.
func readHead(s *stmt) (r stored, err error) {
	h := &r.head
	r.n, h.ID, h.Version, h.Site = s.getInt(0), chat.ConversationID(s.getText(1)), s.getInt(2), s.getText(3)
	h.Mode, h.Epoch, h.LastSeq = modeName(s.view(4)), s.getText(5), s.getInt(6)
	h.CreatedAt, h.UpdatedAt, r.cold = fromMillis(s.getInt(7)), fromMillis(s.getInt(8)), int(s.getInt(9))
	h.Pending, h.Operator, h.Unread, h.Rating = s.getInt(10), s.getText(11), s.getInt(12), int(s.getInt(13))
	h.Comment, h.Spend, h.Tokens = s.getText(14), s.getFloat(15), s.getInt(16)
	h.LastText, h.LastFrom = s.getText(17), chat.From(s.getText(18))
	h.Blocked, h.Unanswered, h.Fence = s.getInt(19) != 0, s.getInt(20) != 0, s.getInt(21)
	if h.Visitor, err = decoded[chat.Visitor](s.view(22)); err != nil {
		return r, err
	}
	h.Page, err = decoded[chat.Page](s.view(23))
	return r, err
}

// decoded reads a JSON column, the zero value when it is empty.
func decoded[T any](text []byte) (T, error) {
	if len(text) == 0 {
		var zero T
		return zero, nil
	}
	v := new(T)
	if err := json.Unmarshal(text, v); err != nil {
		return *v, fmt.Errorf("decode stored value: %w", err)
	}
	return *v, nil
}

// modeName is the mode of that name, without a copy of it.
func modeName(b []byte) chat.Mode {
	for _, m := range []chat.Mode{chat.ModeAI, chat.ModeHuman, chat.ModeWaiting, chat.ModeOffline} {
		if string(b) == string(m) {
			return m
		}
	}
	return chat.Mode(b)
}

// Load implements session.Reader.
func (c *Conversations) Load(ctx context.Context, id chat.ConversationID, tail int) (session.Record, error) {
	s, err := c.head(ctx, id)
	if err != nil {
		return session.Record{}, wrap("load conversation", err)
	}
	r := session.Record{Ref: s.n, Head: s.head, Cold: s.cold != warm}
	if r.Cold || s.head.LastSeq == 0 {
		return r, nil
	}
	// Head and messages are two reads: bounding them by the head's LastSeq
	// makes them one state, since messages are only ever added.
	from := max(s.head.LastSeq-int64(tail), 0)
	r.Tail, err = c.messages(ctx, s.n, from, s.head.LastSeq, tail)
	if err != nil {
		return session.Record{}, wrap("load messages", err)
	}
	if want := s.head.LastSeq - from; int64(len(r.Tail)) != want {
		// Sealed or deleted between the two reads: look again.
		again, err := c.head(ctx, id)
		if err != nil {
			return session.Record{}, wrap("load conversation", err)
		}
		if again.cold == warm && again.head.Version == s.head.Version {
			return session.Record{}, fmt.Errorf("load messages of %s: %d of %d rows found: the database is incomplete", id, len(r.Tail), want)
		}
		return c.Load(ctx, id, tail)
	}
	return r, nil
}

// Messages implements session.Reader.
func (c *Conversations) Messages(ctx context.Context, id chat.ConversationID, after int64, limit int) ([]chat.Message, error) {
	s, err := c.head(ctx, id)
	if err != nil {
		return nil, wrap("read messages", err)
	}
	msgs, err := c.messages(ctx, s.n, after, s.head.LastSeq, limit)
	return msgs, wrap("read messages", err)
}

// Find implements session.Reader.
func (c *Conversations) Find(ctx context.Context, id chat.ConversationID, clientID string) (chat.Message, error) {
	s, err := c.head(ctx, id)
	if err != nil {
		return chat.Message{}, wrap("find message", err)
	}
	var m chat.Message
	lo, hi := midRange(s.n)
	err = c.db.read(ctx, "SELECT "+messageColumns+" FROM messages WHERE mid BETWEEN ? AND ? AND client_id = ? AND sender = 1 LIMIT 1",
		func(s *stmt) { s.int(lo).int(hi).text(clientID) }, func(s *stmt) (err error) { m, err = readMessage(s); return err })
	if err == nil && m.Seq == 0 {
		err = chat.ErrNotFound
	}
	return m, wrap("find message", err)
}

// Pending implements session.Store. Cold conversations have no open turns.
func (c *Conversations) Pending(ctx context.Context) ([]chat.ConversationID, error) {
	var ids []chat.ConversationID
	err := c.db.each(ctx, "SELECT id FROM conversations WHERE pending > 0 ORDER BY updated_at", nil, func(r *sql.Rows) error {
		var id chat.ConversationID
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, wrap("list pending turns", err)
}

// Delete implements session.Writer. The rows of a long conversation go in
// small steps afterwards (Run); they are out of reach at once.
func (c *Conversations) Delete(ctx context.Context, id chat.ConversationID) error {
	err := c.db.write(ctx, func(tx *Tx) error {
		var n int64
		if err := tx.row("SELECT n FROM conversations WHERE id = ?", []any{string(id)}, &n); err != nil {
			if noRows(err) {
				return chat.ErrNotFound
			}
			return err
		}
		if err := dropRows(tx, n, true); err != nil {
			return err
		}
		if _, err := tx.exec("DELETE FROM outbox WHERE conv = ? AND kind = 'ship'", string(id)); err != nil {
			return err
		}
		// A question without an answer is quoted to the owner: not a deleted visitor's.
		if _, err := tx.exec("DELETE FROM unanswered WHERE conversation = ?", string(id)); err != nil {
			return err
		}
		_, err := tx.exec("DELETE FROM conversations WHERE n = ?", n)
		return err
	})
	return wrap("delete conversation", err)
}

// wrap names the action of an error; nil stays nil.
func wrap(action string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", action, err)
}
