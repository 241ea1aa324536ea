package backend

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"haoke/backend/internal/httpd"
)

// door is the visitors' listener, which can move to another address while it
// serves: sockets that are open stay open, new visitors come by the new one.
// It is safe for concurrent use.
type door struct {
	cfg httpd.Config // of the first address

	mu    sync.Mutex
	now   *serving
	start func(*serving) // nil: not running (yet, or any more)
}

// serving is one listener with what ends it.
type serving struct {
	*httpd.Listener
	stop context.CancelFunc
	done chan struct{} // closed when it has ended
}

func openDoor(cfg httpd.Config) (*door, error) {
	l, err := httpd.Open(cfg)
	if err != nil {
		return nil, err
	}
	return &door{cfg: cfg, now: &serving{Listener: l}}, nil
}

// URL is where the listener can be reached from this machine.
func (d *door) URL() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now.URL()
}

// Close closes a door that was never run.
func (d *door) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now.Close()
}

// Run serves until ctx is over; requests under way get grace to finish.
func (d *door) Run(ctx context.Context, grace time.Duration) error {
	g, gctx := errgroup.WithContext(ctx)
	d.mu.Lock()
	d.start = func(s *serving) {
		var lctx context.Context
		lctx, s.stop = context.WithCancel(gctx)
		s.done = make(chan struct{})
		g.Go(func() error {
			defer close(s.done)
			return s.Run(lctx, grace)
		})
	}
	d.start(d.now)
	d.mu.Unlock()
	g.Go(func() error { // holds the group open for a listener that comes later
		<-gctx.Done()
		d.mu.Lock()
		defer d.mu.Unlock()
		d.start = nil
		return nil
	})
	return g.Wait()
}

// errDoorClosed says that nothing is served any more, so nothing can move.
var errDoorClosed = errors.New("the visitors' listener has stopped")

// Move serves at another address from now on. On an error (*httpd.AddrError)
// the old one goes on. When both cannot be open at once, as 127.0.0.1:8787 and
// 0.0.0.0:8787, the old one ends first.
func (d *door) Move(addr string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.start == nil {
		return errDoorClosed
	}
	cfg, old := d.cfg, d.now
	cfg.Addr = addr
	l, err := httpd.Open(cfg)
	if err == nil {
		d.now = &serving{Listener: l}
		d.start(d.now)
		old.stop()
		return nil
	}
	if !samePort(addr, old.Addr()) {
		return err
	}
	back := cfg
	back.Addr = old.Addr()
	old.stop()
	<-old.done
	l, err = httpd.Open(cfg)
	if err != nil {
		var again error
		if l, again = httpd.Open(back); again != nil {
			return errors.Join(err, again)
		}
	}
	d.now = &serving{Listener: l}
	d.start(d.now)
	return err
}

func samePort(a, b string) bool {
	_, x, err := net.SplitHostPort(a)
	_, y, err2 := net.SplitHostPort(b)
	return err == nil && err2 == nil && x == y
}

// probeAddr reports who holds an address and why it cannot be listened on.
func probeAddr(addr string) (holder string, err error) {
	l, err := httpd.Open(httpd.Config{Addr: addr, Setting: "server.public_addr", Flag: "--public", Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		return "", l.Close()
	}
	var taken *httpd.AddrError
	if errors.As(err, &taken) {
		holder = taken.Holder
	}
	return holder, err
}
