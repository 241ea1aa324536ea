package tokens

import "unicode/utf8"

// The splitting patterns need a regular expression engine with look-ahead, which
// takes 50 µs and several KB for a short question. Nearly all texts consist of
// few classes of characters, for which the patterns are followed here by hand;
// what has any other character, or a piece that is very long, is left to the
// pattern. A fuzz test holds both to the library that is known for it.

// class is what a character is to the patterns.
type class uint8

const (
	other   class = iota // not known here
	upper                // \p{Lu}
	lower                // \p{Ll}
	letter               // \p{Lo}, which counts as both
	digit                // \p{N}
	newline              // \r \n
	blank                // the rest of \s
	sign                 // [^\s\p{L}\p{N}]
)

// maxPiece bounds the pieces that are merged here: merging is quadratic.
const maxPiece = 128

var asciiClass = func() (t [utf8.RuneSelf]class) {
	for c := range t {
		switch {
		case c == '\r' || c == '\n':
			t[c] = newline
		case c == ' ' || c == '\t':
			t[c] = blank
		case c < ' ' || c == 0x7f:
			t[c] = other
		case c >= 'A' && c <= 'Z':
			t[c] = upper
		case c >= 'a' && c <= 'z':
			t[c] = lower
		case c >= '0' && c <= '9':
			t[c] = digit
		default:
			t[c] = sign
		}
	}
	return t
}()

// at is the class of the character at i and where the next begins; at the end
// it is other and i itself.
func at(s string, i int) (class, int) {
	if i >= len(s) {
		return other, i
	}
	if c := s[i]; c < utf8.RuneSelf {
		return asciiClass[c], i + 1
	}
	r, n := utf8.DecodeRuneInString(s[i:])
	switch {
	case r >= 0x4E00 && r <= 0x9FA5, r >= 0x3041 && r <= 0x3096, r >= 0x30A1 && r <= 0x30FA, r >= 0xAC00 && r <= 0xD7A3:
		return letter, i + n
	case r >= 0x3001 && r <= 0x3003, r >= 0x3008 && r <= 0x3011, r >= 0x2013 && r <= 0x2014, r >= 0x2018 && r <= 0x201D,
		r == 0x2026, r == 0xB7, r == 0xFF01, r == 0xFF08, r == 0xFF09, r == 0xFF0C, r == 0xFF1A, r == 0xFF1B, r == 0xFF1F:
		return sign, i + n
	}
	return other, i + n
}

// run is where the characters of one class end.
func run(s string, i int, c class) int {
	for {
		k, next := at(s, i)
		if k != c || next == i {
			return i
		}
		i = next
	}
}

// contraction is how long 's, 't, 're, 've, 'm, 'll or 'd at i is, 0: none.
func contraction(s string, i int) int {
	if i+1 >= len(s) || s[i] != '\'' {
		return 0
	}
	switch s[i+1] | 0x20 {
	case 's', 't', 'm', 'd':
		return 2
	}
	if i+2 < len(s) {
		switch [2]byte{s[i+1] | 0x20, s[i+2] | 0x20} {
		case [2]byte{'r', 'e'}, [2]byte{'v', 'e'}, [2]byte{'l', 'l'}:
			return 3
		}
	}
	return 0
}

// casedWord is the end of the first two alternatives of o200k behind their
// optional first character: letters that end in lower case ones or in such
// without case, else upper case ones. i itself: no word.
func casedWord(s string, i int) int {
	j, last := i, 0 // last: behind the last letter without case
	for {
		k, next := at(s, j)
		if k != upper && k != letter {
			break
		}
		if j = next; k == letter {
			last = next
		}
	}
	if k, _ := at(s, j); k == lower {
		for {
			k, next := at(s, j)
			if k != lower && k != letter {
				return j + contraction(s, j)
			}
			j = next
		}
	}
	if last > 0 {
		j = last
	}
	if j > i {
		j += contraction(s, j)
	}
	return j
}

// plainWord is the end of a run of letters, as cl100k has it.
func plainWord(s string, i int) int {
	for {
		k, next := at(s, i)
		if k != upper && k != lower && k != letter {
			return i
		}
		i = next
	}
}

// piece is the end of the piece that begins at i; false: ask the pattern.
func piece(e encoding, s string, i int) (int, bool) {
	k, next := at(s, i)
	word := casedWord
	if e == cl100k {
		if n := contraction(s, i); n > 0 {
			return i + n, true
		}
		word = plainWord
	}
	switch k {
	case upper, lower, letter:
		return word(s, i), true
	case digit:
		for range 2 {
			if k, after := at(s, next); k == digit {
				next = after
			}
		}
		return next, true
	case sign:
		if end := word(s, next); end > next {
			return end, true
		}
		return signs(e, s, i), true
	case blank:
		if end := word(s, next); end > next {
			return end, true
		}
		if k, _ := at(s, next); k == sign && s[i] == ' ' {
			return signs(e, s, next), true
		}
		return spaces(s, i)
	case newline:
		return spaces(s, i)
	}
	return i, false
}

// signs is the end of a run of signs with the line ends behind it.
func signs(e encoding, s string, i int) int {
	i = run(s, i, sign)
	for i < len(s) && (s[i] == '\r' || s[i] == '\n' || e == o200k && s[i] == '/') {
		i++
	}
	return i
}

// spaces is the end of a piece of white space: up to its last line end, else up
// to the blank that belongs to the next word.
func spaces(s string, i int) (int, bool) {
	j, line := i, 0
	for j < len(s) {
		k, next := at(s, j)
		if k == other {
			return i, false // perhaps a blank that is not known here
		}
		if k != blank && k != newline {
			break
		}
		if j = next; k == newline {
			line = next
		}
	}
	switch {
	case line > 0:
		return line, true
	case j == len(s) || j == i+1:
		return j, true
	}
	return j - 1, true
}

// quick counts the tokens of a text of known characters; false: ask the pattern.
func quick(e encoding, ranks *table, s string) (int, bool) {
	n := 0
	for i := 0; i < len(s); {
		end, ok := piece(e, s, i)
		if !ok || end-i > maxPiece {
			return 0, false
		}
		if p := s[i:end]; len(p) > 0 {
			if _, known := ranks.rank(p); known {
				n++
			} else {
				n += merged(ranks, p)
			}
		}
		i = end
	}
	return n, true
}

// merged is how many tokens are left of a piece when its neighbours were joined,
// the pair of the lowest rank first.
func merged(ranks *table, p string) int {
	var start [maxPiece + 1]uint16
	var rank [maxPiece]int
	return mergedIn(ranks, p, start[:], rank[:])
}

// mergedIn is merged with room for where the parts begin and the ranks of the
// pairs that begin with them.
func mergedIn(ranks *table, p string, start []uint16, rank []int) int {
	const none = int(^uint(0) >> 1)
	parts := len(p)
	for i := range parts + 1 {
		start[i] = uint16(i)
	}
	pair := func(i int) int {
		if i+2 > parts {
			return none
		}
		if r, ok := ranks.rank(p[start[i]:start[i+2]]); ok {
			return r
		}
		return none
	}
	for i := range parts {
		rank[i] = pair(i)
	}
	for parts > 1 {
		best := 0
		for i := 1; i < parts-1; i++ {
			if rank[i] < rank[best] {
				best = i
			}
		}
		if rank[best] == none {
			break
		}
		copy(start[best+1:], start[best+2:parts+1])
		copy(rank[best+1:], rank[best+2:parts])
		parts--
		rank[best] = pair(best)
		if best > 0 {
			rank[best-1] = pair(best - 1)
		}
		rank[parts-1] = none
	}
	return parts
}
