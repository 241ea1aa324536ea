package admit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/keypool"
	"haoke/backend/internal/price"
)

// book is a ledger in memory that outlives gates, as the store does.
type book struct {
	mu      sync.Mutex
	entries []Entry
	fail    error
}

func (b *book) Record(e Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries = append(b.entries, e)
}

func (b *book) Spent(_ context.Context, day string) (Totals, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := Totals{Keys: map[string]float64{}, Visitors: map[string]float64{}}
	for _, e := range b.entries {
		if e.Day[:7] == day[:7] {
			t.Month += e.Cost
		}
		if e.Day == day {
			t.Day += e.Cost
			t.Keys[e.Key] += e.Cost
			t.Visitors[e.Visitor] += e.Cost
		}
	}
	return t, b.fail
}

func (b *book) sum(day string) float64 {
	t, _ := b.Spent(context.Background(), day)
	return t.Day
}

type watcher struct {
	out  atomic.Int64 // leases that are out
	mu   sync.Mutex
	warn []string
}

func (w *watcher) Admitted(Class, string, time.Duration) { w.out.Add(1) }
func (w *watcher) Returned()                             { w.out.Add(-1) }
func (w *watcher) Settled(Entry)                         {}
func (w *watcher) Warned(x Warning) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.warn = append(w.warn, fmt.Sprintf("%s %s %d", x.Scope, x.Period, x.Percent))
}

