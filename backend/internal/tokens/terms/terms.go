// Package terms turns text into search terms: words cut down to their stems
// for languages with spaces, overlapping pairs of characters for Chinese,
// Japanese and Korean, and numbers and identifiers as a whole and in parts. A
// Lexicon adds the everyday synonyms of a shop in English and Chinese.
//
// It is shared by recall (search within a conversation) and by the FAQ
// answerer, so that both understand "send back" and "退货" alike.
package terms

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Normalize folds full and half width, compatibility forms, case and the
// commonest traditional Chinese characters. It never fails; invalid UTF-8
// becomes U+FFFD.
func Normalize(s string) string {
	plain := true
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		return strings.ToLower(s)
	}
	s = norm.NFKC.String(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		if r >= 0x4E00 {
			return simplify(r)
		}
		return unicode.ToLower(r)
	}, s)
}

// Class of a token.
type Class uint8

const (
	Word   Class = iota // letters of an alphabet, with apostrophes
	Number              // digits, or letters and digits mixed: an identifier
	Han                 // a run of Han, kana or hangul characters
)

// Token is a piece of a normalised text.
type Token struct {
	Text  string
	Class Class
}

// Split cuts a normalised text into tokens. Identifiers keep inner signs:
// "tx-4471", "12.50", "2026/11/22", "a.b@c.de".
func Split(s string) []Token {
	out := make([]Token, 0, len(s)/5+1)
	for i := 0; i < len(s); {
		r, w := utf8.DecodeRuneInString(s[i:])
		switch {
		case Wide(r):
			j := i + w
			for j < len(s) {
				r, w := utf8.DecodeRuneInString(s[j:])
				if !Wide(r) {
					break
				}
				j += w
			}
			out = append(out, Token{s[i:j], Han})
			i = j
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			j, digit := scanWord(s, i)
			t := Token{s[i:j], Word}
			if digit {
				t.Class = Number
			}
			out = append(out, t)
			i = j
		default:
			i += w
		}
	}
	return out
}

// scanWord finds the end of a word or identifier that starts at i. A sign
// belongs to it only between letters or digits, and only when the word holds a
// digit or is an address.
func scanWord(s string, i int) (end int, digit bool) {
	j := i
	for j < len(s) {
		r, w := utf8.DecodeRuneInString(s[j:])
		switch {
		case Wide(r):
			return j, digit
		case unicode.IsLetter(r), unicode.IsMark(r):
		case unicode.IsDigit(r):
			digit = true
		case r == '\'' || r == '’':
			if !letterAt(s, j+w) {
				return j, digit
			}
		case strings.ContainsRune("-._/:@#", r):
			next := letterAt(s, j+w)
			if !next || !(digit || r == '@' || digitAt(s, j+w)) {
				return j, digit
			}
			if r == '@' {
				digit = true // an address is an identifier
			}
		default:
			return j, digit
		}
		j += w
	}
	return j, digit
}

func letterAt(s string, i int) bool {
	r, _ := utf8.DecodeRuneInString(s[i:])
	return (unicode.IsLetter(r) || unicode.IsDigit(r)) && !Wide(r)
}

func digitAt(s string, i int) bool { return i < len(s) && s[i] >= '0' && s[i] <= '9' }

// Wide reports whether r is written without spaces between words.
func Wide(r rune) bool {
	if r < 0x2E80 {
		return false
	}
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || r == 'ー'
}

// Append appends the search terms of text to dst: stems of words that are not
// stop words, identifiers whole and in parts, pairs and single characters of
// Han runs. Terms may repeat.
func Append(dst []string, text string) []string {
	for _, t := range Split(Normalize(text)) {
		switch t.Class {
		case Word:
			if !Stop(t.Text) {
				dst = append(dst, Stem(t.Text))
			}
		case Number:
			dst = appendIdentifier(dst, t.Text)
		case Han:
			dst = appendPairs(dst, t.Text)
		}
	}
	return dst
}

// appendIdentifier adds an identifier without its signs, and its parts.
func appendIdentifier(dst []string, s string) []string {
	parts := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("-._/:@#'’", r) })
	if len(parts) == 1 {
		return append(dst, parts[0])
	}
	dst = append(dst, strings.Join(parts, ""))
	for _, p := range parts {
		if len(p) > 1 {
			dst = append(dst, p)
		}
	}
	return dst
}

// appendPairs adds the overlapping pairs of a run, and each character alone:
// one-character words (码, 茶) would otherwise never match inside a run.
func appendPairs(dst []string, run string) []string {
	prev := -1
	for i, r := range run {
		w := utf8.RuneLen(r)
		if prev >= 0 {
			dst = append(dst, run[prev:i+w])
		}
		if !stopHan(r) {
			dst = append(dst, run[i:i+w])
		}
		prev = i
	}
	return dst
}

// Stem cuts an English word down to its stem: plural, -ing, -ed, -er, -ly and a
// final e. It is rough on purpose; both sides of a comparison are cut alike.
func Stem(w string) string {
	if i := strings.IndexAny(w, "'’"); i > 1 {
		w = w[:i]
	}
	n := len(w)
	switch {
	case n > 4 && strings.HasSuffix(w, "ies"):
		return w[:n-3] + "y"
	case n > 4 && strings.HasSuffix(w, "sses"), n > 4 && (strings.HasSuffix(w, "xes") || strings.HasSuffix(w, "ches") || strings.HasSuffix(w, "shes")):
		w = w[:n-2]
	case n > 3 && strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") && !strings.HasSuffix(w, "us") && !strings.HasSuffix(w, "is"):
		w = w[:n-1]
	}
	n = len(w)
	switch {
	case n > 5 && strings.HasSuffix(w, "ing"):
		w = undouble(w[:n-3])
	case n > 4 && strings.HasSuffix(w, "ied"):
		return w[:n-3] + "y"
	case n > 4 && strings.HasSuffix(w, "ed") && !strings.HasSuffix(w, "eed"):
		w = undouble(w[:n-2])
	case n > 5 && strings.HasSuffix(w, "ly"):
		w = w[:n-2]
	}
	if n = len(w); n > 3 && w[n-1] == 'e' {
		w = w[:n-1]
	}
	return w
}

func undouble(w string) string {
	n := len(w)
	if n > 3 && w[n-1] == w[n-2] && w[n-1] != 'l' && w[n-1] != 's' {
		return w[:n-1]
	}
	return w
}
