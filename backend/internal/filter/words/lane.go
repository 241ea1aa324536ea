package words

import (
	"math/bits"
	"unicode/utf8"
)

// openings say which letters begin entries. They are what the fast lane of Scan
// asks before the automaton walks; "yes" may be wrong, "no" never is.
type openings struct {
	pairs []uint64 // bitmap by hashPair: two letters begin an entry
	mask  uint32
	// heads, by letterIndex: an entry goes on with these letters at the begin
	// of a Latin word; open: the same within a word, for entries without a
	// boundary on the left.
	heads, open indexBits
	fourth      indexBits // by hashFourth: ... and with this one behind those of heads
	first       uint32    // letters (b&31) with which an entry within a word begins
}

type indexBits [1 << 15 / 64]uint64

func (x *indexBits) has(i uint32) bool { return x[i>>6&511]&(1<<(i&63)) != 0 }
func (x *indexBits) set(i uint32)      { x[i>>6&511] |= 1 << (i & 63) }

// blank is what a space counts as among letters, which are 1 to 26; 0 is
// anything else.
const blank = 27

func (o *openings) pair(prev, c uint16) bool {
	h := hashPair(prev, c) & o.mask
	return o.pairs[h>>6]&(1<<(h&63)) != 0
}

func hashPair(prev, c uint16) uint32 { return uint32(prev)*40503 + uint32(c) }

// letterIndex is the place of the ASCII letter x and what follows it in heads
// and open: two letters, or one and a blank or the end of the word.
func letterIndex(text string, i int) uint32 {
	x := uint32(text[i]&31) << 10
	y := letterCode(text[i+1])
	if y == 0 || y == blank {
		return x | y<<5
	}
	return x | y<<5 | letterCode(text[i+2])
}

func letterCode(b byte) uint32 {
	switch {
	case asciiLetter(b):
		return uint32(b & 31)
	case b == ' ':
		return blank
	}
	return 0
}

func hashFourth(index, letter uint32) uint32 { return index*29 + letter*1181 }

// Scan reads text[i:], which must be valid UTF-8, and notes candidates in st.
// It allocates only when there are more candidates than ever before.
//
// It is a fast lane: while no more than one letter of an entry was read, the
// tables of openings tell whether the letters at hand begin an entry at all,
// and only where they may the automaton walks. The lane's state is the last
// letter, prev (0: nothing is under way), and the gap since.
func (s *Set) Scan(st *State, text string, i int) {
	if len(st.forks) > 0 {
		s.runForks(st, text, i)
	}
	if st.node != 0 {
		if i = s.walk(st, text, i); i >= len(text) {
			return
		}
	}
	prev, gap := st.prev, st.gap
	pairs, plain := s.openings.pairs, s.plain
	mask := uint32(len(pairs)*64 - 1)
	for i < len(text) {
		var c uint16
		w := 1
		switch b := text[i]; {
		case b&0xF0 == 0xE0 && i+2 < len(text):
			c = s.class[uint16(b)<<12|uint16(text[i+1]&0x3F)<<6|uint16(text[i+2]&0x3F)]
			if h := hashPair(prev, c) & mask; c < plain && pairs[h>>6]&(1<<(h&63)) == 0 {
				prev, gap = c, 0
				i += 3
				continue
			}
			w = 3
		case asciiLetter(b):
			if prev == 0 || !s.opens(prev, s.class[b]) {
				if j := s.skip(text, i); j > i {
					i, prev, gap = j, 0, 0
					continue
				}
			}
			c = classMulti // the automaton reads it
		case b < utf8.RuneSelf:
			c = s.class[b]
		default:
			var r rune
			r, w = utf8.DecodeRuneInString(text[i:])
			c = s.classOf(r)
		}
		switch {
		case c < plain && !(s.openings.pair(prev, c) && s.opens(prev, c)):
			prev, gap = c, 0
		case c == classGap:
			gap += costGap
		case c == classSkip:
			gap += costSkip
		default:
			st.node, st.prev, st.gap = s.root[prev]>>1, prev, gap
			if i = s.walk(st, text, i); i >= len(text) {
				return
			}
			prev, gap = st.prev, st.gap
			continue
		}
		i += w
		if gap > gapBudget {
			prev, gap = 0, 0
		}
	}
	st.node, st.prev, st.gap = s.root[prev]>>1, prev, gap
}

