package words

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// scanWith reads text piece by piece and returns the matches.
func scanWith(s *Set, text string, cuts []int, scan func(st *State, text string, i int)) []string {
	var st State
	from := 0
	for _, end := range append(cuts, len(text)) {
		scan(&st, text[:end], from)
		from = end
	}
	var out []string
	s.Resolve(&st, text, true, func(m Match) { out = append(out, fmt.Sprintf("%d:%d-%d", m.Rule, m.Start, m.End)) })
	slices.Sort(out)
	return slices.Compact(out)
}

// walkOnly is Scan without the fast lane: the automaton reads every letter.
func (s *Set) walkOnly(st *State, text string, i int) {
	if len(st.forks) > 0 {
		s.runForks(st, text, i)
	}
	for i < len(text) {
		i = s.walk(st, text, i)
	}
}

const laneLetters = "aabbcdeilost敏感赌博谢加"

func laneWord(r *rand.Rand) string {
	letters := []rune(laneLetters)
	var b strings.Builder
	for range 1 + r.IntN(2)*r.IntN(5) + r.IntN(3) {
		b.WriteRune(letters[r.IntN(len(letters))])
		if r.IntN(12) == 0 {
			b.WriteByte(' ')
		}
	}
	w := strings.TrimSpace(b.String())
	switch r.IntN(8) {
	case 0:
		w = "*" + w
	case 1:
		w += "*"
	}
	return w
}

func laneText(r *rand.Rand, list []string) string {
	between := []string{"", "", "", " ", " ", "-", ", ", ".", "\u200b", "！", "@", "$", "é", "ａ", "ﬁ", "5", "1", "0", "您好", "the ", "hello ", "x", strings.Repeat("-", 17), strings.Repeat("s", 40), strings.Repeat("谢", 33), "К"}
	letters := []rune(laneLetters + "xyz订单ÅÄ")
	var b strings.Builder
	for range 1 + r.IntN(8) {
		switch r.IntN(4) {
		case 0:
			b.WriteString(strings.Trim(list[r.IntN(len(list))], "*"))
		case 1:
			for _, c := range strings.Trim(list[r.IntN(len(list))], "*") {
				b.WriteRune(c)
				b.WriteString(between[r.IntN(len(between))])
			}
		default:
			for range r.IntN(6) {
				b.WriteRune(letters[r.IntN(len(letters))])
			}
		}
		b.WriteString(between[r.IntN(len(between))])
	}
	return b.String()
}

// TestLane: the fast lane reads over nothing that the automaton finds, in
// whatever pieces the text comes.
func TestLane(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	sets, hits := 150, 0
	if testing.Short() {
		sets = 60
	}
	for range sets {
		var list []string
		for range 1 + r.IntN(30) {
			list = append(list, laneWord(r))
		}
		s := build(t, list...)
		for range 60 {
			text := laneText(r, list)
			var cuts []int
			for i := range text {
				if i > 0 && r.IntN(10) == 0 && utf8.RuneStart(text[i]) {
					cuts = append(cuts, i)
				}
			}
			want := scanWith(s, text, nil, s.walkOnly)
			for _, cut := range [][]int{nil, cuts} {
				if got := scanWith(s, text, cut, s.Scan); !slices.Equal(got, want) {
					t.Fatalf("words %q text %q cut %v\nlane      %v\nautomaton %v", list, text, cut, got, want)
				}
			}
			hits += len(want)
		}
	}
	if hits < sets*20 {
		t.Fatalf("only %d hits: the texts test nothing", hits)
	}
}

func TestLettersEnd(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	for range 5000 {
		b := make([]byte, 1+r.IntN(30))
		for i := range b {
			if b[i] = "azAZ"[r.IntN(4)]; r.IntN(9) == 0 {
				b[i] = byte(r.IntN(256))
			}
		}
		want := 0
		for want < len(b) && asciiLetter(b[want]) {
			want++
		}
		if got := lettersEnd(string(b), 0); got != want {
			t.Fatalf("%q: %d, want %d", b, got, want)
		}
	}
}
