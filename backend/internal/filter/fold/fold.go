// Package fold says what a character stands for once everything that writers
// use to disguise it is taken away: width, case, accents, look-alikes from
// other alphabets, circled and mathematical forms, traditional Chinese. It also
// sorts what is no letter into invisible marks and kinds of separator.
package fold

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Kind is what a rune is to the filter.
type Kind uint8

const (
	// Letter is a letter or a digit; Table.Fold gives its folded form.
	Letter Kind = iota
	// Skip is invisible (zero width, combining, direction marks, controls):
	// it never separates anything.
	Skip
	// Space is a blank within a line.
	Space
	// Strict is sentence punctuation, a quote, a bracket or a line break:
	// a natural border between words.
	Strict
	// Free is every other symbol, emoji included: nothing but decoration.
	Free
)

//go:embed simplified.txt
var simplifiedData string

//go:embed lookalike.txt
var lookalikeData string

// Table folds runes. It is immutable and safe for concurrent use.
type Table struct {
	kind    [1 << 16]Kind
	to      [1 << 16]uint16 // folded form of a BMP letter that folds to one BMP rune; 0: see multi
	foreign [1 << 13]byte   // bitmap: the folded form is only a look-alike
	multi   map[rune]string // letters that fold to several runes or to an astral one
}

// Default returns the table, which is built from the Unicode data and the
// embedded tables on first use and is constant afterwards.
func Default() *Table { return shared() }

// shared is no state: the table is a constant that is too large to write down.
var shared = sync.OnceValue(build)

// Fold returns what r is and, for a Letter, its folded form. more holds the
// rest of the form when r stands for several letters, as "㎏" and "ﬁ" do.
func (t *Table) Fold(r rune) (k Kind, f rune, more string) {
	if uint32(r) < 1<<16 {
		k = t.kind[r]
		if k != Letter {
			return k, 0, ""
		}
		if f = rune(t.to[r]); f != 0 {
			return k, f, ""
		}
		m := t.multi[r]
		f, n := utf8.DecodeRuneInString(m)
		return k, f, m[n:]
	}
	if m, ok := t.multi[r]; ok {
		f, n := utf8.DecodeRuneInString(m)
		return Letter, f, m[n:]
	}
	if k = kindOf(r); k == Letter {
		return k, r, ""
	}
	return k, 0, ""
}

// Foreign reports whether the folded form of r is a letter of another alphabet
// that r only looks like.
func (t *Table) Foreign(r rune) bool {
	return uint32(r) < 1<<16 && t.foreign[r>>3]&(1<<(r&7)) != 0
}

// String returns s as the words layer reads it, with one space for every run
// of separators, for display.
func (t *Table) String(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range s {
		k, f, more := t.Fold(r)
		switch k {
		case Letter:
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteRune(f)
			b.WriteString(more)
		case Skip:
		default:
			gap = true
		}
	}
	return b.String()
}

