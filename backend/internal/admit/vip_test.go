package admit

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/keypool"
)

// crowd is a closed loop: each visitor asks again as soon as the last answer
// or refusal is in.
type crowd struct {
	vips, ordinary int
	vipPause       time.Duration // between a VIP's questions
	call           time.Duration
	span           time.Duration
}

type crowdResult struct {
	vipWaits, waits []time.Duration
	vipFailed       int
	shed            int
	served          []int // a visitor, ordinary only
}

func (c crowd) run(t *testing.T, g *Gate) crowdResult {
	var res crowdResult
	res.served = make([]int, c.ordinary)
	var mu sync.Mutex
	var wg sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	wg.Go(func() { g.Run(ctx) })
	ask := func(vip bool, i int) {
		r := rand.New(rand.NewPCG(uint64(i), 9))
		time.Sleep(time.Duration(r.Float64() * float64(c.call)))
		for end := time.Now().Add(c.span); time.Now().Before(end); {
			start := time.Now()
			l, err := g.Acquire(ctx, chat.Ask{Caller: chat.Caller{VIP: vip}, Tokens: 100})
			mu.Lock()
			wait := time.Since(start)
			switch {
			case err != nil && vip:
				res.vipFailed++
			case err != nil:
				res.shed++
			case vip:
				res.vipWaits = append(res.vipWaits, wait)
			default:
				res.waits = append(res.waits, wait)
				res.served[i]++
			}
			mu.Unlock()
			if err != nil {
				time.Sleep(c.call)
				continue
			}
			time.Sleep(time.Duration((0.5 + r.Float64()) * float64(c.call)))
			l.Done(chat.Outcome{Status: 200, Usage: chat.Usage{Prompt: 50, Completion: 50}, Total: c.call})
			if vip {
				time.Sleep(c.vipPause)
			}
		}
	}
	for i := range c.vips {
		wg.Go(func() { ask(true, i) })
	}
	var done sync.WaitGroup
	for i := range c.ordinary {
		done.Go(func() { ask(false, i) })
	}
	done.Wait()
	stop()
	wg.Wait()
	return res
}

func onePool(rpm float64) keypool.Config {
	return keypool.Config{Providers: []keypool.Provider{{Name: "up", BaseURL: "http://up/v1",
		Keys: []keypool.Key{{Name: "main", Secret: "s", RPM: rpm}}}}}
}

// TestVIPUnderOverload holds the promise for ten ordinary visitors per place,
// with the places and with the quota as what is scarce, with and without a
// reserved share.
func TestVIPUnderOverload(t *testing.T) {
	for _, c := range []struct {
		name   string
		places int
		rpm    float64
		share  float64
	}{
		{"places, share 0.3", 5, 0, 0.3},
		{"places, no share", 5, 0, 0},
		{"one place", 1, 0, 0.3},
		{"quota, share 0.3", 500, 120, 0.3},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate(t, Config{MaxInFlight: c.places, VIPShare: c.share}, onePool(c.rpm))
				places := min(c.places, 5)
				call := 800 * time.Millisecond
				res := crowd{vips: 2, vipPause: 2 * time.Second, ordinary: 10 * places, call: call, span: 3 * time.Minute}.run(t, g)
				hungry := 0
				for _, n := range res.served {
					if n == 0 {
						hungry++
					}
				}
				t.Logf("VIP %d served, %d failed, wait p50 %v p99 %v; ordinary %d served, %d refused, wait p50 %v p99 %v, %d of %d visitors never served",
					len(res.vipWaits), res.vipFailed, median(res.vipWaits).Round(time.Millisecond), quantile(res.vipWaits, .99).Round(time.Millisecond),
					len(res.waits), res.shed, median(res.waits).Round(time.Millisecond), quantile(res.waits, .99).Round(time.Millisecond), hungry, len(res.served))
				if m := median(res.vipWaits); m >= 2*call || len(res.vipWaits) == 0 {
					t.Errorf("a VIP's median wait is %v, want under %v", m, 2*call)
				}
				if res.vipFailed > 0 {
					t.Errorf("%d VIP calls failed", res.vipFailed)
				}
				// Who is refused at once asks again, and who gets in then is
				// chance; but nearly everybody must have got in sometime.
				if hungry*10 > len(res.served) || len(res.waits) == 0 {
					t.Errorf("%d of %d ordinary visitors were never served", hungry, len(res.served))
				}
			})
		})
	}
}

// TestVIPFloodDoesNotStarve: more VIPs than the places carry slow the ordinary
// visitors down but never stop them.
func TestVIPFloodDoesNotStarve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, Config{MaxInFlight: 4, VIPShare: 0.3}, onePool(0))
		res := crowd{vips: 20, ordinary: 8, call: 500 * time.Millisecond, span: 2 * time.Minute}.run(t, g)
		part := float64(len(res.waits)) / float64(len(res.waits)+len(res.vipWaits))
		t.Logf("VIP %d served, ordinary %d served (%.0f %%), wait p99 %v", len(res.vipWaits), len(res.waits), 100*part, quantile(res.waits, .99))
		if part < 0.08 || part > 0.5 {
			t.Errorf("ordinary visitors got %.2f of the service, want a small but steady part", part)
		}
	})
}
