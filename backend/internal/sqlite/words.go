package sqlite

import (
	"context"
	"database/sql"

	"haoke/backend/internal/chat"
)

// Word is an entry of a word list. Category and Action are empty where the
// list's hold.
type Word struct {
	Text     string
	Category string
	Action   chat.Action
}

// PutWords adds words to a list, or changes what is said of those that are
// there, in one commit; replace empties the list first. ErrNoRow when there is
// no such list.
func (f *Filters) PutWords(ctx context.Context, list int64, words []Word, replace bool) (added, updated int, err error) {
	err = f.db.write(ctx, func(tx *Tx) error {
		added, updated = 0, 0
		if err := changed(tx.exec("UPDATE word_lists SET updated_at = ? WHERE id = ?", f.db.now(), list)); err != nil {
			return err
		}
		if replace {
			if _, err := tx.exec("DELETE FROM words WHERE list = ?", list); err != nil {
				return err
			}
		}
		for _, w := range words {
			n, err := tx.exec("INSERT INTO words (list, word, category, action) VALUES (?,?,?,?) ON CONFLICT DO NOTHING", list, w.Text, w.Category, string(w.Action))
			if err != nil {
				return err
			}
			if added += int(n); n > 0 {
				continue
			}
			if n, err = tx.exec("UPDATE words SET category = ?3, action = ?4 WHERE list = ?1 AND word = ?2 AND (category <> ?3 OR action <> ?4)", list, w.Text, w.Category, string(w.Action)); err != nil {
				return err
			}
			updated += int(n)
		}
		return nil
	})
	return added, updated, wrap("store words", err)
}

// WordRows returns words of a list in order, at most limit (0: all) behind the
// first skip, that contain part (empty: any), upper and lower case of ASCII
// alike.
func (f *Filters) WordRows(ctx context.Context, list int64, part string, skip, limit int) ([]Word, error) {
	if limit <= 0 {
		limit = -1
	}
	var out []Word
	err := f.db.each(ctx, `SELECT word, category, action FROM words WHERE list = ? AND (? = '' OR word LIKE ? ESCAPE '\') ORDER BY word LIMIT ? OFFSET ?`,
		[]any{list, part, likePart(part), limit, skip}, func(r *sql.Rows) error {
			var w Word
			err := r.Scan(&w.Text, &w.Category, &w.Action)
			out = append(out, w)
			return err
		})
	return out, wrap("read words", err)
}
