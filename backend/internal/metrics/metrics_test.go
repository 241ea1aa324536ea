package metrics

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

// The names that the outside relies on, with their labels.
var documented = []string{
	"haoke_connections", `haoke_messages_total{from="visitor"}`, `haoke_upstream_requests_total{code="200",key="main"}`,
	"haoke_upstream_dials_total", "haoke_upstream_inflight", "haoke_upstream_seconds_count", "haoke_first_token_seconds_count",
	"haoke_reply_seconds_count", "haoke_added_seconds_count", "haoke_merged_total", "haoke_cache_hits_total",
	`haoke_filter_hits_total{action="mask",layer="words"}`, `haoke_queue_depth{class="vip"}`, `haoke_queue_seconds_count{class="ordinary"}`,
	`haoke_admit_rate{key="main"}`, "haoke_sessions_hot", "haoke_cold_pending", "haoke_cold_shipped_total",
	`haoke_tokens_total{key="main",kind="completion"}`, `haoke_spend_total{key="main"}`, "process_cpu_seconds_total", "go_goroutines",
}

// everything records one of each.
func everything(r *Recorder) {
	r.ConnOpened()
	r.Message("visitor")
	r.Message("ai")
	r.UpstreamStarted()
	r.UpstreamRequest("main", "200")
	r.UpstreamDial()
	r.UpstreamTime(80 * time.Millisecond)
	r.FirstToken(20 * time.Millisecond)
	r.Reply(100 * time.Millisecond)
	r.Added(2 * time.Millisecond)
	r.Merged()
	r.CacheHit()
	r.Saved(0.5)
	r.FilterHit("words", "mask")
	r.FilterTime("words", 3*time.Microsecond)
	r.FilterTime("patterns", 3*time.Microsecond)
	r.FilterTime("review", 300*time.Millisecond)
	for _, class := range []string{"vip", "ordinary", "background"} {
		r.QueueDepth(class, 3)
		r.QueueWait(class, time.Millisecond)
	}
	r.AdmitRate("main", 8)
	r.SessionsHot(5)
	r.ColdPending(6)
	r.ColdShipped(1)
	r.ColdRatio(23)
	r.SQLiteBytes(4096)
	r.Tokens("main", "prompt", 100)
	r.Tokens("main", "completion", 50)
	r.Spend("main", 0.25)
	r.SpendToday(1.5)
}

func scrape(t *testing.T, r *Recorder) string {
	t.Helper()
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	body, err := io.ReadAll(w.Body)
	if err != nil || w.Code != 200 {
		t.Fatalf("status %d, %v: %s", w.Code, err, body)
	}
	return string(body)
}

func TestDocumentedNames(t *testing.T) {
	r := New(Config{})
	everything(r)
	page := scrape(t, r)
	for _, name := range documented {
		if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` [0-9.e+-]+$`).MatchString(page) {
			t.Errorf("no line %s", name)
		}
	}
	for line := range strings.SplitSeq(page, "\n") {
		if strings.HasPrefix(line, "haoke_spend_total") && line != `haoke_spend_total{key="main"} 0.25` {
			t.Errorf("spend: %s", line)
		}
	}
	// a scrape before anything happened is valid too
	if p := scrape(t, New(Config{})); !strings.Contains(p, "haoke_connections 0") || strings.Contains(p, "NaN") {
		t.Error("an unused recorder gives no clean page")
	}
}

// step drives the sampler by hand, one second at a time.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }
func (c *clock) tick(r *Recorder) {
	c.at = c.at.Add(time.Second)
	r.sampler.tick(c.at)
}

func newClock() *clock { return &clock{time.Unix(1_800_000_000, 0)} }

func values(t *testing.T, r *Recorder, name string, from, to time.Time, step time.Duration) []float64 {
	t.Helper()
	c, err := r.Query([]string{name}, from, to, step)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Lines) != 1 || len(c.Lines[0].Values) != len(c.T) {
		t.Fatalf("lines are not aligned: %+v", c)
	}
	return c.Lines[0].Values
}

func TestEverySeriesIsKnown(t *testing.T) {
	c := newClock()
	ticks := map[string]float64{}
	r := New(Config{Now: c.now, OnTick: func(_ time.Time, v map[string]float64) { ticks = v }})
	everything(r)
	c.tick(r)
	c.tick(r)
	for _, s := range r.Series() {
		unit, b, ok := kindOf(s.Name)
		if line := r.charts.byName[s.Name]; !ok || unit != s.Unit || b != line.blend {
			t.Errorf("%s: stored points would be read as %s/%d, not as %s/%d", s.Name, unit, b, s.Unit, line.blend)
		}
	}
	for _, name := range []string{"connections", "messages_in", "messages_out", "queue_vip", "upstream_2xx", "upstream_429:main", "admit_rate:main", "memory", "cpu", "spend_today", "sqlite_bytes", "cold_ratio"} {
		if _, ok := ticks[name]; !ok {
			t.Errorf("the tick lacks %s", name)
		}
	}
	if _, ok := ticks["reply_p95"]; ok {
		t.Error("a second without replies has a percentile")
	}
}

