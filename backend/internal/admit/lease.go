package admit

import (
	"sync/atomic"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/keypool"
	"haoke/backend/internal/price"
)

// lease implements chat.Lease. It is made when the call asks, so that a call
// costs one allocation, and is worth nothing until a key is granted.
type lease struct {
	gate  *Gate
	class Class
	ask   chat.Ask
	at    time.Time
	grant keypool.Grant
	price price.Entry
	claim claim
	done  atomic.Bool
}

var _ chat.Lease = (*lease)(nil)

// Target implements chat.Lease.
func (l *lease) Target() chat.Target { return l.grant.Target }

// Done implements chat.Lease.
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
