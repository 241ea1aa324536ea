package cm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"
)

// MaxRecord bounds what is compressed in one piece, in bytes: the price is
// about 3 microseconds a byte, both ways.
const MaxRecord = 1 << 20

// MaxPriming is how much of a priming text is used: its last bytes. Places of
// the match model are remembered by 16 bits, and more hardly helps.
const MaxPriming = 128 << 10

// ErrCorrupt: the data is not what Compress made with this priming.
var ErrCorrupt = errors.New("the compressed record is damaged")

// ErrTooLarge: the record is larger than MaxRecord.
var ErrTooLarge = errors.New("the record is too large for this codec")

// Codec compresses records with a model primed with text of their kind. It is
// safe for concurrent use. It holds about 17 MB, and as much again for every
// call under way.
type Codec struct {
	primed *model
	pool   sync.Pool
}

// New returns a Codec primed with a text, which takes about a tenth of a
// second. The same text must be given to read what it wrote.
func New(priming []byte) *Codec {
	m := newModel(newTables())
	for _, b := range priming[max(0, len(priming)-MaxPriming):] {
		for i := 7; i >= 0; i-- {
			m.update(uint32(b>>i) & 1)
		}
	}
	m.matchLen = 0
	c := &Codec{primed: m}
	c.pool.New = func() any { return &model{} }
	return c
}

func (c *Codec) model() *model {
	m := c.pool.Get().(*model)
	m.reset(c.primed)
	return m
}

// Compress returns the compressed form of a record: its length, a check of 16
// bits, and the code.
func (c *Codec) Compress(record []byte) ([]byte, error) {
	if len(record) > MaxRecord {
		return nil, fmt.Errorf("compress: %d bytes: %w", len(record), ErrTooLarge)
	}
	m := c.model()
	defer c.pool.Put(m)
	out := binary.AppendUvarint(make([]byte, 0, len(record)/6+16), uint64(len(record)))
	out = binary.LittleEndian.AppendUint16(out, check(record))
	low, high := uint32(0), uint32(0xffffffff)
	for _, b := range record {
		for i := 7; i >= 0; i-- {
			bit := uint32(b>>i) & 1
			mid := split(low, high, m.p)
			if bit == 1 {
				high = mid
			} else {
				low = mid + 1
			}
			m.update(bit)
			for (low^high)>>24 == 0 {
				out = append(out, byte(high>>24))
				low, high = low<<8, high<<8|255
			}
		}
	}
	if len(record) > 0 {
		// As few bytes as tell the range; the reader takes zeros for the rest.
		if low != 0 {
			out = append(out, byte(low>>24)+1)
		}
	}
	return out, nil
}

// Expand is the reverse of Compress. Its error wraps ErrCorrupt.
func (c *Codec) Expand(data []byte) ([]byte, error) {
	size, n := binary.Uvarint(data)
	if n <= 0 || size > MaxRecord || len(data) < n+2 {
		return nil, ErrCorrupt
	}
	sum := binary.LittleEndian.Uint16(data[n:])
	code := data[n+2:]
	m := c.model()
	defer c.pool.Put(m)
	out := make([]byte, 0, min(size, 64<<10))
	low, high, x := uint32(0), uint32(0xffffffff), uint32(0)
	at := 0
	next := func() uint32 {
		at++
		if at <= len(code) {
			return uint32(code[at-1])
		}
		return 0
	}
	for range 4 {
		x = x<<8 | next()
	}
	for range size {
		for range 8 {
			mid := split(low, high, m.p)
			bit := uint32(0)
			if x <= mid {
				bit, high = 1, mid
			} else {
				low = mid + 1
			}
			m.update(bit)
			for (low^high)>>24 == 0 {
				low, high, x = low<<8, high<<8|255, x<<8|next()
			}
		}
		out = append(out, m.past[len(m.past)-1])
		if at > len(code)+8 {
			return nil, fmt.Errorf("it ends early: %w", ErrCorrupt)
		}
	}
	if check(out) != sum || at < len(code) {
		return nil, ErrCorrupt
	}
	return out, nil
}

// split divides the range by the probability of a one, 12 bits.
func split(low, high uint32, p int32) uint32 {
	return low + uint32(uint64(high-low)*uint64(p)>>12)
}

func check(record []byte) uint16 { return uint16(crc32.ChecksumIEEE(record)) }
