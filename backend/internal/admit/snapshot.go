package admit

import (
	"time"

	"haoke/backend/internal/keypool"
)

// Snapshot is the state of admission for the admin page and the metrics.
type Snapshot struct {
	Keys        []KeyState  `json:"keys"`
	Queue       []LineState `json:"queue"` // VIP, ordinary, background
	InFlight    int         `json:"in_flight"`
	MaxInFlight int         `json:"max_in_flight"`
	Money       MoneyState  `json:"money"`
}

// KeyState is a key's state in the pool and what it has cost today.
type KeyState struct {
	keypool.KeyState
	SpentToday float64 `json:"spent_today"`
}

// LineState is the queue of one class.
type LineState struct {
	Class    string        `json:"class"`
	Depth    int           `json:"depth"`
	InFlight int           `json:"in_flight"`
	Oldest   time.Duration `json:"oldest_ns"`   // how long the first has waited
	Expected time.Duration `json:"expected_ns"` // wait of a call that came now
	Granted  int64         `json:"granted"`
	Shed     int64         `json:"shed"`    // refused early
	Expired  int64         `json:"expired"` // waited in vain
}

// MoneyState is what was spent against which caps; a cap of 0 is none.
type MoneyState struct {
	Currency   string  `json:"currency"`
	Day        string  `json:"day"`
	SpentToday float64 `json:"spent_today"`
	Reserved   float64 `json:"reserved"` // for calls under way
	DayCap     float64 `json:"day_cap"`
	SpentMonth float64 `json:"spent_month"`
	MonthCap   float64 `json:"month_cap"`
	VisitorCap float64 `json:"visitor_cap"`
	AtCap      string  `json:"at_cap"`
}

// Snapshot gives the state now.
func (g *Gate) Snapshot() Snapshot {
	g.mu.Lock()
	defer g.unlock()
	now := g.cfg.Now()
	b := g.money.on(now)
	s := Snapshot{InFlight: g.inFlight, MaxInFlight: g.cfg.MaxInFlight, Keys: []KeyState{}}
	for _, k := range g.pool.Snapshot(now) {
		s.Keys = append(s.Keys, KeyState{KeyState: k, SpentToday: b.keys[k.Key].float()})
	}
	for c := VIP; c < classCount; c++ {
		l := &g.lines[c]
		st := LineState{Class: c.String(), Depth: l.n, InFlight: g.byClass[c], Granted: g.granted[c], Shed: g.shed[c], Expired: g.expired[c]}
		if l.head != nil {
			st.Oldest = max(now.Sub(l.head.since), 0)
		}
		if g.ahead(c)+l.n > 0 || !g.place(c) {
			st.Expected = g.expected(now, c)
		}
		s.Queue = append(s.Queue, st)
	}
	m := &g.cfg.Money
	s.Money = MoneyState{Currency: g.cfg.Prices.Sheet().Currency, Day: b.key,
		SpentToday: b.day.spent.float(), Reserved: b.day.held.float(), DayCap: m.PerDay,
		SpentMonth: b.month.spent.float(), MonthCap: m.PerMonth,
		VisitorCap: g.money.visitorCap().float(), AtCap: string(m.AtCap)}
	return s
}
