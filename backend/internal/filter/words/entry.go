// Package words finds thousands of words in one pass over a text, however
// they are disguised: width, case, accents, look-alikes, digits for letters,
// repeated letters, separators and invisible characters between letters.
//
// It works in two steps. An automaton over coarse letter classes looks at
// every character once and names candidates; it never misses, but it is
// generous. Each candidate is then checked letter by letter against the
// original text, which settles boundaries, separators and look-alikes.
package words

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"haoke/backend/internal/filter/fold"
)

// MaxLetters is the longest entry, in letters after folding.
const MaxLetters = 64

// Entry is one word or phrase of a list. A leading or trailing "*" lifts the
// word boundary on that side ("fuck*").
type Entry struct {
	Text string
	Rule int32 // the caller's number for it, returned with each match
}

// Errors of entries.
var (
	// ErrNoLetters: nothing remains of the entry after folding.
	ErrNoLetters = errors.New("has no letters or digits")
	// ErrTooLong: the entry has more than MaxLetters letters.
	ErrTooLong = errors.New("is longer than 64 letters")
)

// flags of entries
const (
	openLeft   = 1 << iota // no boundary needed before the word
	openRight              // nor after it
	leftEdge               // the first letter is of a script that has word boundaries
	rightEdge              // so is the last
	everyOther             // some letter is not
	written    = openLeft | openRight
)

// compiled is an entry as the check needs it.
type compiled struct {
	off    uint32 // first letter in Set.letters
	n      uint8  // number of letters
	flags  uint8
	rule   int32
	spaces uint64 // bit j: the entry itself has a separator before letter j
}

// parse folds an entry and appends its letters to dst.
func parse(t *fold.Table, dst []rune, text string) (letters []rune, spaces uint64, flags uint8, err error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "*") {
		flags |= openLeft
	}
	if len(text) > 1 && strings.HasSuffix(text, "*") {
		flags |= openRight
	}
	gap := false
	letters = dst
	for _, r := range text {
		k, f, more := t.Fold(r)
		switch k {
		case fold.Letter:
			if n := len(letters) - len(dst); gap && n > 0 && n < MaxLetters {
				spaces |= 1 << n
			}
			gap = false
			letters = append(letters, f)
			for _, m := range more {
				letters = append(letters, m)
			}
		case fold.Skip:
		default:
			gap = true
		}
	}
	switch own := letters[len(dst):]; {
	case len(own) == 0:
		return dst, 0, 0, ErrNoLetters
	case len(own) > MaxLetters:
		return dst, 0, 0, ErrTooLong
	default:
		return letters, spaces, flags | edges(own), nil
	}
}

// edges sets the flags that say of which scripts the letters are.
func edges(letters []rune) (flags uint8) {
	if bounded(letters[0]) {
		flags |= leftEdge
	}
	if bounded(letters[len(letters)-1]) {
		flags |= rightEdge
	}
	for _, r := range letters {
		if !bounded(r) {
			return flags | everyOther
		}
	}
	return flags
}

// needsLeft reports whether an entry must begin at a word boundary.
func needsLeft(flags uint8) bool { return flags&(openLeft|leftEdge) == leftEdge }

func needsRight(flags uint8) bool { return flags&(openRight|rightEdge) == rightEdge }

// bounded reports whether words made of such letters are delimited by others.
func bounded(f rune) bool { return isDigit(f) || fold.Alphabetic(f) }

func isDigit(f rune) bool { return '0' <= f && f <= '9' }

// coarse merges letters that the same digit or symbol may stand for, so that
// the automaton needs to know only one of them.
func coarse(f rune) rune {
	if f > 'l' {
		return f
	}
	switch f {
	case 'l', '1':
		return 'i'
	case '0':
		return 'o'
	case '5':
		return 's'
	case '4':
		return 'a'
	case '3':
		return 'e'
	case '7':
		return 't'
	case '8', '6':
		return 'b'
	case '9':
		return 'g'
	case '2':
		return 'z'
	}
	return f
}

// disguises gives the letters that a digit or symbol may stand for.
func disguises(r rune) string {
	switch r {
	case '1', '!', '|':
		return "il"
	case '0':
		return "o"
	case '5', '$':
		return "s"
	case '4', '@':
		return "a"
	case '3', '€':
		return "e"
	case '7', '+':
		return "t"
	case '8', '6':
		return "b"
	case '9':
		return "g"
	case '2':
		return "z"
	case '¢':
		return "c"
	}
	return ""
}

// ambiguous are the symbols that may be a letter or a separator.
const ambiguous = "@$!|+€¢"

// Info is what can be said of an entry before it is compiled.
type Info struct {
	Key        string // equal for entries that are the same word
	Letters    int    // after folding
	Alphabetic bool   // of a script that writes spaces between words, or digits
}

// Parse tells about an entry, or why it cannot be one: ErrNoLetters, ErrTooLong.
func Parse(text string) (Info, error) {
	letters, _, flags, err := parse(fold.Default(), nil, text)
	if err != nil {
		return Info{}, err
	}
	in := Info{Letters: len(letters), Alphabetic: slices.ContainsFunc(letters, bounded)}
	b := make([]byte, 1, 1+4*len(letters))
	b[0] = '0' + flags&written
	for _, r := range letters {
		b = utf8.AppendRune(b, r)
	}
	in.Key = string(b)
	return in, nil
}
