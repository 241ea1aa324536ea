package wsconn

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"time"

	"nhooyr.io/websocket"
)

// Acceptor upgrades requests with one configuration. It is safe for concurrent
// use.
type Acceptor struct {
	cfg  Config
	poll *poller // nil: every silent socket has a goroutine
}

// NewAcceptor returns an acceptor of sockets bounded by cfg.
func NewAcceptor(cfg Config) *Acceptor {
	a := &Acceptor{cfg: cfg.withDefaults()}
	if !cfg.Blocking {
		a.poll = newPoller()
	}
	return a
}

// Accept upgrades the request. The caller has checked Host and Origin with a
// Policy; the library's own weaker check is off. On an error the answer has
// been written. The handler may return at once: the socket lives on.
//
// The library does the handshake and nothing else. What it would keep for each
// socket (a goroutine, two buffers, six channels) is let go of; frames are
// read and written by this package.
func (a *Acceptor) Accept(w http.ResponseWriter, r *http.Request) (*Conn, error) {
	h := &hijacker{ResponseWriter: w}
	opts := &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled}
	if a.cfg.Subprotocol != "" {
		opts.Subprotocols = []string{a.cfg.Subprotocol}
	}
	ws, err := websocket.Accept(h, r, opts)
	if err != nil {
		if h.nc != nil {
			h.nc.Close()
		}
		return nil, err
	}
	agreed := ws.Subprotocol() != ""
	ws.CloseNow() // of its stand-in for the connection
	return newConn(&a.cfg, a.poll, h.nc, h.early, agreed), nil
}

func newConn(cfg *Config, p *poller, nc net.Conn, early *[]byte, agreed bool) *Conn {
	c := &Conn{cfg: cfg, nc: nc, early: early, agreed: agreed}
	c.drainer, c.reader = c.drain, c.read
	c.watch.enter(p, nc)
	return c
}

// hijacker takes the network connection out of the library's hands once the
// handshake is done. Bytes that net/http had read already are not lost.
type hijacker struct {
	http.ResponseWriter
	nc    net.Conn
	early *[]byte // nil: none
}

// Unwrap lets http.ResponseController reach the real writer.
func (h *hijacker) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// Hijack implements http.Hijacker. The library gets a stand-in.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, brw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.nc = nc
	if err := brw.Writer.Flush(); err != nil {
		return nil, nil, err
	}
	nc.SetDeadline(time.Time{}) // net/http's deadlines were for the handshake
	if n := brw.Reader.Buffered(); n > 0 {
		head, _ := brw.Reader.Peek(n)
		h.early = readBuffers.Get().(*[]byte)
		*h.early = append((*h.early)[:0], head...)
	}
	return standIn{nc}, bufio.NewReadWriter(bufio.NewReaderSize(nothing{}, 16), bufio.NewWriterSize(io.Discard, 16)), nil
}

// standIn is the connection as the library sees it: closing it does nothing.
type standIn struct{ net.Conn }

// Close implements net.Conn.
func (standIn) Close() error { return nil }

// nothing is a reader at its end.
type nothing struct{}

// Read implements io.Reader.
func (nothing) Read([]byte) (int, error) { return 0, io.EOF }