func TestCountersBecomeRates(t *testing.T) {
	c := newClock()
	r := New(Config{Now: c.now})
	start := c.at
	for i := range 30 {
		if i >= 10 && i < 20 {
			for range 5 {
				r.Message("visitor")
				r.UpstreamRequest("main", "200")
			}
			r.Spend("main", 0.01)
		}
		c.tick(r)
	}
	if got := values(t, r, "messages_in", start, c.at, time.Second); got[5] != 0 || got[15] != 5 || got[25] != 0 {
		t.Errorf("messages a second: %v", got)
	}
	if got := values(t, r, "upstream_2xx", start, c.at, time.Second); got[15] != 300 {
		t.Errorf("calls a minute: %v", got)
	}
	if got := values(t, r, "messages_in", start, c.at, 10*time.Second); len(got) != 3 || got[1] != 5 {
		t.Errorf("messages a second in ten-second steps: %v", got)
	}
	if got := values(t, r, "spend", start, c.at, 10*time.Second); math.Abs(got[1]-0.1) > 1e-6 {
		t.Errorf("money a step: %v", got)
	}
}

func TestGapsStayGaps(t *testing.T) {
	c := newClock()
	r := New(Config{Now: c.now})
	start := c.at
	for range 10 {
		c.tick(r)
	}
	c.at = c.at.Add(20 * time.Second) // asleep
	for range 10 {
		c.tick(r)
	}
	got := values(t, r, "connections", start, c.at, time.Second)
	for i, v := range got {
		if asleep := i >= 10 && i < 30; math.IsNaN(v) != asleep {
			t.Errorf("second %d: %v", i, v)
		}
	}
	if got := values(t, r, "connections", start.Add(-time.Minute), start, time.Second); !math.IsNaN(got[0]) || !math.IsNaN(got[59]) {
		t.Error("before the start there is something")
	}
}

func TestPercentiles(t *testing.T) {
	c := newClock()
	r := New(Config{Now: c.now})
	start := c.at
	rng := rand.New(rand.NewPCG(1, 2))
	var all []float64
	for range 70 {
		for range 50 {
			d := time.Duration(math.Exp(rng.NormFloat64()+3) * float64(time.Millisecond))
			all = append(all, d.Seconds())
			r.Reply(d)
		}
		c.tick(r)
	}
	slices.Sort(all[:60*50])
	minute := values(t, r, "reply_p95", start, start.Add(time.Minute), time.Minute)
	want := all[:60*50][int(0.95*60*50)]
	if len(minute) != 1 || math.Abs(minute[0]-want)/want > 0.05 {
		t.Errorf("p95 of the minute = %v, want about %.4f", minute, want)
	}
}

func TestHistogramErrorIsBounded(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	last := -1
	for us := uint64(0); us < 5000; us++ {
		if b := bucketOf(us); b < last || b > last+1 {
			t.Fatalf("buckets are not in order at %d: %d after %d", us, b, last)
		} else {
			last = b
		}
	}
	for range 20000 {
		us := rng.Uint64N(1 << (1 + rng.UintN(31)))
		if got := middleOf(bucketOf(us)); us >= subCount && math.Abs(got-float64(us))/float64(us) > 0.0323 {
			t.Fatalf("%d became %f", us, got)
		}
	}
	if b := bucketOf(math.MaxUint64); b != numBuckets-1 {
		t.Errorf("the longest falls into %d of %d", b, numBuckets)
	}
	var l live
	l.add(-time.Second)
	l.add(100 * time.Hour)
	var h histogram
	l.drain(&h)
	if h.total != 2 || h.quantile(0) != 0 {
		t.Errorf("total %d, least %f", h.total, h.quantile(0))
	}
}

// memory is a Store that can fail.
type memory struct {
	mu     sync.Mutex
	points map[Point]float64 // by what makes them unique, that is with value 0
	fail   bool
}

func (m *memory) SavePoints(_ context.Context, ps []Point) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail {
		return errors.New("disk full")
	}
	for _, p := range ps {
		m.points[Point{p.Series, p.Step, p.At, 0}] = p.Value
	}
	return nil
}

func (m *memory) LoadPoints(_ context.Context, step, from int64, each func(Point)) error {
	for p, v := range m.points {
		if p.Step == step && p.At >= from {
			p.Value = v
			each(p)
		}
	}
	return nil
}

