package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"haoke/backend/internal/chat"
)

// errForbiddenAddress: a name led to an address that it must not lead to.
var errForbiddenAddress = errors.New("forbidden address")

// maxPools bounds the transports; a further base URL takes an old one's place.
const maxPools = 64

// pools has one transport for each scheme and host, with the kept connections.
type pools struct {
	dialed func(host string)
	dials  atomic.Int64
	// replace is used for every host when it is set: tests measure what is
	// left without a network.
	replace http.RoundTripper

	mu     sync.RWMutex
	byHost map[string]*http.Transport
	plains map[string]*plainPool // nil: that host is reached through a proxy
}

// plain returns the pool of our own connections to u, nil when net/http has to
// make the call.
func (p *pools) plain(cfg *Config, u *url.URL, t *chat.Target) *plainPool {
	if !plainHere || p.replace != nil || u.Scheme != "http" || !plainFits(t) {
		return nil
	}
	p.mu.RLock()
	pool, known := p.plains[u.Host]
	p.mu.RUnlock()
	if known {
		return pool
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if pool, known := p.plains[u.Host]; known {
		return pool
	}
	if p.plains == nil || len(p.plains) >= maxPools {
		p.dropPlain()
		p.plains = map[string]*plainPool{}
	}
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u}); err == nil && proxy == nil {
		addr := u.Host
		if u.Port() == "" {
			addr = net.JoinHostPort(u.Hostname(), "80")
		}
		pool = &plainPool{
			addr: addr, maxIdle: min(cfg.MaxIdleConns, cfg.MaxIdleConnsPerHost), idleFor: cfg.IdleConnTimeout,
			dial: p.dial(cfg, guard{host: u.Hostname(), allowLocal: cfg.AllowLocal}),
		}
	}
	p.plains[u.Host] = pool
	return pool
}

// dropPlain closes the idle connections of our own. The lock is held.
func (p *pools) dropPlain() {
	for _, pool := range p.plains {
		if pool != nil {
			pool.drop()
		}
	}
	p.plains = nil
}

// get returns the transport for u.
func (p *pools) get(cfg *Config, u *url.URL) http.RoundTripper {
	if p.replace != nil {
		return p.replace
	}
	key := u.Scheme + "://" + u.Host
	p.mu.RLock()
	t := p.byHost[key]
	p.mu.RUnlock()
	if t != nil {
		return t
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.byHost[key]; t != nil {
		return t
	}
	if p.byHost == nil {
		p.byHost = map[string]*http.Transport{}
	}
	for old, t := range p.byHost {
		if len(p.byHost) < maxPools {
			break
		}
		t.CloseIdleConnections()
		delete(p.byHost, old)
	}
	t = p.make(cfg, u)
	p.byHost[key] = t
	return t
}

// drop closes the idle connections and forgets the transports; calls under way
// end undisturbed.
func (p *pools) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.byHost {
		t.CloseIdleConnections()
	}
	p.byHost = nil
	p.dropPlain()
}

// make builds a transport. No redirects are followed, since the caller uses
// RoundTrip: a key never travels to where it was not meant to go. Compression
// is not asked for: it would delay a stream's pieces.
func (p *pools) make(cfg *Config, u *url.URL) *http.Transport {
	guard := guard{host: u.Hostname(), allowLocal: cfg.AllowLocal}
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		MaxIdleConns:           cfg.MaxIdleConns,
		MaxIdleConnsPerHost:    cfg.MaxIdleConnsPerHost,
		IdleConnTimeout:        cfg.IdleConnTimeout,
		TLSHandshakeTimeout:    cfg.connectTime(),
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
		WriteBufferSize:        8 << 10,
		ReadBufferSize:         8 << 10,
		// HTTP/2 connections that died silently are found by pings.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
	}
	if cfg.TLS != nil {
		t.TLSClientConfig = cfg.TLS.Clone()
	} else {
		t.TLSClientConfig = &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(32)}
	}
	t.DialContext = p.dial(cfg, guard)
	return t
}

// dial connects to what guard allows, and counts it.
func (p *pools) dial(cfg *Config, guard guard) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, fmt.Errorf("dial %s: %w", addr, err)
		}
		conn, err := dialer(cfg, guard, host).DialContext(ctx, network, addr)
		if err == nil {
			p.dials.Add(1)
			p.dialed(addr)
		}
		return conn, err
	}
}

// connectTime bounds the TCP and the TLS handshake each, so that another try
// fits into the timeout.
func (c *Config) connectTime() time.Duration { return min(5*time.Second, c.Timeout/2) }

// dialer makes connections to host as it stands in a URL: the guarded one, or
// the owner's proxy, which may stand anywhere.
func dialer(cfg *Config, g guard, host string) *net.Dialer {
	guarded := strings.EqualFold(host, g.host)
	return &net.Dialer{
		Timeout:         cfg.connectTime(),
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3},
		Control: func(network, address string, rc syscall.RawConn) error {
			if guarded {
				if err := g.control(network, address, rc); err != nil {
					return err
				}
			}
			return giveUpAfter(rc, cfg.Timeout/3)
		},
	}
}

// guard decides which addresses a configured host may lead to. It sees the
// address that is really dialled, so a name cannot lead elsewhere a moment
// after it was checked.
//
// Link-local addresses, where clouds keep their metadata and credentials, are
// always refused. Private and loopback addresses are for hosts that the owner
// named as local (isLocal), or with AllowLocal.
type guard struct {
	host       string
	allowLocal bool
}

func (g guard) control(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("dial %s: %w", address, err)
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return fmt.Errorf("dial %s: %w", address, err)
	}
	return g.check(ip)
}

// metadata addresses that are not link-local: AWS over IPv6 and Alibaba Cloud.
var metadata = [...]netip.Addr{netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("100.100.100.200")}

// sharedSpace is RFC 6598, used inside providers' and overlay networks.
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// translated is RFC 6052: IPv4 addresses as a network of IPv6 alone sees them.
var translated = netip.MustParsePrefix("64:ff9b::/96")

func (g guard) check(ip netip.Addr) error {
	ip = ip.Unmap().WithZone("")
	if translated.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	bad := ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() && !isLocal(g.host)
	for _, m := range metadata {
		bad = bad || ip == m
	}
	if bad {
		return fmt.Errorf("%s leads to %s: %w", g.host, ip, errForbiddenAddress)
	}
	if (ip.IsLoopback() || ip.IsPrivate() || sharedSpace.Contains(ip)) && !g.allowLocal && !isLocal(g.host) {
		return fmt.Errorf("%s leads to the private address %s: %w", g.host, ip, errForbiddenAddress)
	}
	return nil
}

// isLocal reports whether a host as the owner wrote it says itself that it is
// in the own network: an address that is private or loopback, a name without a
// dot (a container, a machine), or one under a suffix that is never public.
func isLocal(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		return ip.IsLoopback() || ip.IsPrivate() || ip.IsUnspecified() || sharedSpace.Contains(ip)
	}
	if !strings.Contains(host, ".") {
		return host != ""
	}
	for _, suffix := range [...]string{".localhost", ".local", ".lan", ".internal", ".home.arpa", ".intranet", ".corp", ".home", ".test"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}
