package admit

import (
	"sync/atomic"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/keypool"
	"haoke/backend/internal/price"
)

// lease is a call's place. It is made when the call asks and is worth nothing
// until a key is granted. Its memory is used again, so that what a caller holds
// of it is a ticket.
type lease struct {
	gate  *Gate
	class Class
	ask   chat.Ask
	at    time.Time
	grant keypool.Grant
	price price.Entry
	claim claim
	done  atomic.Bool
	round atomic.Uint32 // how often its memory was given back
}

// ticket implements chat.Lease: it holds for one round of a lease's memory.
type ticket struct {
	l     *lease
	round uint32
}

var _ chat.Lease = (*ticket)(nil)

// lease returns one for a call.
func (g *Gate) lease(ask *chat.Ask) *lease {
	l := g.leases.Get().(*lease)
	l.gate, l.class, l.ask = g, classOf(ask), *ask
	return l
}

// Target implements chat.Lease. Behind Done there is none.
func (t *ticket) Target() chat.Target {
	if t.l.round.Load() != t.round {
		return chat.Target{}
	}
	return t.l.grant.Target
}

// Done implements chat.Lease.
func (t *ticket) Done(o chat.Outcome) float64 {
	l := t.l
	if !l.round.CompareAndSwap(t.round, t.round+1) {
		return 0
	}
	cost := l.Done(o)
	g := l.gate
	l.gate, l.ask, l.grant, l.price, l.claim = nil, chat.Ask{}, keypool.Grant{}, price.Entry{}, claim{}
	l.done.Store(false)
	g.leases.Put(l)
	return cost
}

// Target is where the call goes.
func (l *lease) Target() chat.Target { return l.grant.Target }

// Done settles the lease, once.
func (l *lease) Done(o chat.Outcome) float64 {
	if !l.done.CompareAndSwap(false, true) {
		return 0
	}
	g := l.gate
	usage := l.usage(o)
	cost := toNanos(l.price.Cost(usage))
	g.mu.Lock()
	now := g.cfg.Now()
	day := ""
	if l.claim.books != nil {
		day = l.claim.books.key
	}
	g.money.settle(&l.claim, l.grant.Target.Key, cost)
	g.free(l)
	g.pool.Report(now, &l.grant, o)
	if o.Err == nil {
		g.flow.finished(now.Sub(l.at))
	}
	g.dispatch(now)
	g.unlock()
	if g.obs != nil {
		g.obs.Returned()
	}
	if usage == (chat.Usage{}) {
		return 0
	}
	e := Entry{Day: day, At: now, Provider: l.grant.Target.Provider, Key: l.grant.Target.Key,
		Model: l.grant.Target.Model, Conversation: l.ask.Conversation, Visitor: l.ask.Visitor,
		Background: l.class == Background, Usage: usage, Cost: cost.float()}
	if g.ledger != nil {
		g.ledger.Record(e)
	}
	if g.obs != nil {
		g.obs.Settled(e)
	}
	return e.Cost
}

// usage is what the call is charged for. Where the upstream did not say and
// nobody counted, an answer that began is charged with the estimate, because a
// provider bills what it generated; one that never began is free.
func (l *lease) usage(o chat.Outcome) chat.Usage {
	u := o.Usage
	if u.Prompt > 0 || u.Completion > 0 {
		return u
	}
	if o.Err != nil && o.FirstToken == 0 {
		return chat.Usage{}
	}
	return chat.Usage{Prompt: l.ask.PromptTokens, Completion: max(l.ask.Tokens-l.ask.PromptTokens, 0), Estimated: true}
}