func (m *memory) DropPoints(_ context.Context, step, before int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for p := range m.points {
		if p.Step == step && p.At < before {
			delete(m.points, p)
		}
	}
	return nil
}

func TestRollupsSurviveARestart(t *testing.T) {
	store := &memory{points: map[Point]float64{}}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		first := New(Config{Store: store})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- first.Run(ctx) }()
		for range 30 * 60 {
			first.Message("visitor")
			time.Sleep(time.Second)
		}
		store.mu.Lock()
		store.fail = true // for ten minutes nothing can be saved
		store.mu.Unlock()
		time.Sleep(10 * time.Minute)
		store.mu.Lock()
		store.fail = false
		store.mu.Unlock()
		time.Sleep(2 * time.Minute)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}

		time.Sleep(5 * time.Minute) // down
		second := New(Config{Store: store})
		ctx2, cancel2 := context.WithCancel(t.Context())
		go func() { done <- second.Run(ctx2) }()
		time.Sleep(3 * time.Minute)
		got := values(t, second, "messages_in", start, time.Now(), time.Minute)
		if len(got) < 48 {
			t.Fatalf("%d minutes", len(got))
		}
		for i := 1; i < 29; i++ {
			if math.Abs(got[i]-1) > 0.04 {
				t.Errorf("minute %d: %v a second, want 1", i, got[i])
			}
		}
		for i := 31; i < 40; i++ {
			if got[i] != 0 {
				t.Errorf("minute %d, while the store failed: %v, want 0", i, got[i])
			}
		}
		if !math.IsNaN(got[44]) || !math.IsNaN(got[45]) {
			t.Errorf("while down: %v, want gaps", got[42:47])
		}
		cancel2()
		<-done
	})
}

func TestQueryBounds(t *testing.T) {
	c := newClock()
	r := New(Config{Now: c.now})
	c.tick(r)
	if _, err := r.Query([]string{"no_such"}, c.at.Add(-time.Minute), c.at, 0); !errors.Is(err, ErrSeries) {
		t.Errorf("unknown series: %v", err)
	}
	if _, err := r.Query([]string{"connections"}, c.at, c.at.Add(-time.Minute), 0); err == nil {
		t.Error("a span that ends before it begins is taken")
	}
	for _, span := range []time.Duration{time.Minute, 15 * time.Minute, time.Hour, 24 * time.Hour, 30 * 24 * time.Hour, 399 * 24 * time.Hour} {
		got, err := r.Query([]string{"connections"}, c.at.Add(-span), c.at, 0)
		if err != nil || len(got.T) > 402 {
			t.Errorf("%s: %d points, %v", span, len(got.T), err)
		}
		fine, err := r.Query([]string{"connections"}, c.at.Add(-span), c.at, time.Second)
		if err != nil || len(fine.T) > maxPoints+2 {
			t.Errorf("%s in seconds: %d points, %v", span, len(fine.T), err)
		}
	}
}

func TestLabelsAreBounded(t *testing.T) {
	c := newClock()
	r := New(Config{Now: c.now})
	for i := range 5000 {
		name := strings.Repeat("x", i%200) + string(rune('a'+i%26)) + "\xff" + time.Duration(i).String()
		r.UpstreamRequest(name, name)
		r.UpstreamRequest("main", name)
		r.FilterHit(name, name)
		r.Tokens(name, "prompt", 1)
	}
	c.tick(r)
	if n := len(r.keysNow()); n > maxKeys+1 {
		t.Errorf("%d keys", n)
	}
	if n := len(r.key("main").codes); n > maxCodes+1 {
		t.Errorf("%d codes", n)
	}
	if n := len(r.Series()); n > maxSeries {
		t.Errorf("%d series", n)
	}
	scrape(t, r)
}

func TestConcurrentRecording(t *testing.T) {
	defer goleak.VerifyNone(t)
	r := New(Config{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				everything(r)
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			scrape(t, r)
			r.Series()
		}
	})
	wg.Wait()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	page := scrape(t, r)
	for _, want := range []string{`haoke_messages_total{from="visitor"} 4000`, `haoke_spend_total{key="main"} 1000`, "haoke_reply_seconds_count 4000"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	r := New(Config{})
	b.Run("reply", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.Reply(123 * time.Millisecond)
		}
	})
	b.Run("message", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.Message("visitor")
		}
	})
	b.Run("request", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.UpstreamRequest("main", "200")
		}
	})
}

func BenchmarkTick(b *testing.B) {
	c := newClock()
	r := New(Config{Now: c.now})
	everything(r)
	b.ReportAllocs()
	for b.Loop() {
		c.tick(r)
	}
}
