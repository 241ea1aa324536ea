package admit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/keypool"
)

// quota is an upstream with a limit a minute, in one of the ways providers
// count. Refused calls use it up as well, as OpenAI documents.
type quota struct {
	mu      sync.Mutex
	rpm     float64
	burst   float64 // > 0: a bucket of this size; 0: a fixed minute of the clock
	headers bool    // tell x-ratelimit-*
	after   bool    // tell Retry-After
	level   float64
	at      time.Time
	used    float64
	ok, no  int
}

func (q *quota) call() (int, http.Header) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	h := http.Header{}
	var pass bool
	var wait time.Duration
	if q.burst > 0 {
		if q.at.IsZero() {
			q.level, q.at = q.burst, now
		}
		q.level = min(q.burst, q.level+now.Sub(q.at).Seconds()*q.rpm/60)
		q.at = now
		if pass = q.level >= 1; pass {
			q.level--
		} else {
			q.level = max(-q.burst, q.level-1)
			wait = time.Duration((1 - q.level) / q.rpm * 60 * float64(time.Second))
		}
	} else {
		if m := now.Truncate(time.Minute); !m.Equal(q.at) {
			q.at, q.used = m, 0
		}
		q.used++
		pass = q.used <= q.rpm
		wait = q.at.Add(time.Minute).Sub(now)
	}
	if q.headers {
		left := q.rpm - q.used
		if q.burst > 0 {
			left = q.level
		}
		h.Set("x-ratelimit-limit-requests", fmt.Sprint(q.rpm))
		h.Set("x-ratelimit-remaining-requests", strconv.Itoa(int(max(left, 0))))
	}
	if pass {
		q.ok++
		return 200, h
	}
	q.no++
	if q.after {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	return 429, h
}

// traffic is an open stream of visitors against one quota in virtual time.
type traffic struct {
	q        *quota
	second   *quota  // of a second key, if one
	load     float64 // of the quota
	vipEvery int
	warm     time.Duration // not counted
	span     time.Duration
	rpm      float64 // told to the pool; 0: to be learned
	jitter   float64 // of the way to the upstream, seconds
	service  time.Duration
	seed     uint64
}

type outcome struct {
	offered, answered, shed, refused int
	vips, vipAnswered                int
	waits, vipWaits                  []time.Duration
	used, refusedShare               float64 // of the quota; of the calls
}

// run plays the traffic and counts what happened after the warm-up.
func (tr traffic) run(t *testing.T) (out outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		pl := tr.open(t, ctx)
		pl.visitors.Go(func() { pl.gate.Run(ctx) })
		r := rand.New(rand.NewPCG(tr.seed, 2))
		rate := tr.load * pl.whole / 60
		begin := time.Now()
		var ok0, no0 int
		measuring := false
		for i := 0; time.Since(begin) < tr.warm+tr.span; i++ {
			if !measuring && time.Since(begin) >= tr.warm {
				measuring = true
				ok0, no0 = pl.counts()
			}
			v := visit{vip: tr.vipEvery > 0 && i%tr.vipEvery == 0, counted: measuring,
				way: time.Duration(r.Float64() * tr.jitter * float64(time.Second))}
			pl.arrive(v)
			time.Sleep(time.Duration(r.ExpFloat64() / rate * float64(time.Second)))
		}
		ok, no := pl.counts()
		stop()
		pl.visitors.Wait()
		out = pl.out
		ok, out.refused = ok-ok0, no-no0
		out.used = float64(ok) / (pl.whole * tr.span.Minutes())
		out.refusedShare = float64(out.refused) / float64(max(ok+out.refused, 1))
	})
	return out
}

// play is a traffic under way.
type play struct {
	traffic
	ctx      context.Context
	gate     *Gate
	quotas   map[string]*quota // by key
	whole    float64           // of all quotas, a minute
	visitors sync.WaitGroup
	mu       sync.Mutex
	out      outcome
}

// visit is one visitor's question.
type visit struct {
	vip, counted bool
	way          time.Duration // to the upstream
}

func (tr traffic) open(t *testing.T, ctx context.Context) *play {
	pl := &play{traffic: tr, ctx: ctx, quotas: map[string]*quota{"main": tr.q}, whole: tr.q.rpm}
	up := keypool.Provider{Name: "up", BaseURL: "http://up/v1", Keys: []keypool.Key{{Name: "main", Secret: "s", RPM: tr.rpm}}}
	if tr.second != nil {
		up.Keys = append(up.Keys, keypool.Key{Name: "second", Secret: "t"})
		pl.quotas["second"] = tr.second
		pl.whole += tr.second.rpm
	}
	pl.gate = newGate(t, Config{VIPShare: 0.3}, keypool.Config{Jitter: rand.New(rand.NewPCG(tr.seed, 3)).Float64,
		Providers: []keypool.Provider{up}})
	return pl
}

// counts are the calls that all quotas let pass and refused so far.
func (pl *play) counts() (ok, no int) {
	for _, q := range pl.quotas {
		q.mu.Lock()
		ok, no = ok+q.ok, no+q.no
		q.mu.Unlock()
	}
	return ok, no
}

func (pl *play) arrive(v visit) {
	if v.counted {
		pl.out.offered++
		if v.vip {
			pl.out.vips++
		}
	}
	pl.visitors.Go(func() { pl.turn(v) })
}

