package admit

import (
	"fmt"
	"math"
	"net/netip"
	"time"

	"haoke/backend/internal/chat"
)

// nanos is money in billionths of the currency's unit: whole numbers, so that
// a million small sums add up exactly.
type nanos int64

func toNanos(f float64) nanos {
	return nanos(math.Ceil(min(max(f, 0), 9e9) * 1e9))
}

func (n nanos) float() float64 { return float64(n) / 1e9 }

// purse is money spent and reserved of one scope in one period.
type purse struct {
	spent, held nanos
	warned      int // the highest percentage told
}

// books is one day's accounts. Visitors and networks have accounts of their own
// only while one visitor has a cap, and only who has spent something or has a
// call under way: some 95 bytes each, at most Money.MaxVisitors of either. They
// are dropped when the day has been over for another day.
type books struct {
	key      string // "2006-01-02"
	start    time.Time
	end      time.Time
	day      purse
	month    *purse
	monthKey string
	visitors map[string]*purse
	networks map[netip.Prefix]*purse
	keys     map[string]nanos
	loaded   bool // the ledger's totals are in
}

// money keeps the caps. It is guarded by the Gate's lock.
type money struct {
	cfg    Money
	today  *books
	past   map[string]*books // recent days by key: a clock that steps back finds its day again
	months map[string]*purse
	warn   func(Warning)
	opened func(day string) // a day's account was opened: its ledger is to be read
}

// maxPast bounds the remembered days; the oldest are forgotten (the ledger
// still has them).
const maxPast = 8

func newMoney(cfg Money, warn func(Warning), opened func(string)) *money {
	return &money{cfg: cfg, past: map[string]*books{}, months: map[string]*purse{}, warn: warn, opened: opened}
}

// on gives the books of the day that now is in. Each calendar day has one
// account however often the clock crosses its border, so a clock that jumps
// never doubles a day's cap.
func (m *money) on(now time.Time) *books {
	if b := m.today; b != nil && now.Before(b.end) && !now.Before(b.start) {
		return b
	}
	local := now.In(m.cfg.Zone)
	key := local.Format(time.DateOnly)
	b := m.past[key]
	if b == nil {
		b = &books{key: key, monthKey: local.Format("2006-01"), keys: map[string]nanos{}}
		b.clear()
		b.month = m.months[b.monthKey]
		if b.month == nil {
			b.month = &purse{}
			m.months[b.monthKey] = b.month
		}
		m.past[key] = b
		m.forget(key)
		for _, other := range m.past {
			if other != b && !other.near(now) {
				other.clear()
			}
		}
	}
	if !b.loaded {
		m.opened(key)
	}
	y, mo, d := local.Date()
	b.start = time.Date(y, mo, d, 0, 0, 0, 0, m.cfg.Zone)
	b.end = time.Date(y, mo, d+1, 0, 0, 0, 0, m.cfg.Zone)
	m.today = b
	return b
}

func (m *money) forget(keep string) {
	for len(m.past) > maxPast {
		oldest := ""
		for k, b := range m.past {
			if k != keep && b.day.held == 0 && (oldest == "" || k < oldest) {
				oldest = k
			}
		}
		if oldest == "" {
			return
		}
		delete(m.past, oldest)
	}
	for k := range m.months {
		if used := func() bool {
			for _, b := range m.past {
				if b.monthKey == k {
					return true
				}
			}
			return false
		}(); !used {
			delete(m.months, k)
		}
	}
}

// load puts the ledger's totals under what this process has spent since. The
// totals may already contain some of that, so the larger figure counts.
func (m *money) load(b *books, t Totals) {
	if b.loaded {
		return
	}
	b.loaded = true
	raise(&b.day, t.Day)
	raise(b.month, t.Month)
	for name, f := range t.Visitors {
		if f <= 0 {
			continue
		}
		if p := m.visitor(b, name); p != nil {
			raise(p, f)
		}
	}
	for name, f := range t.Keys {
		b.keys[name] = max(b.keys[name], toNanos(f))
	}
	// What was passed before a restart was told before it.
	b.day.warned = max(b.day.warned, step(b.day.spent, toNanos(m.cfg.PerDay)))
	b.month.warned = max(b.month.warned, step(b.month.spent, toNanos(m.cfg.PerMonth)))
}

func raise(p *purse, f float64) { p.spent = max(p.spent, toNanos(f)) }

// claim is a reservation. The zero value holds nothing.
type claim struct {
	books   *books
	visitor *purse
	network *purse
	name    string       // of the visitor
	net     netip.Prefix // of the network
	sum     nanos
}

// reserve sets sum aside for a call at now, or says which cap forbids it.
// Background calls belong to no visitor.
func (m *money) reserve(now time.Time, ask *chat.Ask, model string, sum nanos) (claim, *BudgetError) {
	c := claim{books: m.on(now), sum: sum}
	if !ask.Background {
		c.name, c.visitor = ask.Visitor, m.visitor(c.books, ask.Visitor)
		c.net, c.network = m.network(c.books, ask.IP)
	}
	if err := m.check(&c, model); err != nil {
		if err.Scope != ScopeVisitor { // refusedAt notes in the account that this was told
			c.tidy()
		}
		return claim{}, err
	}
	c.each(func(p *purse) { p.held += sum })
	return c, nil
}

// exhausted reports whether not even a call that costs next to nothing fits, so
// that it is not queued in vain. A free fallback model always fits.
func (m *money) exhausted(now time.Time, ask *chat.Ask, cheapest nanos) *BudgetError {
	c := claim{books: m.on(now), sum: cheapest}
	if !ask.Background {
		c.visitor = c.books.visitors[ask.Visitor]
	}
	return m.check(&c, m.cfg.CheaperModel)
}

