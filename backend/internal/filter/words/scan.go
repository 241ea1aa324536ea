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

// Scan reads text[i:], which must be valid UTF-8, and notes candidates in st.
// It allocates only when there are more candidates than ever before.
func (s *Set) Scan(st *State, text string, i int) {
	if len(st.forks) > 0 {
		s.runForks(st, text, i)
	}
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
				node, prev, gap = 0, 0, 0
				// characters of no entry come in runs
				for i+2 < len(text) && text[i]&0xF0 == 0xE0 &&
					s.class[uint16(text[i])<<12|uint16(text[i+1]&0x3F)<<6|uint16(text[i+2]&0x3F)] == 0 {
					i += 3
				}
			case c >= classGap:
				if c == classGap {
					gap += costGap
				} else {
					gap += costSkip
				}
				if gap > gapBudget {
					node, prev, gap = 0, 0, 0
				}
			default:
				st.node, st.prev, st.gap = node, prev, gap
				_, w := utf8.DecodeLastRuneInString(text[:i])
				s.special(st, text, c, i-w, i)
				node, prev, gap = st.node, st.prev, st.gap
			}
			continue
		}
		if c == prev {
			// a repetition; it may begin a word only where nothing is under way
			if gap += costRepeat; gap > gapBudget {
				node = 0
			}
			if node != 0 {
				continue
			}
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
		if asciiLetter(text[i-1]) {
			if i > 1 && asciiLetter(text[i-2]) {
				next = s.inner[c]
			}
			if next == 0 && s.closed {
				// nothing begins before this word ends
				for i < len(text) && asciiLetter(text[i]) {
					i++
				}
				node, prev = 0, s.class[text[i-1]]
				continue
			}
		}
	moved:
		node = next >> 1
		if next&1 != 0 && !(i < len(text) && asciiLetter(text[i]) && s.class[text[i]] != c &&
			asciiLetter(text[i-1]) && s.flags[node]&nodeRight != 0) {
			st.cands = append(st.cands, cand{out: s.tails[node].out, end: i, node: node})
		}
	}
	st.node, st.prev, st.gap = node, prev, gap
}

func asciiLetter(b byte) bool { return b|0x20-'a' < 26 }

func (s *Set) classOf(r rune) uint16 {
	if uint32(r) < 1<<16 {
		return s.class[r]
	}
	if c := s.rare[r]; c != 0 {
		return c
	}
	c, _ := s.classify(nil, r)
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
	case c == st.prev:
		if st.gap += costRepeat; st.gap > gapBudget {
			st.node = 0
		}
		if st.node != 0 {
			return
		}
	}
	st.prev, st.gap = c, 0
	st.node = s.step(st.node, int32(c))
	if o := s.tails[st.node].out; o != 0 {
		st.cands = append(st.cands, cand{out: o, end: end, node: st.node})
	}
}

// fork begins a reading in which the symbol at text[at:] is a letter.
func (s *Set) fork(st *State, text string, at int) {
	r, w := utf8.DecodeRuneInString(text[at:])
	c := s.symbolClass(r)
	if c == 0 || c == st.prev {
		return // no entry has that letter, or it repeats the one before
	}
	f := fork{node: s.step(st.node, int32(c)), prev: c, letters: 1, start: at}
	if f.node == 0 || int32(s.depth[f.node]) < f.letters {
		return
	}
	if d := int(s.depth[f.node]) - 1; d > 0 {
		f.start, _ = s.pathStart(text, at, d)
	}
	if o := s.tails[f.node].out; o != 0 {
		st.cands = append(st.cands, cand{out: o, end: at + w, start: f.start})
	}
	if s.runFork(st, &f, text, at+w) {
		st.forks = append(st.forks, f)
	}
}

func (s *Set) symbolClass(r rune) uint16 {
	d := disguises(r)
	if d == "" {
		return 0
	}
	c := s.class[coarse(rune(d[0]))]
	if c >= firstSpecial {
		return 0
	}
	return c
}

// runForks continues the forks of earlier chunks; the dead are dropped.
func (s *Set) runForks(st *State, text string, i int) {
	kept := st.forks[:0]
	for _, f := range st.forks {
		if s.runFork(st, &f, text, i) {
			kept = append(kept, f)
		}
	}
	st.forks = kept
}

// runFork reads on and reports whether the fork lives at the end of text. It
// dies when its path no longer reaches back to its symbol, for from there on
// the main reading knows as much.
func (s *Set) runFork(st *State, f *fork, text string, i int) bool {
	for i < len(text) {
		r, w := utf8.DecodeRuneInString(text[i:])
		i += w
		c := s.classOf(r)
		if c == classAmbig {
			if c = s.symbolClass(r); c == 0 {
				c = classGap
			}
		}
		switch {
		case c == 0 || c == classMulti:
			return false
		case c == f.prev:
			f.gap += costRepeat
		case c == classSkip:
			f.gap += costSkip
		case c == classGap:
			f.gap += costGap
		default:
			f.prev, f.gap = c, 0
			f.letters++
			f.node = s.step(f.node, int32(c))
			if int32(s.depth[f.node]) < f.letters {
				return false
			}
			if o := s.tails[f.node].out; o != 0 {
				st.cands = append(st.cands, cand{out: o, end: i, start: f.start})
			}
		}
		if f.gap > gapBudget {
			return false
		}
	}
	return true
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
