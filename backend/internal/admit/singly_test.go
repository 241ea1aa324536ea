package admit

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"haoke/backend/internal/chat"
)

func TestVisitorsAreBounded(t *testing.T) {
	g := moneyGate(t, Config{Money: Money{PerVisitor: 1, MaxVisitors: 3}}, nil, nil)
	for i := range 50 {
		if _, err := spend(g, fmt.Sprint("v", i), "m"); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(g.money.today.visitors); n != 3 {
		t.Errorf("%d visitors are kept, want 3", n)
	}
}

// TestNothingIsKeptOfVisitorsWithoutACap: what a visitor leaves behind would
// add up to megabytes an hour.
func TestNothingIsKeptOfVisitorsWithoutACap(t *testing.T) {
	g := moneyGate(t, Config{Money: Money{PerMonth: 1e9}}, nil, nil)
	come := func(from, to int) uint64 {
		for i := from; i < to; i++ {
			l, err := g.Acquire(context.Background(), chat.Ask{Caller: chat.Caller{Visitor: fmt.Sprintf("%032x", i), IP: fmt.Sprintf("203.%d.%d.9", i>>8&255, i&255)}, Tokens: 1000, PromptTokens: 500, Model: "m"})
			if err != nil {
				t.Fatal(err)
			}
			l.Done(chat.Outcome{Status: 200, Usage: chat.Usage{Prompt: 250, Completion: 250}})
		}
		runtime.GC()
		runtime.GC() // what pools keep for one round
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const first, all = 1000, 50_000
	before := come(0, first)
	after := come(first, all)
	if grown := float64(after) - float64(before); grown > 2*(all-first) {
		t.Errorf("%.0f bytes are kept of each visitor", grown/(all-first))
	}
	if b := g.money.today; len(b.visitors)+len(b.networks) != 0 {
		t.Errorf("accounts of %d visitors and %d networks", len(b.visitors), len(b.networks))
	}
}

// TestOnlyWhoSpentHasAnAccount: neither calls that were given up nor refused ones leave one.
func TestOnlyWhoSpentHasAnAccount(t *testing.T) {
	g := moneyGate(t, Config{Money: Money{PerDay: 0.01, PerVisitor: 0.005}}, nil, nil)
	ask := func(i int) chat.Ask {
		return chat.Ask{Caller: chat.Caller{Visitor: fmt.Sprint("v", i), IP: "203.0.113.9"}, Tokens: 1000, PromptTokens: 500, Model: "m"}
	}
	for i := range 20 {
		l := mustAcquire(t, g, ask(i))
		if len(g.money.today.visitors) != 1 || len(g.money.today.networks) != 1 {
			t.Fatal("a call under way has no account")
		}
		l.Done(chat.Outcome{Err: context.Canceled})
	}
	if b := g.money.today; len(b.visitors)+len(b.networks) != 0 {
		t.Errorf("accounts of %d visitors and %d networks who spent nothing", len(b.visitors), len(b.networks))
	}
	for i := range 19 { // 0.0095 of 0.01: one more reservation does not fit
		mustAcquire(t, g, ask(i)).Done(chat.Outcome{Status: 200, Usage: chat.Usage{Prompt: 250, Completion: 250}})
	}
	for i := 100; i < 120; i++ {
		_, err := g.Acquire(t.Context(), ask(i))
		if b := budgetOf(t, err); b.Scope != ScopeDay {
			t.Fatalf("refused by %+v", b)
		}
	}
	if n := len(g.money.today.visitors); n != 19 {
		t.Errorf("%d visitors have accounts, 19 have spent something", n)
	}
}

// TestAVisitorsFirstCapCountsWhatWasSpentBefore: without a cap nothing is kept
// in memory, but the ledger knows.
func TestAVisitorsFirstCapCountsWhatWasSpentBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		led := &book{}
		g := moneyGate(t, Config{}, led, nil)
		start(t, g)
		for range 4 {
			if _, err := spend(g, "burner", "m"); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		cfg := g.cfg
		cfg.Money.PerVisitor = 0.002 // spent already
		if err := g.Reconfigure(cfg); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		_, err := spend(g, "burner", "m")
		if b := budgetOf(t, err); b.Scope != ScopeVisitor {
			t.Errorf("stopped by %+v", b)
		}
		if _, err := spend(g, "other", "m"); err != nil {
			t.Error(err)
		}
		cfg.Money.PerVisitor = 0
		if err := g.Reconfigure(cfg); err != nil {
			t.Fatal(err)
		}
		if n := len(g.money.today.visitors); n != 0 {
			t.Errorf("%d visitors have accounts without a cap", n)
		}
		if _, err := spend(g, "burner", "m"); err != nil {
			t.Error(err)
		}
	})
}

// TestAccountsGoWhenTheirDayIsOver: the day before is kept, for a clock that
// steps back over midnight; an older day comes back from the ledger.
func TestAccountsGoWhenTheirDayIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
		clk := &clock{now: first}
		led := &book{}
		g := moneyGate(t, Config{Now: clk.Now, Money: Money{PerVisitor: 0.001, Zone: time.UTC}}, led, nil)
		start(t, g)
		for day := range 5 {
			clk.set(first.AddDate(0, 0, day))
			if _, err := spend(g, "v", "m"); err != nil {
				t.Fatal(err)
			}
		}
		kept := 0
		for _, b := range g.money.past {
			kept += len(b.visitors)
		}
		if kept != 2 {
			t.Errorf("accounts of %d days are kept, want today's and yesterday's", kept)
		}
		for _, day := range []int{3, 0} {
			clk.set(first.AddDate(0, 0, day))
			_ = g.Snapshot()
			synctest.Wait()
			if _, err := spend(g, "v", "m"); err == nil {
				t.Errorf("the clock back by %d days gave the day's money again", 4-day)
			}
		}
	})
}
