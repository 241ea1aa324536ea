package sqlite

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"haoke/backend/internal/chat"
)

const (
	// indexBatch is how many messages enter the full-text index in one write.
	// It is small because a visitor's message may wait behind it, and not
	// smaller because each write makes a segment that has to be merged.
	indexBatch = 128
	// mergePages is how much of the index one write merges, for the same reason:
	// FTS5's own merging does what is due at once, which took up to 90 ms.
	mergePages = 4
	// manySegments is the number of segments on one level from which FTS5 merges
	// them at once after all.
	manySegments = 400
	// indexText bounds what is indexed of one message, in bytes.
	indexText = 32 << 10
	// indexBytes is about how much text one write indexes at most.
	indexBytes = 256 << 10
)

// errEnough ends a reading early.
var errEnough = errors.New("enough")

// tuneIndex takes the merging of the index's segments out of the writes that
// add to it: mergeStep does it in small steps. The setting stays in the file.
func (db *DB) tuneIndex() error {
	var v int
	err := db.tx.row("SELECT v FROM message_fts_config WHERE k = 'automerge'", nil, &v)
	if err == nil && v == 0 || err != nil && !noRows(err) {
		return wrap("read the index's settings", err)
	}
	if _, err := db.tx.exec("INSERT INTO message_fts (message_fts, rank) VALUES ('automerge', 0)"); err != nil {
		return wrap("tune the index", err)
	}
	_, err = db.tx.exec("INSERT INTO message_fts (message_fts, rank) VALUES ('crisismerge', ?)", manySegments)
	return wrap("tune the index", err)
}

// mergeStep merges a little of the full-text index and reports whether there
// may be more to merge.
func (db *DB) mergeStep(ctx context.Context) (more bool, err error) {
	err = db.writeIdle(ctx, func(tx *Tx) error {
		var before, after int64
		if err := tx.row("SELECT total_changes()", nil, &before); err != nil {
			return err
		}
		if _, err := tx.exec("INSERT INTO message_fts (message_fts, rank) VALUES ('merge', ?)", mergePages); err != nil {
			return err
		}
		err := tx.row("SELECT total_changes()", nil, &after)
		more = after-before >= 2 // the documented sign that something was merged
		return err
	})
	return more, wrap("merge the index", err)
}

// indexed is the form of a text in the index.
func indexed(text string) string { return string(appendIndexed(nil, []byte(text))) }

// appendIndexed appends the form of a text in the index: folded and spread.
func appendIndexed(b, text []byte) []byte {
	if len(text) > indexText {
		text = text[:indexText]
		for range utf8.UTFMax { // not half of a character at the end
			if r, n := utf8.DecodeLastRune(text); r != utf8.RuneError || n > 1 {
				break
			}
			text = text[:len(text)-1]
		}
	}
	var f folding
	var s spreading
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		text = text[n:]
		if r, some := f.fold(r); some {
			b = s.append(b, r)
		}
	}
	return b
}

// whoPlain is what can be found of a conversation beside its messages.
func whoPlain(h *chat.Conversation) string {
	return strings.Join([]string{h.Visitor.Name, h.Visitor.Email, h.Visitor.Sub, h.Visitor.IP, h.Page.Title, h.Page.URL, h.Operator, h.Comment}, "\n")
}