// Alphabetic reports whether a folded letter belongs to a script that writes
// spaces between words, so that word boundaries mean something.
func Alphabetic(f rune) bool {
	if f < utf8.RuneSelf {
		return 'a' <= f && f <= 'z' || 'A' <= f && f <= 'Z'
	}
	if 0x4E00 <= f && f <= 0x9FFF { // most Chinese characters, without a search
		return false
	}
	return unicode.IsLetter(f) && !unicode.In(f, unicode.Han, unicode.Hiragana, unicode.Katakana,
		unicode.Hangul, unicode.Bopomofo, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// Width folds only the width and the style of ASCII letters, digits and the
// few symbols that identifiers are made of. It is the light form that patterns
// see: case, accents and punctuation stay as they are.
func Width(r rune) rune {
	switch {
	case r < 0x80:
		return r
	case r >= 0xFF10 && r <= 0xFF19, r >= 0xFF21 && r <= 0xFF3A, r >= 0xFF41 && r <= 0xFF5A,
		r == 0xFF0B, r == 0xFF0D, r == 0xFF0E, r == 0xFF0F, r == 0xFF20, r == 0xFF3F:
		return r - 0xFEE0
	case r == 0x3000, r == 0xA0, r == 0x202F, r >= 0x2000 && r <= 0x200A:
		return ' '
	case r >= 0x2010 && r <= 0x2015, r == 0x2212:
		return '-'
	case r >= 0x2460 && r <= 0x2468:
		return '1' + r - 0x2460
	case r == 0x24EA:
		return '0'
	case r >= 0x1D7CE && r <= 0x1D7FF:
		return '0' + (r-0x1D7CE)%10
	}
	return r
}

// Invisible reports whether patterns should read on as if r were not there.
func Invisible(r rune) bool {
	return r == 0xAD || r >= 0x200B && r <= 0x200F || r >= 0x202A && r <= 0x202E ||
		r >= 0x2060 && r <= 0x2064 || r == 0xFEFF || r >= 0xFE00 && r <= 0xFE0F || r == 0x180E
}

func build() *Table {
	t := &Table{multi: make(map[rune]string, 1024)}
	simple := pairs(simplifiedData)
	look := pairs(lookalikeData)
	for r := rune(0); r < 1<<16; r++ {
		t.kind[r] = kindOf(r)
		if t.kind[r] != Letter && !expands(r) {
			continue
		}
		t.kind[r] = Letter
		f := foldOne(r, simple, look)
		if g, n := utf8.DecodeRuneInString(f); n == len(f) && g < 1<<16 && g > 0 {
			t.to[r] = uint16(g)
		} else {
			t.multi[r] = f
		}
		if _, ok := look[r]; ok {
			t.foreign[r>>3] |= 1 << (r & 7)
		}
	}
	t.astral(simple, look)
	return t
}

// astral adds the letters beyond the BMP that stand for others: mathematical
// alphabets, squared and regional letters, rare traditional characters.
func (t *Table) astral(simple, look map[rune]rune) {
	for r := rune(0x1D400); r <= 0x1D7FF; r++ {
		t.multi[r] = foldOne(r, simple, look)
	}
	for r := rune(0x1F100); r <= 0x1F1FF; r++ {
		if f := foldOne(r, simple, look); f != string(r) {
			t.multi[r] = f
		}
	}
	for _, first := range []rune{0x1F150, 0x1F170, 0x1F1E6} { // negative circled, negative squared, regional
		for i := rune(0); i < 26; i++ {
			t.multi[first+i] = string('a' + i)
		}
	}
	for from, to := range simple {
		if from >= 1<<16 {
			t.multi[from] = string(to)
		}
	}
}

// expands reports whether a symbol stands for letters, as "①" and "㎏" do.
func expands(r rune) bool {
	if r < 0x80 || r >= 0xD800 && r < 0xE000 || unicode.Is(unicode.Mn, r) {
		return false
	}
	for _, x := range norm.NFKC.String(string(r)) {
		if unicode.IsLetter(x) || unicode.IsDigit(x) {
			return x != r
		}
	}
	return false
}

// foldOne folds one letter; the result has at least one rune.
func foldOne(r rune, simple, look map[rune]rune) string {
	if l, ok := look[r]; ok {
		return string(l)
	}
	var out []rune
	for _, x := range norm.NFKC.String(string(r)) {
		x = foldRune(x, simple, look)
		if k := kindOf(x); k == Letter {
			out = append(out, x)
		}
	}
	if len(out) == 0 {
		return string(unicode.ToLower(r))
	}
	return string(out)
}

func foldRune(x rune, simple, look map[rune]rune) rune {
	if l, ok := look[x]; ok {
		return l
	}
	x = unicode.ToLower(x)
	if x >= 0x80 && unicode.In(x, unicode.Latin, unicode.Greek, unicode.Cyrillic) {
		// the base letter without its accents
		for _, b := range norm.NFD.String(string(x)) {
			x = b
			break
		}
	}
	if l, ok := look[x]; ok {
		return l
	}
	if s, ok := simple[x]; ok {
		return s
	}
	if x >= 0x80 && unicode.Is(unicode.Nd, x) {
		return '0' + digitValue(x)
	}
	return x
}

// digitValue is the value of a decimal digit of any script: they stand in
// blocks of ten.
func digitValue(r rune) rune {
	zero := r
	for unicode.Is(unicode.Nd, zero-1) && r-zero < 9 {
		zero--
	}
	return r - zero
}

func kindOf(r rune) Kind {
	switch {
	case r == '\n' || r == '\r' || r == 0x2028 || r == 0x2029 || r == 0x85:
		return Strict
	case r == ' ' || r == '\t' || unicode.Is(unicode.Zs, r):
		return Space
	case r == 0x115F || r == 0x1160 || r == 0x3164 || r == 0xFFA0 || r == 0x2800: // blank letters
		return Skip
	case unicode.IsLetter(r) || unicode.IsDigit(r):
		return Letter
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Cc):
		return Skip
	case unicode.Is(unicode.Mc, r):
		return Letter
	case strings.ContainsRune(",;:!?'\"()[]{}<>，。、；：！？‘’“”（）《》〈〉「」『』【】｡､؟،…\u037e", r):
		return Strict
	}
	return Free
}

// pairs reads a table of "from, to" runes written one after the other.
func pairs(data string) map[rune]rune {
	m := make(map[rune]rune, len(data)/6)
	var from rune
	for _, r := range data {
		if from == 0 {
			from = r
			continue
		}
		m[from] = r
		from = 0
	}
	return m
}
