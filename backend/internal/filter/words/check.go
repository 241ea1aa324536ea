package words

import (
	"unicode/utf8"

	"haoke/backend/internal/filter/fold"
)

type outcome uint8

const (
	rejected outcome = iota
	matched
	undecided // depends on text that is not here yet
)

// check1 decides whether entry e really ends at the candidate place, end being
// behind the first letter of its last run of equal letters.
func (s *Set) check1(e *compiled, text string, end int, final bool) (from, to int, v outcome) {
	letters := s.letters[e.off : e.off+uint32(e.n)]
	short, long, v := s.lastRun(letters, text, end, final)
	if v != matched {
		return 0, 0, v
	}
	for _, to := range [2]int{long, short} {
		if needsRight(e.flags) {
			written, _ := utf8.DecodeLastRuneInString(text[:to])
			switch s.rightBoundary(letters[len(letters)-1], written, text, to, final) {
			case undecided:
				return 0, 0, undecided
			case rejected:
				continue
			}
		}
		if from, ok := s.backward(e, letters, text, to); ok {
			return from, to, matched
		}
		if long == short {
			break
		}
	}
	return 0, 0, rejected
}

// lastRun finds where the last run of equal letters may end: at the letter
// that completes the entry (short) and behind further repetitions (long).
func (s *Set) lastRun(letters []rune, text string, end int, final bool) (short, long int, v outcome) {
	c := coarse(letters[len(letters)-1])
	need := 1
	for need < len(letters) && coarse(letters[len(letters)-1-need]) == c {
		need++
	}
	got, cost, gap, done := 1, 0, false, false
	pos := end
	short, long = end, end
	for pos < len(text) && !done {
		r, w := utf8.DecodeRuneInString(text[pos:])
		k, f, more := s.letterOf(r)
		pos += w
		if sym := disguises(r); k != fold.Letter && sym != "" && coarse(rune(sym[0])) == c {
			k, f = fold.Letter, c
		}
		if k != fold.Letter {
			gap = true
			cost += int(costOf(k))
			done = got >= need && k != fold.Skip || cost > gapBudget
			continue
		}
		if done = coarse(f) != c || more != "" || got >= need && gap; done {
			continue
		}
		got++
		cost += costRepeat
		gap = false
		if got <= need {
			short = pos
		}
		long, done = pos, cost > gapBudget
	}
	switch {
	case !done && !final:
		return 0, 0, undecided
	case got < need:
		return 0, 0, rejected
	}
	return short, long, matched
}

func costOf(k fold.Kind) int32 {
	if k == fold.Skip {
		return costSkip
	}
	return costGap
}

// rightBoundary looks for the end of the word behind text[:to], whose last
// letter is last, written as the rune written.
func (s *Set) rightBoundary(last, written rune, text string, to int, final bool) outcome {
	_, digit, _ := s.fold.Fold(written)
	for _, r := range text[to:] {
		k, f, _ := s.fold.Fold(r)
		if k == fold.Skip {
			continue
		}
		if k == fold.Letter && (joins(last, f) || isDigit(digit) && isDigit(f)) {
			return rejected
		}
		return matched
	}
	if final {
		return matched
	}
	return undecided
}

// leftBoundary looks for the begin of a word at text[from:]; a digit in place
// of a letter must not go on a number.
func (s *Set) leftBoundary(first rune, text string, from int) bool {
	written, _ := utf8.DecodeRuneInString(text[from:])
	_, digit, _ := s.fold.Fold(written)
	for from > 0 {
		r, w := utf8.DecodeLastRuneInString(text[:from])
		from -= w
		k, f, _ := s.fold.Fold(r)
		if k == fold.Skip {
			continue
		}
		return k != fold.Letter || !joins(first, f) && !(isDigit(digit) && isDigit(f))
	}
	return true
}

// joins reports whether letter f beside an entry's outer letter makes it part
// of a longer word: letters join letters, digits join digits.
func joins(outer, f rune) bool {
	if isDigit(outer) {
		return isDigit(f)
	}
	return fold.Alphabetic(f)
}

// tally is what a letter-by-letter comparison saw.
type tally struct {
	native, foreign, leet      int // letters by how they were written
	latin                      int // runes that are no Chinese characters
	tight, free, strict        int // gaps between letters of spaced scripts
	hanTight, hanFree, hanHard int // gaps with a letter of another script
}

// gapSeen says what stood between two letters.
type gapSeen struct{ any, hard, space bool }

