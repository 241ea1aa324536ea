package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// FAQEntry is a question with its curated answer.
type FAQEntry struct {
	ID           int64  // 0: new
	Lang         string // primary tag, for example "zh"; empty: any language
	Question     string
	Alternatives []string // other ways to ask
	Answer       string   // Markdown
	Enabled      bool
	Hits         int64 // how often it answered
	Updated      time.Time
}

// FAQMatch is a candidate for a question.
type FAQMatch struct {
	FAQEntry
	Rank  float64 // BM25 over the FAQ, higher is better; only comparable within one search
	Score float64 // similarity of the question, or its nearest alternative, in [0, 1]
}

// FAQ stores the frequently asked questions. Question and language together
// are unique.
type FAQ struct{ db *DB }

// FAQ returns the store of questions.
func (db *DB) FAQ() *FAQ { return &FAQ{db} }

// ErrExists: an entry of that name or question is there already.
var ErrExists = errors.New("it exists already")

const faqColumns = "id, lang, question, alternatives, answer, enabled, hits, updated_at"

func scanFAQ(r *sql.Rows, more ...any) (FAQEntry, error) {
	var e FAQEntry
	var alternatives string
	var updated int64
	err := r.Scan(append([]any{&e.ID, &e.Lang, &e.Question, &alternatives, &e.Answer, &e.Enabled, &e.Hits, &updated}, more...)...)
	if err != nil {
		return e, err
	}
	e.Updated = fromMillis(updated)
	return e, decodeJSON(alternatives, &e.Alternatives)
}

// All returns every entry, disabled ones too, by id.
func (f *FAQ) All(ctx context.Context) ([]FAQEntry, error) {
	var out []FAQEntry
	err := f.db.each(ctx, "SELECT "+faqColumns+" FROM faq ORDER BY id", nil, func(r *sql.Rows) error {
		e, err := scanFAQ(r)
		out = append(out, e)
		return err
	})
	return out, wrap("read FAQ", err)
}

// Get returns one entry, ErrNoRow when there is none.
func (f *FAQ) Get(ctx context.Context, id int64) (FAQEntry, error) {
	e := FAQEntry{}
	err := f.db.each(ctx, "SELECT "+faqColumns+" FROM faq WHERE id = ?", []any{id}, func(r *sql.Rows) (err error) {
		e, err = scanFAQ(r)
		return err
	})
	if err == nil && e.ID == 0 {
		err = ErrNoRow
	}
	return e, wrap("read FAQ entry", err)
}

// Put adds an entry (ID 0) or replaces one, and returns its id. ErrExists when
// another entry has the same question in the same language, ErrNoRow when the
// id does not exist. Hits are kept.
func (f *FAQ) Put(ctx context.Context, e FAQEntry) (int64, error) {
	var id int64
	err := f.db.write(ctx, func(tx *Tx) (err error) {
		id, err = putFAQ(tx, e, f.db.now())
		return err
	})
	return id, wrap("store FAQ entry", err)
}

// Import adds entries in one commit and replaces the answers of questions that
// are there already. replace empties the FAQ first.
func (f *FAQ) Import(ctx context.Context, entries []FAQEntry, replace bool) (added, updated int, err error) {
	err = f.db.write(ctx, func(tx *Tx) error {
		added, updated = 0, 0
		if replace {
			for _, q := range []string{"DELETE FROM faq", "DELETE FROM faq_fts WHERE rowid > 0"} {
				if _, err := tx.exec(q); err != nil {
					return err
				}
			}
		}
		for _, e := range entries {
			e.ID = 0
			err := tx.row("SELECT id FROM faq WHERE lang = ? AND key = ?", []any{e.Lang, faqKey(e.Question)}, &e.ID)
			if err != nil && !noRows(err) {
				return err
			}
			if e.ID == 0 {
				added++
			} else {
				updated++
			}
			if _, err := putFAQ(tx, e, f.db.now()); err != nil {
				return err
			}
		}
		return nil
	})
	return added, updated, wrap("import FAQ", err)
}

func faqKey(question string) string { return strings.TrimSpace(fold(question)) }

