package admit

import (
	"context"
	"fmt"
	"sync"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/keypool"
)

// Gate is the admission to the upstreams. It is safe for concurrent use.
// Run must be running for waiting calls to be woken by time.
type Gate struct {
	pool   *keypool.Pool
	ledger Ledger
	obs    Observer
	leases sync.Pool
	kick   chan struct{} // tells Run that nextAt moved
	fresh  chan string   // days whose totals Run should load

	mu       sync.Mutex
	cfg      Config
	lines    [classCount]line
	waiting  int
	inFlight int
	byClass  [classCount]int // in flight
	vipSeen  time.Time
	nextAt   time.Time // when the queue is to be looked at again; zero: when something happens
	money    *money
	warnings []Warning
	flow     flow
	shed     [classCount]int64
	expired  [classCount]int64
	granted  [classCount]int64
}

// vipAbout is how long after a VIP's call places are kept free for VIPs. A
// shop without VIPs loses nothing to the reserve.
const vipAbout = 10 * time.Minute

// New makes a gate over the pool. ledger and obs may be nil.
func New(cfg Config, pool *keypool.Pool, ledger Ledger, obs Observer) (*Gate, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	g := &Gate{pool: pool, ledger: ledger, obs: obs, cfg: cfg,
		kick: make(chan struct{}, 1), fresh: make(chan string, maxPast)}
	g.leases.New = func() any { return &lease{} }
	g.money = newMoney(cfg.Money, func(w Warning) { g.warnings = append(g.warnings, w) }, g.opened)
	return g, nil
}

// opened asks Run for the ledger's totals of a day.
func (g *Gate) opened(day string) {
	if g.ledger == nil {
		return
	}
	select {
	case g.fresh <- day:
	default: // Run is far behind; the day counts from what this process spends
	}
}

// Reconfigure replaces the configuration while calls go on. What was spent and
// who waits stays. Changes of the pool's own configuration are made on the
// pool; call Reconfigure or Kick afterwards so that the queue sees them.
func (g *Gate) Reconfigure(cfg Config) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	g.mu.Lock()
	g.cfg = cfg
	now := cfg.Now()
	g.money.reconfigure(cfg.Money)
	g.money.on(now) // the ledger may have to be read again
	g.dispatch(now)
	g.unlock()
	return nil
}

// Kick makes the gate look at the queue again, after the pool has changed.
func (g *Gate) Kick() {
	g.mu.Lock()
	g.dispatch(g.cfg.Now())
	g.unlock()
}

// Load reads what was spent today and this month from the ledger. Call it
// before the first Acquire so that caps hold over a restart.
func (g *Gate) Load(ctx context.Context) error {
	if g.ledger == nil {
		return nil
	}
	g.mu.Lock()
	day := g.money.on(g.cfg.Now()).key
	g.unlock()
	return g.load(ctx, day)
}

func (g *Gate) load(ctx context.Context, day string) error {
	t, err := g.ledger.Spent(ctx, day)
	if err != nil {
		return fmt.Errorf("read what was spent on %s: %w", day, err)
	}
	g.mu.Lock()
	if b := g.money.past[day]; b != nil {
		g.money.load(b, t)
	}
	g.unlock()
	return nil
}

// unlock releases the lock and then tells the observer what was noted under it.
func (g *Gate) unlock() {
	told := g.warnings
	g.warnings = nil
	g.mu.Unlock()
	if g.obs != nil {
		for _, w := range told {
			g.obs.Warned(w)
		}
	}
}

// Acquire waits for the right to make one call. It returns a lease, whose Done
// must be called, or a *chat.UpstreamError: FaultNoKey (nothing is configured),
// FaultRate (it would wait too long, has waited too long, or the queue is
// full), FaultBudget (with a *BudgetError inside), or the fault that keeps all
// keys from working. When ctx ends it leaves the queue at once and returns the
// cause. ask.Queued, if set, is never called after Acquire has returned.
func (g *Gate) Acquire(ctx context.Context, ask chat.Ask) (chat.Lease, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	g.mu.Lock()
	now := g.cfg.Now()
	l := g.lease(&ask)
	class := l.class
	if class == VIP {
		g.vipSeen = now
	}
	if b := g.money.exhausted(now, &l.ask, g.leastCost()); b != nil {
		g.money.refusedAt(now, b, ask.Visitor)
		g.unlock()
		return nil, budgetFault(b, now)
	}
	g.flow.arrived(now, class)
	if g.clear(class) {
		ok, den, err := g.try(now, l, nil, false)
		if !ok && err == nil {
			err = fatal(den)
		}
		if ok || err != nil {
			g.unlock()
			if err != nil {
				return nil, err
			}
			return g.admitted(l, 0), nil
		}
		g.wakeAt(now, den.Wait)
	}
	w, err := g.enqueue(now, l)
	if err != nil {
		g.unlock()
		return nil, err
	}
	position := g.ahead(class) + g.lines[class].n
	w.told = position
	if g.waiting > 1 {
		g.dispatch(now) // those ahead may exclude the very key that is free
	}
	g.unlock()
	return g.wait(ctx, w, position)
}

// clear reports whether a call of the class may be tried without queueing:
// nobody of its class or a higher one waits, and there is a place.
func (g *Gate) clear(class Class) bool {
	return g.ahead(class) == 0 && g.lines[class].n == 0 && g.place(class)
}

