package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"strings"
	"sync"
	"time"
)

// TicketLife is how long a ticket can be used.
const TicketLife = 30 * time.Second

const maxTickets = 1000 // unused ones; at the bound the oldest goes

// Use is what a ticket is good for; one for the live socket signs nobody in.
type Use string

// Uses.
const (
	ForLive    Use = "live"
	ForBrowser Use = "browser"
)

// Tickets are single-use passes for what cannot carry a cookie or a header: a
// WebSocket of the native window, and a browser that the window opens. Its
// methods are safe for concurrent use.
type Tickets struct {
	now  func() time.Time
	mu   sync.Mutex
	open map[string]ticket
}

type ticket struct {
	use    Use
	person Person
	ends   time.Time
}

// NewTickets returns an empty set.
func NewTickets(now func() time.Time) *Tickets {
	return &Tickets{now: now, open: map[string]ticket{}}
}

// Issue makes a ticket for a person and tells when it ends.
func (t *Tickets) Issue(use Use, p Person) (string, time.Time) {
	raw := make([]byte, 24)
	rand.Read(raw)
	id := base64.RawURLEncoding.EncodeToString(raw)
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	oldest := ""
	for k, v := range t.open {
		if !v.ends.After(now) {
			delete(t.open, k)
		} else if oldest == "" || v.ends.Before(t.open[oldest].ends) {
			oldest = k
		}
	}
	if len(t.open) >= maxTickets {
		delete(t.open, oldest)
	}
	ends := now.Add(TicketLife)
	t.open[id] = ticket{use, p, ends}
	return id, ends
}

// Take uses a ticket up and returns its person. A ticket presented for another
// use is used up as well.
func (t *Tickets) Take(use Use, id string) (Person, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	got, ok := t.open[id]
	delete(t.open, id)
	if !ok || got.use != use || !got.ends.After(t.now()) {
		return Person{}, false
	}
	return got.person, true
}

// claimToken is the one-time token of the first start.
type claimToken struct {
	mu    sync.Mutex
	token string
}

func newClaimToken() *claimToken {
	c := &claimToken{}
	c.renew()
	return c
}

func (c *claimToken) renew() {
	raw := make([]byte, 15) // 24 characters
	rand.Read(raw)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = base32.StdEncoding.EncodeToString(raw)
}

// text is the token in groups of four.
func (c *claimToken) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var groups []string
	for i := 0; i < len(c.token); i += 4 {
		groups = append(groups, c.token[i:i+4])
	}
	return strings.Join(groups, "-")
}

// take compares without regard to case, blanks and hyphens, and uses the token
// up when it is right.
func (c *claimToken) take(given string) bool {
	if len(given) > 100 {
		return false
	}
	given = strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "\t", "", "\n", "", "\r", "").Replace(given))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token == "" || subtle.ConstantTimeCompare([]byte(given), []byte(c.token)) != 1 {
		return false
	}
	c.token = ""
	return true
}
