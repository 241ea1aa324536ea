package sqlite

import (
	"context"
	"time"

	"haoke/backend/internal/chat"
)

// seqBits is how many bits of a message's row key hold its seq. It bounds a
// conversation to session.MaxMessages messages.
const seqBits = 20

// midRange returns the first and the last row key of conversation n.
func midRange(n int64) (lo, hi int64) { return n << seqBits, (n+1)<<seqBits - 1 }

const messageColumns = "mid, sender, at, text, client_id, extra"

// insertMessage adds one message to conversation n. more is the extra column,
// encoded before the message entered the writer's queue; empty: NULL.
func insertMessage(tx *Tx, n int64, m *chat.Message, more []byte) error {
	s, err := tx.stmt("INSERT INTO messages (mid, sender, at, text, client_id, extra) VALUES (?,?,?,?,?,?)")
	if err != nil {
		return err
	}
	mid := n<<seqBits | m.Seq
	s.int(mid).int(int64(senderCode(m.From))).int(m.At.UnixMilli()).text(m.Text)
	if m.ClientID == "" {
		s.null()
	} else {
		s.text(m.ClientID)
	}
	if len(more) == 0 {
		s.null()
	} else {
		s.textBytes(more)
	}
	if err := tx.finish(s); err != nil || m.Turn == nil || m.Turn.PromptTrace == "" {
		return err
	}
	if s, err = tx.stmt("INSERT INTO traces (mid, trace) VALUES (?,?)"); err != nil {
		return err
	}
	return tx.finish(s.int(mid).text(m.Turn.PromptTrace))
}

// messages reads the rows of conversation n with after < seq <= upto.
func (c *Conversations) messages(ctx context.Context, n, after, upto int64, limit int) ([]chat.Message, error) {
	after = max(after, 0)
	if after >= upto {
		return nil, nil
	}
	room := upto - after
	if limit > 0 {
		room = min(room, int64(limit))
	}
	msgs := make([]chat.Message, 0, min(room, 4096))
	base := n << seqBits
	err := c.db.read(ctx, "SELECT "+messageColumns+" FROM messages WHERE mid > ? AND mid <= ? ORDER BY mid LIMIT ?",
		func(s *stmt) { s.int(base | after).int(base | upto).int(room) }, func(s *stmt) error {
			m, err := readMessage(s)
			msgs = append(msgs, m)
			return err
		})
	return msgs, err
}

// readMessage reads a row of messageColumns.
func readMessage(s *stmt) (m chat.Message, err error) {
	m.Seq = s.getInt(0) & (1<<seqBits - 1)
	m.From, m.At, m.Text, m.ClientID = senderName(int(s.getInt(1))), time.UnixMilli(s.getInt(2)).UTC(), s.getText(3), s.getText(4)
	e, err := decoded[extra](s.view(5))
	m.Finish, m.Author, m.Sources, m.Mark, m.Turn = e.Finish, e.Author, e.Sources, e.Mark, e.Turn
	return m, err
}

// Trace returns the assembled prompt that was stored with an answer, empty
// when none was kept.
func (c *Conversations) Trace(ctx context.Context, id chat.ConversationID, seq int64) (string, error) {
	s, err := c.head(ctx, id)
	if err != nil {
		return "", wrap("read prompt trace", err)
	}
	var trace string
	err = c.db.row(ctx, "SELECT trace FROM traces WHERE mid = ?", []any{s.n<<seqBits | seq}, &trace)
	if noRows(err) {
		return "", nil
	}
	return trace, wrap("read prompt trace", err)
}

// purgeStep is how many rows one write removes at most, so that deleting a
// long conversation never holds up a visitor.
const purgeStep = 500

// dropRows removes the message rows of conversation n, all at once when they
// are few, else by way of the purge table. fts says whether they also leave
// the full-text index: on deletion yes, on sealing no.
func dropRows(tx *Tx, n int64, fts bool) error {
	lo, hi := midRange(n)
	left, err := purgeRange(tx, lo, hi, fts)
	if err != nil || left == 0 {
		return err
	}
	return purgeLater(tx, left, hi, fts)
}

// purgeLater notes a range that is to be deleted. Sealing and deleting a
// conversation may meet at the same row: then the more thorough one counts.
func purgeLater(tx *Tx, lo, hi int64, fts bool) error {
	_, err := tx.exec(`INSERT INTO purge (lo, hi, fts) VALUES (?,?,?)
		ON CONFLICT (lo) DO UPDATE SET hi = max(hi, excluded.hi), fts = max(fts, excluded.fts)`, lo, hi, fts)
	return err
}

// purgeRange removes up to purgeStep message rows between lo and hi and
// returns the first row key that is left to do, 0 when none is.
func purgeRange(tx *Tx, lo, hi int64, fts bool) (int64, error) {
	upto, left := hi, int64(0)
	err := tx.row("SELECT mid FROM messages WHERE mid BETWEEN ? AND ? ORDER BY mid LIMIT 1 OFFSET ?", []any{lo, hi, purgeStep}, &left)
	if err != nil && !noRows(err) {
		return 0, err
	}
	if fts {
		// Of a conversation that is sealed only the full-text entries are here.
		var entry int64
		err := tx.row("SELECT id FROM message_fts_docsize WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 1 OFFSET ?", []any{lo, hi, purgeStep}, &entry)
		if err != nil && !noRows(err) {
			return 0, err
		}
		if entry > 0 && (left == 0 || entry < left) {
			left = entry
		}
	}
	if left > 0 {
		upto = left - 1
	}
	if fts {
		if _, err := tx.exec("DELETE FROM message_fts WHERE rowid BETWEEN ? AND ?", lo, upto); err != nil {
			return 0, err
		}
	}
	if _, err := tx.exec("DELETE FROM traces WHERE mid BETWEEN ? AND ?", lo, upto); err != nil {
		return 0, err
	}
	_, err = tx.exec("DELETE FROM messages WHERE mid BETWEEN ? AND ?", lo, upto)
	return left, err
}

// senderCode is a message's author as stored; 0 is none.
func senderCode(f chat.From) int {
	switch f {
	case chat.FromVisitor:
		return 1
	case chat.FromAI:
		return 2
	case chat.FromOperator:
		return 3
	case chat.FromSystem:
		return 4
	}
	return 0
}

func senderName(code int) chat.From {
	switch code {
	case 1:
		return chat.FromVisitor
	case 2:
		return chat.FromAI
	case 3:
		return chat.FromOperator
	}
	return chat.FromSystem
}
