package words

import (
	"strings"

	"haoke/backend/internal/filter/fold"
)

// minPinyin is the shortest spelling that counts, in letters: shorter ones are
// everyday syllables of other languages.
const minPinyin = 4

// BuildPinyin compiles the spellings of the Chinese words in the draft, so that
// they are found where at least one syllable is written in Latin letters. It
// returns nil when there are none.
func (d *Draft) BuildPinyin() *Set {
	s := &Set{fold: d.fold, pinyin: fold.Pinyin(), rare: map[rune]uint16{}}
	for _, e := range d.entries {
		for _, sp := range spell(s.pinyin, d.letters[e.off:e.off+uint32(e.n)]) {
			s.entries = append(s.entries, compiled{
				off: uint32(len(s.letters)), n: uint8(len(sp.letters)), flags: edges(sp.letters), rule: e.rule, spaces: sp.starts,
			})
			s.letters = append(s.letters, sp.letters...)
		}
	}
	if len(s.entries) == 0 {
		return nil
	}
	s.compile()
	return s
}

type spelled struct {
	letters []rune
	starts  uint64 // bit j: a syllable begins at letter j
}

// spell gives the ways to spell a word, at most four when characters have
// several readings; none when it is not of two Chinese characters at least.
func spell(py *fold.PinyinTable, letters []rune) []spelled {
	ways := []spelled{{}}
	syllables := 0
	for _, r := range letters {
		first, second := py.Readings(r)
		readings := []string{first}
		switch {
		case first == "" && fold.Alphabetic(r) || isDigit(r):
			readings[0] = string(r)
		case first == "":
			return nil
		case second != "" && len(ways) <= 2:
			readings = append(readings, second)
		}
		if first != "" {
			syllables++
		}
		var next []spelled
		for _, w := range ways {
			for _, rd := range readings {
				if len(w.letters)+len(rd) > MaxLetters {
					return nil
				}
				n := spelled{letters: append(append([]rune(nil), w.letters...), []rune(rd)...), starts: w.starts}
				if len(w.letters) > 0 {
					n.starts |= 1 << len(w.letters)
				}
				next = append(next, n)
			}
		}
		ways = next
	}
	if syllables < 2 || len(ways[0].letters) < minPinyin {
		return nil
	}
	return ways
}

// letterOf folds a rune the way this set reads letters: with a pinyin table,
// a Chinese character is the letters of its syllable.
func (s *Set) letterOf(r rune) (k fold.Kind, f rune, more string) {
	k, f, more = s.fold.Fold(r)
	if s.pinyin == nil || k != fold.Letter {
		return k, f, more
	}
	if sp, _ := s.pinyin.Readings(f); sp != "" {
		return k, rune(sp[0]), sp[1:]
	}
	return k, f, more
}

// latin reports whether r is written in letters rather than as a character.
func (s *Set) latin(r rune) bool {
	_, f, _ := s.fold.Fold(r)
	return bounded(f)
}

// Spelling returns text as a pinyin set reads it, syllables apart, for display.
func (s *Set) Spelling(text string) string {
	var b strings.Builder
	gap := false
	for _, r := range text {
		k, f, more := s.letterOf(r)
		switch {
		case k == fold.Skip:
		case k != fold.Letter:
			gap = true
		default:
			if b.Len() > 0 && (gap || !s.latin(r)) {
				b.WriteByte(' ')
			}
			gap = !s.latin(r)
			b.WriteRune(f)
			b.WriteString(more)
		}
	}
	return b.String()
}
