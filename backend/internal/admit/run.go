package admit

import (
	"context"
	"sync"
	"time"

	"haoke/backend/internal/chat"
)

// Run wakes waiting calls when time has made room for them, tells them their
// positions, and reloads the ledger when a new day begins. It returns when ctx
// ends, after refusing whoever still waits.
func (g *Gate) Run(ctx context.Context) error {
	var checks sync.WaitGroup
	defer checks.Wait()
	checks.Go(func() { g.probe(ctx) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	var lastTold time.Time
	for {
		select {
		case <-ctx.Done():
			g.close()
			return nil
		case day := <-g.fresh:
			// An unreadable ledger must not stop the visitors; this process's
			// own sums still hold the caps.
			_ = g.load(ctx, day)
		case <-g.kick:
		case <-timer.C:
		}
		var tell []notice
		g.mu.Lock()
		now := g.cfg.Now()
		if !g.nextAt.IsZero() && !now.Before(g.nextAt) {
			g.dispatch(now)
		}
		if g.waiting > 0 && now.Sub(lastTold) >= g.cfg.NotifyEvery {
			lastTold = now
			tell = g.review(now)
		}
		next := time.Hour
		if g.waiting > 0 {
			next = g.cfg.NotifyEvery - now.Sub(lastTold)
			if !g.nextAt.IsZero() {
				next = min(next, g.nextAt.Sub(now))
			}
		}
		g.unlock()
		timer.Reset(max(next, 0))
		for _, n := range tell {
			n.w.tell(n.position)
		}
	}
}

// probe tests sick keys until ctx ends.
func (g *Gate) probe(ctx context.Context) {
	for {
		g.mu.Lock()
		test, every := g.cfg.Probe, g.cfg.ProbeEvery
		g.mu.Unlock()
		pause := time.NewTimer(every)
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
		if test == nil {
			continue
		}
		for _, t := range g.pool.Sick() {
			one, cancel := context.WithTimeout(ctx, every)
			err := test(one, t)
			cancel()
			if err == nil && g.pool.Revive(t.Key) {
				g.Kick()
			}
		}
	}
}

// close refuses everyone who waits.
func (g *Gate) close() {
	g.mu.Lock()
	for c := range g.lines {
		for g.lines[c].head != nil {
			g.fail(g.lines[c].head, &chat.UpstreamError{Fault: chat.FaultUnavailable, Provider: "queue", Reason: "the server is stopping"})
		}
	}
	g.unlock()
}

// notice is a position to be told outside the lock.
type notice struct {
	w        *waiter
	position int
}

// near is the front of the queue, where every step is told.
const near = 10

// worthTelling reports whether a place differs enough from what was told last.
// Far behind, an eighth does: thousands who wait cost a few dozen frames each
// until it is their turn, and not two a second.
func worthTelling(told, at int) bool {
	switch {
	case told == at:
		return false
	case at <= near || told <= near:
		return true
	case at > told: // VIPs came
		return 8*(at-told) >= told
	}
	return 8*(told-at) >= told
}

// review walks the queue: who moved up is told, and who can no longer be
// served in time, because capacity broke away, is refused now rather than at
// the deadline.
func (g *Gate) review(now time.Time) []notice {
	var tell []notice
	at := 0
	perCall, base := g.perCall(now)
	for c := range g.lines {
		for w := g.lines[c].head; w != nil; {
			next := w.next
			left := w.until.Sub(now)
			if expect := base + time.Duration(at)*perCall; expect > 2*left && expect > time.Second {
				g.shed[c]++
				g.fail(w, g.shedFault(now, expect, left))
				w = next
				continue
			}
			at++
			if w.lease.ask.Queued != nil && worthTelling(w.told, at) {
				w.told = at
				tell = append(tell, notice{w, at})
			}
			w = next
		}
	}
	return tell
}
