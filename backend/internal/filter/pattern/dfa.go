package pattern

import (
	"regexp/syntax"
	"slices"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
	"unsafe"
)

// maxStates bounds the memo of states; when it is full a new generation
// begins. Streams that stand on an old state go on from it, so the bound costs
// time on hostile text, never correctness.
const maxStates = 2000

// state is a set of places in the programs where partial matches stand.
type state struct {
	pcs    []uint32 // sorted; rune instructions only
	accept []int32  // patterns of which a match may end here, sorted
	next   []atomic.Pointer[state]
}

func (st *state) key() string { return key(st.pcs, st.accept) }

func key(pcs []uint32, accept []int32) string {
	b := make([]byte, 0, 4*(len(pcs)+len(accept))+1)
	for _, p := range pcs {
		b = append(b, byte(p), byte(p>>8), byte(p>>16), byte(p>>24))
	}
	b = append(b, '|')
	for _, a := range accept {
		b = append(b, byte(a), byte(a>>8), byte(a>>16), byte(a>>24))
	}
	return string(b)
}

// boundaries lists the first rune of each class: every place where some
// instruction changes its mind.
func boundaries(insts []inst) []rune {
	set := map[rune]bool{0: true}
	add := func(lo, hi rune) { set[lo], set[hi+1] = true, true }
	for _, in := range insts {
		switch in.op {
		case syntax.InstRuneAnyNotNL:
			add('\n', '\n')
		case syntax.InstRune, syntax.InstRune1:
			rs := in.in.Rune
			if len(rs) == 1 {
				add(rs[0], rs[0])
				for f := unicode.SimpleFold(rs[0]); f != rs[0]; f = unicode.SimpleFold(f) {
					add(f, f)
				}
				continue
			}
			for i := 0; i+1 < len(rs); i += 2 {
				add(rs[i], rs[i+1])
			}
		}
	}
	cuts := make([]rune, 0, len(set))
	for r := range set {
		if r <= unicode.MaxRune {
			cuts = append(cuts, r)
		}
	}
	slices.Sort(cuts)
	return cuts
}

// closure follows everything but rune instructions from the given places.
// Assertions count as true: the automaton may say "maybe" too often, never too
// rarely.
func (s *Set) closure(pcs []uint32, from []uint32) ([]uint32, []int32) {
	seen := make(map[uint32]bool, 2*len(from))
	var accept []int32
	stack := slices.Clone(from)
	for len(stack) > 0 {
		pc := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[pc] {
			continue
		}
		seen[pc] = true
		in := &s.insts[pc]
		switch in.op {
		case syntax.InstAlt, syntax.InstAltMatch:
			stack = append(stack, in.out, in.arg)
		case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
			stack = append(stack, in.out)
		case syntax.InstMatch:
			accept = append(accept, in.pattern)
		case syntax.InstFail:
		default:
			pcs = append(pcs, pc)
		}
	}
	slices.Sort(pcs)
	slices.Sort(accept)
	return slices.Compact(pcs), slices.Compact(accept)
}

func (s *Set) newState(pcs []uint32, accept []int32) *state {
	return &state{pcs: pcs, accept: accept, next: make([]atomic.Pointer[state], len(s.cuts))}
}

// step computes the state behind a rune of class c and remembers it.
func (s *Set) step(st *state, c uint16) *state {
	r := s.cuts[c]
	from := slices.Clone(s.start)
	for _, pc := range st.pcs {
		if in := &s.insts[pc]; in.in.MatchRune(r) {
			from = append(from, in.out)
		}
	}
	pcs, accept := s.closure(nil, from)
	k := key(pcs, accept)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.memo[k]
	if n == nil {
		if len(s.memo) >= maxStates {
			clear(s.memo)
			s.memo[s.root.key()] = s.root
			s.forget()
		}
		n = s.newState(pcs, accept)
		s.memo[k] = n
	}
	st.next[c].Store(n)
	return n
}

// forget lets go of the old generation: only the root is reachable from here
// on, and it starts anew.
func (s *Set) forget() {
	for i := range s.root.next {
		s.root.next[i].Store(nil)
	}
}

// State is where a scan stands. The zero value is the start of a text. It
// belongs to one goroutine.
type State struct {
	at    *state
	cut   int      // no match reaches across this offset
	maybe []uint64 // patterns that may match in text[cut:]
	dirty bool
	norm  []byte // scratch of evaluate
	pos   []int32
}

// Reset makes st ready for another text; it keeps its memory.
func (st *State) Reset() {
	st.at, st.cut, st.dirty = nil, 0, false
	clear(st.maybe)
}

// Shift tells st that n bytes were cut from the front of its text.
func (st *State) Shift(n int) { st.cut -= n }

// Hold returns the offset from which the text could still become part of a
// match, size being its length.
func (st *State) Hold(size int) int {
	if st.at == nil {
		return size
	}
	return min(st.cut, size)
}

// Scan reads text[i:], valid UTF-8, and calls emit for the matches that are
// certain. On text without a partial match it does not allocate.
func (s *Set) Scan(st *State, text string, i int, emit func(Match)) {
	at := st.at
	root := s.root
	if at == nil {
		at = root
	}
	cut := st.cut
	for i < len(text) {
		var c uint16
		switch b := text[i]; {
		case b < utf8.RuneSelf:
			c = s.class[b]
			i++
		case b >= 0xE0 && b < 0xF0 && i+2 < len(text):
			c = s.class[uint16(b)<<12|uint16(text[i+1]&0x3F)<<6|uint16(text[i+2]&0x3F)]
			i += 3
		default:
			r, w := utf8.DecodeRuneInString(text[i:])
			c = s.classOf(r)
			i += w
		}
		if c != classSkip {
			n := at.next[c].Load()
			if n == nil {
				n = s.step(at, c)
			}
			if n == root {
				if st.dirty {
					s.evaluate(st, text, cut, i, emit)
				}
				at, cut = root, i
				continue
			}
			if at = n; len(n.accept) > 0 {
				st.note(n.accept, len(s.specs))
			}
		}
		if at == root {
			cut = i
			continue
		}
		if i-cut >= s.window {
			if st.dirty {
				s.evaluate(st, text, cut, i, emit)
			}
			at, cut = root, i
		}
	}
	st.at, st.cut = at, cut
	if at == root {
		st.at, st.cut = nil, i
	}
}

// Close ends the text and emits what was still open.
func (s *Set) Close(st *State, text string, emit func(Match)) {
	if st.dirty {
		s.evaluate(st, text, st.cut, len(text), emit)
	}
	st.at, st.cut = nil, len(text)
}

func (st *State) note(patterns []int32, n int) {
	if len(st.maybe) == 0 {
		st.maybe = make([]uint64, (n+63)/64)
	}
	st.dirty = true
	for _, p := range patterns {
		st.maybe[p>>6] |= 1 << (p & 63)
	}
}

// view gives the bytes of b as a string without a copy; the string must not
// outlive the next write to b.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
