package gateway

import (
	"time"

	"golang.org/x/time/rate"

	"haoke/backend/internal/chat"
)

// ratingsAMinute is how many ratings of one visitor are written to the disk.
const ratingsAMinute = 30

// heard takes one message of a visitor, and of the address behind: what all
// visitors of one address may write together also holds for one who comes back
// as somebody else each time.
func (p *peer) heard(id chat.ConversationID) (ok bool, wait time.Duration) {
	l := p.g.cfg.Live().Limits
	if ok, wait = p.g.allow(string(id), l.MessagesAMinute); !ok {
		return false, wait
	}
	if l.MessagesAMinute <= 0 || l.PerIP <= 0 {
		return true, 0 // before a key is made of the address
	}
	return p.g.allow("from "+p.g.cfg.Line(p.ip), l.MessagesAMinute*l.PerIP)
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
