package wsconn

import (
	"io"
	"sync"
	"time"
	"unicode/utf8"

	"haoke/backend/internal/stack"
)

// readBuffers recycles what frames are read into; they grow up to the largest
// message and a header.
var readBuffers = sync.Pool{New: func() any { b := make([]byte, 4096); return &b }}

// messages recycles what messages in pieces are put together in.
var messages = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// state is what a reader leaves behind.
type state int

const (
	silent  state = iota // nothing is under way: the next byte begins a frame
	resting              // nothing more is read: the writer ends the socket
	over                 // the socket is dead
)

// read is the reader: it deals with what has come and leaves when the peer
// falls silent. Where nobody watches for the next byte, a goroutine waits for
// it, each time a new one: the stack that the work needed goes back, and a
// silent socket waits on a fresh small one.
func (c *Conn) read() {
	n := 0
	if c.early == nil && !c.watch.ok() {
		var err error
		if n, err = c.nc.Read(c.first[:]); err != nil {
			c.kill(gone(err))
			c.ended()
			return
		}
	}
	stack.Grow16() // not before: where there is no poller, the wait above is a visitor's silence
	switch c.burst(c.first[:n]) {
	case silent:
		if c.watch.ok() && c.park(true) {
			return
		}
		go c.reader()
	case resting:
		if !c.park(false) {
			c.ended()
		}
	case over:
		c.ended()
	}
}

// gone makes the peer's silent leaving an error of its own.
func gone(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// burst reads and handles messages until the peer is silent between two of
// them. first is what has been read already.
func (c *Conn) burst(first []byte) state {
	in := inbound{conn: c, buf: c.early}
	if c.early != nil { // nobody has read anything since
		in.n, *in.buf = len(*in.buf), (*in.buf)[:cap(*in.buf)]
		c.early = nil
	} else {
		in.buf = readBuffers.Get().(*[]byte)
		in.n = copy(*in.buf, first)
	}
	defer in.release()
	for fresh := in.n == 0; ; fresh = false {
		if !fresh {
			if s, more := in.take(); !more {
				return s
			}
			if err := in.limit(); err != nil {
				c.kill(err)
				return over
			}
		}
		n, err := c.nc.Read((*in.buf)[in.n:])
		if in.n += n; in.n == len(*in.buf) {
			c.look()
		}
		if n == 0 && err != nil {
			c.kill(gone(err))
			return over
		}
	}
}

// look notes that the network may hold more than was asked for, of which the
// poller is not told again.
func (c *Conn) look() {
	c.mu.Lock()
	c.stirred = true
	c.mu.Unlock()
}

// inbound is what one reader holds while a peer is not silent.
type inbound struct {
	conn    *Conn
	buf     *[]byte // its whole length is room
	n       int     // bytes in it
	parts   *[]byte // the message in pieces under way; nil: none
	limited bool    // a deadline runs for the message under way
}

func (in *inbound) release() {
	if cap(*in.buf) <= 64<<10 {
		readBuffers.Put(in.buf)
	}
	in.drop()
}

// drop lets go of the message in pieces.
func (in *inbound) drop() {
	if in.parts != nil && cap(*in.parts) <= 64<<10 {
		*in.parts = (*in.parts)[:0]
		messages.Put(in.parts)
	}
	in.parts = nil
}

// grow makes room for n bytes in all.
func (in *inbound) grow(n int) {
	if n > len(*in.buf) {
		b := make([]byte, n)
		copy(b, (*in.buf)[:in.n])
		*in.buf = b
	}
}

// limit sets the deadline of a message under way when it begins: a peer that
// announces more than it sends must not hold a reader for ever.
func (in *inbound) limit() error {
	if in.limited {
		return nil
	}
	in.limited = true
	return in.conn.nc.SetReadDeadline(time.Now().Add(in.conn.cfg.ReadTimeout))
}

// unlimit takes the deadline back when a message is whole.
func (in *inbound) unlimit() {
	if in.limited {
		in.limited = false
		in.conn.nc.SetReadDeadline(time.Time{})
	}
}

// take deals with the whole frames in the buffer. more says that the rest of a
// frame or of a message has to be read.
func (in *inbound) take() (s state, more bool) {
	c, b := in.conn, (*in.buf)[:in.n]
	for {
		if c.broken() {
			return in.sink(), false
		}
		if len(b) == 0 && in.parts == nil {
			in.unlimit()
			return silent, false
		}
		h, whole, err := parseHeader(b, c.cfg.MaxFrame)
		if err != nil {
			if !c.fail(err) {
				return over, false
			}
			return in.sink(), false
		}
		if !whole || len(b) < h.len+h.size {
			in.keep(b)
			if whole {
				in.grow(h.len + h.size)
			}
			return silent, true
		}
		payload := b[h.len : h.len+h.size]
		b = b[h.len+h.size:]
		unmask(payload, h.mask)
		if s, on := in.frame(h, payload); !on {
			return s, false
		}
	}
}

// keep moves the rest to the front of the buffer.
func (in *inbound) keep(rest []byte) { in.n = copy(*in.buf, rest) }

// sink throws away what a peer that broke the protocol still sends. The
// timer that runs since the close frame ends it.
func (in *inbound) sink() state {
	in.n = 0
	in.unlimit()
	return silent
}

// frame deals with one frame; on is false when the reader is through.
func (in *inbound) frame(h header, payload []byte) (s state, on bool) {
	var err error
	switch h.op {
	case opText, opBinary, opContinue:
		return in.data(h, payload)
	case opPing:
		in.conn.push(opPong, payload)
	case opPong: // nobody asked
	case opClose:
		var code int
		if code, err = parseClose(payload); err == nil {
			in.unlimit()
			if in.conn.peerClosed(code) {
				return resting, false
			}
			return over, false
		}
	}
	return in.or(err)
}

// or ends the socket when err is what the peer did.
func (in *inbound) or(err error) (state, bool) {
	if err == nil {
		return silent, true
	}
	if !in.conn.fail(err) {
		return over, false
	}
	return in.sink(), false
}

// data puts messages together and has them handled.
func (in *inbound) data(h header, payload []byte) (state, bool) {
	c := in.conn
	if (h.op == opContinue) != (in.parts != nil) {
		return in.or(errOrder)
	}
	if h.op == opBinary {
		return in.or(&failure{c.cfg.CloseBinary, "text frames only"})
	}
	if in.parts != nil || !h.fin {
		if in.parts == nil {
			in.parts = messages.Get().(*[]byte)
		}
		if len(*in.parts)+len(payload) > c.cfg.MaxFrame {
			return in.or(errTooBig)
		}
		*in.parts = append(*in.parts, payload...)
		payload = *in.parts
	}
	if !h.fin {
		return silent, true
	}
	in.unlimit()
	if !utf8.Valid(payload) {
		return in.or(errText)
	}
	on := c.handle(payload)
	in.drop()
	if !on {
		return over, false
	}
	return silent, true
}

// handle has a message handled unless the socket is closing: what comes after
// our close frame means nothing. It is false when the socket is dead.
func (c *Conn) handle(message []byte) bool {
	c.mu.Lock()
	closing, dead := c.closing, c.dead
	c.mu.Unlock()
	if closing || c.handler.Frame(message) {
		return !dead
	}
	c.mu.Lock()
	closing, dead = c.closing, c.dead
	c.mu.Unlock()
	if !closing { // ended without a word
		c.kill(nil)
		dead = true
	}
	return !dead // else the close frame is on its way: what follows is not handled
}

// broken says that frames cannot be told apart any more.
func (c *Conn) broken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end != nil && c.end.broken
}
