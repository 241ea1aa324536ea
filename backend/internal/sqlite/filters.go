package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"haoke/backend/internal/chat"
)

// WordList is a named list of filter words. The words are apart, because a
// list can have a hundred thousand.
type WordList struct {
	ID       int64 // 0: new
	Name     string
	Category string
	Action   chat.Action // "": the default of the direction
	Way      string      // "in", "out", "both"
	Replace  string
	Enabled  bool
	Source   string // "own", "starter"
	Count    int    // of words; set by Lists
	Updated  time.Time
}

// Pattern is a filter pattern.
type Pattern struct {
	ID       int64 // 0: new
	Name     string
	Expr     string
	Category string
	Action   chat.Action
	Way      string
	Replace  string
	Enabled  bool
	Updated  time.Time
}

// Exception is a text that a rule took for a hit and that the owner allows.
type Exception struct {
	Text    string
	Rule    string // that it was reported against
	Created time.Time
}

// Filters stores word lists, patterns and exceptions.
type Filters struct{ db *DB }

// Filters returns the store of filter rules.
func (db *DB) Filters() *Filters { return &Filters{db} }

// Lists returns the word lists by name, without their words.
func (f *Filters) Lists(ctx context.Context) ([]WordList, error) {
	var out []WordList
	err := f.db.each(ctx, `SELECT id, name, category, action, way, replace, enabled, source, updated_at,
		(SELECT count(*) FROM words WHERE list = id) FROM word_lists ORDER BY name`, nil, func(r *sql.Rows) error {
		var l WordList
		var updated int64
		err := r.Scan(&l.ID, &l.Name, &l.Category, &l.Action, &l.Way, &l.Replace, &l.Enabled, &l.Source, &updated, &l.Count)
		l.Updated = fromMillis(updated)
		out = append(out, l)
		return err
	})
	return out, wrap("list word lists", err)
}

// PutList adds (ID 0) or changes a list and returns its id. ErrExists when
// another list has that name, ErrNoRow when the id does not exist.
func (f *Filters) PutList(ctx context.Context, l WordList) (int64, error) {
	id := l.ID
	err := f.db.write(ctx, func(tx *Tx) error {
		if err := unique(tx, "SELECT id FROM word_lists WHERE name = ?", l.Name, l.ID); err != nil {
			return err
		}
		if l.ID == 0 {
			var err error
			id, err = tx.insert("INSERT INTO word_lists (name, category, action, way, replace, enabled, source, updated_at) VALUES (?,?,?,?,?,?,?,?)",
				l.Name, l.Category, string(l.Action), l.Way, l.Replace, l.Enabled, l.Source, f.db.now())
			return err
		}
		return changed(tx.exec("UPDATE word_lists SET name = ?, category = ?, action = ?, way = ?, replace = ?, enabled = ?, updated_at = ? WHERE id = ?",
			l.Name, l.Category, string(l.Action), l.Way, l.Replace, l.Enabled, f.db.now(), l.ID))
	})
	return id, wrap("store word list", err)
}

// unique returns ErrExists when another row than id has the name.
func unique(tx *Tx, query, name string, id int64) error {
	var other int64
	err := tx.row(query, []any{name}, &other)
	switch {
	case noRows(err) || err == nil && other == id:
		return nil
	case err != nil:
		return err
	}
	return ErrExists
}

// changed turns "no row changed" into ErrNoRow.
func changed(n int64, err error) error {
	if err == nil && n == 0 {
		return ErrNoRow
	}
	return err
}

// DeleteList removes a list and its words.
func (f *Filters) DeleteList(ctx context.Context, id int64) error {
	return f.db.deleteOne(ctx, "delete word list", "DELETE FROM word_lists WHERE id = ?", id)
}

// EditWords adds and removes words of a list in one commit and returns how
// many were really added and removed; duplicates are skipped. replace empties
// the list first.
func (f *Filters) EditWords(ctx context.Context, list int64, add, remove []string, replace bool) (added, removed int, err error) {
	err = f.db.write(ctx, func(tx *Tx) error {
		added, removed = 0, 0
		if err := changed(tx.exec("UPDATE word_lists SET updated_at = ? WHERE id = ?", f.db.now(), list)); err != nil {
			return err
		}
		if replace {
			n, err := tx.exec("DELETE FROM words WHERE list = ?", list)
			if err != nil {
				return err
			}
			removed += int(n)
		}
		for _, w := range remove {
			n, err := tx.exec("DELETE FROM words WHERE list = ? AND word = ?", list, w)
			if err != nil {
				return err
			}
			removed += int(n)
		}
		for _, w := range add {
			n, err := tx.exec("INSERT INTO words (list, word) VALUES (?,?) ON CONFLICT DO NOTHING", list, w)
			if err != nil {
				return err
			}
			added += int(n)
		}
		return nil
	})
	return added, removed, wrap("edit word list", err)
}

