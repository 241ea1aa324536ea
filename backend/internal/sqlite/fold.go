package sqlite

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// gap stands between Chinese, Japanese and Korean characters in the full-text
// index. The trigram tokenizer knows only substrings of three characters, but
// most Chinese words have two: with a gap between them, a pair of characters
// is a trigram ("退", gap, "货"), and so is a single one (gap, "茶", gap).
const gap = '\x01'

// fold makes texts comparable: lower case, full-width forms as ASCII,
// white space as one blank, zero-width and control characters gone.
func fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	var f folding
	for _, r := range s {
		if r, some := f.fold(r); some {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// folding folds a text character by character.
type folding struct{ blank bool }

// fold returns what becomes of the next character, false: nothing.
func (f *folding) fold(r rune) (rune, bool) {
	switch {
	case r > ' ' && r < 0x7f:
	case r >= 0xff01 && r <= 0xff5e: // full-width forms
		r -= 0xfee0
	case r == 0x200b || r == 0x200c || r == 0x200d || r == 0xfeff || r == 0xad:
		return 0, false
	case unicode.IsSpace(r):
		if f.blank {
			return 0, false
		}
		r = ' '
	case unicode.IsControl(r): // NUL above all: it would end the query
		return 0, false
	}
	f.blank = r == ' '
	return unicode.ToLower(r), true
}

// wide reports whether r is written without blanks between words.
func wide(r rune) bool {
	return r >= 0x2e80 && (r <= 0x9fff || r >= 0xac00 && r <= 0xd7af || r >= 0xf900 && r <= 0xfaff || r >= 0x20000 && r <= 0x3ffff)
}

// spreading puts gaps around wide characters, character by character.
type spreading struct{ was bool }

func (s *spreading) append(b []byte, r rune) []byte {
	w := wide(r)
	if w && !s.was {
		b = utf8.AppendRune(b, gap)
	}
	b = utf8.AppendRune(b, r)
	if w {
		b = utf8.AppendRune(b, gap)
	}
	s.was = w
	return b
}

const (
	maxTerms    = 8  // words of a search
	maxTrigrams = 32 // of all words together
)

// terms splits a search into folded words, all of which must occur.
func terms(query string) []string {
	words := strings.Fields(fold(query))
	if len(words) > maxTerms {
		words = words[:maxTerms]
	}
	return words
}

// trigrams returns the index terms that a text containing word must contain;
// none when the word is too short to be looked up.
func trigrams(word string) []string {
	var out []string
	flush := func(run []rune, w bool) {
		switch {
		case w && len(run) == 1:
			out = append(out, string([]rune{gap, run[0], gap}))
		case w:
			for i := 0; i+1 < len(run); i++ {
				out = append(out, string([]rune{run[i], gap, run[i+1]}))
			}
		default:
			for i := 0; i+2 < len(run); i++ {
				out = append(out, string(run[i:i+3]))
			}
		}
	}
	var run []rune
	was := false
	for _, r := range word {
		if w := wide(r); w != was {
			flush(run, was)
			run, was = run[:0], w
		}
		run = append(run, r)
	}
	flush(run, was)
	return out
}

// matchAll writes the FTS5 query for texts that contain all words, empty when
// no word can be looked up.
func matchAll(words []string) string { return match(words, " AND ", maxTrigrams) }

// match joins the trigrams of words, at most limit of them, into an FTS5
// query. Every trigram is one token, so that the index needs no positions
// (detail=none).
func match(words []string, op string, limit int) string {
	var b strings.Builder
	seen := make(map[string]bool)
	for _, w := range words {
		for _, t := range trigrams(w) {
			if seen[t] || len(seen) == limit {
				continue
			}
			seen[t] = true
			if b.Len() > 0 {
				b.WriteString(op)
			}
			b.WriteByte('"')
			b.WriteString(strings.ReplaceAll(t, `"`, `""`))
			b.WriteByte('"')
		}
	}
	return b.String()
}

// containsAll reports whether the folded text contains every word.
func containsAll(folded string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(folded, w) {
			return false
		}
	}
	return true
}
