package sqlite

import (
	"context"

	"haoke/backend/internal/chat"
)

// Note is something derived from a conversation, for example a running
// summary. UptoSeq is the last message that it takes into account.
type Note struct {
	UptoSeq int64
	Value   string
}

// Note returns a conversation's note of a kind, the zero Note when there is
// none. Notes survive sealing and go with the conversation.
func (c *Conversations) Note(ctx context.Context, id chat.ConversationID, kind string) (Note, error) {
	var n Note
	err := c.db.row(ctx, "SELECT o.upto_seq, o.value FROM notes o JOIN conversations c ON c.n = o.conv WHERE c.id = ? AND o.kind = ?",
		[]any{string(id), kind}, &n.UptoSeq, &n.Value)
	if noRows(err) {
		return Note{}, nil
	}
	return n, wrap("read note", err)
}

// PutNote stores a note, unless one that takes more messages into account is
// there already. chat.ErrNotFound when the conversation does not exist.
func (c *Conversations) PutNote(ctx context.Context, id chat.ConversationID, kind string, n Note) error {
	err := c.db.writeIdle(ctx, func(tx *Tx) error {
		var conv int64
		err := tx.row("SELECT n FROM conversations WHERE id = ?", []any{string(id)}, &conv)
		if noRows(err) {
			return chat.ErrNotFound
		}
		if err != nil {
			return err
		}
		_, err = tx.exec(`INSERT INTO notes (conv, kind, upto_seq, value, updated_at) VALUES (?1,?2,?3,?4,?5)
			ON CONFLICT (conv, kind) DO UPDATE SET upto_seq = ?3, value = ?4, updated_at = ?5 WHERE upto_seq <= ?3`,
			conv, kind, n.UptoSeq, n.Value, c.db.now())
		return err
	})
	return wrap("store note", err)
}
