package words

import (
	"strings"
	"unicode/utf8"
)

// What may stand between two letters of a word is bounded: every rune there
// has a cost and a gap ends at its budget. So at most 16 separators, 64
// invisible runes or 32 repetitions of a letter are read over, and what a
// stream must hold back is bounded too.
const (
	gapBudget  = 64
	costGap    = 4
	costSkip   = 1
	costRepeat = 2
)

// State is where a scan stands. The zero value is the start of a text. It
// belongs to one goroutine.
type State struct {
	node  int32
	prev  uint16
	gap   int32
	forks []fork
	cands []cand
	found []Match // of the candidate under check
}

// fork is a second reading of the text, in which a symbol that may be a letter
// ("@") was read as one.
type fork struct {
	node    int32
	prev    uint16
	gap     int32
	letters int32 // read since the symbol, the symbol included
	start   int   // no match of this reading begins before
}

// cand is a place where entries may end.
type cand struct {
	out   int32 // 1 + index in Set.outs
	end   int   // behind the first letter of the last run
	node  int32 // the main reading's node, or 0 for a fork's
	start int   // of a fork
}

// Match is one occurrence: byte offsets into the text that was scanned.
type Match struct {
	Rule       int32
	Start, End int
}

// Reset makes st ready for another text; it keeps its memory.
func (st *State) Reset() {
	st.node, st.prev, st.gap = 0, 0, 0
	st.forks, st.cands = st.forks[:0], st.cands[:0]
}

// Shift tells st that n bytes were cut from the front of its text.
func (st *State) Shift(n int) {
	for i := range st.forks {
		st.forks[i].start -= n
	}
	for i := range st.cands {
		st.cands[i].end -= n
		st.cands[i].start -= n
	}
}

// Clean reports that no candidate waits to be resolved.
func (st *State) Clean() bool { return len(st.cands) == 0 }

// walk reads on from text[i:] with the automaton, one character at least, until
// no more than one letter is under way and no Latin word is being read. It
// returns where it stopped and leaves st exact.
func (s *Set) walk(st *State, text string, i int) int {
	node, prev, gap := st.node, st.prev, st.gap
	cells, root := s.cells, s.root
	for i < len(text) {
		var c uint16
		switch b := text[i]; {
		case b < utf8.RuneSelf:
			c = s.class[b]
			i++
		case b&0xF0 == 0xE0 && i+2 < len(text):
			c = s.class[uint16(b)<<12|uint16(text[i+1]&0x3F)<<6|uint16(text[i+2]&0x3F)]
			i += 3
		default:
			r, w := utf8.DecodeRuneInString(text[i:])
			c = s.classOf(r)
			i += w
		}
		if c-1 >= firstSpecial-1 { // 0 or special
			switch {
			case c == 0:
				node = 0
			case c >= classGap:
				if gap += costGap; c == classSkip {
					gap += costSkip - costGap
				}
				if gap > gapBudget {
					node = 0
				}
			default:
				st.node, st.prev, st.gap = node, prev, gap
				_, w := utf8.DecodeLastRuneInString(text[:i])
				s.special(st, text, c, i-w, i)
				node, prev, gap = st.node, st.prev, st.gap
			}
			if node == 0 {
				break
			}
			continue
		}
		if c == prev && node != 0 {
			// a repetition; of the first letter it is as good as that one
			if gap += costRepeat; s.depth[node] == 1 {
				gap = 0
			}
			if gap <= gapBudget {
				continue
			}
			node = 0
		}
		prev, gap = c, 0
		var next int32 // cell <<1, bit 0: entries end there
		for node != 0 {
			b := cells[node].base
			t := b>>1 + int32(c)
			if k := cells[t].check; k>>1 == node {
				next = t<<1 | k&1
				goto moved
			}
			if b&1 == 0 {
				break
			}
			node = s.tails[node].fail
		}
		next = root[c]
		if asciiLetter(text[i-1]) && i > 1 && asciiLetter(text[i-2]) {
			next = s.inner[c]
		}
	moved:
		node = next >> 1
		if next&1 != 0 && !(i < len(text) && asciiLetter(text[i]) && s.class[text[i]] != c &&
			asciiLetter(text[i-1]) && s.flags[node]&nodeRight != 0) {
			st.cands = append(st.cands, cand{out: s.tails[node].out, end: i, node: node})
		}
		if node == 0 || s.depth[node] == 1 && !asciiLetter(text[i-1]) {
			break
		}
	}
	if node == 0 {
		prev, gap = 0, 0
	}
	st.node, st.prev, st.gap = node, prev, gap
	return i
}