// Words returns words of a list in order: those after the word given, at most
// limit (0: all), that contain part (empty: any), upper and lower case of
// ASCII alike.
func (f *Filters) Words(ctx context.Context, list int64, part, after string, limit int) ([]string, error) {
	if limit <= 0 {
		limit = -1
	}
	var out []string
	err := f.db.each(ctx, `SELECT word FROM words WHERE list = ? AND word > ? AND (? = '' OR word LIKE ? ESCAPE '\') ORDER BY word LIMIT ?`,
		[]any{list, after, part, likePart(part), limit}, func(r *sql.Rows) error {
			var w string
			err := r.Scan(&w)
			out = append(out, w)
			return err
		})
	return out, wrap("read words", err)
}

// CountWords counts the words of a list that contain part.
func (f *Filters) CountWords(ctx context.Context, list int64, part string) (int, error) {
	var n int
	err := f.db.row(ctx, `SELECT count(*) FROM words WHERE list = ? AND (? = '' OR word LIKE ? ESCAPE '\')`, []any{list, part, likePart(part)}, &n)
	return n, wrap("count words", err)
}

// likePart writes a LIKE pattern for texts that contain part.
func likePart(part string) string {
	b := []byte{'%'}
	for i := 0; i < len(part); i++ {
		if c := part[i]; c == '%' || c == '_' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, part[i])
	}
	return string(append(b, '%'))
}

// Patterns returns the patterns by name.
func (f *Filters) Patterns(ctx context.Context) ([]Pattern, error) {
	var out []Pattern
	err := f.db.each(ctx, "SELECT id, name, expr, category, action, way, replace, enabled, updated_at FROM patterns ORDER BY name", nil, func(r *sql.Rows) error {
		var p Pattern
		var updated int64
		err := r.Scan(&p.ID, &p.Name, &p.Expr, &p.Category, &p.Action, &p.Way, &p.Replace, &p.Enabled, &updated)
		p.Updated = fromMillis(updated)
		out = append(out, p)
		return err
	})
	return out, wrap("list patterns", err)
}

// PutPattern adds (ID 0) or changes a pattern and returns its id. ErrExists
// when another pattern has that name, ErrNoRow when the id does not exist.
func (f *Filters) PutPattern(ctx context.Context, p Pattern) (int64, error) {
	id := p.ID
	err := f.db.write(ctx, func(tx *Tx) error {
		if err := unique(tx, "SELECT id FROM patterns WHERE name = ?", p.Name, p.ID); err != nil {
			return err
		}
		if p.ID == 0 {
			var err error
			id, err = tx.insert("INSERT INTO patterns (name, expr, category, action, way, replace, enabled, updated_at) VALUES (?,?,?,?,?,?,?,?)",
				p.Name, p.Expr, p.Category, string(p.Action), p.Way, p.Replace, p.Enabled, f.db.now())
			return err
		}
		return changed(tx.exec("UPDATE patterns SET name = ?, expr = ?, category = ?, action = ?, way = ?, replace = ?, enabled = ?, updated_at = ? WHERE id = ?",
			p.Name, p.Expr, p.Category, string(p.Action), p.Way, p.Replace, p.Enabled, f.db.now(), p.ID))
	})
	return id, wrap("store pattern", err)
}

// DeletePattern removes a pattern.
func (f *Filters) DeletePattern(ctx context.Context, id int64) error {
	return f.db.deleteOne(ctx, "delete pattern", "DELETE FROM patterns WHERE id = ?", id)
}

// Exceptions returns the allowed texts.
func (f *Filters) Exceptions(ctx context.Context) ([]Exception, error) {
	var out []Exception
	err := f.db.each(ctx, "SELECT text, rule, created_at FROM exceptions ORDER BY text", nil, func(r *sql.Rows) error {
		var e Exception
		var created int64
		err := r.Scan(&e.Text, &e.Rule, &created)
		e.Created = fromMillis(created)
		out = append(out, e)
		return err
	})
	return out, wrap("list exceptions", err)
}

// Allow adds an exception. One that is there already is no error.
func (f *Filters) Allow(ctx context.Context, text, rule string) error {
	if text == "" {
		return fmt.Errorf("store exception: %w", ErrNoRow)
	}
	return wrap("store exception", f.db.write(ctx, func(tx *Tx) error {
		_, err := tx.exec("INSERT INTO exceptions (text, rule, created_at) VALUES (?,?,?) ON CONFLICT DO NOTHING", text, rule, f.db.now())
		return err
	}))
}

// Forbid takes an exception back.
func (f *Filters) Forbid(ctx context.Context, text string) error {
	return f.db.deleteOne(ctx, "delete exception", "DELETE FROM exceptions WHERE text = ?", text)
}
