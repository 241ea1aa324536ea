package words

import (
	"math/bits"
	"slices"
)

// crowded is how many free cells in a row may be of no use to a node before
// nodes of its size begin their search further on. It keeps the build time
// linear in practice at the price of some unused cells.
const crowded = 128

// cell is one place of the double array: what every step reads. What only some
// steps need is in Set.tails.
type cell struct {
	base  int32 // the child by class c is at base>>1 + c; 0: no children; bit 0: the fail link leads somewhere
	check int32 // the parent's cell <<1, where this is its child; bit 0: entries end here
}

// tail is the rest of a place.
type tail struct {
	fail int32
	out  int32 // 0 or 1 + index in Set.outs
}

const (
	cellFree = -1
	cellRoot = -2 // reached through the root row only
)

// place lays the trie out in the double array, nodes with many children first,
// for they are hard to fit. The first level is a dense row of its own, for it
// is where most characters lead.
func (b *builder) place(nclass int) {
	b.root = make([]int32, nclass)
	b.inner = make([]int32, nclass)
	p := placer{b: b, nclass: int32(nclass)}
	p.grow(int32(len(b.nodes) + nclass + 2))
	b.cells[0].check = cellRoot
	first := b.nodes[1 : 1+b.nodes[0].nkids]
	for k := range first {
		n := &first[k]
		n.cell = p.next[0]
		p.take(n.cell, cellRoot)
		b.root[n.class] = n.cell << 1
		if n.flags&nodeLeft == 0 {
			b.inner[n.class] = n.cell << 1
		}
	}
	p.placeAll()
	p.trim()
	for i := 1; i < len(b.nodes); i++ {
		n := &b.nodes[i]
		for k := n.kids; k < n.kids+n.nkids; k++ {
			b.cells[b.nodes[k].cell].check = n.cell << 1
		}
	}
}

func (p *placer) placeAll() {
	b := p.b
	// single children in the order of their classes: then each finds its cell
	// behind the one before
	order := make([]uint64, 0, len(b.nodes))
	for i := 1; i < len(b.nodes); i++ {
		if n := &b.nodes[i]; n.nkids > 0 {
			order = append(order, uint64(0xFFFF-n.nkids)<<48|uint64(b.nodes[n.kids].class)<<32|uint64(i))
		}
	}
	slices.Sort(order)
	size := 0
	for _, o := range order {
		n := &b.nodes[uint32(o)]
		if s := bits.Len32(uint32(n.nkids)); s != size {
			size, p.hint = s, p.next[0]
		}
		kids := b.nodes[n.kids : n.kids+n.nkids]
		n.base = p.find(kids)
		for k := range kids {
			kids[k].cell = n.base + int32(kids[k].class)
			p.take(kids[k].cell, cellRoot)
		}
	}
	for _, o := range order {
		n := &b.nodes[uint32(o)]
		b.cells[n.cell].base = n.base << 1
	}
}

// placer keeps the free cells in a doubly linked list through cell 0.
type placer struct {
	b          *builder
	nclass     int32
	next, prev []int32
	hint       int32 // where the search begins; 0: at the list's head
	top        int32 // no cell above it is in use
}

func (p *placer) grow(n int32) {
	b := p.b
	old := int32(len(b.cells))
	if n <= old {
		return
	}
	n = max(n, old+old/2)
	b.cells = append(b.cells, make([]cell, n-old)...)
	p.next = append(p.next, make([]int32, n-old)...)
	p.prev = append(p.prev, make([]int32, n-old)...)
	last := int32(0)
	if old > 0 {
		last = p.prev[0]
	}
	for i := max(old, 1); i < n; i++ {
		b.cells[i].check = cellFree
		p.next[last], p.prev[i] = i, last
		last = i
	}
	p.next[last], p.prev[0] = 0, last
}

// take marks a free cell as used.
func (p *placer) take(c, check int32) {
	next, prev := p.next[c], p.prev[c]
	p.next[prev], p.prev[next] = next, prev
	if p.hint == c {
		p.hint = next
	}
	p.b.cells[c].check = check
	p.top = max(p.top, c)
}

// find returns a base under which all kids fall on free cells.
func (p *placer) find(kids []bnode) int32 {
	first, last := int32(kids[0].class), int32(kids[len(kids)-1].class)
	failed := 0
	ahead := p.hint // follows the search at a distance
	for c := p.hint; c != 0; c = p.next[c] {
		base := c - first
		if base < 1 {
			continue
		}
		p.grow(base + last + p.nclass + 2)
		if p.fits(kids, base) {
			return base
		}
		if failed++; failed > crowded {
			ahead = p.next[ahead]
			p.hint = ahead
		}
	}
	base := max(p.top+1-first, 1) // everything above top is free
	p.grow(base + last + p.nclass + 2)
	return base
}

func (p *placer) fits(kids []bnode, base int32) bool {
	for k := range kids {
		if p.b.cells[base+int32(kids[k].class)].check != cellFree {
			return false
		}
	}
	return true
}

// trim cuts the array behind the last cell in use, leaving room for one row so
// that base+class needs no bounds of its own.
func (p *placer) trim() {
	b := p.b
	n := min(int(p.top+p.nclass+2), len(b.cells))
	b.cells = append(make([]cell, 0, n), b.cells[:n]...)
	b.tails = make([]tail, n)
	b.depth, b.flags = make([]uint8, n), make([]uint8, n)
}

// links sets fail links and outputs, breadth first.
func (b *builder) links() {
	for i := 1; i < len(b.nodes); i++ {
		n := &b.nodes[i]
		b.depth[n.cell], b.flags[n.cell] = n.depth, n.flags
		f := int32(0)
		if n.depth > 1 {
			f = b.step(b.tails[b.nodes[n.parent].cell].fail, int32(n.class))
		}
		t := &b.tails[n.cell]
		t.fail, t.out = f, b.tails[f].out
		if n.lo < n.hi {
			b.outs = append(b.outs, outRec{n.lo, n.hi, t.out})
			t.out = int32(len(b.outs))
		}
		if t.out != 0 && (n.depth == 1 || b.tails[f].out == 0 || b.flags[f]&nodeRight != 0) && b.allRight(n) {
			b.flags[n.cell] |= nodeRight
		}
		b.mark(n, t)
	}
	b.openings = b.newOpenings()
	b.nodes = nil
}

// allRight reports whether all entries that end at n need a boundary behind.
func (b *builder) allRight(n *bnode) bool {
	for e := n.lo; e < n.hi; e++ {
		if !needsRight(b.entries[e].flags) {
			return false
		}
	}
	return true
}

// mark sets the bits that spare a step the look at the tail.
func (b *builder) mark(n *bnode, t *tail) {
	if t.fail != 0 {
		b.cells[n.cell].base |= 1
	}
	if t.out == 0 {
		return
	}
	if n.depth > 1 {
		b.cells[n.cell].check |= 1
		return
	}
	b.root[n.class] |= 1
	if b.inner[n.class] != 0 {
		b.inner[n.class] |= 1
	}
}

// step is one transition of the automaton.
func (s *Set) step(st, c int32) int32 {
	for st != 0 {
		if t := s.cells[st].base>>1 + c; s.cells[t].check>>1 == st {
			return t
		}
		st = s.tails[st].fail
	}
	return s.root[c] >> 1
}