func asciiLetter(b byte) bool { return b|0x20-'a' < 26 }

func (s *Set) classOf(r rune) uint16 {
	if uint32(r) < 1<<16 {
		return s.class[r]
	}
	if c := s.rare[r]; c != 0 {
		return c
	}
	c, _ := s.classify(&letterClasses{}, r)
	return c
}

// special reads what may be a letter or stands for several; text[at:end] is its
// rune.
func (s *Set) special(st *State, text string, c uint16, at, end int) {
	switch c {
	case classAmbig:
		s.fork(st, text, at)
		st.widen(costGap)
	case classMulti:
		r, _ := utf8.DecodeRuneInString(text[at:])
		_, f, more := s.letterOf(r)
		s.letter(st, f, end)
		for _, f := range more {
			s.letter(st, f, end)
		}
	}
}

func (st *State) widen(cost int32) {
	if st.gap += cost; st.gap > gapBudget {
		st.node, st.prev, st.gap = 0, 0, 0
	}
}

// letter reads one folded letter of a rune that stands for several.
func (s *Set) letter(st *State, f rune, end int) {
	c := s.classOf(coarse(f))
	switch {
	case c == 0 || c >= firstSpecial:
		st.node, st.prev, st.gap = 0, 0, 0
		return
	case c == st.prev && st.node != 0:
		if st.gap += costRepeat; s.depth[st.node] == 1 {
			st.gap = 0
		}
		if st.gap <= gapBudget {
			return
		}
		st.node = 0
	}
	st.prev, st.gap = c, 0
	st.node = s.step(st.node, int32(c))
	if o := s.tails[st.node].out; o != 0 {
		st.cands = append(st.cands, cand{out: o, end: end, node: st.node})
	}
}

// Resolve checks the candidates against the text and calls emit for each
// match, in no particular order and possibly twice. With final unset a
// candidate that needs more text to be decided is kept.
func (s *Set) Resolve(st *State, text string, final bool, emit func(Match)) {
	kept := st.cands[:0]
	for _, c := range st.cands {
		if !s.resolve(st, c, text, final) {
			kept = append(kept, c)
			continue
		}
		for _, m := range st.found {
			emit(m)
		}
	}
	st.cands = kept
}

// resolve puts the matches of one candidate into st.found; false: undecided.
func (s *Set) resolve(st *State, c cand, text string, final bool) bool {
	st.found = st.found[:0]
	for o := c.out; o != 0; o = s.outs[o-1].next {
		rec := &s.outs[o-1]
		for e := rec.lo; e < rec.hi; e++ {
			start, end, v := s.check1(&s.entries[e], text, c.end, final)
			switch v {
			case undecided:
				return false
			case matched:
				st.found = append(st.found, Match{s.entries[e].rule, start, end})
			}
		}
	}
	return true
}

// Hold returns the offset from which text could still become part of a match;
// len(text) when none can.
func (s *Set) Hold(st *State, text string) int {
	hold := len(text)
	for _, f := range st.forks {
		hold = min(hold, f.start)
	}
	for _, c := range st.cands {
		if c.node == 0 {
			hold = min(hold, c.start)
			continue
		}
		start, _ := s.pathStart(text, c.end, int(s.depth[c.node]))
		hold = min(hold, start)
	}
	for n := st.node; n != 0; n = s.tails[n].fail {
		if s.cells[n].base>>1 == 0 {
			continue // a leaf: its candidate, if undecided, was counted above
		}
		start, left := s.pathStart(text, len(text), int(s.depth[n]))
		if s.flags[n]&nodeLeft != 0 && left < 0 {
			continue // begins within another word
		}
		if s.flags[n]&nodeSpace == 0 && s.torn(text, int(s.depth[n])) {
			continue
		}
		return min(hold, start)
	}
	return hold
}

// Ambiguous reports whether text has symbols that may stand for letters.
func Ambiguous(text string) bool { return strings.ContainsAny(text, ambiguous) }
