package words

import "unicode/utf8"

// fork begins a reading in which the symbol at text[at:] is a letter.
func (s *Set) fork(st *State, text string, at int) {
	r, w := utf8.DecodeRuneInString(text[at:])
	c := s.symbolClass(r)
	if c == 0 || c == st.prev && st.node != 0 {
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