// ahead counts the waiting calls of higher classes.
func (g *Gate) ahead(class Class) int {
	n := 0
	for c := VIP; c < class; c++ {
		n += g.lines[c].n
	}
	return n
}

// place reports whether a call of the class may take one of the places in
// flight.
func (g *Gate) place(class Class) bool {
	if g.inFlight >= g.cfg.MaxInFlight {
		return false
	}
	if class == Background && g.byClass[Background] >= max(g.cfg.MaxInFlight/2, 1) {
		return false
	}
	if class == VIP || g.cfg.VIPShare == 0 || !g.vipsAbout() {
		return true
	}
	kept := int(g.cfg.VIPShare * float64(g.cfg.MaxInFlight))
	open := max(g.cfg.MaxInFlight-kept, 1)
	return g.inFlight-g.byClass[VIP] < open
}

func (g *Gate) vipsAbout() bool {
	return !g.vipSeen.IsZero() && g.cfg.Now().Sub(g.vipSeen) < vipAbout
}

// wait is the part of Acquire that blocks.
func (g *Gate) wait(ctx context.Context, w *waiter, position int) (chat.Lease, error) {
	if w.lease.ask.Queued != nil {
		defer w.hush()
		w.first(position)
	}
	timer := time.NewTimer(w.until.Sub(w.since))
	defer timer.Stop()
	var err error
	select {
	case <-w.done:
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-timer.C:
		err = &chat.UpstreamError{Fault: chat.FaultRate, Provider: "queue",
			Reason: fmt.Sprintf("no place became free within %s", w.until.Sub(w.since).Round(time.Millisecond))}
	}
	g.mu.Lock()
	now := g.cfg.Now()
	if w.queued { // neither granted nor refused: it leaves by itself
		g.leave(w)
		if ctx.Err() == nil {
			g.expired[w.class]++
		}
		g.dispatch(now) // what it was too early for may suit the next
		g.unlock()
		return nil, err
	}
	if w.err != nil {
		g.unlock()
		return nil, w.err
	}
	l := w.lease
	if ctx.Err() != nil { // granted and gone in the same moment
		g.cancel(now, l)
		g.unlock()
		return nil, context.Cause(ctx)
	}
	g.unlock()
	return g.admitted(l, now.Sub(w.since)), nil
}

func (g *Gate) leave(w *waiter) {
	g.lines[w.class].remove(w)
	g.waiting--
}

// admitted hands a granted lease out.
func (g *Gate) admitted(l *lease, waited time.Duration) *ticket {
	if g.obs != nil {
		g.obs.Admitted(l.class, l.grant.Target.Key, max(waited, 0))
	}
	return &ticket{l, l.round.Load()}
}

// enqueue adds a call to its line, unless it would wait in vain.
func (g *Gate) enqueue(now time.Time, l *lease) (*waiter, error) {
	class, ask := l.class, &l.ask
	until := now.Add(g.cfg.MaxWait)
	if !ask.Deadline.IsZero() {
		until = ask.Deadline
	}
	allowed := until.Sub(now)
	if allowed <= 0 {
		g.expired[class]++
		return nil, &chat.UpstreamError{Fault: chat.FaultRate, Provider: "queue", Reason: "the turn's time was over before a place was free"}
	}
	expect := g.expected(now, class)
	bound := allowed
	if class != VIP {
		bound = time.Duration(float64(allowed) * g.cfg.ShedPart)
	}
	if expect > bound {
		g.shed[class]++
		return nil, g.shedFault(now, expect, bound)
	}
	if g.waiting >= g.cfg.MaxQueue && !g.pushOut(now, class) {
		g.shed[class]++
		return nil, &chat.UpstreamError{Fault: chat.FaultRate, Provider: "queue", RetryAfter: expect,
			Reason: fmt.Sprintf("the queue is full: %d calls wait", g.waiting)}
	}
	w := &waiter{lease: l, class: class, since: now, until: until, done: make(chan struct{})}
	g.lines[class].push(w)
	g.waiting++
	if g.waiting == 1 {
		g.poke()
	}
	return w, nil
}

// shedFault tells the owner why a call was refused although it could have been
// queued, and what would help.
func (g *Gate) shedFault(now time.Time, expect, bound time.Duration) *chat.UpstreamError {
	why := fmt.Sprintf("the expected wait of %s is longer than the %s that a call may wait; more keys or a higher limit would help",
		expect.Round(100*time.Millisecond), bound.Round(100*time.Millisecond))
	if _, base := g.perCall(now); base > bound {
		why = fmt.Sprintf("every key rests after refusals, the first for another %s; more keys would help", base.Round(100*time.Millisecond))
	}
	return &chat.UpstreamError{Fault: chat.FaultRate, Provider: "queue", RetryAfter: expect, Reason: why}
}

// pushOut makes room for a VIP by refusing the youngest call of the lowest
// class.
func (g *Gate) pushOut(now time.Time, class Class) bool {
	if class != VIP {
		return false
	}
	for c := Background; c > VIP; c-- {
		if w := g.lines[c].tail; w != nil {
			g.shed[c]++
			g.fail(w, &chat.UpstreamError{Fault: chat.FaultRate, Provider: "queue", Reason: "the queue is full and a VIP came"})
			return true
		}
	}
	return false
}

// fail refuses a waiting call.
func (g *Gate) fail(w *waiter, err error) {
	g.leave(w)
	w.err = err
	close(w.done)
}