func putFAQ(tx *Tx, e FAQEntry, now int64) (int64, error) {
	alternatives := ""
	if len(e.Alternatives) > 0 {
		b, err := json.Marshal(e.Alternatives)
		if err != nil {
			return 0, fmt.Errorf("encode alternatives: %w", err)
		}
		alternatives = string(b)
	}
	key := faqKey(e.Question)
	var other int64
	err := tx.row("SELECT id FROM faq WHERE lang = ? AND key = ?", []any{e.Lang, key}, &other)
	if err == nil && other != e.ID {
		return 0, ErrExists
	}
	if err != nil && !noRows(err) {
		return 0, err
	}
	id := e.ID
	if id == 0 {
		id, err = tx.insert("INSERT INTO faq (lang, question, alternatives, answer, enabled, hits, updated_at, key) VALUES (?,?,?,?,?,?,?,?)",
			e.Lang, e.Question, alternatives, e.Answer, e.Enabled, e.Hits, now, key)
	} else {
		var n int64
		n, err = tx.exec("UPDATE faq SET lang = ?, question = ?, alternatives = ?, answer = ?, enabled = ?, updated_at = ?, key = ? WHERE id = ?",
			e.Lang, e.Question, alternatives, e.Answer, e.Enabled, now, key, id)
		if err == nil && n == 0 {
			return 0, ErrNoRow
		}
	}
	if err != nil {
		return 0, err
	}
	if _, err := tx.exec("DELETE FROM faq_fts WHERE rowid = ?", id); err != nil {
		return 0, err
	}
	_, err = tx.insert("INSERT INTO faq_fts (rowid, text) VALUES (?,?)", id, indexed(strings.Join(e.wordings(), "\n")))
	return id, err
}

func (e *FAQEntry) wordings() []string { return append([]string{e.Question}, e.Alternatives...) }

// Delete removes an entry; ErrNoRow when there is none.
func (f *FAQ) Delete(ctx context.Context, id int64) error {
	err := f.db.write(ctx, func(tx *Tx) error {
		n, err := tx.exec("DELETE FROM faq WHERE id = ?", id)
		if err == nil && n == 0 {
			return ErrNoRow
		}
		if err != nil {
			return err
		}
		_, err = tx.exec("DELETE FROM faq_fts WHERE rowid = ?", id)
		return err
	})
	return wrap("delete FAQ entry", err)
}

// Hit counts an answer that was given from an entry. An entry that has gone
// meanwhile is no error.
func (f *FAQ) Hit(ctx context.Context, id, times int64) error {
	return wrap("count FAQ answer", f.db.writeIdle(ctx, func(tx *Tx) error {
		_, err := tx.exec("UPDATE faq SET hits = hits + ? WHERE id = ?", times, id)
		return err
	}))
}

// faqTrigrams bounds the index terms of one question.
const faqTrigrams = 96

// Search returns enabled entries that share trigrams (of Chinese: pairs of
// characters) with text, the most similar first, at most limit (0: 10). lang
// is a primary tag; empty: any. Entries without a language suit every one.
func (f *FAQ) Search(ctx context.Context, text, lang string, limit int) ([]FAQMatch, error) {
	if limit <= 0 {
		limit = 10
	}
	words := strings.Fields(fold(text))
	expr := match(words, " OR ", faqTrigrams)
	if expr == "" {
		return nil, nil
	}
	var out []FAQMatch
	asked := shingles(words)
	err := f.db.each(ctx, `SELECT `+faqColumns+`, rank FROM (SELECT rowid AS hit, rank FROM faq_fts WHERE faq_fts MATCH ? ORDER BY rank LIMIT ?)
		JOIN faq ON faq.id = hit WHERE enabled = 1 AND (? = '' OR lang = '' OR lang = ?)`,
		[]any{expr, 8*limit + 64, lang, lang}, func(r *sql.Rows) error {
			var m FAQMatch
			var err error
			m.FAQEntry, err = scanFAQ(r, &m.Rank)
			m.Rank = -m.Rank // FTS5 gives better matches a smaller number
			for _, w := range m.wordings() {
				m.Score = max(m.Score, dice(asked, shingles(strings.Fields(fold(w)))))
			}
			out = append(out, m)
			return err
		})
	if err != nil {
		return nil, wrap("search FAQ", err)
	}
	sortMatches(out)
	return out[:min(len(out), limit)], nil
}
