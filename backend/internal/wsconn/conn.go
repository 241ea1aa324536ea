package wsconn

import (
	"errors"
	"net"
	"sync"
	"time"
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
	MaxFrame     int           // bytes of one message read; default 16 KiB; larger closes with 1009
	QueueBytes   int           // bytes waiting to be written; default 256 KiB; more closes with CloseSlow
	ReadTimeout  time.Duration // for the rest of a message once it has begun; default 20 s
	WriteTimeout time.Duration // for one write of at most 32 KiB; default 15 s
	CloseWait    time.Duration // for the peer's answer to a close frame; default 5 s
	CloseSlow    int           // close code of a full queue; default 4003
	CloseBinary  int           // close code of a binary frame; default 4002
	Beat         string        // a message that is answered without the Handler where a poller watches; "": none; at most 125 bytes
	BeatAnswer   string        // the answer to Beat
	Blocking     bool          // a goroutine for each silent socket also where a poller is known

	beatAnswer []byte // BeatAnswer
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
	c.beatAnswer = []byte(c.BeatAnswer)
	if c.WriteTimeout == 0 {
		c.WriteTimeout = 15 * time.Second
	}
	if c.CloseWait == 0 {
		c.CloseWait = 5 * time.Second
	}
	if c.CloseSlow == 0 {
		c.CloseSlow = 4003
	}
	if c.CloseBinary == 0 {
		c.CloseBinary = 4002
	}
	return c
}

// Handler deals with what one socket brings.
type Handler interface {
	// Frame deals with one message, one at a time; false ends the socket. frame
	// is valid UTF-8 and valid only during the call.
	Frame(frame []byte) bool
	// Ended is called once and last: the socket is closed. err is nil when both
	// sides closed it as the protocol says, or when Frame did.
	Ended(err error)
}

// Conn is one socket. Send, SendWait and Close are safe for concurrent use;
// either Loop or Serve is called once.
//
// Between two messages nobody reads: the socket is parked. Whoever takes it
// out of that state under mu, the poller or the one who kills it, starts the
// next reader, so that there is never more than one and Ended comes once.
type Conn struct {
	cfg     *Config
	nc      net.Conn
	handler Handler
	early   *[]byte // read before there was a reader, by net/http or the poller; it may be extended to its capacity
	watch   watch   // the reader's, but for leave
	drainer func()  // the methods drain and read, bound once: starting one
	reader  func()  // costs no allocation
	first   [1]byte // what a waiting goroutine reads into

	mu       sync.Mutex
	room     *sync.Cond // signalled when the queue shrinks or the socket closes; nil until someone waits
	queue    *[]byte    // frames as they go out; nil: none
	begun    int        // bytes at the queue's front of a frame that has gone out in part
	end      *ending    // nil until somebody closes the socket
	inflight int        // bytes that the writer took and has not written yet
	agreed   bool       // the subprotocol was
	writing  bool       // a writer goroutine exists
	closing  bool       // no further frame is taken; end says why
	parked   bool       // there is no reader: the next is started by the poller or by kill
	stirred  bool       // something may have come that no reader and no poller has seen
	dead     bool       // the network connection is closed, or about to be
}

// ending is how a socket comes to its end.
type ending struct {
	code   int
	reason string
	sent   bool        // the writer has the close frame
	gone   bool        // ... and it is written
	came   bool        // the peer's close frame is here
	broken bool        // the peer breaks the protocol: what it sends is not read any more
	cause  error       // for Handler.Ended
	timer  *time.Timer // waits for the peer's answer
}

// Subprotocol returns what was negotiated, "" for none.
func (c *Conn) Subprotocol() string {
	if !c.agreed {
		return ""
	}
	return c.cfg.Subprotocol
}

// RemoteAddr is the peer's network address.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// Serve reads messages for h until the socket ends. It returns at once.
func (c *Conn) Serve(h Handler) {
	c.handler = h
	if c.early != nil || !c.watch.ok() || !c.park(true) {
		go c.reader()
	}
}

