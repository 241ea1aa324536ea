package words

import (
	"unicode/utf8"

	"haoke/backend/internal/filter/fold"
)

// pathBudget bounds the first run of a path. It is above what begin accepts,
// whatever repetitions the entry has itself.
const pathBudget = 2*gapBudget + costRepeat*MaxLetters

// pathStart walks back over depth runs of equal letters before text[:pos] and
// returns the earliest offset at which a match along that path can begin, and
// the earliest one at a word boundary, -1 when there is none.
func (s *Set) pathStart(text string, pos, depth int) (start, left int) {
	var prev uint16
	var first rune
	start, left = pos, -1
	runs, cost := 0, 0
	for pos > 0 {
		r, w := utf8.DecodeLastRuneInString(text[:pos])
		c := s.classOf(r)
		pos -= w
		switch {
		case c == 0:
			return start, left
		case c == classSkip:
			cost += costSkip
		case c == classGap, c == classAmbig:
			cost += costGap
		case c == classMulti:
			n, last, head := s.multiRuns(r, prev)
			if runs+n > depth {
				n = depth - runs
			}
			runs += n
			prev, first, cost, start = head, last, 0, pos
		case c == prev:
			cost += costRepeat
			start = pos
		default:
			if runs == depth {
				return start, left
			}
			runs++
			_, f, _ := s.fold.Fold(r)
			prev, first, cost, start = c, f, 0, pos
		}
		if runs == depth && start == pos && s.leftBoundary(first, text, pos) {
			left = pos
		}
		if cost > pathBudget {
			return start, left
		}
	}
	return start, left
}

// multiRuns counts the runs that a rune standing for several letters adds
// before a run of class prev.
func (s *Set) multiRuns(r rune, prev uint16) (n int, first rune, head uint16) {
	_, f, more := s.letterOf(r)
	all := append([]rune{f}, []rune(more)...)
	head = prev
	for i := len(all) - 1; i >= 0; i-- {
		if c := s.classOf(coarse(all[i])); c != head {
			n++
			head = c
		}
	}
	return n, f, head
}

// torn reports whether the path that ends the text has two letters of a spaced
// script side by side and then a blank: no entry without a blank of its own
// goes on from there.
func (s *Set) torn(text string, depth int) bool {
	if depth < 2 {
		return false
	}
	pos, blank := len(text), false
	for pos > 0 {
		r, w := utf8.DecodeLastRuneInString(text[:pos])
		k, f, _ := s.fold.Fold(r)
		if k == fold.Letter {
			if !blank || !bounded(f) {
				return false
			}
			r, _ = utf8.DecodeLastRuneInString(text[:pos-w])
			k, g, _ := s.fold.Fold(r)
			return k == fold.Letter && bounded(g) && coarse(g) != coarse(f)
		}
		blank = blank || k == fold.Space || k == fold.Strict
		pos -= w
	}
	return false
}
