package admit

import (
	"context"
	"fmt"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/keypool"
)

func benchGate(b *testing.B, keys int, cfg Config) *Gate {
	p := keypool.Provider{Name: "up", BaseURL: "http://up/v1"}
	for i := range keys {
		p.Keys = append(p.Keys, keypool.Key{Name: fmt.Sprint("k", i), Secret: "s", RPM: 1e9, TPM: 1e9})
	}
	return newGate(b, cfg, keypool.Config{Providers: []keypool.Provider{p}})
}

// BenchmarkAdmission is one call's whole way through: decision, lease, report.
// "money" has caps on visitor, day and month; "parallel" shares one gate.
func BenchmarkAdmission(b *testing.B) {
	ask := chat.Ask{Caller: chat.Caller{Visitor: "v", Conversation: "c"}, Tokens: 100, PromptTokens: 60, Model: "gpt-4o-mini"}
	done := chat.Outcome{Status: 200, Usage: chat.Usage{Prompt: 60, Completion: 20}, Total: time.Second}
	one := func(b *testing.B, g *Gate) {
		l, err := g.Acquire(context.Background(), ask)
		if err != nil {
			b.Fatal(err)
		}
		l.Done(done)
	}
	for _, keys := range []int{1, 10} {
		b.Run(fmt.Sprintf("uncontended/keys=%d", keys), func(b *testing.B) {
			g := benchGate(b, keys, Config{VIPShare: 0.3})
			b.ReportAllocs()
			for b.Loop() {
				one(b, g)
			}
		})
	}
	b.Run("uncontended/money", func(b *testing.B) {
		g := benchGate(b, 1, Config{Money: Money{PerVisitor: 1e8, PerDay: 1e9, PerMonth: 1e9}})
		b.ReportAllocs()
		for b.Loop() {
			one(b, g)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		g := benchGate(b, 4, Config{VIPShare: 0.3})
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				one(b, g)
			}
		})
	})
}

// BenchmarkQueued10000 is one decision while 10,000 calls wait: a place comes
// free, the first in line gets it, a new call joins at the end.
func BenchmarkQueued10000(b *testing.B) {
	g := benchGate(b, 1, Config{MaxInFlight: 1, MaxQueue: 20000, MaxWait: 1e6 * time.Hour})
	held, err := g.Acquire(context.Background(), chat.Ask{})
	if err != nil {
		b.Fatal(err)
	}
	ask := chat.Ask{Caller: chat.Caller{Visitor: "v"}, Tokens: 100, Model: "gpt-4o-mini"}
	join := func() *waiter {
		g.mu.Lock()
		defer g.unlock()
		w, err := g.enqueue(g.cfg.Now(), &lease{gate: g, class: Ordinary, ask: ask})
		if err != nil {
			b.Fatal(err)
		}
		return w
	}
	line := make([]*waiter, 0, 20000)
	for range 10000 {
		line = append(line, join())
	}
	b.ReportAllocs()
	for b.Loop() {
		held.Done(chat.Outcome{Status: 200, Usage: chat.Usage{Prompt: 10}, Total: time.Microsecond})
		first := line[0]
		<-first.done
		held = first.lease
		if len(line) == cap(line) { // keep the slice from growing without end
			line = append(make([]*waiter, 0, 20000), line...)
		}
		line = append(line[1:], join())
	}
}

// BenchmarkRefusedWith10000Waiting is the cost of telling a visitor at once
// that the wait would be too long.
func BenchmarkRefusedWith10000Waiting(b *testing.B) {
	g := benchGate(b, 1, Config{MaxInFlight: 1, MaxQueue: 10000, MaxWait: 1e6 * time.Hour})
	if _, err := g.Acquire(context.Background(), chat.Ask{}); err != nil {
		b.Fatal(err)
	}
	ask := chat.Ask{}
	for range 10000 {
		g.mu.Lock()
		if _, err := g.enqueue(g.cfg.Now(), &lease{gate: g, class: Ordinary, ask: ask}); err != nil {
			b.Fatal(err)
		}
		g.unlock()
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.Acquire(context.Background(), ask); err == nil {
			b.Fatal("a full queue took one more")
		}
	}
}

// BenchmarkReview10000 is the walk that tells 10,000 waiting visitors their
// new positions; it runs at most twice a second.
func BenchmarkReview10000(b *testing.B) {
	g := benchGate(b, 1, Config{MaxInFlight: 1, MaxWait: 1e6 * time.Hour})
	if _, err := g.Acquire(context.Background(), chat.Ask{}); err != nil {
		b.Fatal(err)
	}
	ask := chat.Ask{Caller: chat.Caller{Queued: func(int) {}}}
	for range 10000 {
		g.mu.Lock()
		if _, err := g.enqueue(g.cfg.Now(), &lease{gate: g, class: Ordinary, ask: ask}); err != nil {
			b.Fatal(err)
		}
		g.unlock()
	}
	b.ReportAllocs()
	for b.Loop() {
		g.mu.Lock()
		tell := g.review(g.cfg.Now())
		for _, n := range tell {
			n.w.told = 0 // so that the next walk has as much to tell
		}
		g.unlock()
	}
}
