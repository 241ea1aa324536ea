package mix

// coder is a binary arithmetic coder that runs both ways: writing, it takes
// the bits it is given; reading, it finds them. Code above it is written once
// for both. A silent coder does neither: that is how a model learns.
type coder struct {
	mode      mode
	low, high uint32
	x         uint32 // reading: the code at hand
	buf       []byte
	at        int
}

type mode uint8

const (
	silent mode = iota
	writing
	reading
)

// past is how many bytes may be read beyond the end of the code: a reader
// looks four bytes ahead, and a whole code never makes it look further.
const past = 8

func newWriter() coder { return coder{mode: writing, high: 0xffffffff} }

func newReader(code []byte) coder {
	c := coder{mode: reading, high: 0xffffffff, buf: code}
	for range 4 {
		c.x = c.x<<8 | c.next()
	}
	return c
}

func (c *coder) next() uint32 {
	c.at++
	if c.at <= len(c.buf) {
		return uint32(c.buf[c.at-1])
	}
	return 0 // the writer leaves trailing zeros out
}

// over reports whether the code has run out: it is damaged.
func (c *coder) over() bool { return c.mode == reading && c.at > len(c.buf)+past }

// bit codes one bit; p is the probability of a one, 16 bits, neither 0 nor 1.
func (c *coder) bit(bit, p uint32) uint32 {
	if c.mode == silent {
		return bit
	}
	span := c.high - c.low
	mid := c.low + span>>16*p + (span&0xffff*p)>>16
	if c.mode == reading {
		bit = 0
		if c.x <= mid {
			bit = 1
		}
	}
	if bit == 1 {
		c.high = mid
	} else {
		c.low = mid + 1
	}
	for (c.low^c.high)>>24 == 0 {
		if c.mode == writing {
			c.buf = append(c.buf, byte(c.high>>24))
		} else {
			c.x = c.x<<8 | c.next()
		}
		c.low, c.high = c.low<<8, c.high<<8|255
	}
	return bit
}

// finish ends the code with as few bytes as tell the range.
func (c *coder) finish() []byte {
	if c.low != 0 {
		c.buf = append(c.buf, byte(c.low>>24)+1)
	}
	for len(c.buf) > 0 && c.buf[len(c.buf)-1] == 0 {
		c.buf = c.buf[:len(c.buf)-1]
	}
	return c.buf
}