func (m *money) check(c *claim, model string) *BudgetError {
	if c.sum == 0 {
		return nil
	}
	part := 1.0
	if m.cfg.AtCap == Cheaper && model != m.cfg.CheaperModel {
		part = m.cfg.CheaperFrom
	}
	one := m.visitorCap()
	for _, s := range [4]struct {
		scope Scope
		p     *purse
		cap   nanos
	}{
		{ScopeVisitor, c.visitor, one},
		{ScopeNetwork, c.network, nanos(min(float64(one)*m.cfg.NetworkFactor, 9e18))},
		{ScopeDay, &c.books.day, toNanos(m.cfg.PerDay)},
		{ScopeMonth, c.books.month, toNanos(m.cfg.PerMonth)},
	} {
		if s.p == nil || s.cap == 0 {
			continue
		}
		if s.scope == ScopeVisitor && m.cfg.PerVisitor == 0 && s.p.spent+s.p.held == 0 {
			continue // a share that nobody set must not forbid a first question
		}
		if s.p.spent+s.p.held+c.sum > nanos(float64(s.cap)*part) {
			return &BudgetError{Scope: s.scope, Cap: s.cap.float(), Behaviour: m.fallback(), Again: m.again(c.books, s.scope)}
		}
	}
	return nil
}

func (m *money) fallback() Behaviour {
	if m.cfg.AtCap == People {
		return People
	}
	return Offline
}

func (m *money) again(b *books, s Scope) time.Time {
	if s != ScopeMonth {
		return b.end
	}
	y, mo, _ := b.end.Add(-time.Hour).In(m.cfg.Zone).Date()
	return time.Date(y, mo+1, 1, 0, 0, 0, 0, m.cfg.Zone)
}

func (c *claim) each(f func(*purse)) {
	for _, p := range [4]*purse{c.visitor, c.network, &c.books.day, c.books.month} {
		if p != nil {
			f(p)
		}
	}
}

// settle replaces the reservation by what the call cost.
func (m *money) settle(c *claim, key string, cost nanos) {
	if c.books == nil {
		return
	}
	c.each(func(p *purse) {
		p.held -= c.sum
		p.spent += cost
	})
	c.tidy()
	c.books.keys[key] += cost
	m.tell(ScopeDay, &c.books.day, m.cfg.PerDay, c.books.key, "")
	m.tell(ScopeMonth, c.books.month, m.cfg.PerMonth, c.books.monthKey, "")
	*c = claim{}
}

// release gives a reservation back unused.
func (m *money) release(c *claim) {
	if c.books != nil {
		c.each(func(p *purse) { p.held -= c.sum })
		c.tidy()
	}
	*c = claim{}
}

// reconfigure keeps the accounts. In a new time zone the day begins elsewhere,
// but a day's account goes on under its date. Where one visitor had no cap, or
// has none any more, the accounts begin anew from the ledger; without one, what
// was spent before a visitor's first cap does not count towards it.
func (m *money) reconfigure(cfg Money) {
	before := m.visitorCap()
	m.cfg = cfg
	m.today = nil
	anew := (before == 0) != (m.visitorCap() == 0)
	for _, b := range m.past {
		if anew {
			b.clear()
		}
		b.day.warned = step(b.day.spent, toNanos(cfg.PerDay))
		b.month.warned = step(b.month.spent, toNanos(cfg.PerMonth))
	}
}

// refusedAt tells the owner that a cap has been reached, which the spending
// alone may never show: the last reservations that fit end below it.
func (m *money) refusedAt(now time.Time, err *BudgetError, who string) {
	b := m.on(now)
	switch err.Scope {
	case ScopeDay:
		m.full(ScopeDay, &b.day, m.cfg.PerDay, b.key, "")
	case ScopeMonth:
		m.full(ScopeMonth, b.month, m.cfg.PerMonth, b.monthKey, "")
	case ScopeVisitor:
		if p := b.visitors[who]; p != nil {
			m.full(ScopeVisitor, p, m.visitorCap().float(), b.key, who)
		}
	}
}

// step is the highest of the told percentages that spent has reached.
func step(spent, cap nanos) int {
	if cap <= 0 {
		return 0
	}
	at := 0
	for _, pc := range [3]int{50, 80, 100} {
		if float64(spent) >= float64(cap)*float64(pc)/100 {
			at = pc
		}
	}
	return at
}

func (m *money) tell(s Scope, p *purse, cap float64, period, who string) {
	at := step(p.spent, toNanos(cap))
	for _, pc := range [3]int{50, 80, 100} {
		if pc > p.warned && pc <= at {
			m.warn(Warning{Scope: s, Who: who, Percent: pc, Spent: p.spent.float(), Cap: cap, Period: period})
		}
	}
	p.warned = max(p.warned, at)
}

func (m *money) full(s Scope, p *purse, cap float64, period, who string) {
	if p.warned < 100 && p.held == 0 {
		p.warned = 100
		m.warn(Warning{Scope: s, Who: who, Percent: 100, Spent: p.spent.float(), Cap: cap, Period: period})
	}
}

// budgetFault dresses a BudgetError for the turn.
func budgetFault(err *BudgetError, now time.Time) *chat.UpstreamError {
	what := map[Scope]string{
		ScopeVisitor: "this visitor's share of the day's money",
		ScopeNetwork: "this network's share of the day's money",
		ScopeDay:     "the money set for a day",
		ScopeMonth:   "the money set for a month",
	}[err.Scope]
	return &chat.UpstreamError{Fault: chat.FaultBudget, Provider: "budget", Err: err,
		RetryAfter: max(err.Again.Sub(now), 0),
		Reason:     fmt.Sprintf("%s (%.2f) is used up until %s", what, err.Cap, err.Again.Format("2006-01-02 15:04"))}
}
