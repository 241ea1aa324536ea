package upstream

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/sim"
)

// TestMerge500: 500 visitors ask the same at once: one call, 500 answers, one
// of which pays.
func TestMerge500(t *testing.T) {
	r := newRig(t, Config{Merge: true}, sim.Config{Latency: 100 * time.Millisecond, Pace: time.Millisecond})
	ctx := within(t, 30*time.Second)
	const n = 500
	answers, results := make([]string, n), make([]chat.Result, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			var err error
			if answers[i], results[i], err = r.ask(ctx, "What are your opening hours?"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	paid, merged := 0, 0
	for i, a := range answers {
		if a != answers[0] || !strings.HasSuffix(a, "do for you?") {
			t.Fatalf("answer %d: %q", i, a)
		}
		if results[i].Cost > 0 {
			paid++
		}
		if results[i].Merged {
			merged++
		}
	}
	if calls := r.sim.Stats().Calls; calls != 1 || paid != 1 || merged != n-1 || r.Stats().Merged != n-1 {
		t.Errorf("%d calls, %d paid, %d merged, %+v", calls, paid, merged, r.Stats())
	}
}

// TestLateAndSlow: who joins late gets the stream from its first byte; who is
// slow hinders nobody; who leaves cancels nothing; the last one does.
func TestLateAndSlow(t *testing.T) {
	r := newRig(t, Config{Merge: true}, sim.Config{Pace: 2 * time.Millisecond, Tokens: 60})
	ctx := within(t, 30*time.Second)
	const q = "Do you ship abroad?"
	var wg sync.WaitGroup
	release, begun := make(chan struct{}), make(chan struct{})
	var slow, quick, late text
	wg.Go(func() { // the first caller stands still in its sink once others have joined
		if _, err := r.Answer(ctx, question(q), chat.Caller{}, func(raw []byte) error {
			switch slow.pieces {
			case 0:
				close(begun)
			case 4:
				for r.Stats().Merged == 0 && ctx.Err() == nil {
					time.Sleep(time.Millisecond)
				}
			case 6:
				<-release
			}
			return slow.sink(raw)
		}); err != nil {
			t.Error(err)
		}
	})
	<-begun
	wg.Go(func() { // one that leaves soon
		gone := errors.New("gone")
		if _, err := r.Answer(ctx, question(q), chat.Caller{}, func([]byte) error { return gone }); err != gone {
			t.Error(err)
		}
	})
	wg.Go(func() {
		if res, err := r.Answer(ctx, question(q), chat.Caller{}, late.sink); err != nil || !res.Merged {
			t.Error(res, err)
		}
	})
	if _, err := r.Answer(ctx, question(q), chat.Caller{}, quick.sink); err != nil {
		t.Error(err)
	}
	close(release) // only now the slow one goes on: the others did not wait for it
	wg.Wait()
	if quick.b.String() != late.b.String() || quick.b.String() != slow.b.String() {
		t.Errorf("%d pieces %q\n%q\n%q", quick.pieces, quick.b.String(), late.b.String(), slow.b.String())
	}
	if s := r.sim.Stats(); s.Calls != 1 || s.Cancelled != 0 {
		t.Errorf("%+v", s)
	}
}

// TestFirstLeaves: the call outlives the caller that made it, as long as
// somebody reads; then it is cancelled.
func TestFirstLeaves(t *testing.T) {
	r := newRig(t, Config{Merge: true}, sim.Config{Pace: time.Millisecond, Tokens: 80})
	ctx := within(t, 30*time.Second)
	first, leave := context.WithCancel(ctx)
	var second text
	done := make(chan error, 1)
	_, err := r.Answer(first, question("q"), chat.Caller{}, func([]byte) error {
		if done != nil {
			ready := make(chan struct{})
			out := done
			done = nil
			go func() {
				once := sync.OnceFunc(func() { close(ready) })
				_, err := r.Answer(ctx, question("q"), chat.Caller{}, func(raw []byte) error { once(); return second.sink(raw) })
				out <- err
			}()
			<-ready
			leave()
			t.Cleanup(func() {
				if err := <-out; err != nil || second.pieces != 80 {
					t.Error(second.pieces, err)
				}
				if s := r.sim.Stats(); s.Calls != 1 || s.Cancelled != 0 {
					t.Errorf("%+v", s)
				}
			})
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestLastOneCancels(t *testing.T) {
	r := newRig(t, Config{Merge: true}, sim.Config{})
	ctx, cancel := context.WithCancel(within(t, 20*time.Second))
	var wg sync.WaitGroup
	var begun sync.WaitGroup
	begun.Add(3)
	for range 3 {
		wg.Go(func() {
			once := sync.OnceFunc(begun.Done)
			call := question("[[endless]]")
			call.MaxTokens = 1 << 20
			if _, err := r.Answer(ctx, call, chat.Caller{}, func([]byte) error { once(); return nil }); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	begun.Wait()
	cancel()
	wg.Wait()
	r.Close()
	if s := r.sim.Stats(); s.Calls != 1 {
		t.Errorf("%+v", s)
	}
	if o := r.gate.outcomes; len(o) != 1 || !errors.Is(o[0].Err, context.Canceled) {
		t.Errorf("%+v", o)
	}
}

// TestErrorReachesAll: a failed call fails once for each, and is not joined
// afterwards.
func TestErrorReachesAll(t *testing.T) {
	r := newRig(t, Config{Merge: true, Attempts: 1}, sim.Config{})
	r.gate.hold = make(chan struct{})
	ctx := within(t, 20*time.Second)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, _, err := r.ask(ctx, "[[500:1]]"); chat.FaultOf(err) != chat.FaultUnavailable {
				t.Error(err)
			}
		})
	}
	waitFor(t, func() bool { return r.Stats().Merged == 19 })
	close(r.gate.hold)
	wg.Wait()
	if got, _, err := r.ask(ctx, "[[500:1]]"); err != nil || got == "" {
		t.Error(got, err)
	}
}

// TestOthersBudget: a visitor without budget does not spoil the answer of those
// who asked the same.
func TestOthersBudget(t *testing.T) {
	r := newRig(t, Config{Merge: true}, sim.Config{})
	r.gate.hold = make(chan struct{})
	r.gate.refuse = func(a chat.Ask) error {
		if a.Visitor == "broke" {
			return &chat.UpstreamError{Fault: chat.FaultBudget, Reason: "nothing left today"}
		}
		return nil
	}
	ctx := within(t, 20*time.Second)
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := r.Answer(ctx, question("q"), chat.Caller{Visitor: "broke"}, (&text{}).sink); chat.FaultOf(err) != chat.FaultBudget {
			t.Error(err)
		}
	})
	waitFor(t, func() bool { return r.Stats().Flights == 1 })
	for range 5 {
		wg.Go(func() {
			if _, err := r.Answer(ctx, question("q"), chat.Caller{Visitor: "solvent"}, (&text{}).sink); err != nil {
				t.Error(err)
			}
		})
	}
	waitFor(t, func() bool { return r.Stats().Merged == 5 })
	close(r.gate.hold)
	wg.Wait()
}

// TestVIPDoesNotQueueBehindOrdinary: a VIP makes its own call while the same
// ordinary call still waits.
func TestVIPDoesNotQueueBehindOrdinary(t *testing.T) {
	r := newRig(t, Config{Merge: true}, sim.Config{})
	r.gate.hold = make(chan struct{})
	ctx := within(t, 20*time.Second)
	var wg sync.WaitGroup
	steps := []struct {
		vip    bool
		queued int   // calls that came to the gate
		merged int64 // answers that joined one
	}{{false, 1, 0}, {true, 2, 0}, {true, 2, 1}, {false, 2, 2}}
	for _, s := range steps {
		wg.Go(func() {
			if _, err := r.Answer(ctx, question("q"), chat.Caller{VIP: s.vip}, (&text{}).sink); err != nil {
				t.Error(err)
			}
		})
		waitFor(t, func() bool { return len(r.queueing()) == s.queued && r.Stats().Merged == s.merged })
	}
	close(r.gate.hold)
	wg.Wait()
	if n := r.sim.Stats().Calls; n != 2 {
		t.Errorf("%d calls", n)
	}
}

// queueing lists the attempts that reached the closed gate so far.
func (r *rig) queueing() []string {
	r.gate.mu.Lock()
	defer r.gate.mu.Unlock()
	return r.gate.waiting
}

func TestIdentity(t *testing.T) {
	hot, cold := 0.9, 0.0
	base := chat.Call{Model: "m", MaxTokens: 10, Messages: []chat.PromptMessage{{Role: "user", Content: "ab"}, {Role: "user", Content: "c"}}}
	variants := map[string]func(*chat.Call, *Config){
		"other model":       func(c *chat.Call, _ *Config) { c.Model = "n" },
		"other bound":       func(c *chat.Call, _ *Config) { c.MaxTokens = 11 },
		"temperature":       func(c *chat.Call, _ *Config) { c.Temperature = &hot },
		"zero temperature":  func(c *chat.Call, _ *Config) { c.Temperature = &cold },
		"border moved":      func(c *chat.Call, _ *Config) { c.Messages[0].Content, c.Messages[1].Content = "a", "bc" },
		"role":              func(c *chat.Call, _ *Config) { c.Messages[1].Role = "assistant" },
		"one message less":  func(c *chat.Call, _ *Config) { c.Messages = c.Messages[:1] },
		"other realm":       func(_ *chat.Call, cfg *Config) { cfg.Realm = "https://b" },
		"hostile separator": func(c *chat.Call, _ *Config) { c.Messages[0].Content = "ab\x04user\x01c" },
	}
	seen := map[identity]string{identify(&Config{}, &base): "base"}
	for name, change := range variants {
		call, cfg := base, Config{}
		call.Messages = append([]chat.PromptMessage{}, base.Messages...)
		change(&call, &cfg)
		id := identify(&cfg, &call)
		if other, ok := seen[id]; ok {
			t.Errorf("%s has the identity of %s", name, other)
		}
		seen[id] = name
	}
	same := base
	same.Messages = append([]chat.PromptMessage{}, base.Messages...)
	if seen[identify(&Config{Timeout: 5}, &same)] != "base" {
		t.Error("equal calls differ")
	}
}

func TestCache(t *testing.T) {
	now := time.Now()
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	r := newRig(t, Config{CacheTTL: time.Minute, CacheBytes: 4000, Now: clock}, sim.Config{})
	ctx := within(t, 20*time.Second)
	first, _, err := r.ask(ctx, "q")
	if err != nil {
		t.Fatal(err)
	}
	again, res, err := r.ask(ctx, "q")
	if err != nil || again != first || !res.Cached || res.Cost != 0 || res.Finish != chat.FinishStop || r.sim.Stats().Calls != 1 {
		t.Fatal(again, res, err)
	}
	mu.Lock()
	now = now.Add(2 * time.Minute)
	mu.Unlock()
	if _, res, _ := r.ask(ctx, "q"); res.Cached {
		t.Error("older than its time")
	}
	r.Purge()
	if _, res, _ := r.ask(ctx, "q"); res.Cached || r.Stats().CacheEntries != 1 {
		t.Error("purged but there", r.Stats())
	}
	if _, _, err := r.ask(ctx, "[[length]]"); err != nil {
		t.Error(err)
	}
	if _, res, _ := r.ask(ctx, "[[length]]"); res.Cached {
		t.Error("a cut answer was cached")
	}
	for _, q := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		if _, _, err := r.ask(ctx, q); err != nil {
			t.Error(err)
		}
	}
	s := r.Stats()
	if s.CacheBytes > 4000 || s.CacheEntries < 2 || s.CacheEntries > 7 || s.CacheHits != 1 {
		t.Errorf("%+v", s)
	}
	if _, res, _ := r.ask(ctx, "h"); !res.Cached {
		t.Error("the newest is gone")
	}
	big := r.cache.bytes
	r.cache.put(identity{1}, make([]byte, 5000), chat.Result{}, now, 4000)
	if r.cache.bytes != big {
		t.Error("an answer larger than the cache was kept")
	}
}

// TestCoalesce: the first piece comes alone and at once, the others joined, and
// the text is the same.
func TestCoalesce(t *testing.T) {
	r := newRig(t, Config{Coalesce: 30 * time.Millisecond}, sim.Config{Pace: time.Millisecond, Tokens: 100})
	var x text
	res, err := r.Answer(within(t, 20*time.Second), question("q"), chat.Caller{}, x.sink)
	if err != nil || res.Usage.Completion != 100 {
		t.Fatal(res, err)
	}
	r.Reconfigure(Config{})
	var y text
	if _, err := r.Answer(within(t, 20*time.Second), question("q"), chat.Caller{}, y.sink); err != nil {
		t.Fatal(err)
	}
	if x.b.String() != y.b.String() || x.pieces > 50 || x.pieces < 2 || y.pieces <= x.pieces {
		t.Errorf("%d pieces %q, %d pieces %q", x.pieces, x.b.String(), y.pieces, y.b.String())
	}
}

// waitFor waits for what other goroutines are about to do.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatal("it did not come to pass")
		}
		time.Sleep(time.Millisecond)
	}
}
