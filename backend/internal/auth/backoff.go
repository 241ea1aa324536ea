package auth

import (
	"net/netip"
	"sync"
	"time"
)

// Failed sign-ins: the first few are free, then each doubles the wait. An
// address waits up to a quarter of an hour; a name only up to half a minute,
// so that nobody can lock somebody else out for long.
const (
	freeTries   = 5
	firstWait   = time.Second
	maxWaitIP   = 15 * time.Minute
	maxWaitName = 30 * time.Second
	forgetAfter = time.Hour
	maxTracked  = 10000 // at the bound the longest quiet one is forgotten
)

type tries struct {
	failed int
	last   time.Time
	until  time.Time
}

// backoff remembers failures by name and by address.
type backoff struct {
	now func() time.Time
	mu  sync.Mutex
	by  map[string]*tries
}

func newBackoff(now func() time.Time) *backoff {
	return &backoff{now: now, by: map[string]*tries{}}
}

// scripts is the name under which tries of the bearer token are counted.
const scripts = "(scripts)"

// sources are what an attempt is counted under: the address, and the name.
// IPv6 counts by /64, which is what one line gets. Scripts have addresses of
// their own, so that a monitor with an old token keeps nobody from signing in,
// and no name, since they share one.
func sources(name string, ip netip.Addr) []string {
	key := ip.String()
	if ip.Is6() && !ip.Is4In6() {
		if p, err := ip.WithZone("").Prefix(64); err == nil {
			key = p.String()
		}
	}
	if name == scripts {
		return []string{"script:" + key}
	}
	return []string{"ip:" + key, "name:" + name}
}

// begin counts an attempt as failed before it is tried, so that many at once
// cannot slip through while the first is being hashed; succeed takes it back.
// It refuses when a wait is still on.
func (b *backoff) begin(name string, ip netip.Addr) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	keys := sources(name, ip)
	if err := b.waitLocked(keys, now); err != nil {
		return err
	}
	for i, k := range keys {
		t := b.by[k]
		if t == nil || now.Sub(t.last) >= forgetAfter {
			b.room()
			t = &tries{}
			b.by[k] = t
		}
		limit := maxWaitIP
		if i == 1 {
			limit = maxWaitName
		}
		t.failed++
		t.last = now
		if over := t.failed - freeTries; over >= 0 {
			t.until = now.Add(min(limit, firstWait<<min(over, 20)))
		}
	}
	return nil
}

// wait refuses when a wait is still on, and counts nothing.
func (b *backoff) wait(name string, ip netip.Addr) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waitLocked(sources(name, ip), b.now())
}

func (b *backoff) waitLocked(keys []string, now time.Time) error {
	var wait time.Duration
	for _, k := range keys {
		if t := b.by[k]; t != nil && now.Sub(t.last) < forgetAfter {
			wait = max(wait, t.until.Sub(now))
		}
	}
	if wait > 0 {
		return &TooMany{RetryAfter: (wait + time.Second - 1).Truncate(time.Second)}
	}
	return nil
}

// succeed forgets the failures of a name and of an address.
func (b *backoff) succeed(name string, ip netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, k := range sources(name, ip) {
		delete(b.by, k)
	}
}

// room keeps the map within its bound.
func (b *backoff) room() {
	if len(b.by) < maxTracked {
		return
	}
	now := b.now()
	oldest, at := "", now
	for k, t := range b.by {
		if now.Sub(t.last) >= forgetAfter {
			delete(b.by, k)
		} else if !t.last.After(at) {
			oldest, at = k, t.last
		}
	}
	if len(b.by) >= maxTracked {
		delete(b.by, oldest)
	}
}
