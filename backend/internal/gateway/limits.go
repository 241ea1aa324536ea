package gateway

import (
	"net/netip"
	"time"

	"golang.org/x/time/rate"

	"haoke/backend/internal/chat"
)

// ratingsAMinute is how many ratings of one visitor are written to the disk.
const ratingsAMinute = 30

// lineOf is what an address counts as: the address, of IPv6 the network of 64
// bits that one line gets, which has more addresses than any limit.
func lineOf(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil || !a.Is6() || a.Is4In6() {
		return ip
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return ip
	}
	return p.String()
}

// heard takes one message of a visitor, and of the address behind: what all
// visitors of one address may write together also holds for one who comes back
// as somebody else each time.
func (p *peer) heard(id chat.ConversationID) (ok bool, wait time.Duration) {
	l := p.g.cfg.Live().Limits
	if ok, wait = p.g.allow(string(id), l.MessagesAMinute); !ok {
		return false, wait
	}
	return p.g.allow("from "+lineOf(p.ip), l.MessagesAMinute*l.PerIP)
}

// allow takes one from a bucket; wait is how long until the next one.
func (g *Gateway) allow(id string, perMinute int) (ok bool, wait time.Duration) {
	if perMinute <= 0 {
		return true, 0
	}
	lim, found := g.limits.Get(id)
	if !found || lim.Burst() != perMinute {
		lim = rate.NewLimiter(rate.Limit(float64(perMinute)/60), perMinute)
		g.limits.Add(id, lim)
	}
	now := g.cfg.Now()
	if lim.AllowN(now, 1) {
		return true, 0
	}
	missing := 1 - lim.TokensAt(now)
	return false, time.Duration(missing / float64(lim.Limit()) * float64(time.Second))
}
