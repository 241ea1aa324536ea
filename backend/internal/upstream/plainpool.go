package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/codec"
	"haoke/backend/internal/span"
)

// Calls to a model in the own network (Ollama, vLLM, a gateway) go over plain
// HTTP/1.1. For these net/http costs two goroutines a connection, four wake-ups
// a call and more memory than everything else in a call, so that there is a small
// client of our own: one goroutine, one write, one buffer. Everything else
// (TLS, HTTP/2, proxies, other systems than Linux) is net/http's, and whatever
// an answer holds that this client does not know ends as an error with the
// connection closed, never as a guess.

// plainPool keeps connections to one host that speaks plain HTTP/1.1.
type plainPool struct {
	dial    func(ctx context.Context, network, addr string) (net.Conn, error)
	addr    string // host and port to dial
	maxIdle int
	idleFor time.Duration

	mu      sync.Mutex
	idle    []*plainConn // the one used last is at the end
	dropped bool
	timer   *time.Timer // closes what was idle for too long; nil: nothing is idle
}

// get returns a kept connection that still works, or a new one.
func (p *plainPool) get(ctx context.Context) (*plainConn, error) {
	for {
		c := p.pop()
		if c == nil {
			break
		}
		if c.look.alive() {
			return c, nil
		}
		c.nc.Close()
	}
	nc, err := p.dial(ctx, "tcp", p.addr)
	if err != nil {
		return nil, err
	}
	c := &plainConn{pool: p, nc: nc, buf: make([]byte, plainBuffer), look: lookAt(nc)}
	c.cut = func() { nc.SetDeadline(time.Unix(1, 0)) }
	c.resp.Body, c.resp.Proto, c.resp.ProtoMajor, c.resp.ProtoMinor = c, "HTTP/1.1", 1, 1
	return c, nil
}

func (p *plainPool) pop() *plainConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	c := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	return c
}

// put keeps a connection for later calls, or closes it.
func (p *plainPool) put(c *plainConn) {
	p.mu.Lock()
	keep := !p.dropped && len(p.idle) < p.maxIdle
	if keep {
		c.since = time.Now()
		p.idle = append(p.idle, c)
		if p.timer == nil {
			p.timer = time.AfterFunc(p.idleFor, p.expire)
		}
	}
	p.mu.Unlock()
	if !keep {
		c.nc.Close()
	}
}

// expire closes the connections that nobody used for idleFor.
func (p *plainPool) expire() {
	p.mu.Lock()
	n := 0
	for n < len(p.idle) && time.Since(p.idle[n].since) >= p.idleFor {
		n++
	}
	old := append([]*plainConn(nil), p.idle[:n]...)
	left := copy(p.idle, p.idle[n:])
	clear(p.idle[left:])
	p.idle = p.idle[:left]
	p.timer = nil
	if left > 0 && !p.dropped {
		p.timer = time.AfterFunc(p.idleFor-time.Since(p.idle[0].since), p.expire)
	}
	p.mu.Unlock()
	for _, c := range old {
		c.nc.Close()
	}
}

// drop closes what is idle; connections in use are closed after their calls.
func (p *plainPool) drop() {
	p.mu.Lock()
	old := p.idle
	p.idle, p.dropped = nil, true
	if p.timer != nil {
		p.timer.Stop()
	}
	p.mu.Unlock()
	for _, c := range old {
		c.nc.Close()
	}
}

// plainBuffer is what a connection reads into: some pieces of a stream.
const plainBuffer = 4 << 10

// errUnused: the call's end came before its connection was used.
var errUnused = errors.New("cancelled before it was sent")

// post sends a call and reads the answer's header, which belongs to a, as the
// answer belongs to the connection: it is valid until its Body is closed.
func (p *plainPool) post(a *attempt, body []byte, accept string) (*http.Response, error) {
	c, err := p.get(&a.life)
	if err != nil {
		return nil, err
	}
	if c.life = &a.life; !a.life.Guard(c.cut) {
		c.broken()
		return nil, errUnused
	}
	out := scratch.Get().(*buffer)
	out.b = append(a.plainHead(out.b[:0], len(body), accept), body...)
	_, unsent := c.nc.Write(out.b)
	scratch.Put(out)
	err = c.answer(&a.fields)
	if unsent != nil { // a server that refuses may do so before it has read everything
		c.keep = false
	}
	if err != nil {
		c.broken()
		return nil, fmt.Errorf("call %s: %w", p.addr, err)
	}
	return &c.resp, nil
}

// plainHead writes the request line and the header of a call.
func (a *attempt) plainHead(b []byte, length int, accept string) []byte {
	b = append(append(b, "POST "...), a.url.RequestURI()...)
	b = append(append(b, " HTTP/1.1\r\nHost: "...), a.url.Host...)
	b = append(append(b, "\r\nUser-Agent: Haoke\r\nContent-Type: application/json\r\nAccept: "...), accept...)
	b = append(b, "\r\nContent-Length: "...)
	b = codec.AppendInt(b, int64(length))
	if t := &a.target; t.Secret != "" {
		name, scheme := t.AuthHeader, ""
		if name == "" || http.CanonicalHeaderKey(name) == "Authorization" {
			name, scheme = "Authorization", "Bearer "
		}
		b = append(append(append(append(append(b, "\r\n"...), name...), ": "...), scheme...), t.Secret...)
	}
	return append(b, "\r\n\r\n"...)
}

// plainFits reports whether the target's own words may stand in a header as they
// are; net/http says what is wrong with others.
func plainFits(t *chat.Target) bool {
	for _, s := range [...]string{t.Secret, t.AuthHeader} {
		for i := range len(s) {
			if s[i] < ' ' || s[i] >= 0x7f || s[i] == ':' && s == t.AuthHeader {
				return false
			}
		}
	}
	return !strings.ContainsAny(t.AuthHeader, " ")
}

// plainConn is one connection; one call uses it at a time.
type plainConn struct {
	pool  *plainPool
	nc    net.Conn
	since time.Time // idle since; guarded by the pool's lock
	cut   func()    // ends every read and write, bound once
	life  *span.Span
	look  *look
	resp  http.Response

	buf  []byte // buf[r:w] is read and not used yet
	r, w int

	keep  bool  // may be used again after this answer
	state frame // of the body
	left  int64 // of the body, or of its chunk
}

// broken closes a connection that cannot be used any more.
func (c *plainConn) broken() {
	c.life.Unguard()
	c.nc.Close()
}

// Close implements io.Closer for the answer's body. Only a connection whose
// answer was read to its end is kept.
func (c *plainConn) Close() error {
	if c.life.Unguard() && c.keep && c.state == ended && c.r == c.w {
		c.pool.put(c)
		return nil
	}
	return c.nc.Close()
}

var _ io.ReadCloser = (*plainConn)(nil)
