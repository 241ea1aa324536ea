package sqlite

import (
	"context"
	"database/sql"
	"strings"
	"time"
	"unicode/utf8"

	"haoke/backend/internal/chat"
)

// Unanswered is a question that got no good answer.
type Unanswered struct {
	ID           int64
	Text         string
	Lang         string
	Count        int64
	Last         time.Time
	Conversation chat.ConversationID // of the latest
}

const (
	unansweredMax   = 5000 // entries kept; the rarest and oldest go
	unansweredRunes = 300  // of a text
)

// AddUnanswered counts a question without a good answer. Questions that differ
// only in case, width, spaces and punctuation at the end count as one. It goes
// with the conversation (empty: none) that asked last; one that has gone
// meanwhile leaves nothing.
func (f *FAQ) AddUnanswered(ctx context.Context, text, lang string, conv chat.ConversationID) error {
	text = strings.TrimSpace(text)
	if utf8.RuneCountInString(text) > unansweredRunes {
		text = string([]rune(text)[:unansweredRunes])
	}
	key := strings.TrimRight(strings.TrimSpace(fold(text)), " ?!.。,、~…")
	if key == "" {
		return nil
	}
	err := f.db.writeIdle(ctx, func(tx *Tx) error {
		id, err := tx.insert(`INSERT INTO unanswered (key, text, lang, count, last_at, conversation)
			SELECT ?1,?2,?3,1,?4,?5 WHERE ?5 = '' OR EXISTS (SELECT 1 FROM conversations WHERE id = ?5)
			ON CONFLICT (key) DO UPDATE SET count = count + 1, last_at = ?4, conversation = ?5`,
			key, text, lang, f.db.now(), string(conv))
		if err != nil || id%100 != 0 {
			return err
		}
		_, err = tx.exec(`DELETE FROM unanswered WHERE id IN (SELECT id FROM unanswered ORDER BY count, last_at
			LIMIT max(0, (SELECT count(*) FROM unanswered) - ?))`, unansweredMax)
		return err
	})
	return wrap("note unanswered question", err)
}

// ListUnanswered returns questions, most frequent first; cursor is the last
// page's next, empty for the first.
func (f *FAQ) ListUnanswered(ctx context.Context, limit int, cursor string) (items []Unanswered, next string, err error) {
	if limit <= 0 {
		limit = 50
	}
	count, id := int64(1)<<62, int64(1)<<62
	if cursor != "" {
		if count, id, err = decodeCursor(cursor); err != nil {
			return nil, "", wrap("list unanswered questions", err)
		}
	}
	err = f.db.each(ctx, `SELECT id, text, lang, count, last_at, conversation FROM unanswered WHERE (count, id) < (?, ?)
		ORDER BY count DESC, id DESC LIMIT ?`, []any{count, id, limit}, func(r *sql.Rows) error {
		var u Unanswered
		var last int64
		err := r.Scan(&u.ID, &u.Text, &u.Lang, &u.Count, &last, &u.Conversation)
		u.Last = fromMillis(last)
		items = append(items, u)
		return err
	})
	if err == nil && len(items) == limit {
		last := items[limit-1]
		next = encodeCursor(last.Count, last.ID)
	}
	return items, next, wrap("list unanswered questions", err)
}

// CloseUnanswered removes a question, answered or not worth it.
func (f *FAQ) CloseUnanswered(ctx context.Context, id int64) error {
	return f.db.deleteOne(ctx, "close unanswered question", "DELETE FROM unanswered WHERE id = ?", id)
}

// DropUnanswered removes questions that were last asked before a time.
func (f *FAQ) DropUnanswered(ctx context.Context, before time.Time) error {
	return wrap("delete old unanswered questions", f.db.writeIdle(ctx, func(tx *Tx) error {
		_, err := tx.exec("DELETE FROM unanswered WHERE last_at < ?", before.UnixMilli())
		return err
	}))
}
