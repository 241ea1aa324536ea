// Package wsconn is one visitor's socket: the origin check, a read loop, and a
// write loop behind a queue that is bounded in bytes. It is the only package
// that knows the WebSocket library.
//
// An idle socket costs one goroutine of ours (the reader), one of the
// library's, and two 512-byte buffers; a writer goroutine exists only while
// there is something to write.
package wsconn

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"nhooyr.io/websocket"
)

// Errors of Send.
var (
	// ErrClosed: the socket is closed or closing.
	ErrClosed = errors.New("socket is closed")
	// ErrTooSlow: the queue is full; the socket is being closed.
	ErrTooSlow = errors.New("socket is too slow: its queue is full")
)

// Config bounds a socket. Zero values mean the defaults.
type Config struct {
	Subprotocol  string        // offered to clients; "" for none
	MaxFrame     int           // bytes of one frame read; default 16 KiB; larger closes with 1009
	QueueBytes   int           // bytes waiting to be written; default 256 KiB; more closes with CloseSlow
	ReadTimeout  time.Duration // for the rest of a frame once it has begun; default 20 s
	WriteTimeout time.Duration // for one write; default 15 s
	CloseSlow    int           // close code of a full queue; default 4003
	CloseBinary  int           // close code of a binary frame; default 4002
}

func (c Config) withDefaults() Config {
	if c.MaxFrame == 0 {
		c.MaxFrame = 16 << 10
	}
	if c.QueueBytes == 0 {
		c.QueueBytes = 256 << 10
	}
	if c.ReadTimeout == 0 {
		c.ReadTimeout = 20 * time.Second
	}
	if c.WriteTimeout == 0 {
		c.WriteTimeout = 15 * time.Second
	}
	if c.CloseSlow == 0 {
		c.CloseSlow = 4003
	}
	if c.CloseBinary == 0 {
		c.CloseBinary = 4002
	}
	return c
}

// Conn is one socket. Send, SendWait and Close are safe for concurrent use;
// either Loop or Serve is called once.
type Conn struct {
	cfg *Config
	ws  *websocket.Conn
	net *corkedConn

	mu       sync.Mutex
	room     *sync.Cond // signalled when the queue shrinks or the socket closes; nil until someone waits
	queue    *[]byte    // frames, each behind its length in four bytes; nil: none
	drainer  func()     // the method drain, bound once: a new writer costs no allocation
	inflight int        // bytes that the writer took and has not written yet
	writing  bool       // a writer goroutine exists
	closing  bool       // no further frame is taken
	code     int        // close code to send once the queue is empty, 0: none
	reason   string
	dead     bool // the library's side is closed
}

// Acceptor upgrades requests with one configuration.
type Acceptor struct{ cfg Config }

// NewAcceptor returns an acceptor of sockets bounded by cfg.
func NewAcceptor(cfg Config) *Acceptor { return &Acceptor{cfg: cfg.withDefaults()} }

// Accept upgrades the request. The caller has checked Host and Origin with a
// Policy; the library's own weaker check is off. On an error the answer has
// been written. The handler may return at once: the socket lives on.
func (a *Acceptor) Accept(w http.ResponseWriter, r *http.Request) (*Conn, error) {
	h := &hijacker{ResponseWriter: w, timeout: a.cfg.WriteTimeout}
	opts := &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled}
	if a.cfg.Subprotocol != "" {
		opts.Subprotocols = []string{a.cfg.Subprotocol}
	}
	ws, err := websocket.Accept(h, r, opts)
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(int64(a.cfg.MaxFrame))
	c := &Conn{cfg: &a.cfg, ws: ws, net: h.conn}
	c.drainer = c.drain
	return c, nil
}

// Subprotocol returns what was negotiated, "" for none.
func (c *Conn) Subprotocol() string { return c.ws.Subprotocol() }

var readBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

// Handler deals with what one socket brings.
type Handler interface {
	// Frame deals with one frame, one at a time; false ends the socket. frame
	// is valid only during the call.
	Frame(frame []byte) bool
	// Ended is called once and last: the socket is closed, or closing if Close
	// was called.
	Ended(err error)
}

// Serve reads text frames for h until the socket ends. It returns at once.
//
// Each frame has a goroutine of its own, which begins as the reader and ends
// after the frame was dealt with: the stack that the work needed goes back,
// and a silent socket waits on a fresh small one. With 19,000 sockets that is
// a third of their memory.
func (c *Conn) Serve(h Handler) { go c.serveOne(h) }

func (c *Conn) serveOne(h Handler) {
	more, err := c.next(h.Frame)
	if more {
		go c.serveOne(h)
		return
	}
	c.release()
	h.Ended(err)
}

// Loop reads text frames and hands each to handle, one at a time, until the
// socket ends or handle returns false. frame is valid only during the call.
// When Loop returns the socket is closed, or closing if Close was called.
func (c *Conn) Loop(handle func(frame []byte) bool) error {
	defer c.release()
	for {
		if more, err := c.next(handle); !more {
			return err
		}
	}
}

// next waits for a frame and has it handled; more says that another may come.
func (c *Conn) next(handle func([]byte) bool) (more bool, err error) {
	typ, r, err := c.ws.Reader(context.Background())
	if err != nil {
		return false, err
	}
	if typ != websocket.MessageText {
		c.Close(c.cfg.CloseBinary, "text frames only")
		return false, nil
	}
	return c.readOne(r, handle)
}

