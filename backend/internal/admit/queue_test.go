package admit

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/keypool"
)

// start runs the gate for the length of a synctest bubble and returns what
// stops it.
func start(t *testing.T, g *Gate) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := g.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		wg.Wait()
	})
}

func good() chat.Outcome {
	return chat.Outcome{Status: 200, Usage: chat.Usage{Prompt: 10, Completion: 10}, Total: time.Second}
}

func mustAcquire(t *testing.T, g *Gate, ask chat.Ask) chat.Lease {
	t.Helper()
	l, err := g.Acquire(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// depth is the number of waiting calls.
func depth(g *Gate) int {
	n := 0
	for _, l := range g.Snapshot().Queue {
		n += l.Depth
	}
	return n
}

func TestOrderOfService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, Config{MaxInFlight: 1}, onePool(0))
		start(t, g)
		first := mustAcquire(t, g, chat.Ask{})
		var mu sync.Mutex
		var got []string
		queue := func(name string, ask chat.Ask) {
			go func() {
				l, err := g.Acquire(context.Background(), ask)
				if err != nil {
					t.Error(name, err)
					return
				}
				mu.Lock()
				got = append(got, name)
				mu.Unlock()
				l.Done(good())
			}()
			synctest.Wait()
		}
		queue("background", chat.Ask{Background: true})
		queue("ordinary 1", chat.Ask{})
		queue("ordinary 2", chat.Ask{})
		queue("vip 1", chat.Ask{Caller: chat.Caller{VIP: true}})
		queue("vip 2", chat.Ask{Caller: chat.Caller{VIP: true}})
		first.Done(good())
		synctest.Wait()
		want := []string{"vip 1", "vip 2", "ordinary 1", "ordinary 2", "background"}
		if !slices.Equal(got, want) {
			t.Errorf("served %v, want %v", got, want)
		}
	})
}

func TestPositionsAreToldAndThenSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, Config{MaxInFlight: 1}, onePool(0))
		start(t, g)
		held := mustAcquire(t, g, chat.Ask{})
		var mu sync.Mutex
		told := make([][]int, 3)
		over := make([]bool, 3)
		leases := make(chan chat.Lease, 3)
		cancels := make([]context.CancelFunc, 3)
		for i := range 3 {
			ctx, cancel := context.WithCancel(context.Background())
			cancels[i] = cancel
			go func() {
				l, err := g.Acquire(ctx, chat.Ask{Caller: chat.Caller{Queued: func(p int) {
					mu.Lock()
					defer mu.Unlock()
					if over[i] {
						t.Errorf("visitor %d was told a position after Acquire had returned", i)
					}
					told[i] = append(told[i], p)
				}}})
				mu.Lock()
				over[i] = true
				mu.Unlock()
				if err == nil {
					leases <- l
				}
			}()
			synctest.Wait()
		}
		cancels[0]() // the first leaves: the others move up
		synctest.Wait()
		if n := depth(g); n != 2 {
			t.Errorf("%d wait after one left, want 2: its entry must go at once", n)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		mu.Lock()
		if want := [][]int{{1}, {2, 1}, {3, 2}}; !slices.EqualFunc(told, want, slices.Equal) {
			t.Errorf("told %v, want %v", told, want)
		}
		mu.Unlock()
		held.Done(good())
		(<-leases).Done(good())
		(<-leases).Done(good())
		time.Sleep(2 * time.Second)
		if n := depth(g); n != 0 {
			t.Errorf("%d still wait", n)
		}
	})
}

func TestDeadlineInTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, Config{MaxInFlight: 1}, onePool(0))
		start(t, g)
		held := mustAcquire(t, g, chat.Ask{})
		begin := time.Now()
		_, err := g.Acquire(t.Context(), chat.Ask{Caller: chat.Caller{Deadline: begin.Add(4 * time.Second)}})
		if chat.FaultOf(err) != chat.FaultRate {
			t.Errorf("got %v, want a rate fault", err)
		}
		if d := time.Since(begin); d != 4*time.Second {
			t.Errorf("gave up after %v, want 4s", d)
		}
		if _, err = g.Acquire(t.Context(), chat.Ask{Caller: chat.Caller{Deadline: begin}}); chat.FaultOf(err) != chat.FaultRate {
			t.Errorf("a deadline in the past: got %v", err)
		}
		held.Done(good())
		if s := g.Snapshot(); s.InFlight != 0 || s.Queue[Ordinary].Expired != 2 {
			t.Errorf("in flight %d, expired %d; want 0 and 2", s.InFlight, s.Queue[Ordinary].Expired)
		}
	})
}

func TestShedEarlyByExpectedWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// One call a second: the tenth waiting one would wait too long.
		g := newGate(t, Config{MaxWait: 10 * time.Second, ShedPart: 0.5}, onePool(60))
		start(t, g)
		var ok, shed int
		var mu sync.Mutex
		var wg sync.WaitGroup
		begin := time.Now()
		for range 30 {
			wg.Go(func() {
				l, err := g.Acquire(context.Background(), chat.Ask{})
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					var ue *chat.UpstreamError
					if !errors.As(err, &ue) || ue.Fault != chat.FaultRate || ue.RetryAfter <= 0 {
						t.Errorf("refused with %v", err)
					}
					if time.Since(begin) > 0 {
						t.Errorf("refused only after %v", time.Since(begin))
					}
					shed++
					return
				}
				ok++
				l.Done(good())
			})
			synctest.Wait()
		}
		wg.Wait()
		// A burst of three goes at once, then one a second for five seconds.
		if ok < 7 || ok > 9 {
			t.Errorf("%d served, %d refused at once", ok, shed)
		}
	})
}

func TestQueueBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, Config{MaxInFlight: 1, MaxQueue: 2}, onePool(0))
		start(t, g)
		held := mustAcquire(t, g, chat.Ask{})
		results := make(chan error, 4)
		ask := func(a chat.Ask) {
			go func() {
				l, err := g.Acquire(context.Background(), a)
				if l != nil {
					l.Done(good())
				}
				results <- err
			}()
			synctest.Wait()
		}
		ask(chat.Ask{})
		ask(chat.Ask{})
		ask(chat.Ask{}) // the queue is full
		if err := <-results; chat.FaultOf(err) != chat.FaultRate {
			t.Errorf("the third in a queue of two: %v", err)
		}
		ask(chat.Ask{Caller: chat.Caller{VIP: true}}) // pushes the youngest out
		if err := <-results; chat.FaultOf(err) != chat.FaultRate {
			t.Errorf("the one that a VIP pushed out: %v", err)
		}
		held.Done(good())
		for range 2 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestStopRefusesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, Config{MaxInFlight: 1}, onePool(0))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- g.Run(ctx) }()
		held := mustAcquire(t, g, chat.Ask{})
		got := make(chan error, 1)
		go func() {
			_, err := g.Acquire(context.Background(), chat.Ask{})
			got <- err
		}()
		synctest.Wait()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := <-got; chat.FaultOf(err) != chat.FaultUnavailable {
			t.Errorf("got %v", err)
		}
		held.Done(good())
	})
}

// TestGoneInTheMomentOfTheGrant: no lease is lost when the visitor leaves while
// the lease is on its way.
func TestGoneInTheMomentOfTheGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, Config{MaxInFlight: 1}, onePool(0))
		start(t, g)
		for range 200 {
			held := mustAcquire(t, g, chat.Ask{})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				if l, err := g.Acquire(ctx, chat.Ask{}); err == nil {
					l.Done(good())
				}
			}()
			synctest.Wait()
			go held.Done(good())
			go cancel()
			<-done
			synctest.Wait()
			if s := g.Snapshot(); s.InFlight != 0 || s.Keys[0].InFlight != 0 {
				t.Fatalf("in flight %d, on the key %d", s.InFlight, s.Keys[0].InFlight)
			}
		}
	})
}

