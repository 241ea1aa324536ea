package admit

import (
	"context"
	"testing"

	"haoke/backend/internal/chat"
)

// TestALeaseIsOverOnceForAll: the memory of a lease is another call's when it
// was given back, and its first holder cannot touch that one.
func TestALeaseIsOverOnceForAll(t *testing.T) {
	w := &watcher{}
	g := moneyGate(t, Config{Prices: oneEach(t)}, nil, w)
	ask := chat.Ask{Caller: chat.Caller{Visitor: "v"}, Tokens: 100, PromptTokens: 50, Model: "m"}
	first, err := g.Acquire(context.Background(), ask)
	if err != nil {
		t.Fatal(err)
	}
	if first.Target().Key == "" {
		t.Error("a lease for no key")
	}
	used := chat.Outcome{Status: 200, Usage: chat.Usage{Prompt: 50, Completion: 50}}
	if first.Done(used) <= 0 {
		t.Error("it cost nothing")
	}
	for range 100 { // one of them has the memory of the first
		next, err := g.Acquire(context.Background(), ask)
		if err != nil {
			t.Fatal(err)
		}
		if first.Done(used) != 0 || first.Target() != (chat.Target{}) {
			t.Fatal("a lease that is over is worth something")
		}
		if w.out.Load() != 1 {
			t.Fatalf("%d leases are out", w.out.Load())
		}
		if next.Done(used) <= 0 {
			t.Fatal("it cost nothing")
		}
	}
	if w.out.Load() != 0 || g.Snapshot().InFlight != 0 {
		t.Errorf("%d leases are out, %d calls in flight", w.out.Load(), g.Snapshot().InFlight)
	}
}

// TestALeaseTakesNoMemoryToSpeakOf keeps the cost of admission where it is.
func TestALeaseTakesNoMemoryToSpeakOf(t *testing.T) {
	g := moneyGate(t, Config{Prices: oneEach(t)}, nil, nil)
	ask := chat.Ask{Caller: chat.Caller{Visitor: "v"}, Tokens: 100, PromptTokens: 50, Model: "m"}
	used := chat.Outcome{Status: 200, Usage: chat.Usage{Prompt: 50, Completion: 50}}
	if n := testing.AllocsPerRun(1000, func() {
		l, err := g.Acquire(context.Background(), ask)
		if err != nil {
			t.Fatal(err)
		}
		l.Done(used)
	}); n > 2 {
		t.Errorf("%.0f allocations", n)
	}
}
