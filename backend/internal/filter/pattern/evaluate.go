package pattern

import (
	"math/bits"
	"unicode/utf8"

	"haoke/backend/internal/filter/fold"
)

// evaluate runs the patterns that may match over text[cut:end]. The rune
// before cut is shown to them as context for boundaries.
func (s *Set) evaluate(st *State, text string, cut, end int, emit func(Match)) {
	st.dirty = false
	_, w := utf8.DecodeLastRuneInString(text[:cut])
	from := cut - w
	seg, back := st.light(text[from:end])
	lead := w
	if back != nil {
		lead = 0
		for lead < len(seg) && int(back[lead]) < w {
			lead++
		}
	}
	origin := func(i int) int {
		if back == nil {
			return from + i
		}
		return from + int(back[i])
	}
	for k := range st.maybe {
		for set := st.maybe[k]; set != 0; set &= set - 1 {
			p := k<<6 + bits.TrailingZeros64(set)
			hit := func(a, b int) {
				if a >= lead && b > a {
					emit(Match{p, origin(a), origin(b)})
				}
			}
			if f := s.specs[p].Find; f != nil {
				f(seg, lead, hit)
				continue
			}
			for _, m := range s.res[p].FindAllStringIndex(seg, -1) {
				hit(m[0], m[1])
			}
		}
		st.maybe[k] = 0
	}
}

// light gives text as patterns see it, and for each of its bytes the offset in
// text it came from, with one more for the end; nil when they are the same.
func (st *State) light(text string) (string, []int32) {
	if Plain(text) {
		return text, nil
	}
	st.norm, st.pos = st.norm[:0], st.pos[:0]
	for i, r := range text {
		if fold.Invisible(r) {
			continue
		}
		n := len(st.norm)
		st.norm = utf8.AppendRune(st.norm, fold.Width(r))
		for range len(st.norm) - n {
			st.pos = append(st.pos, int32(i))
		}
	}
	st.pos = append(st.pos, int32(len(text)))
	return view(st.norm), st.pos
}
