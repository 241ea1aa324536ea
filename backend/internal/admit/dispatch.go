package admit

import (
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/keypool"
)

// lookAhead is how many waiting calls of one class are tried when the first
// ones exclude the keys that are free.
const lookAhead = 16

// dispatch grants leases as long as there is capacity and somebody waits. It
// is called whenever either may have come about, under the lock.
func (g *Gate) dispatch(now time.Time) {
	g.nextAt = time.Time{}
	for g.waiting > 0 && g.inFlight < g.cfg.MaxInFlight {
		wait, again := g.step(now)
		if !again {
			g.wakeAt(now, wait)
			return
		}
	}
}

// step grants or refuses at most one call. It reports again when that
// succeeded, otherwise how long to wait (0: until something happens).
func (g *Gate) step(now time.Time) (wait time.Duration, again bool) {
	order := g.order(now)
	for turn, c := range order {
		l := &g.lines[c]
		if l.head == nil {
			continue
		}
		if !g.place(c) {
			continue
		}
		// A class that is served out of turn may use what is kept for VIPs.
		due := turn == 0 && c != VIP
		blocked := false
		n := 0
		for w := l.head; w != nil && n < lookAhead; n++ {
			next := w.next
			ok, den, err := g.try(now, w.lease, w, due)
			if err == nil && !ok {
				err = fatal(den)
			}
			switch {
			case err != nil:
				g.fail(w, err)
				return 0, true
			case ok:
				g.leave(w)
				close(w.done)
				return 0, true
			}
			if wait == 0 || den.Wait < wait {
				wait = den.Wait
			}
			if !den.Specific {
				blocked = true
				break
			}
			w = next
		}
		// What the first of a class cannot have for lack of capacity must not
		// be taken from under it by a lower class, unless it was out of turn.
		if blocked && (!due || l.passed >= 2*l.patience(c, now)) {
			return wait, false
		}
	}
	return wait, false
}

// fatal turns a denial that waiting cannot cure in useful time into the turn's
// error: better the next fallback now than a timeout later.
func fatal(den keypool.Denial) error {
	if den.Fault == chat.FaultRate {
		return nil
	}
	return &chat.UpstreamError{Fault: den.Fault, Provider: "keys", Key: den.Key, Reason: den.Reason, RetryAfter: den.Wait}
}

// try asks the pool for a key and the money for its price, for a call that
// waits as w or, with w nil, has just come. False without an error: not now.
func (g *Gate) try(now time.Time, l *lease, w *waiter, due bool) (bool, keypool.Denial, error) {
	ask, class := &l.ask, l.class
	want := keypool.Want{Model: ask.Model, Tokens: ask.Tokens, NotKeys: ask.NotKeys}
	if class != VIP && !due && g.vipsAbout() {
		want.Reserve = g.cfg.VIPShare
	}
	if class == Background && !due {
		want.Reserve = max(want.Reserve, 0.5)
	}
	if w != nil {
		want.Spill = now.Sub(w.since) >= g.cfg.Spill
	}
	var refused *BudgetError
	for range 2 {
		den, ok := g.pool.Take(now, want, &l.grant)
		if !ok {
			return false, den, nil
		}
		t := &l.grant.Target
		l.price, _ = g.cfg.Prices.Lookup(t.Preset, t.Model)
		sum := toNanos(l.price.Cost(chat.Usage{Prompt: ask.PromptTokens, Completion: max(ask.Tokens-ask.PromptTokens, 0)}))
		if l.claim, refused = g.money.reserve(now, ask, want.Model, sum); refused == nil {
			l.at = now
			g.inFlight++
			g.byClass[class]++
			g.granted[class]++
			g.served(class)
			g.flow.granted(now)
			return true, keypool.Denial{}, nil
		}
		g.pool.Cancel(now, &l.grant)
		cheaper := g.cfg.Money.CheaperModel
		if g.cfg.Money.AtCap != Cheaper || want.Model == cheaper {
			break
		}
		want.Model = cheaper
	}
	g.money.refusedAt(now, refused, ask.Visitor)
	return false, keypool.Denial{}, budgetFault(refused, now)
}

// leastCost is a stand-in for the price of the cheapest call that may still be
// made: nothing when the fallback model is free.
func (g *Gate) leastCost() nanos {
	m := &g.cfg.Money
	if m.PerDay == 0 && m.PerMonth == 0 && m.PerVisitor == 0 {
		return 0
	}
	if m.AtCap == Cheaper {
		return 0 // its price depends on the provider; decided when it is known
	}
	return 1
}

// wakeAt arms the queue's timer.
func (g *Gate) wakeAt(now time.Time, wait time.Duration) {
	if wait <= 0 {
		return
	}
	at := now.Add(wait)
	if g.nextAt.IsZero() || at.Before(g.nextAt) {
		g.nextAt = at
		g.poke()
	}
}

func (g *Gate) poke() {
	select {
	case g.kick <- struct{}{}:
	default: // Run has a poke waiting already and will see the newest state
	}
}

// cancel takes a lease back whose call was never made.
func (g *Gate) cancel(now time.Time, l *lease) {
	if !l.done.CompareAndSwap(false, true) {
		return
	}
	g.pool.Cancel(now, &l.grant)
	g.money.release(&l.claim)
	g.free(l)
	g.dispatch(now)
}

func (g *Gate) free(l *lease) {
	g.inFlight--
	g.byClass[l.class]--
}