func TestDoneCountsOnce(t *testing.T) {
	g := newGate(t, Config{}, onePool(0))
	l := mustAcquire(t, g, chat.Ask{Tokens: 30, Model: "gpt-4o-mini"})
	if c := l.Done(good()); c <= 0 {
		t.Errorf("price %v", c)
	}
	if c := l.Done(good()); c != 0 {
		t.Errorf("the second Done says %v", c)
	}
	if s := g.Snapshot(); s.InFlight != 0 || s.Keys[0].InFlight != 0 {
		t.Errorf("in flight %d and %d", s.InFlight, s.Keys[0].InFlight)
	}
}

func TestNoKeys(t *testing.T) {
	g := newGate(t, Config{}, keypool.Config{})
	if _, err := g.Acquire(t.Context(), chat.Ask{}); chat.FaultOf(err) != chat.FaultNoKey {
		t.Errorf("got %v", err)
	}
}

// TestAnotherKeyTakesOver: a refused key rests, another serves the retry at
// once, and calls that exclude the only free key do not block the others.
func TestAnotherKeyTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, Config{}, keypool.Config{Providers: []keypool.Provider{{Name: "up", BaseURL: "http://up",
			Keys: []keypool.Key{{Name: "a", Secret: "1"}, {Name: "b", Secret: "2"}}}}})
		start(t, g)
		l := mustAcquire(t, g, chat.Ask{})
		failed := l.Target().Key
		l.Done(chat.Outcome{Status: 429, Err: errors.New("429"), Fault: chat.FaultRate, RetryAfter: 10 * time.Second})
		begin := time.Now()
		l = mustAcquire(t, g, chat.Ask{NotKeys: []string{failed}})
		if l.Target().Key == failed || time.Since(begin) > 0 {
			t.Errorf("the retry went to %s after %v", l.Target().Key, time.Since(begin))
		}
		other := l.Target().Key
		blocked := make(chan string, 1)
		go func() { // may use only the resting key
			l, err := g.Acquire(context.Background(), chat.Ask{NotKeys: []string{other}})
			if err != nil {
				t.Error(err)
				return
			}
			blocked <- l.Target().Key
			l.Done(good())
		}()
		synctest.Wait()
		free := mustAcquire(t, g, chat.Ask{})
		if time.Since(begin) > 0 {
			t.Errorf("a call that could go waited %v behind one that could not", time.Since(begin))
		}
		free.Done(good())
		l.Done(good())
		if k := <-blocked; k != failed {
			t.Errorf("served by %q", k)
		}
	})
}

func TestReconfigureWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, Config{MaxInFlight: 1}, onePool(0))
		start(t, g)
		held := mustAcquire(t, g, chat.Ask{})
		got := make(chan error, 1)
		go func() {
			l, err := g.Acquire(context.Background(), chat.Ask{})
			if l != nil {
				l.Done(good())
			}
			got <- err
		}()
		synctest.Wait()
		begin := time.Now()
		if err := g.Reconfigure(Config{MaxInFlight: 2}); err != nil {
			t.Fatal(err)
		}
		if err := <-got; err != nil || time.Since(begin) > 0 {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		held.Done(good())
		if err := g.Reconfigure(Config{VIPShare: 2}); err == nil {
			t.Error("a share of 2 was accepted")
		}
	})
}

func TestProbeRevivesARefusedKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var probed atomic.Int32
		var well atomic.Bool
		g := newGate(t, Config{ProbeEvery: 30 * time.Second, Probe: func(_ context.Context, tg chat.Target) error {
			probed.Add(1)
			if tg.Key != "main" || !well.Load() {
				return errors.New("401")
			}
			return nil
		}}, onePool(0))
		start(t, g)
		mustAcquire(t, g, chat.Ask{}).Done(chat.Outcome{Status: 401, Err: errors.New("401"), Fault: chat.FaultAuth})
		if _, err := g.Acquire(t.Context(), chat.Ask{}); chat.FaultOf(err) != chat.FaultAuth {
			t.Errorf("with its only key refused: %v", err)
		}
		time.Sleep(31 * time.Second)
		well.Store(true)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if n := probed.Load(); n != 2 {
			t.Errorf("probed %d times", n)
		}
		mustAcquire(t, g, chat.Ask{}).Done(good())
	})
}
