package words

import (
	"cmp"
	"slices"

	"haoke/backend/internal/filter/fold"
)

// Special values of the class table; real classes are below them, 0 is a
// letter of no entry.
const (
	classMulti = 0xFFFC + iota // stands for several letters
	classAmbig                 // a letter or a separator
	classGap                   // a separator
	classSkip                  // invisible
)

const firstSpecial = classMulti

// node flags
const (
	nodeLeft  = 1 << iota // every entry below begins at a word boundary
	nodeSpace             // some entry below may go on after a blank
	nodeRight             // every entry that ends here must be followed by a word boundary
)

// Set is the compiled automaton with its entries. It is immutable and safe for
// concurrent use.
type Set struct {
	fold   *fold.Table
	pinyin *fold.PinyinTable // nil: characters are letters themselves
	class  [1 << 16]uint16
	rare   map[rune]uint16 // classes beyond the BMP
	gaps   [1 << 16]uint8  // cost of a rune that is no letter

	cells        []cell // the double array
	tails        []tail
	depth, flags []uint8 // of each cell
	root         []int32 // first level by class: cell <<1, bit 0: entries end there
	inner        []int32 // the same within a Latin word, where no bounded entry begins
	plain        uint16  // classes below are no entry by themselves and nothing special
	openings     *openings

	outs    []outRec
	entries []compiled // in the order of their class strings
	letters []rune

	maxDepth int
}

// outRec is the run of entries that end at a node, and the next shorter ones.
type outRec struct {
	lo, hi int32
	next   int32 // 0 or 1 + index in outs
}

// Len is the number of entries.
func (s *Set) Len() int { return len(s.entries) }

// Bytes estimates the memory that the set occupies.
func (s *Set) Bytes() int {
	return len(s.class)*2 + len(s.gaps) + cap(s.cells)*16 + cap(s.depth)*2 +
		len(s.openings.pairs)*8 + 3*len(s.openings.heads)*8 + cap(s.root)*8 + cap(s.outs)*12 + cap(s.entries)*24 + cap(s.letters)*4 + len(s.rare)*16
}

// compile builds the automaton for the entries that are there.
func (s *Set) compile() {
	classes := s.assignClasses()
	b := builder{Set: s}
	b.strings(classes)
	b.trie()
	b.place(classes.n + 1)
	b.links()
}

// letterClasses is the class of each coarse letter.
type letterClasses struct {
	bmp  []uint16 // by rune
	rare map[rune]uint16
	n    int
}

func (l *letterClasses) of(r rune) uint16 {
	if uint32(r) < uint32(len(l.bmp)) {
		return l.bmp[r]
	}
	return l.rare[r]
}

func (l *letterClasses) set(r rune, c uint16) {
	if uint32(r) < uint32(len(l.bmp)) {
		l.bmp[r] = c
		return
	}
	l.rare[r] = c
}

// assignClasses numbers the coarse letters and fills the class table. The most
// frequent come first so that the double array stays dense, those that are
// entries by themselves last.
func (s *Set) assignClasses() *letterClasses {
	order, count := s.count()
	alone := s.alone()
	slices.SortFunc(order, func(a, b rune) int {
		if alone[a] != alone[b] {
			return boolCmp(alone[a], alone[b])
		}
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	s.plain = uint16(len(order) - len(alone) + 1)
	classes := &letterClasses{bmp: make([]uint16, 1<<16), rare: map[rune]uint16{}, n: len(order)}
	for i, r := range order {
		classes.set(r, uint16(i+1))
	}
	for r := rune(0); r < 1<<16; r++ {
		s.class[r], s.gaps[r] = s.classify(classes, r)
	}
	for _, block := range [][2]rune{{0x1D400, 0x1D7FF}, {0x1F100, 0x1F1FF}, {0x20000, 0x323AF}} {
		for r := block[0]; r <= block[1]; r++ {
			if c, _ := s.classify(classes, r); c != 0 {
				s.rare[r] = c
			}
		}
	}
	for r, c := range classes.rare {
		s.rare[r] = c
	}
	return classes
}

// count returns the coarse letters of all entries and how often each occurs.
func (s *Set) count() (order []rune, count map[rune]int) {
	bmp := make([]int32, 1<<16)
	count = map[rune]int{}
	for _, r := range s.letters {
		if r = coarse(r); uint32(r) < 1<<16 {
			bmp[r]++
			continue
		}
		count[r]++
	}
	for r, n := range bmp {
		if n > 0 {
			count[rune(r)] = int(n)
		}
	}
	for r := range count {
		order = append(order, r)
	}
	return order, count
}

// alone returns the coarse letters that are entries by themselves.
func (s *Set) alone() map[rune]bool {
	out := map[rune]bool{}
	for _, e := range s.entries {
		l := s.letters[e.off : e.off+uint32(e.n)]
		first, same := coarse(l[0]), true
		for _, r := range l[1:] {
			if same = coarse(r) == first; !same {
				break
			}
		}
		if same {
			out[first] = true
		}
	}
	return out
}

func boolCmp(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func (s *Set) classify(classes *letterClasses, r rune) (class uint16, cost uint8) {
	k, f, more := s.letterOf(r)
	switch {
	case k == fold.Skip:
		return classSkip, costSkip
	case k != fold.Letter:
		if r < 0x2100 && disguises(r) != "" {
			return classAmbig, costGap
		}
		return classGap, costGap
	case more != "":
		return classMulti, 0
	}
	return classes.of(coarse(f)), 0
}
