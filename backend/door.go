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

// door is a listener that can move to another address while it serves: what is
// open goes on, who comes next comes by the new one. It is safe for concurrent
// use.
type door struct {
	cfg httpd.Config // of the first address

	mu    sync.Mutex
	now   *httpd.Listener
	start func(*httpd.Listener) // nil: not running (yet, or any more)
	fault error                 // of the last Move
}

func openDoor(cfg httpd.Config) (*door, error) {
	l, err := httpd.Open(cfg)
	if err != nil {
		return nil, err
	}
	return &door{cfg: cfg, now: l}, nil
}

// URL is where the listener can be reached from this machine.
func (d *door) URL() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now.URL()
}

// Fault is why the last Move failed; nil: it did not.
func (d *door) Fault() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fault
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
	d.start = func(l *httpd.Listener) { g.Go(func() error { return l.Run(gctx, grace) }) }
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
var errDoorClosed = errors.New("the listener has stopped")

// Move serves at another address from now on; requests under way get a minute
// to finish at the old one. On an error (*httpd.AddrError) the old one goes on.
// When both cannot be open at once, as 127.0.0.1:8787 and 0.0.0.0:8787, the old
// one is given up first.
func (d *door) Move(addr string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.start == nil {
		return errDoorClosed
	}
	d.fault = d.moveLocked(addr)
	return d.fault
}

func (d *door) moveLocked(addr string) error {
	was := d.now.Addr()
	if addr == was {
		return nil
	}
	l, err := d.open(addr)
	if err != nil && samePort(addr, was) {
		d.now.Retire()
		if l, err = d.open(addr); err != nil {
			back, again := d.open(was)
			if again != nil {
				return errors.Join(err, again)
			}
			d.now = back
			d.start(back)
			return err
		}
	}
	if err != nil {
		return err
	}
	d.now.Retire()
	d.now = l
	d.start(l)
	return nil
}

func (d *door) open(addr string) (*httpd.Listener, error) {
	cfg := d.cfg
	cfg.Addr = addr
	return httpd.Open(cfg)
}

func samePort(a, b string) bool {
	_, x, err := net.SplitHostPort(a)
	_, y, err2 := net.SplitHostPort(b)
	return err == nil && err2 == nil && x == y
}

// probeAddr reports who holds an address and why it cannot be listened on.
// setting is the one that the address is for.
func probeAddr(setting, addr string) (holder string, err error) {
	flag := "--public"
	if setting == "server.admin_addr" {
		flag = "--admin"
	}
	l, err := httpd.Open(httpd.Config{Addr: addr, Setting: setting, Flag: flag, Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		return "", l.Close()
	}
	var taken *httpd.AddrError
	if errors.As(err, &taken) {
		holder = taken.Holder
	}
	return holder, err
}