// Loop reads messages and hands each to handle, one at a time, until the
// socket ends or handle returns false. frame is valid only during the call.
// When Loop returns the socket is closed.
func (c *Conn) Loop(handle func(frame []byte) bool) error {
	l := loop{handle, make(chan error, 1)}
	c.Serve(l)
	return <-l.ended
}

// loop is the Handler behind Loop.
type loop struct {
	handle func([]byte) bool
	ended  chan error
}

// Frame implements Handler.
func (l loop) Frame(b []byte) bool { return l.handle(b) }

// Ended implements Handler.
func (l loop) Ended(err error) { l.ended <- err }

// park gives the reader's place up: until the poller finds something to read,
// or, if not armed, until the socket is killed. It is false when there has to be
// a reader: more has come (early has it), the socket is dead, or the poller
// cannot watch it.
func (c *Conn) park(armed bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead || armed && !c.watch.arm(c) {
		return false
	}
	if armed && c.stirred {
		b := readBuffers.Get().(*[]byte)
		n, silent := c.watch.read(*b)
		if n > 0 { // and perhaps more, or the end: the next reader looks again
			*b = (*b)[:n]
			c.early = b
			return false
		}
		readBuffers.Put(b)
		if c.stirred = false; !silent {
			return false // the end of the stream, which the next reader finds
		}
	}
	c.parked = true
	return true
}

// Close sends what is queued, then the close frame, and ends the socket. It
// returns at once; the handshake goes on in the background for at most
// Config.CloseWait. Only the first call counts.
func (c *Conn) Close(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeLocked(code, reason)
}

// closeLocked begins the end, unless it has begun.
func (c *Conn) closeLocked(code int, reason string) {
	if c.closing {
		return
	}
	c.closing = true
	c.end = &ending{code: code, reason: reason}
	c.wakeLocked()
	c.startLocked()
}

// fail closes the socket because of what the peer did or because it has gone.
// What it sends from now on is thrown away: its frames cannot be told apart
// any more. It is false when there is nobody left to wait for.
func (c *Conn) fail(err error) bool {
	var f *failure
	if !errors.As(err, &f) {
		c.kill(err)
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeLocked(f.code, f.why)
	c.end.broken = true
	c.end.cause = err
	if c.end.gone {
		c.closeWriteLocked()
	}
	return !c.dead
}

// closeWriteLocked tells the peer that nothing more comes, so that it closes
// its side. Closing at once would have its system throw the close frame away
// together with what we have not read (RFC 9293, section 3.10.7.4: reset).
func (c *Conn) closeWriteLocked() {
	if w, ok := c.nc.(interface{ CloseWrite() error }); ok && !c.dead {
		w.CloseWrite()
	}
}

// peerClosed takes the peer's close frame: it is answered with the same code
// unless ours went out before. It is false when the socket is dead.
func (c *Conn) peerClosed(code int) bool {
	c.mu.Lock()
	c.closeLocked(code, "")
	c.end.came = true
	done := c.end.gone
	c.mu.Unlock()
	if done {
		c.kill(nil)
	}
	return !done
}

// kill closes the network connection. Everything that waits for the socket
// comes to its end; a parked reader's place is taken for the last word.
func (c *Conn) kill(cause error) {
	c.mu.Lock()
	if c.dead {
		c.mu.Unlock()
		return
	}
	c.dead, c.closing = true, true
	if c.end == nil {
		c.end = &ending{}
	}
	if c.end.cause == nil {
		c.end.cause = cause
	}
	if c.end.timer != nil {
		c.end.timer.Stop()
	}
	if !c.writing {
		putQueue(c.queue)
		c.queue = nil
	}
	last := c.parked
	c.parked = false
	c.wakeLocked()
	c.mu.Unlock()
	c.watch.leave() // before the descriptor's number can be given to another socket
	c.nc.Close()
	if last {
		go c.ended()
	}
}

// ended is the last word to the handler. Whoever holds the reader's place says
// it, when the socket is dead.
func (c *Conn) ended() {
	c.mu.Lock()
	cause := c.end.cause
	c.mu.Unlock()
	c.handler.Ended(cause)
}