// readOne reads the rest of a frame under a deadline: the library would wait
// for ever for a frame that announces more than it sends.
func (c *Conn) readOne(r io.Reader, handle func([]byte) bool) (bool, error) {
	bp := readBuffers.Get().(*[]byte)
	defer readBuffers.Put(bp)
	c.net.SetReadDeadline(time.Now().Add(c.cfg.ReadTimeout))
	buf, err := readAll(r, (*bp)[:0])
	*bp = buf
	if err != nil {
		return false, err
	}
	c.net.SetReadDeadline(time.Time{})
	return handle(buf), nil
}

func readAll(r io.Reader, buf []byte) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}

// release marks the socket as ended when its reader has gone.
func (c *Conn) release() {
	c.mu.Lock()
	graceful := c.code != 0 && !c.dead
	c.closing = true
	c.wakeLocked()
	c.mu.Unlock()
	if !graceful {
		c.ws.CloseNow()
	}
}

// Send queues a copy of one frame. It never blocks: a full queue closes the
// socket with Config.CloseSlow and returns ErrTooSlow.
func (c *Conn) Send(frame []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return ErrClosed
	}
	if c.waiting()+len(frame)+4 > c.cfg.QueueBytes {
		c.closing, c.code, c.reason = true, c.cfg.CloseSlow, "too slow"
		if c.queue != nil {
			*c.queue = (*c.queue)[:0]
		}
		c.wakeLocked()
		c.startLocked()
		return ErrTooSlow
	}
	c.pushLocked(frame)
	return nil
}

// SendWait queues a copy of one frame and waits while more than half of the
// queue is taken, so that a long replay does not count as slowness. Only the
// socket's own reader may call it: it delays nobody else.
func (c *Conn) SendWait(frame []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.closing && c.waiting() > 0 && c.waiting()+len(frame) > c.cfg.QueueBytes/2 {
		if c.room == nil {
			c.room = sync.NewCond(&c.mu)
		}
		c.room.Wait()
	}
	if c.closing {
		return ErrClosed
	}
	c.pushLocked(frame)
	return nil
}

func (c *Conn) pushLocked(frame []byte) {
	if c.queue == nil {
		c.queue = queueBuffers.Get().(*[]byte)
	}
	*c.queue = append(binary.LittleEndian.AppendUint32(*c.queue, uint32(len(frame))), frame...)
	c.startLocked()
}

// waiting is how many bytes are not written yet.
func (c *Conn) waiting() int {
	if c.queue == nil {
		return c.inflight
	}
	return len(*c.queue) + c.inflight
}

func (c *Conn) startLocked() {
	if !c.writing {
		c.writing = true
		go c.drainer()
	}
}

func (c *Conn) wakeLocked() {
	if c.room != nil {
		c.room.Broadcast()
	}
}

// queueBuffers recycles what sockets queue into; large ones are left to the
// collector.
var queueBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

func putQueue(b *[]byte) {
	if b != nil && cap(*b) <= 64<<10 {
		*b = (*b)[:0]
		queueBuffers.Put(b)
	}
}

// drain is the writer: it exists while there is something to write.
func (c *Conn) drain() {
	for {
		c.mu.Lock()
		if c.queue == nil || len(*c.queue) == 0 || c.dead {
			c.writing = false
			putQueue(c.queue)
			c.queue = nil
			code, reason, dead := c.code, c.reason, c.dead
			c.mu.Unlock()
			if code != 0 && !dead {
				c.shut(code, reason)
			}
			return
		}
		batch := c.queue
		c.inflight = len(*batch)
		c.queue = nil
		c.mu.Unlock()

		err := c.writeBatch(*batch)
		putQueue(batch)

		c.mu.Lock()
		c.inflight = 0
		c.wakeLocked()
		if err != nil {
			c.closing, c.dead = true, true
		}
		c.mu.Unlock()
		if err != nil {
			c.ws.CloseNow()
		}
	}
}

func (c *Conn) writeBatch(batch []byte) error {
	c.net.cork()
	for len(batch) > 0 {
		n := int(binary.LittleEndian.Uint32(batch))
		if err := c.ws.Write(context.Background(), websocket.MessageText, batch[4:4+n]); err != nil {
			c.net.uncork()
			return err
		}
		batch = batch[4+n:]
	}
	return c.net.uncork()
}

// Close sends what is queued, then the close frame, and ends the socket. It
// returns at once; the handshake goes on in the background for at most some
// seconds. Only the first call counts.
func (c *Conn) Close(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return
	}
	c.closing, c.code, c.reason = true, code, reason
	c.wakeLocked()
	c.startLocked()
}

func (c *Conn) shut(code int, reason string) {
	c.mu.Lock()
	c.dead = true
	c.mu.Unlock()
	// A peer that never answers the close frame must not keep the socket: the
	// library waits five seconds for it, then closes.
	c.ws.Close(websocket.StatusCode(code), reason)
}

// RemoteAddr is the peer's network address.
func (c *Conn) RemoteAddr() net.Addr { return c.net.RemoteAddr() }