// oneEach is a table in which a prompt token and an answer token of model "m"
// cost one unit a million, "big" ten times that, and "free" nothing.
func oneEach(t testing.TB) *price.Table {
	t.Helper()
	tab, err := price.New(price.Sheet{Currency: "EUR", Entries: []price.Entry{
		{Model: "m", Input: 1, Output: 1}, {Model: "big", Input: 10, Output: 10}, {Model: "free"}}})
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// clock is a wall clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

func moneyGate(t testing.TB, cfg Config, l Ledger, o Observer) *Gate {
	t.Helper()
	p, err := keypool.New(onePool(0), nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Prices = oneEach(t)
	g, err := New(cfg, p, l, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Load(context.Background()); err != nil {
		t.Fatal(err)
	}
	return g
}

// spend makes one call that reserves a thousandth of a unit and uses half of it.
func spend(g *Gate, visitor, model string) (string, error) {
	l, err := g.Acquire(context.Background(), chat.Ask{Caller: chat.Caller{Visitor: visitor}, Tokens: 1000, PromptTokens: 500, Model: model})
	if err != nil {
		return "", err
	}
	used := l.Target().Model
	l.Done(chat.Outcome{Status: 200, Usage: chat.Usage{Prompt: 250, Completion: 250}})
	return used, nil
}

func budgetOf(t *testing.T, err error) *BudgetError {
	t.Helper()
	var b *BudgetError
	if chat.FaultOf(err) != chat.FaultBudget || !errors.As(err, &b) {
		t.Fatalf("got %v, want a budget fault", err)
	}
	return b
}

func TestDayCapHoldsOverRestartMidnightAndClockJumps(t *testing.T) {
	zone := time.FixedZone("shop", 8*3600)
	day1 := time.Date(2026, 3, 31, 12, 0, 0, 0, zone)
	clk := &clock{now: day1}
	led := &book{}
	cfg := Config{Now: clk.Now, Money: Money{PerDay: 0.05, VisitorPart: 1, Zone: zone, AtCap: People}}
	exhaust := func(g *Gate) int {
		for n := 0; ; n++ {
			if _, err := spend(g, fmt.Sprint("v", n), "m"); err != nil {
				b := budgetOf(t, err)
				if b.Scope != ScopeDay || b.Behaviour != People {
					t.Fatalf("stopped by %+v", b)
				}
				return n
			}
			if n > 1000 {
				t.Fatal("the cap does not hold")
			}
		}
	}
	g := moneyGate(t, cfg, led, nil)
	if n := exhaust(g); n != 99 { // the last half thousandth does not fit a reservation
		t.Errorf("%d calls fitted, want 99", n)
	}
	if n := exhaust(moneyGate(t, cfg, led, nil)); n != 0 {
		t.Errorf("%d calls more after a restart", n)
	}
	clk.set(day1.Add(12*time.Hour - time.Second)) // a second before midnight
	if n := exhaust(g); n != 0 {
		t.Errorf("%d calls more before midnight", n)
	}
	clk.set(day1.Add(12 * time.Hour))
	if n := exhaust(g); n != 99 {
		t.Errorf("%d calls on the next day, want 99", n)
	}
	for range 10 { // the clock jumps to and fro over midnight
		clk.set(day1)
		if n := exhaust(g); n != 0 {
			t.Errorf("%d calls more after the clock was set back", n)
		}
		clk.set(day1.Add(24 * time.Hour))
		if n := exhaust(g); n != 0 {
			t.Errorf("%d calls more after the clock was set forth", n)
		}
	}
	if got := led.sum("2026-03-31"); got > 0.05 {
		t.Errorf("the ledger says %v for the first day", got)
	}
}

func TestMonthCapAndItsEnd(t *testing.T) {
	clk := &clock{now: time.Date(2026, 12, 31, 22, 0, 0, 0, time.UTC)}
	g := moneyGate(t, Config{Now: clk.Now, Money: Money{PerMonth: 0.002, Zone: time.UTC}}, nil, nil)
	for range 3 {
		if _, err := spend(g, "v", "m"); err != nil {
			t.Fatal(err)
		}
	}
	_, err := spend(g, "v", "m")
	b := budgetOf(t, err)
	if want := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC); b.Scope != ScopeMonth || !b.Again.Equal(want) {
		t.Errorf("got %+v, want the month's cap until %v", b, want)
	}
	clk.set(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
	if _, err := spend(g, "v", "m"); err != nil {
		t.Errorf("in the new month: %v", err)
	}
}

// TestBurnerIsLimitedAlone: one visitor cannot use up the day of the others,
// neither with a cap of his own nor without.
func TestBurnerIsLimitedAlone(t *testing.T) {
	for name, m := range map[string]Money{
		"own cap":        {PerDay: 1, PerVisitor: 0.01},
		"part of a day":  {PerDay: 0.02},
		"no cap per day": {PerVisitor: 0.01},
	} {
		t.Run(name, func(t *testing.T) {
			g := moneyGate(t, Config{Money: m}, nil, nil)
			n := 0
			for ; n < 100; n++ {
				if _, err := spend(g, "burner", "m"); err != nil {
					if b := budgetOf(t, err); b.Scope != ScopeVisitor {
						t.Fatalf("stopped by %+v", b)
					}
					break
				}
			}
			if n != 19 {
				t.Errorf("the burner got %d calls, want 19", n)
			}
			if _, err := spend(g, "other", "m"); err != nil {
				t.Errorf("another visitor: %v", err)
			}
		})
	}
}

// TestFirstQuestionFitsATightDay: the share of one visitor that nobody set does
// not forbid what the day's cap itself allows.
func TestFirstQuestionFitsATightDay(t *testing.T) {
	g := moneyGate(t, Config{Money: Money{PerDay: 0.0015}}, nil, nil)
	if _, err := spend(g, "v", "m"); err != nil {
		t.Error(err)
	}
	_, err := spend(g, "v", "m")
	if b := budgetOf(t, err); b.Scope != ScopeVisitor {
		t.Errorf("the second question: %+v", b)
	}
	if _, err := spend(g, "w", "m"); err != nil {
		t.Error(err)
	}
}

// TestNetworkIsLimited: new names do not help one network for ever, while
// visitors behind a private address are not lumped together.
func TestNetworkIsLimited(t *testing.T) {
	try := func(ip string) (int, error) {
		g := moneyGate(t, Config{Money: Money{PerVisitor: 0.001, NetworkFactor: 5}}, nil, nil)
		for n := 0; n < 50; n++ {
			l, err := g.Acquire(t.Context(), chat.Ask{Caller: chat.Caller{Visitor: fmt.Sprint("v", n), IP: ip}, Tokens: 1000, PromptTokens: 500, Model: "m"})
			if err != nil {
				return n, err
			}
			l.Done(chat.Outcome{Status: 200, Usage: chat.Usage{Prompt: 500, Completion: 500}})
		}
		return 50, nil
	}
	for _, ip := range []string{"203.0.113.9", "2001:db8::1", "::ffff:203.0.113.9"} {
		if n, err := try(ip); n != 5 || budgetOf(t, err).Scope != ScopeNetwork {
			t.Errorf("%s: %d calls, then %v", ip, n, err)
		}
	}
	for _, ip := range []string{"", "192.168.1.5", "127.0.0.1", "junk", "fd00::1"} {
		if n, err := try(ip); n != 50 {
			t.Errorf("%q: %d calls, then %v", ip, n, err)
		}
	}
}

func TestCheaperModel(t *testing.T) {
	money := Money{PerDay: 0.1, VisitorPart: 1, AtCap: Cheaper, CheaperModel: "m", CheaperFrom: 0.5}
	g := moneyGate(t, Config{Money: money}, nil, nil)
	count := map[string]int{}
	for {
		model, err := spend(g, "v", "big")
		if err != nil {
			if b := budgetOf(t, err); b.Scope != ScopeDay || b.Behaviour != Offline {
				t.Errorf("stopped by %+v", b)
			}
			break
		}
		if model == "big" && count["m"] > 0 {
			t.Fatal("it went back to the dear model")
		}
		count[model]++
	}
	// The dear one reserves 0.01 and takes 0.005 until half the cap.
	if count["big"] != 9 || count["m"] != 109 {
		t.Errorf("answered by %v, want 9 of big and 109 of m", count)
	}
	if s := g.Snapshot().Money; s.SpentToday > 0.1 || s.Reserved != 0 {
		t.Errorf("spent %v, reserved %v", s.SpentToday, s.Reserved)
	}

	money.CheaperModel = "free"
	g = moneyGate(t, Config{Money: money}, nil, nil)
	for n := range 500 {
		model, err := spend(g, "v", "big")
		if err != nil {
			t.Fatalf("a free fallback ended: %v", err)
		}
		if n > 50 && model != "free" {
			t.Fatalf("call %d went to %s", n, model)
		}
	}
}

func TestReservationsHoldUnderConcurrency(t *testing.T) {
	g := moneyGate(t, Config{Money: Money{PerDay: 0.01, VisitorPart: 1}}, nil, nil)
	var wg sync.WaitGroup
	var mu sync.Mutex
	granted := 0
	for i := range 100 {
		wg.Go(func() {
			l, err := g.Acquire(t.Context(), chat.Ask{Caller: chat.Caller{Visitor: fmt.Sprint(i)}, Tokens: 1000, PromptTokens: 500, Model: "m"})
			if err != nil {
				return
			}
			mu.Lock()
			granted++
			mu.Unlock()
			_ = l // kept: the calls are under way together
		})
	}
	wg.Wait()
	if granted != 10 {
		t.Errorf("%d calls of a thousandth under way under a cap of a hundredth", granted)
	}
}

func TestWarnings(t *testing.T) {
	led, w := &book{}, &watcher{}
	clk := &clock{now: time.Date(2026, 5, 5, 8, 0, 0, 0, time.UTC)}
	cfg := Config{Now: clk.Now, Money: Money{PerDay: 0.01, PerMonth: 1, VisitorPart: 1, Zone: time.UTC}}
	run := func(n int) {
		g := moneyGate(t, cfg, led, w)
		for range n {
			_, _ = spend(g, "v", "m")
		}
	}
	run(11)
	run(11) // after a restart nothing is told twice
	want := "[day 2026-05-05 50 day 2026-05-05 80 day 2026-05-05 100]"
	if got := fmt.Sprint(w.warn); got != want {
		t.Errorf("told %v, want %v", got, want)
	}
}

func TestUsageWhenTheUpstreamIsSilent(t *testing.T) {
	led := &book{}
	g := moneyGate(t, Config{}, led, nil)
	ask := chat.Ask{Tokens: 1000, PromptTokens: 400, Model: "m"}
	for _, c := range []struct {
		name string
		o    chat.Outcome
		want float64
	}{
		{"answered, no usage", chat.Outcome{Status: 200}, 0.001},
		{"cut after it began", chat.Outcome{Status: 200, Err: errors.New("reset"), Fault: chat.FaultCut, FirstToken: 1}, 0.001},
		{"refused", chat.Outcome{Status: 500, Err: errors.New("500"), Fault: chat.FaultUnavailable}, 0},
		{"told", chat.Outcome{Status: 200, Usage: chat.Usage{Prompt: 400, Completion: 100}}, 0.0005},
	} {
		l := mustAcquire(t, g, ask)
		if got := l.Done(c.o); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if len(led.entries) != 3 || !led.entries[0].Usage.Estimated || led.entries[2].Usage.Estimated {
		t.Errorf("recorded %+v", led.entries)
	}
}

// TestLedgerOfANewDayIsRead: when the clock moves to a day that this process
// has not seen, Run fetches what was spent then.
func TestLedgerOfANewDayIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		led := &book{entries: []Entry{{Day: "2026-06-02", Visitor: "v", Cost: 5}}}
		clk := &clock{now: time.Date(2026, 6, 3, 8, 0, 0, 0, time.UTC)}
		g := moneyGate(t, Config{Now: clk.Now, Money: Money{PerDay: 1, Zone: time.UTC}}, led, nil)
		start(t, g)
		if _, err := spend(g, "w", "m"); err != nil {
			t.Fatal(err)
		}
		clk.set(time.Date(2026, 6, 2, 8, 0, 0, 0, time.UTC)) // set back to before the start
		_ = g.Snapshot()
		synctest.Wait()
		_, err := spend(g, "w", "m")
		if b := budgetOf(t, err); b.Scope != ScopeDay {
			t.Errorf("stopped by %+v", b)
		}
	})
}

func TestLoadFails(t *testing.T) {
	p, _ := keypool.New(onePool(0), nil)
	g, err := New(Config{}, p, &book{fail: errors.New("disk")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Load(t.Context()); err == nil {
		t.Error("a ledger that cannot be read was taken for an empty one")
	}
}

func TestBadConfig(t *testing.T) {
	p, _ := keypool.New(onePool(0), nil)
	for name, c := range map[string]Config{
		"share":     {VIPShare: 1},
		"cap":       {Money: Money{PerDay: -1}},
		"behaviour": {Money: Money{AtCap: "panic"}},
		"cheaper":   {Money: Money{AtCap: Cheaper}},
	} {
		if _, err := New(c, p, nil, nil); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestManyDaysAreForgotten(t *testing.T) {
	clk := &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	g := moneyGate(t, Config{Now: clk.Now, Money: Money{Zone: time.UTC}}, nil, nil)
	for range 400 {
		if _, err := spend(g, "v", "m"); err != nil {
			t.Fatal(err)
		}
		clk.set(clk.Now().Add(24 * time.Hour))
	}
	if d, m := len(g.money.past), len(g.money.months); d > maxPast || m > 2 {
		t.Errorf("%d days and %d months are kept", d, m)
	}
}
