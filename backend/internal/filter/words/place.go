package words

// maxTries bounds the search for a place in the double array; after so many
// free cells a node goes to the end. It trades a little memory for a build
// time that is linear in practice.
const maxTries = 48

// place lays the trie out in the double array. The first level is a dense row
// of its own, for it is where most characters lead.
func (b *builder) place(nclass int) {
	b.root = make([]int32, nclass)
	p := placer{b: b, nclass: nclass}
	p.grow(len(b.nodes) + nclass + 2)
	p.take(0)
	b.check[0] = -2
	for k := range b.nodes[0].nkids {
		n := &b.nodes[b.nodes[0].kids+k]
		cell := p.next[0]
		p.take(cell)
		b.check[cell] = -2 // reached through the root row only
		n.cell = cell
		b.root[n.class] = cell
	}
	for i := 1; i < len(b.nodes); i++ {
		n := &b.nodes[i]
		if n.nkids == 0 {
			continue
		}
		kids := b.nodes[n.kids : n.kids+n.nkids]
		base := p.find(kids)
		b.base[n.cell] = base
		for k := range kids {
			cell := base + int32(kids[k].class)
			p.take(cell)
			b.check[cell] = n.cell
			kids[k].cell = cell
		}
	}
	p.trim()
}

// placer keeps the free cells in a doubly linked list through cell 0.
type placer struct {
	b          *builder
	nclass     int
	next, prev []int32
	top        int32 // no cell above it is in use
}

const free = -1

func (p *placer) grow(n int) {
	b := p.b
	old := len(b.check)
	if n <= old {
		return
	}
	n = max(n, old+old/4)
	resize := func(a []int32) []int32 { return append(a, make([]int32, n-len(a))...) }
	b.base, b.check, b.fail, b.out = resize(b.base), resize(b.check), resize(b.fail), resize(b.out)
	p.next, p.prev = resize(p.next), resize(p.prev)
	last := int32(0)
	if old > 0 {
		last = p.prev[0]
	}
	for i := max(old, 1); i < n; i++ {
		b.check[i] = free
		p.next[last], p.prev[i] = int32(i), last
		last = int32(i)
	}
	p.next[last], p.prev[0] = 0, last
}

func (p *placer) take(cell int32) {
	if cell == 0 || p.next[cell] < 0 {
		return // the list's head, or off the list already
	}
	p.next[p.prev[cell]], p.prev[p.next[cell]] = p.next[cell], p.prev[cell]
	p.next[cell] = -1
	p.top = max(p.top, cell)
}

// find returns a base under which all kids fall on free cells. Cells that
// several nodes could not use are left for single children.
func (p *placer) find(kids []bnode) int32 {
	b := p.b
	first, last := int32(kids[0].class), int32(kids[len(kids)-1].class)
	start := p.next[0]
	tries := 0
	for cell := start; cell != 0; cell = p.next[cell] {
		base := cell - first
		if base < 1 {
			continue
		}
		if tries++; tries > maxTries {
			break
		}
		p.grow(int(base+last) + p.nclass + 2)
		ok := true
		for k := range kids {
			if b.check[base+int32(kids[k].class)] != free {
				ok = false
				break
			}
		}
		if ok {
			if tries > maxTries/2 {
				p.retire(start, cell)
			}
			return base
		}
	}
	base := max(p.top+1-first, 1) // everything above top is free
	p.grow(int(base+last) + p.nclass + 2)
	return base
}

// retire takes the first crowded free cell off the list, so that later
// searches begin further on.
func (p *placer) retire(start, before int32) {
	if start != before {
		p.take(start)
	}
}

// trim cuts the arrays behind the last cell in use, leaving room for one row
// so that base+class needs no bounds of its own.
func (p *placer) trim() {
	b := p.b
	n := min(int(p.top)+p.nclass+2, len(b.check))
	clip := func(a []int32) []int32 { return append(make([]int32, 0, n), a[:n]...) }
	b.base, b.check, b.fail, b.out = clip(b.base), clip(b.check), clip(b.fail), clip(b.out)
	b.depth, b.flags = make([]uint8, n), make([]uint8, n)
}

// links sets fail links and outputs, breadth first.
func (b *builder) links() {
	for i := 1; i < len(b.nodes); i++ {
		n := &b.nodes[i]
		b.depth[n.cell], b.flags[n.cell] = n.depth, n.flags
		f := int32(0)
		if n.depth > 1 {
			f = b.step(b.fail[b.nodes[n.parent].cell], int32(n.class))
		}
		b.fail[n.cell] = f
		next := b.out[f]
		switch {
		case n.terminal:
			b.outs = append(b.outs, outRec{n.lo, n.hi, next})
			b.out[n.cell] = int32(len(b.outs))
		default:
			b.out[n.cell] = next
		}
	}
	b.nodes = nil
}

// step is one transition of the automaton.
func (s *Set) step(st, c int32) int32 {
	for st != 0 {
		if t := s.base[st] + c; s.check[t] == st {
			return t
		}
		st = s.fail[st]
	}
	return s.root[c]
}
