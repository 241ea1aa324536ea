package httpd

import (
	"io"
	"net"
	"time"
)

// stallChunk is how much has to leave within Config.Stall. With the usual 15 s
// that is two kilobytes a second: a poor telephone manages it.
const stallChunk = 32 << 10

// stalling gives out connections whose peers have to read. Who asks for much and
// reads nothing would else hold a goroutine and the system's memory for ever:
// net/http has only a bound on the whole answer, which must be long enough for
// the largest file on the slowest line.
type stalling struct {
	net.Listener
	most time.Duration
}

// Accept implements net.Listener.
func (l stalling) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok && err == nil {
		return &stallConn{tcp, l.most}, nil
	}
	return c, err
}

// stallConn is a connection on which each piece written has its own deadline.
// All else is the connection's, also for who takes it over.
type stallConn struct {
	*net.TCPConn
	most time.Duration
}

// Write implements io.Writer.
func (c *stallConn) Write(p []byte) (n int, err error) {
	for {
		if err := c.SetWriteDeadline(time.Now().Add(c.most)); err != nil {
			return n, err
		}
		piece := p[n:min(len(p), n+stallChunk)]
		m, err := c.TCPConn.Write(piece)
		if n += m; err != nil || n == len(p) {
			return n, err
		}
	}
}

// ReadFrom implements io.ReaderFrom: files go the same way, piece by piece.
func (c *stallConn) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{c}, r)
}
