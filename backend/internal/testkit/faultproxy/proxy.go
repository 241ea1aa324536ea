// Package faultproxy is a TCP proxy for tests that breaks connections in the
// ways networks do: refused, accepted and never answered, slow, narrow, reset
// or ended after a number of bytes, frozen in the middle. The idea is
// Shopify/toxiproxy's; this one lives inside the test's process.
package faultproxy

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Fault is what happens to connections. Counts are of bytes that come from the
// server on one connection; the zero value passes everything.
type Fault struct {
	// Refuse: nobody listens; connections are refused by the system.
	Refuse bool
	// Blackhole: connections are accepted, and nothing ever comes back.
	Blackhole bool
	// ResetOnAccept: connections are reset as soon as they are accepted.
	ResetOnAccept bool
	// Latency delays each block from the server.
	Latency time.Duration
	// Bandwidth bounds what comes from the server, in bytes a second; 0: no bound.
	Bandwidth int
	// ResetAfter resets the connection behind this many bytes; 0: never.
	ResetAfter int64
	// CutAfter ends the connection in good order there, so that what it
	// carried is truncated; 0: never.
	CutAfter int64
	// FreezeAfter lets nothing pass any more from there on, and keeps the
	// connection open (half-open, as after a lost route); 0: never.
	FreezeAfter int64
}

// Proxy is one listening proxy. It is safe for concurrent use.
type Proxy struct {
	target string
	addr   string
	fault  atomic.Pointer[Fault]
	total  atomic.Int64
	wg     sync.WaitGroup
	done   chan struct{}

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]struct{}
	closed   bool
}

// New starts a proxy to target (host:port) on a free port of the loopback
// address. Close it.
func New(target string) (*Proxy, error) {
	p := &Proxy{target: target, done: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	p.fault.Store(&Fault{})
	p.addr = "127.0.0.1:0"
	if err := p.listen(); err != nil {
		return nil, err
	}
	return p, nil
}

// Addr is where the proxy listens, host:port; it stays the same.
func (p *Proxy) Addr() string { return p.addr }

// Accepted is the number of connections accepted so far.
func (p *Proxy) Accepted() int64 { return p.total.Load() }

// Set applies f at once, to open connections too.
func (p *Proxy) Set(f Fault) error {
	p.fault.Store(&f)
	p.mu.Lock()
	listening := p.listener != nil
	if f.Refuse && listening {
		p.listener.Close()
		p.listener = nil
	}
	p.mu.Unlock()
	if !f.Refuse && !listening {
		return p.listen()
	}
	return nil
}

// DropAll resets every open connection.
func (p *Proxy) DropAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		reset(c)
	}
}

// Close ends everything and waits for it.
func (p *Proxy) Close() {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.done)
	}
	if p.listener != nil {
		p.listener.Close()
		p.listener = nil
	}
	for c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}

func (p *Proxy) listen() error {
	l, err := net.Listen("tcp", p.addr)
	if err != nil {
		return fmt.Errorf("listen for the fault proxy: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		l.Close()
		return errors.New("fault proxy is closed")
	}
	p.addr, p.listener = l.Addr().String(), l
	p.wg.Go(func() { p.accept(l) })
	return nil
}

func (p *Proxy) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		p.total.Add(1)
		if p.fault.Load().ResetOnAccept {
			reset(c)
			continue
		}
		if p.keep(c) {
			p.wg.Go(func() { p.serve(c) })
		}
	}
}

// keep notes a connection so that Close reaches it.
func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		c.Close()
		return false
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *Proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	c.Close()
}

func (p *Proxy) serve(client net.Conn) {
	defer p.drop(client)
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	if !p.keep(server) {
		return
	}
	defer p.drop(server)
	p.wg.Go(func() {
		p.up(server, client)
		server.Close()
	})
	p.down(client, server)
}

// up carries the client's bytes; a black hole swallows them.
func (p *Proxy) up(server, client net.Conn) {
	buf := make([]byte, 16<<10)
	for {
		n, err := client.Read(buf)
		if n > 0 && !p.fault.Load().Blackhole {
			if _, err := server.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// down carries the server's bytes, through the fault of the moment.
func (p *Proxy) down(client, server net.Conn) {
	buf := make([]byte, 16<<10)
	var passed int64
	for {
		f := p.fault.Load()
		block := buf
		if f.Bandwidth > 0 { // twentieths of a second
			block = buf[:min(len(buf), max(1, f.Bandwidth/20))]
		}
		n, err := server.Read(block)
		f = p.fault.Load()
		if n > 0 {
			pause := f.Latency
			if f.Bandwidth > 0 {
				pause += time.Duration(n) * time.Second / time.Duration(f.Bandwidth)
			}
			if !p.wait(pause) || !p.pass(client, block[:n], f, &passed) {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pass writes b as far as f lets it; false: the connection is over.
func (p *Proxy) pass(client net.Conn, b []byte, f *Fault, passed *int64) bool {
	limit := func(n int64) bool { return n > 0 && *passed+int64(len(b)) >= n }
	head := func(n int64) { client.Write(b[:max(0, n-*passed)]) }
	switch {
	case f.Blackhole:
		return true
	case limit(f.ResetAfter):
		head(f.ResetAfter)
		reset(client)
		return false
	case limit(f.CutAfter):
		head(f.CutAfter)
		return false
	case limit(f.FreezeAfter):
		head(f.FreezeAfter)
		*passed = f.FreezeAfter
		return true
	}
	n, err := client.Write(b)
	*passed += int64(n)
	return err == nil
}

// wait pauses, false when the proxy was closed meanwhile.
func (p *Proxy) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-p.done:
		return false
	}
}

// reset closes c so that the other side sees a reset.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	c.Close()
}
