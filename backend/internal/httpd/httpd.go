// Package httpd owns the two listeners: the public one for visitors and the
// admin one. It knows timeouts, routers, security headers and what to say when
// a port is taken; what is served comes in as handlers.
package httpd

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// Config is one listener. Setting and Flag name where its address comes from,
// for error messages.
type Config struct {
	Name    string // "public" or "admin"
	Addr    string // host:port; port 0 picks a free one
	Setting string // "server.public_addr"
	Flag    string // "--public"
	Handler http.Handler
	TLS     *tls.Config   // nil: plain HTTP
	Stall   time.Duration // in which a peer has to read 32 KiB; 0: 15 s
	Log     *slog.Logger
}

// Listener is one open listener.
type Listener struct {
	cfg Config
	ln  net.Listener
	srv *http.Server

	retire  sync.Once
	retired chan struct{}
}

// patience is how long a retired listener's requests may go on.
const patience = time.Minute

// AddrError says why a listener could not be opened and what to do.
type AddrError struct {
	Addr, Setting, Flag string
	Holder              string // who has the port, "" when not known
	Err                 error
}

// Error implements error.
func (e *AddrError) Error() string {
	switch {
	case errors.Is(e.Err, syscall.EADDRINUSE) || isInUse(e.Err):
		by := ""
		if e.Holder != "" {
			by = " by " + e.Holder
		}
		return fmt.Sprintf("port in use: %s (%s) is taken%s; stop that program, or choose another port with %s or with %s in config.toml", e.Addr, e.Setting, by, e.Flag, e.Setting)
	case errors.Is(e.Err, syscall.EACCES):
		return fmt.Sprintf("no right to listen on %s (%s): ports below 1024 need more rights; choose another with %s", e.Addr, e.Setting, e.Flag)
	case errors.Is(e.Err, syscall.EADDRNOTAVAIL):
		return fmt.Sprintf("%s (%s) is not an address of this machine; choose 127.0.0.1 or 0.0.0.0 with %s", e.Addr, e.Setting, e.Flag)
	}
	return fmt.Sprintf("cannot listen on %s (%s): %v", e.Addr, e.Setting, e.Err)
}

// Unwrap gives the cause.
func (e *AddrError) Unwrap() error { return e.Err }

// listening asks silent peers whether they are there after a minute and a half,
// then every 15 s: who went without a word is noticed after two and a half
// minutes. Go's own first question after 15 s would wake the radio of every
// visitor's phone four times a minute, and the widget has a heartbeat.
var listening = net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 90 * time.Second, Interval: 15 * time.Second, Count: 4}}

// Open opens the listener; it accepts once Run is called. Errors are
// *AddrError.
func Open(cfg Config) (*Listener, error) {
	ln, err := listening.Listen(context.Background(), "tcp", cfg.Addr)
	if err != nil {
		ae := &AddrError{Addr: cfg.Addr, Setting: cfg.Setting, Flag: cfg.Flag, Err: err}
		if _, port, perr := net.SplitHostPort(cfg.Addr); perr == nil {
			if n, nerr := strconv.Atoi(port); nerr == nil {
				ae.Holder = portHolder(n)
			}
		}
		return nil, ae
	}
	return &Listener{cfg: cfg, ln: ln, retired: make(chan struct{}), srv: &http.Server{
		Handler: cfg.Handler,
		// A slow or silent client is cut before it costs anything; sockets are
		// detached from these limits by the upgrade.
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       60 * time.Second,
		IdleTimeout:       90 * time.Second,
		MaxHeaderBytes:    16 << 10,
		TLSConfig:         cfg.TLS,
		ErrorLog:          slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug),
	}}, nil
}

// URL is where the listener can be reached from this machine.
func (l *Listener) URL() string {
	a := l.ln.Addr().(*net.TCPAddr)
	host := a.IP.String()
	if a.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "http"
	if l.cfg.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(a.Port))
}

// Addr is the real address, with the port that was picked.
func (l *Listener) Addr() string { return l.ln.Addr().String() }

// Close closes a listener that was never run.
func (l *Listener) Close() error { return l.ln.Close() }

// Retire gives the address free at once and lets what is open finish: Run ends
// when the last request has, or after a minute. Sockets that a handler took
// over are not touched. It may be called more than once, and before Run.
func (l *Listener) Retire() {
	l.retire.Do(func() {
		close(l.retired)
		l.ln.Close()
	})
}

// Run serves until ctx is over, then stops accepting, calls draining, and
// waits for running requests for at most grace.
func (l *Listener) Run(ctx context.Context, grace time.Duration) error {
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		var err error
		ln := stalling{l.ln, cmp.Or(l.cfg.Stall, 15*time.Second)}
		if l.cfg.TLS != nil {
			err = l.srv.ServeTLS(ln, "", "")
		} else {
			err = l.srv.Serve(ln)
		}
		if errors.Is(err, http.ErrServerClosed) || l.isRetired() {
			return nil
		}
		return fmt.Errorf("%s listener: %w", l.cfg.Name, err)
	})
	g.Go(func() error {
		select {
		case <-gctx.Done():
		case <-l.retired:
			if l.finish(gctx, patience) {
				return nil
			}
		}
		if !l.finish(context.WithoutCancel(gctx), grace) {
			l.srv.Close()
		}
		return nil
	})
	return g.Wait()
}

// finish reports whether everything that is open ended within a time.
func (l *Listener) finish(ctx context.Context, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return l.srv.Shutdown(ctx) == nil
}

func (l *Listener) isRetired() bool {
	select {
	case <-l.retired:
		return true
	default:
		return false
	}
}