// opens reports whether letter c may follow letter prev in an entry that
// begins with prev.
func (s *Set) opens(prev, c uint16) bool {
	n := s.root[prev] >> 1
	return n != 0 && s.child(n, c) != 0
}

// child returns the cell below n by class c, 0 when there is none.
func (s *Set) child(n int32, c uint16) int32 {
	if t := s.cells[n].base>>1 + int32(c); s.cells[t].check>>1 == n {
		return t
	}
	return 0
}

// skip returns how far the letters from text[i] on can be read over, because no
// entry begins among them: i when one may begin right there.
func (s *Set) skip(text string, i int) int {
	o := s.openings
	if i == 0 || !asciiLetter(text[i-1]) {
		if i+3 >= len(text) {
			return i
		}
		if h := letterIndex(text, i); o.heads.has(h) {
			if l := letterCode(text[i+3]); l == 0 || h&31 == 0 || h&31 == blank || o.fourth.has(hashFourth(h, l)) {
				return i
			}
		}
		i++
	}
	if o.first == 0 {
		return lettersEnd(text, i)
	}
	for ; i < len(text) && asciiLetter(text[i]); i++ {
		if o.first&(1<<(text[i]&31)) != 0 && (i+2 >= len(text) || o.open.has(letterIndex(text, i))) {
			break
		}
	}
	return i
}

// lettersEnd returns the end of the ASCII letters that begin at i, eight bytes
// at a time.
func lettersEnd(text string, i int) int {
	const low, high = 0x0101010101010101, 0x8080808080808080
	for i+8 <= len(text) {
		t := text[i : i+8]
		x := uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
			uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
		y := (x | 0x20*low) &^ high
		other := ^((y + (0x80-'a')*low) &^ (y + (0x7F-'z')*low) &^ x) & high
		if other != 0 {
			return i + bits.TrailingZeros64(other)/8
		}
		i += 8
	}
	for i < len(text) && asciiLetter(text[i]) {
		i++
	}
	return i
}

// newOpenings reads the tables from the automaton, whose links are set.
func (b *builder) newOpenings() *openings {
	o := &openings{}
	second := b.nodes[:0:0]
	for i := range b.nodes {
		if b.nodes[i].depth == 2 {
			second = append(second, b.nodes[i])
		}
	}
	size := 1 << min(max(bits.Len(uint(len(second)))+4, 12), 22)
	o.mask = uint32(size - 1)
	o.pairs = make([]uint64, size/64)
	for _, n := range second {
		h := hashPair(b.nodes[n.parent].class, n.class) & o.mask
		o.pairs[h>>6] |= 1 << (h & 63)
	}
	for x := range uint32(26) {
		if b.inner[b.class['a'+x]] != 0 {
			o.first |= 1 << (x + 1)
		}
		for y := range uint32(blank + 1) {
			for z := range uint32(blank + 1) {
				b.openHead(o, x+1, y, z)
			}
		}
	}
	return o
}

// openHead fills the tables for the letters x, y, z.
func (s *Set) openHead(o *openings, x, y, z uint32) {
	i := x<<10 | y<<5 | z
	if s.reaches(s.inner, x, y, z) {
		o.open.set(i)
	}
	if !s.reaches(s.root, x, y, z) {
		return
	}
	o.heads.set(i)
	if y == 0 || y == blank || z == 0 || z == blank {
		return
	}
	for l := uint32(1); l <= blank; l++ {
		if s.reaches(s.root, x, y, z, l) {
			o.fourth.set(hashFourth(i, l))
		}
	}
}

// reaches reports whether something is under way, or was found, after the
// letters (blank; 0: the word ended otherwise) when entries begin by row.
func (s *Set) reaches(row []int32, letters ...uint32) bool {
	before, prev := uint16(0), s.class['a'-1+letters[0]]
	n := row[prev] >> 1
	for _, l := range letters[1:] {
		switch {
		case n == 0:
			return false
		case s.tails[n].out != 0 && (l == 0 || l == blank || s.flags[n]&nodeRight == 0), l == 0:
			return true
		case l == blank:
			// letters side by side and then a blank are no disguise (see begin)
			return before == 0 || before == prev || s.flags[n]&nodeSpace != 0
		}
		c := s.class['a'-1+l]
		if before = prev; c != prev {
			n, prev = s.child(n, c), c
		}
	}
	return n != 0
}
