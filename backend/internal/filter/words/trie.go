package words

import (
	"cmp"
	"slices"
)

// builder holds what is needed only until the automaton is built.
type builder struct {
	*Set
	strs  [][]uint16 // class string of each entry, collapsed, in order
	nodes []bnode
}

// bnode is a node of the trie while it is built; its children are contiguous.
type bnode struct {
	parent int32
	kids   int32 // first child
	nkids  int32
	lo, hi int32 // entries that end here; while the trie grows: those below
	cell   int32
	base   int32
	class  uint16
	depth  uint8
	flags  uint8
}

// strings makes the class strings, with runs of one class collapsed, and sorts
// the entries by them.
func (b *builder) strings(classes *letterClasses) {
	all := make([]uint16, 0, len(b.letters))
	strs := make([][]uint16, len(b.entries))
	order := make([]head, len(b.entries))
	for i, e := range b.entries {
		from := len(all)
		for _, r := range b.letters[e.off : e.off+uint32(e.n)] {
			c := classes.of(coarse(r))
			if len(all) == from || all[len(all)-1] != c {
				all = append(all, c)
			}
		}
		strs[i] = all[from:len(all):len(all)]
		order[i] = head{key: headOf(strs[i]), entry: int32(i)}
		b.maxDepth = max(b.maxDepth, len(strs[i]))
	}
	sortHeads(order, strs)
	entries := make([]compiled, len(order))
	b.strs = make([][]uint16, len(order))
	for i, h := range order {
		b.strs[i], entries[i] = strs[h.entry], b.entries[h.entry]
	}
	b.entries = entries
}

// head is an entry with the first four classes of its string.
type head struct {
	key   uint64
	entry int32
}

func headOf(str []uint16) (key uint64) {
	for k := range 4 {
		key <<= 16
		if k < len(str) {
			key |= uint64(str[k])
		}
	}
	return key
}

// sortHeads sorts by class string, equal ones by entry: by the heads in passes
// of eleven bits, then what they leave equal by comparison.
func sortHeads(order []head, strs [][]uint16) {
	const digit = 11
	other := make([]head, len(order))
	for shift := 0; shift < 64; shift += digit {
		var at [1<<digit + 1]int32
		for _, h := range order {
			at[h.key>>shift&(1<<digit-1)+1]++
		}
		if len(order) > 0 && at[order[0].key>>shift&(1<<digit-1)+1] == int32(len(order)) {
			continue // all alike
		}
		for i := 1; i < len(at); i++ {
			at[i] += at[i-1]
		}
		for _, h := range order {
			d := h.key >> shift & (1<<digit - 1)
			other[at[d]] = h
			at[d]++
		}
		copy(order, other)
	}
	for i := 0; i < len(order); {
		j := i + 1
		for j < len(order) && order[j].key == order[i].key {
			j++
		}
		if j > i+1 && order[i].key&0xFFFF != 0 {
			slices.SortFunc(order[i:j], func(x, y head) int {
				return cmp.Or(slices.Compare(strs[x.entry], strs[y.entry]), cmp.Compare(x.entry, y.entry))
			})
		}
		i = j
	}
}

// trie builds the nodes breadth first from the sorted class strings: a node is
// a range of entries that share a prefix.
func (b *builder) trie() {
	b.nodes = append(make([]bnode, 0, b.prefixes()+1), bnode{hi: int32(len(b.strs))})
	for i := 0; i < len(b.nodes); i++ {
		n := &b.nodes[i]
		d := int(n.depth)
		end := n.lo
		for end < n.hi && len(b.strs[end]) == d {
			end++
		}
		at, hi := end, n.hi
		n.hi, n.kids = end, int32(len(b.nodes))
		for at < hi {
			c := b.strs[at][d]
			to := at + 1
			for to < hi && b.strs[to][d] == c {
				to++
			}
			b.nodes = append(b.nodes, bnode{parent: int32(i), class: c, depth: uint8(d + 1), flags: nodeLeft, lo: at, hi: to})
			at = to
		}
		b.nodes[i].nkids = int32(len(b.nodes)) - b.nodes[i].kids
	}
	b.strs = nil
	b.inherit()
}

// prefixes counts the distinct prefixes of the class strings.
func (b *builder) prefixes() (n int) {
	var before []uint16
	for _, s := range b.strs {
		same := 0
		for same < min(len(s), len(before)) && s[same] == before[same] {
			same++
		}
		n += len(s) - same
		before = s
	}
	return n
}

// inherit passes the flags of entries up to all their prefixes.
func (b *builder) inherit() {
	for i := len(b.nodes) - 1; i > 0; i-- {
		n := &b.nodes[i]
		for _, e := range b.entries[n.lo:n.hi] {
			if !needsLeft(e.flags) {
				n.flags &^= nodeLeft
			}
			if e.spaces != 0 || e.flags&everyOther != 0 {
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