// turn is a visitor's turn as the caller of the upstream takes it: another key
// first after a refusal, a pause where there is no other.
func (pl *play) turn(v visit) {
	start := time.Now()
	ask := chat.Ask{Caller: chat.Caller{VIP: v.vip, Deadline: start.Add(15 * time.Second)}, Tokens: 500, PromptTokens: 200}
	for try := 0; try < 3; try++ {
		l, err := pl.gate.Acquire(pl.ctx, ask)
		if chat.FaultOf(err) == chat.FaultNoKey {
			time.Sleep(time.Duration(rand.Float64() * float64(200*time.Millisecond)))
			ask.NotKeys = nil
			try--
			continue
		}
		if err != nil {
			pl.note(func(o *outcome) { o.shed++ }, v.counted)
			return
		}
		wait := time.Since(start)
		time.Sleep(v.way)
		key := l.Target().Key
		status, h := pl.quotas[key].call()
		if status == 429 {
			time.Sleep(20 * time.Millisecond)
			l.Done(chat.Outcome{Status: status, Header: h, Err: errors.New("429"), Fault: chat.FaultRate})
			ask.NotKeys = append(ask.NotKeys, key)
			continue
		}
		time.Sleep(pl.service)
		l.Done(chat.Outcome{Status: status, Header: h, Usage: chat.Usage{Prompt: 200, Completion: 100},
			Total: pl.service, FirstToken: pl.service / 2})
		pl.note(func(o *outcome) {
			o.answered++
			o.waits = append(o.waits, wait)
			if v.vip {
				o.vipAnswered++
				o.vipWaits = append(o.vipWaits, wait)
			}
		}, v.counted)
		return
	}
}

func (pl *play) note(f func(*outcome), counted bool) {
	if !counted {
		return
	}
	pl.mu.Lock()
	defer pl.mu.Unlock()
	f(&pl.out)
}

func median(d []time.Duration) time.Duration { return quantile(d, 0.5) }

func quantile(d []time.Duration, p float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[min(len(d)-1, int(p*float64(len(d))))]
}

func newGate(t testing.TB, cfg Config, pool keypool.Config) *Gate {
	t.Helper()
	p, err := keypool.New(pool, nil)
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(cfg, p, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestTwoKeys: a known and an unknown quota together are used as well as each
// alone, and a refusal of one is answered by the other.
func TestTwoKeys(t *testing.T) {
	o := traffic{load: 1.5, vipEvery: 10, warm: 2 * time.Minute, span: 5 * time.Minute, service: 800 * time.Millisecond, jitter: 0.1, seed: 1,
		q: &quota{rpm: 600, burst: 10, after: true}, rpm: 600, second: &quota{rpm: 300, burst: 10, after: true}}.run(t)
	t.Logf("used %.1f %%, refused %d (%.2f %%), VIP %d of %d", 100*o.used, o.refused, 100*o.refusedShare, o.vipAnswered, o.vips)
	if o.used < 0.93 || o.refusedShare > 0.05 || o.vipAnswered < o.vips*99/100 {
		t.Error("two keys are used worse than one")
	}
}

// TestQuotaUse is the promise of pacing: a quota is used almost whole at one
// and a half times the load that it carries, without a refusal where it is
// known and with few where it has to be found by trial.
func TestQuotaUse(t *testing.T) {
	base := traffic{load: 1.5, vipEvery: 10, warm: 2 * time.Minute, span: 6 * time.Minute, service: 800 * time.Millisecond, jitter: 0.1, seed: 1}
	for _, c := range []struct {
		name  string
		q     *quota
		rpm   float64
		use   float64 // at least
		share float64 // of refusals, at most
	}{
		{"known, bucket of 10", &quota{rpm: 800, burst: 10, after: true}, 800, 0.99, 0},
		{"known, clock's minute", &quota{rpm: 800, after: true}, 800, 0.99, 0},
		{"known, small", &quota{rpm: 60, after: true}, 60, 0.97, 0},
		{"learned from headers", &quota{rpm: 800, burst: 800, headers: true, after: true}, 0, 0.97, 0},
		{"known, with headers, bucket of 10", &quota{rpm: 800, burst: 10, headers: true, after: true}, 800, 0.97, 0},
		{"learned from headers, bucket of 10", &quota{rpm: 800, burst: 10, headers: true, after: true}, 0, 0.97, 0.01},
		{"unknown, bucket of 10, Retry-After", &quota{rpm: 800, burst: 10, after: true}, 0, 0.90, 0.05},
		{"unknown, bucket of 10, silent", &quota{rpm: 800, burst: 10}, 0, 0.90, 0.05},
		{"unknown, bucket of 60", &quota{rpm: 800, burst: 60}, 0, 0.90, 0.05},
		{"unknown, clock's minute", &quota{rpm: 800, after: true}, 0, 0.90, 0.05},
		{"unknown, clock's minute, silent", &quota{rpm: 800}, 0, 0.90, 0.05},
		{"unknown, small", &quota{rpm: 60, burst: 5}, 0, 0.90, 0.05},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := base
			tr.q, tr.rpm = c.q, c.rpm
			o := tr.run(t)
			t.Logf("%-36s used %5.1f %%, refused %4d (%.2f %%), offered %d answered %d shed %d, wait p50 %v p99 %v, VIP answered %d/%d wait p50 %v p99 %v",
				c.name, 100*o.used, o.refused, 100*o.refusedShare, o.offered, o.answered, o.shed,
				median(o.waits).Round(time.Millisecond), quantile(o.waits, .99).Round(time.Millisecond),
				o.vipAnswered, o.vips, median(o.vipWaits).Round(time.Millisecond), quantile(o.vipWaits, .99).Round(time.Millisecond))
			if o.used < c.use {
				t.Errorf("used %.3f of the quota, want at least %.3f", o.used, c.use)
			}
			if o.refusedShare > c.share {
				t.Errorf("%.3f of the calls were refused, want at most %.3f", o.refusedShare, c.share)
			}
		})
	}
}
