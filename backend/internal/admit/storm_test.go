package admit

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/keypool"

	"go.uber.org/goleak"
)

// TestStorm throws everything at one gate at once, in real time: visitors who
// leave, refusals, failures, caps, reconfiguration, snapshots. Whatever
// happens, nothing is left behind: no place, no reservation, no goroutine.
func TestStorm(t *testing.T) {
	defer goleak.VerifyNone(t)
	pool := keypool.Config{BreakFor: time.Millisecond, MaxCoolDown: 5 * time.Millisecond, AuthCoolDown: 5 * time.Millisecond, Providers: []keypool.Provider{
		{Name: "one", BaseURL: "http://1", Keys: []keypool.Key{{Name: "a", Secret: "a", RPM: 60000}, {Name: "b", Secret: "b"}}},
		{Name: "two", BaseURL: "http://2", Order: 1, MaxInFlight: 4, Keys: []keypool.Key{{Name: "c", Secret: "c", TPM: 6e6}}},
	}}
	cfg := Config{MaxInFlight: 16, VIPShare: 0.3, MaxQueue: 100, MaxWait: 50 * time.Millisecond, NotifyEvery: time.Millisecond, ProbeEvery: time.Millisecond,
		Probe: func(context.Context, chat.Target) error { return nil },
		Money: Money{PerDay: 1000, PerVisitor: 100}}
	p, err := keypool.New(pool, nil)
	if err != nil {
		t.Fatal(err)
	}
	led := &book{}
	g, err := New(cfg, p, led, &watcher{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var run, wg sync.WaitGroup
	run.Go(func() { g.Run(ctx) })
	for i := range 64 {
		wg.Go(func() { stormVisitor(g, i) })
	}
	wg.Go(func() {
		for i := range 100 {
			if err := p.Reconfigure(pool); err != nil {
				t.Error(err)
			}
			c := cfg
			c.MaxInFlight = 8 + i%16
			if err := g.Reconfigure(c); err != nil {
				t.Error(err)
			}
			g.Snapshot()
			time.Sleep(time.Millisecond)
		}
	})
	wg.Wait()
	s := g.Snapshot()
	if s.InFlight != 0 || s.Money.Reserved != 0 {
		t.Errorf("in flight %d, reserved %v", s.InFlight, s.Money.Reserved)
	}
	for _, k := range s.Keys {
		if k.InFlight != 0 {
			t.Errorf("key %s: %d in flight", k.Key, k.InFlight)
		}
	}
	for _, l := range s.Queue {
		if l.Depth != 0 || l.InFlight != 0 {
			t.Errorf("%s: %d wait, %d in flight", l.Class, l.Depth, l.InFlight)
		}
	}
	if len(led.entries) == 0 {
		t.Error("no call came through")
	}
	stop()
	run.Wait()
}

func stormVisitor(g *Gate, i int) {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	faults := []chat.Fault{chat.FaultRate, chat.FaultUnavailable, chat.FaultAuth, chat.FaultTimeout, chat.FaultQuota, chat.FaultCut}
	for range 60 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.IntN(20))*time.Millisecond)
		l, err := g.Acquire(ctx, chat.Ask{Caller: chat.Caller{VIP: i%8 == 0, Visitor: "v", IP: "203.0.113.5", Queued: func(int) {}},
			Background: i%9 == 0, Tokens: 100, PromptTokens: 50, NotKeys: [][]string{nil, {"a"}, {"a", "b", "c"}}[r.IntN(3)]})
		if err != nil {
			cancel()
			continue
		}
		time.Sleep(time.Duration(r.IntN(2000)) * time.Microsecond)
		o := chat.Outcome{Status: 200, Usage: chat.Usage{Prompt: 40, Completion: r.IntN(80)}, Total: time.Millisecond}
		switch r.IntN(6) {
		case 0:
			o = chat.Outcome{Err: errors.New("x"), Fault: faults[r.IntN(len(faults))]}
		case 1:
			o.Err = context.Canceled
		}
		l.Done(o)
		if r.IntN(10) == 0 {
			l.Done(o)
		}
		cancel()
	}
}