// backward compares the entry's letters with the text before end, last letter
// first, and returns where the match begins.
func (s *Set) backward(e *compiled, letters []rune, text string, end int) (int, bool) {
	var t tally
	var gap gapSeen
	cur, cost, pos := len(letters), 0, end
	for pos > 0 {
		r, w := utf8.DecodeLastRuneInString(text[:pos])
		k, f, more := s.letterOf(r)
		sym := k != fold.Letter && disguises(r) != ""
		if k == fold.Letter || sym {
			next, ok := s.consume(&t, e, letters, cur, r, f, more, gap, k == fold.Letter)
			switch {
			case ok && next < cur:
				cur, cost, gap = next, 0, gapSeen{}
				pos -= w
				if cur == 0 {
					return s.begin(e, letters, text, pos, &t)
				}
				continue
			case ok: // a repetition
				if cost += costRepeat; cost > gapBudget {
					return 0, false
				}
				gap = gapSeen{}
				pos -= w
				continue
			case k == fold.Letter:
				return 0, false
			}
		}
		pos -= w
		cost += int(costOf(k))
		if k != fold.Skip {
			gap.any = true
			gap.hard = gap.hard || k == fold.Strict
			gap.space = gap.space || k == fold.Space
		}
		if cost > gapBudget || cur == len(letters) {
			return 0, false
		}
	}
	return 0, false
}

// consume compares the letters of one rune with the entry before index cur. It
// returns the new index; cur itself when the rune repeats the last letter.
func (s *Set) consume(t *tally, e *compiled, letters []rune, cur int, r, f rune, more string, gap gapSeen, isLetter bool) (int, bool) {
	var all [20]rune // no rune folds to more than 18
	n := 1
	all[0] = f
	for _, m := range more {
		if n < len(all) {
			all[n] = m
			n++
		}
	}
	next := cur
	for i := n - 1; i >= 0; i-- {
		x := all[i]
		if !isLetter {
			x = 0
		}
		switch {
		case next > 0 && s.same(t, letters[next-1], r, x):
			if next < len(letters) {
				t.gap(e, letters, next, gap)
			}
			next--
			gap = gapSeen{}
			if s.pinyin != nil && s.latin(r) {
				t.latin++
			}
		case next < len(letters) && !isDigit(letters[next]) && s.same(nil, letters[next], r, x):
		default:
			return cur, false
		}
	}
	return next, true
}

// same reports whether the text's rune r, folded x (0: a symbol), can be the
// entry's letter want.
func (s *Set) same(t *tally, want, r, x rune) bool {
	foreign := x != 0 && s.fold.Foreign(r)
	switch {
	case x == want:
		if t != nil && fold.Alphabetic(want) {
			if foreign {
				t.foreign++
			} else {
				t.native++
			}
		}
		return true
	case want == 'l' && (r == 'I' || foreign && x == 'i'), want == 'i' && foreign && x == 'l':
		if t != nil {
			t.foreign++
		}
		return true
	}
	sym := r
	if x != 0 {
		sym = x
	}
	for _, d := range disguises(sym) {
		if d == want {
			if t != nil {
				t.leet++
			}
			return true
		}
	}
	return false
}

// gap counts what stood before letter j, between letters j-1 and j.
func (t *tally) gap(e *compiled, letters []rune, j int, g gapSeen) {
	if g.any && e.spaces&(1<<j) != 0 {
		return // the entry has a separator here itself
	}
	if bounded(letters[j-1]) && bounded(letters[j]) {
		switch {
		case !g.any:
			t.tight++
		case g.hard || g.space:
			t.strict++
		default:
			t.free++
		}
		return
	}
	switch {
	case !g.any:
		t.hanTight++
	case g.hard:
		t.hanHard++
	default:
		t.hanFree++
	}
}

// begin settles where the match begins and whether what was seen on the way is
// a disguise or an accident.
func (s *Set) begin(e *compiled, letters []rune, text string, pos int, t *tally) (int, bool) {
	n := len(letters)
	switch {
	case s.pinyin != nil && t.latin == 0: // all in characters: a homophone is another word
		return 0, false
	case t.strict > 0 && (t.tight > 0 || n < 3): // "as sets" is no disguise, "a s s" is
		return 0, false
	case t.free > 0 && t.tight > 0 && n < 4:
		return 0, false
	case t.hanHard > 0 && (t.hanTight > 0 || n < 3):
		return 0, false
	case t.leet > t.native+t.foreign: // "5417" is a number
		return 0, false
	case t.foreign == n && n < 5: // a short word of another alphabet
		return 0, false
	}
	left := needsLeft(e.flags)
	for range gapBudget / costRepeat {
		if !left || s.leftBoundary(letters[0], text, pos) {
			return pos, true
		}
		// a repetition of the first letter stands between us and the boundary
		r, w := utf8.DecodeLastRuneInString(text[:pos])
		k, f, more := s.letterOf(r)
		if k != fold.Letter || more != "" || isDigit(letters[0]) || !s.same(nil, letters[0], r, f) {
			return 0, false
		}
		pos -= w
	}
	return 0, false
}
