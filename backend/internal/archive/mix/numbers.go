package mix

import "math/bits"

// chance is an adaptive probability: 22 bits of probability, 10 of how often
// it has been right or wrong. The more it has seen, the slower it moves.
type chance uint32

const chanceNew chance = 1 << 31

// moveMost is after how many observations a chance moves no slower.
const moveMost = 250

func (c chance) p16() uint32 { return min(max(uint32(c)>>16, 1), 65535) }

func (c chance) learn(t *tables, bit uint32) chance {
	p, n := int64(c>>10), uint32(c)&1023
	p += (int64(bit<<22) - int64(bit) - p) * int64(t.rate[n]) >> 16
	if n < moveMost {
		n++
	}
	return chance(uint32(p)<<10 | n)
}

// Sizes of a column's contexts.
const (
	lengths   = 128 // tree over the number of bits of a value, 0 to 64
	topBits   = 6   // leading bits of a value that are learned; the rest is taken for random
	topNodes  = 1 << topBits
	columnLen = lengths + 65*topNodes
)

// column holds what is known of the numbers of one kind: how long they are,
// and how their leading bits are spread.
type column [columnLen]chance

func (m *model) flag(at *chance, bit uint32) uint32 {
	bit = m.c.bit(bit, at.p16())
	*at = at.learn(m.t, bit)
	return bit
}

// tree codes the low n bits of v by a tree of contexts.
func (m *model) tree(nodes []chance, n int, v uint64) uint64 {
	at := uint64(1)
	for i := n - 1; i >= 0; i-- {
		b := m.flag(&nodes[at], uint32(v>>i)&1)
		at = at<<1 | uint64(b)
	}
	return at - 1<<n
}

// plain codes n bits that nothing is known of.
func (m *model) plain(n int, v uint64) uint64 {
	var out uint64
	for i := n - 1; i >= 0; i-- {
		out = out<<1 | uint64(m.c.bit(uint32(v>>i)&1, 1<<15))
	}
	return out
}

// number codes a value of a column.
func (m *model) number(col *column, v uint64) uint64 {
	size := int(m.tree(col[:lengths], 7, uint64(bits.Len64(v))))
	if size < 2 || size > 64 {
		return uint64(min(size, 1))
	}
	rest := size - 1 // bits below the leading one
	nodes := col[lengths+size*topNodes:][:topNodes]
	top := min(rest, topBits)
	head := m.tree(nodes, top, v>>(rest-top)&(1<<top-1))
	return 1<<rest | head<<(rest-top) | m.plain(rest-top, v)
}

// signed codes a value that can be negative.
func (m *model) signed(col *column, v int64) int64 {
	z := m.number(col, uint64(v)<<1^uint64(v>>63))
	return int64(z>>1) ^ -int64(z&1)
}
