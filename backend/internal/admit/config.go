// Package admit decides which call may go to the upstream now, which waits,
// and which is told at once that it would wait too long. It paces calls under
// the limits of the key pool, serves VIPs first without starving the others,
// and keeps the money spent under the owner's caps.
package admit

import (
	"context"
	"fmt"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/price"
)

// Behaviour is what happens to a call that the money no longer allows.
type Behaviour string

// The behaviours at a cap.
const (
	// Offline: the turn falls back to the offline answerer.
	Offline Behaviour = "offline"
	// Cheaper: from CheaperFrom of a cap on, calls go to CheaperModel; at the
	// cap itself they end as with Offline, unless that model costs nothing.
	Cheaper Behaviour = "cheaper"
	// People: the conversation is offered to a person.
	People Behaviour = "people"
)

// Config is everything that can be set about admission.
type Config struct {
	// MaxInFlight is how many calls may be under way at once. 0: 500.
	MaxInFlight int
	// VIPShare is the part of the capacity that ordinary visitors cannot
	// take: of the places in flight while VIPs have been about in the last ten
	// minutes, and of each key's burst always. From 0 to 0.9.
	VIPShare float64
	// MaxWait is how long a call without a deadline of its own may wait in the
	// queue. 0: 15 s.
	MaxWait time.Duration
	// ShedPart: an ordinary call is refused at once when it would probably
	// wait longer than this part of what it may wait. VIPs are refused only
	// above the whole. 0: 0.6.
	ShedPart float64
	// MaxQueue bounds the waiting calls. At the bound an ordinary call is
	// refused and a VIP's pushes out the youngest call of the lowest class. 0: 10000.
	MaxQueue int
	// Spill is how long a call waits for a preferred provider before it may
	// take one of a later order. 0: 1 s.
	Spill time.Duration
	// NotifyEvery is how often waiting visitors learn their new position at
	// most. 0: 500 ms.
	NotifyEvery time.Duration

	// Money are the owner's caps.
	Money Money
	// Prices turns tokens into money. nil: the table that comes with the program.
	Prices *price.Table

	// Now is the clock. nil: time.Now. Where it steps, pacing goes on by the
	// monotonic part and money by the calendar.
	Now func() time.Time
	// Probe tests a key that was refused, or a provider that failed, so that it
	// need not be a visitor's call that tries; it must obey ctx and should cost
	// nothing (listing the models does). nil: visitors' calls try.
	Probe func(ctx context.Context, t chat.Target) error
	// ProbeEvery is how often sick keys are tested. 0: 30 s.
	ProbeEvery time.Duration
}

// Money are caps in the currency of the price table; 0 is no cap.
type Money struct {
	PerVisitor float64 // a visitor a day
	PerDay     float64
	PerMonth   float64
	// VisitorPart is how much of PerDay one visitor may spend alone when
	// PerVisitor is not set. 0: 0.5; 1: all of it.
	VisitorPart float64
	// NetworkFactor: all visitors from one public network (IPv4 /24, IPv6 /56)
	// together may spend this many times what one visitor may. 0: 10.
	NetworkFactor float64
	AtCap         Behaviour // empty: Offline
	CheaperModel  string    // for Cheaper
	CheaperFrom   float64   // part of a cap, 0: 0.8
	// Zone is where days and months begin. nil: the machine's.
	Zone *time.Location
	// MaxVisitors bounds how many visitors are accounted for singly; beyond
	// it new ones count only towards the day and the month. 0: 100000.
	MaxVisitors int
}

func (c Config) withDefaults() (Config, error) {
	if c.MaxInFlight <= 0 {
		c.MaxInFlight = 500
	}
	if c.MaxWait <= 0 {
		c.MaxWait = 15 * time.Second
	}
	if c.ShedPart <= 0 {
		c.ShedPart = 0.6
	}
	if c.MaxQueue <= 0 {
		c.MaxQueue = 10000
	}
	if c.Spill <= 0 {
		c.Spill = time.Second
	}
	if c.NotifyEvery <= 0 {
		c.NotifyEvery = 500 * time.Millisecond
	}
	if c.ProbeEvery <= 0 {
		c.ProbeEvery = 30 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Prices == nil {
		t, err := price.New(price.Default())
		if err != nil {
			return c, fmt.Errorf("configure admission: %w", err)
		}
		c.Prices = t
	}
	if !(c.VIPShare >= 0 && c.VIPShare <= 0.9) {
		return c, fmt.Errorf("configure admission: vip share %v: it must be from 0 to 0.9", c.VIPShare)
	}
	m, err := c.Money.withDefaults()
	c.Money = m
	return c, err
}

func (m Money) withDefaults() (Money, error) {
	for _, cap := range [3]float64{m.PerVisitor, m.PerDay, m.PerMonth} {
		if !(cap >= 0 && cap <= 1e9) {
			return m, fmt.Errorf("configure admission: money cap %v: it must be from 0 to 1000000000", cap)
		}
	}
	switch m.AtCap {
	case "":
		m.AtCap = Offline
	case Offline, People:
	case Cheaper:
		if m.CheaperModel == "" {
			return m, fmt.Errorf("configure admission: no cheaper model is named")
		}
	default:
		return m, fmt.Errorf("configure admission: %q is not a behaviour at the cap (offline, cheaper, people)", m.AtCap)
	}
	if m.VisitorPart <= 0 || m.VisitorPart > 1 {
		m.VisitorPart = 0.5
	}
	if m.NetworkFactor <= 0 {
		m.NetworkFactor = 10
	}
	if m.CheaperFrom <= 0 || m.CheaperFrom > 1 {
		m.CheaperFrom = 0.8
	}
	if m.Zone == nil {
		m.Zone = time.Local
	}
	if m.MaxVisitors <= 0 {
		m.MaxVisitors = 100000
	}
	return m, nil
}
