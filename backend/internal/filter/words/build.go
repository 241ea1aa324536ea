package words

import (
	"cmp"
	"fmt"
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
		cap(s.root)*8 + cap(s.outs)*12 + cap(s.entries)*24 + cap(s.letters)*4 + len(s.rare)*16
}

// Build compiles entries. An entry that cannot be compiled is an error that
// names it; filter lists before (see Key). The cost is linear in the letters.
func Build(entries []Entry) (*Set, error) {
	s := &Set{fold: fold.Default(), rare: map[rune]uint16{}}
	s.entries = make([]compiled, 0, len(entries))
	for _, e := range entries {
		letters, spaces, flags, err := parse(s.fold, e.Text)
		if err != nil {
			return nil, fmt.Errorf("word %q %w", e.Text, err)
		}
		s.entries = append(s.entries, compiled{
			off: uint32(len(s.letters)), n: uint8(len(letters)), flags: flags, rule: e.Rule, spaces: spaces,
		})
		s.letters = append(s.letters, letters...)
	}
	s.compile()
	return s, nil
}

// compile builds the automaton for the entries that are there.
func (s *Set) compile() {
	classes := s.assignClasses()
	b := builder{Set: s}
	b.strings(classes)
	b.trie()
	b.place(len(classes) + 1)
	b.links()
}

// assignClasses numbers the coarse letters, the most frequent first so that
// the double array stays dense, and fills the class table.
func (s *Set) assignClasses() map[rune]uint16 {
	count := map[rune]int{}
	for _, r := range s.letters {
		count[coarse(r)]++
	}
	alone := s.alone()
	order := make([]rune, 0, len(count))
	for r := range count {
		order = append(order, r)
	}
	slices.SortFunc(order, func(a, b rune) int {
		if alone[a] != alone[b] {
			return boolCmp(alone[a], alone[b])
		}
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	s.plain = uint16(len(order) - len(alone) + 1)
	classes := make(map[rune]uint16, len(order))
	for i, r := range order {
		classes[r] = uint16(i + 1)
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
	for r, c := range classes {
		if r >= 1<<16 {
			s.rare[r] = c
		}
	}
	return classes
}

// alone returns the coarse letters that are entries by themselves.
func (s *Set) alone() map[rune]bool {
	out := map[rune]bool{}
	for _, e := range s.entries {
		l := s.letters[e.off : e.off+uint32(e.n)]
		first := coarse(l[0])
		if !slices.ContainsFunc(l, func(r rune) bool { return coarse(r) != first }) {
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

func (s *Set) classify(classes map[rune]uint16, r rune) (class uint16, cost uint8) {
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
	return classes[coarse(f)], 0
}

type builder struct {
	*Set
	strs  [][]uint16 // class string of each entry, collapsed
	nodes []bnode
}

// bnode is a node of the trie while it is built; its children are contiguous.
type bnode struct {
	parent   int32
	kids     int32 // first child
	nkids    int32
	lo, hi   int32 // entries that end here
	cell     int32
	base     int32
	class    uint16
	depth    uint8
	flags    uint8
	terminal bool
}

// strings makes the class strings, with runs of one class collapsed, and sorts
// the entries by them.
func (b *builder) strings(classes map[rune]uint16) {
	all := make([]uint16, 0, len(b.letters))
	type pair struct {
		str []uint16
		e   compiled
	}
	ps := make([]pair, len(b.entries))
	for i, e := range b.entries {
		from := len(all)
		for _, r := range b.letters[e.off : e.off+uint32(e.n)] {
			c := classes[coarse(r)]
			if len(all) == from || all[len(all)-1] != c {
				all = append(all, c)
			}
		}
		ps[i] = pair{all[from:len(all):len(all)], e}
	}
	slices.SortFunc(ps, func(x, y pair) int {
		return cmp.Or(slices.Compare(x.str, y.str), cmp.Compare(x.e.off, y.e.off))
	})
	b.strs = make([][]uint16, len(ps))
	for i, p := range ps {
		b.strs[i], b.entries[i] = p.str, p.e
		b.maxDepth = max(b.maxDepth, len(p.str))
	}
}

// trie builds the nodes breadth first from the sorted class strings: a node is
// a range of entries that share a prefix.
func (b *builder) trie() {
	type span struct{ lo, hi int32 }
	b.nodes = append(make([]bnode, 0, len(b.letters)/2+16), bnode{})
	spans := []span{{0, int32(len(b.strs))}}
	for i := 0; i < len(b.nodes); i++ {
		d := int(b.nodes[i].depth)
		lo, hi := spans[i].lo, spans[i].hi
		end := lo
		for end < hi && len(b.strs[end]) == d {
			end++
		}
		if end > lo {
			b.nodes[i].lo, b.nodes[i].hi, b.nodes[i].terminal = lo, end, true
		}
		b.nodes[i].kids = int32(len(b.nodes))
		for at := end; at < hi; {
			c := b.strs[at][d]
			to := at + 1
			for to < hi && b.strs[to][d] == c {
				to++
			}
			b.nodes = append(b.nodes, bnode{parent: int32(i), class: c, depth: uint8(d + 1), flags: nodeLeft})
			spans = append(spans, span{at, to})
			at = to
		}
		b.nodes[i].nkids = int32(len(b.nodes)) - b.nodes[i].kids
	}
	b.strs = nil
	b.inherit()
}

// inherit passes the flags of entries up to all their prefixes.
func (b *builder) inherit() {
	for i := len(b.nodes) - 1; i > 0; i-- {
		n := &b.nodes[i]
		for e := n.lo; n.terminal && e < n.hi; e++ {
			c := b.entries[e]
			l := b.letters[c.off : c.off+uint32(c.n)]
			if !needsLeft(l, c.flags) {
				n.flags &^= nodeLeft
			}
			if c.spaces != 0 || slices.ContainsFunc(l, func(r rune) bool { return !bounded(r) }) {
				n.flags |= nodeSpace
			}
		}
		p := &b.nodes[n.parent]
		if n.flags&nodeLeft == 0 {
			p.flags &^= nodeLeft
		}
		p.flags |= n.flags & nodeSpace
	}
}
