package sqlite

import (
	"context"

	"haoke/backend/internal/chat"
)

// State tells the tier of a conversation: cold when it is sealed, far when the
// archive's server has or may have a copy of it. chat.ErrNotFound when there is
// no such conversation.
func (c *Cold) State(ctx context.Context, id chat.ConversationID) (cold, far bool, err error) {
	var tier int64
	err = c.db.row(ctx, "SELECT cold, far FROM conversations WHERE id = ?", []any{string(id)}, &tier, &far)
	if noRows(err) {
		err = chat.ErrNotFound
	}
	return tier != warm, far, wrap("read a conversation's tier", err)
}

// CountUnanswered counts the questions that got no good answer.
func (f *FAQ) CountUnanswered(ctx context.Context) (int, error) {
	var n int
	err := f.db.row(ctx, "SELECT count(*) FROM unanswered", nil, &n)
	return n, wrap("count unanswered questions", err)
}

// TakeBack removes an exception and lets the hits that led to it count again.
// ErrNoRow when there is no such exception.
func (f *Filters) TakeBack(ctx context.Context, text string) error {
	return wrap("take exception back", f.db.write(ctx, func(tx *Tx) error {
		if err := changed(tx.exec("DELETE FROM exceptions WHERE text = ?", text)); err != nil {
			return err
		}
		_, err := tx.exec("UPDATE filter_hits SET false_positive = 0 WHERE false_positive = 1 AND match = ?", text)
		return err
	}))
}

// Engine returns the version of SQLite itself.
func (db *DB) Engine(ctx context.Context) (string, error) {
	var v string
	err := db.row(ctx, "SELECT sqlite_version()", nil, &v)
	return v, wrap("ask for SQLite's version", err)
}
