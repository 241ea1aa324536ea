package wsconn

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"sync"
	"time"
)

// bufferSize is what the library gets for reading and for writing. net/http
// hands over 4 KiB each way, which an idle visitor does not need.
const bufferSize = 512

// corkedConn is the network connection under the library. Between cork and
// uncork, writes are collected and leave in one system call; every write has a
// deadline.
type corkedConn struct {
	net.Conn
	timeout time.Duration
	early   []byte // read by net/http before the upgrade; only the reader touches it

	mu     sync.Mutex
	corked bool
	buf    *[]byte // nil between uncork and cork
}

// corkLimit is how much is collected before it is written anyway.
const corkLimit = 32 << 10

var corkBuffers = sync.Pool{New: func() any { b := make([]byte, 0, corkLimit+4096); return &b }}

// Write implements io.Writer for the library.
func (c *corkedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.corked {
		return c.writeNow(p)
	}
	*c.buf = append(*c.buf, p...)
	if len(*c.buf) < corkLimit {
		return len(p), nil
	}
	if err := c.flushLocked(); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (c *corkedConn) writeNow(p []byte) (int, error) {
	if err := c.Conn.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (c *corkedConn) flushLocked() error {
	if c.buf == nil || len(*c.buf) == 0 {
		return nil
	}
	_, err := c.writeNow(*c.buf)
	*c.buf = (*c.buf)[:0]
	return err
}

// cork begins to collect writes.
func (c *corkedConn) cork() {
	c.mu.Lock()
	c.corked = true
	if c.buf == nil {
		c.buf = corkBuffers.Get().(*[]byte)
	}
	c.mu.Unlock()
}

// uncork writes what was collected and gives the buffer back.
func (c *corkedConn) uncork() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.corked = false
	err := c.flushLocked()
	if c.buf != nil && cap(*c.buf) <= 2*corkLimit {
		corkBuffers.Put(c.buf)
	}
	c.buf = nil
	return err
}

// Read implements io.Reader: first what net/http had read ahead, then the
// network.
func (c *corkedConn) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		c.early = c.early[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// hijacker gives the library small buffers of its own and keeps hold of the
// network connection. Bytes that net/http had read already are not lost.
type hijacker struct {
	http.ResponseWriter
	timeout time.Duration
	conn    *corkedConn
}

// Unwrap lets http.ResponseController reach the real writer.
func (h *hijacker) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// Hijack implements http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, brw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if err := brw.Writer.Flush(); err != nil {
		c.Close()
		return nil, nil, err
	}
	c.SetDeadline(time.Time{}) // net/http's deadlines were for the handshake
	h.conn = &corkedConn{Conn: c, timeout: h.timeout}
	if n := brw.Reader.Buffered(); n > 0 {
		head, _ := brw.Reader.Peek(n)
		h.conn.early = bytes.Clone(head)
	}
	return h.conn, bufio.NewReadWriter(
		bufio.NewReaderSize(h.conn, bufferSize),
		bufio.NewWriterSize(h.conn, bufferSize)), nil
}
