// Package metrics counts what the appliance does: for Prometheus under the
// documented names, and for the owner's charts at five resolutions, with
// percentiles from histograms of its own and rollups that survive restarts.
//
// Recording never blocks and costs some atomic additions.
package metrics

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Config is what a Recorder needs. The zero value works: no rollups survive.
type Config struct {
	Now func() time.Time // nil: time.Now
	// Store keeps rollups; nil: none survive a restart.
	Store Store
	// Days is how long hourly rollups are kept; 0: 400. Minutes are kept for 2
	// days and ten-minute steps for 35 in any case.
	Days int
	// Log is told when the Store fails and when it works again; nil: nobody.
	Log *slog.Logger
	// OnTick is told the values of the second that ended, by series name; a
	// series without a value in it is absent. It must not block.
	OnTick func(at time.Time, values map[string]float64)
}

// Recorder takes what happens and answers questions about it. Its methods are
// safe for concurrent use.
type Recorder struct {
	cfg      Config
	registry *prometheus.Registry
	usage    func() (cpu, rss float64) // of the process; only the sampler asks
	charts   *charts
	now      func() time.Time

	gauges   gauges
	counters counters
	times    times

	mu      sync.Mutex
	keys    map[string]*keyCounters
	filters map[[2]string]*atomic.Uint64 // layer, action
	from    map[string]*atomic.Uint64
	queue   map[string]*queueClass
	probes  []probe
	taps    []func(at time.Time, values map[string]float64)
	sampler *sampler
	loaded  chan struct{} // closed when the charts of earlier runs are there
	failing bool          // the Store was when it was last asked; whoever saves owns it
}

// gauges hold present values. A gauge that was never set is a gap.
type gauges struct {
	connections, inflight                                atomic.Int64
	hot, coldPending, sqliteBytes, coldRatio, spendToday gauge
}

type counters struct {
	dials, merged, cacheHits, shipped atomic.Uint64
	saved                             money
}

type times struct {
	upstream, first, reply, added *timing
	words, patterns, review       *timing
}

// timing is a Prometheus histogram and the second that runs.
type timing struct {
	prom   prometheus.Histogram
	live   live
	recent *recent // of the filter's layers
}

func (t *timing) add(d time.Duration) {
	if t.prom != nil {
		t.prom.Observe(max(d, 0).Seconds())
	}
	t.live.add(d)
}

type queueClass struct {
	depth gauge
	wait  *timing
}

// New returns a Recorder. Run must be running for the charts to move.
func New(cfg Config) *Recorder {
	r := &Recorder{
		cfg: cfg, now: cfg.Now, registry: prometheus.NewRegistry(), usage: processUsage(), charts: newCharts(),
		keys: map[string]*keyCounters{}, filters: map[[2]string]*atomic.Uint64{},
		from: map[string]*atomic.Uint64{}, queue: map[string]*queueClass{},
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.cfg.Log == nil {
		r.cfg.Log = slog.New(slog.DiscardHandler)
	}
	if r.loaded = make(chan struct{}); cfg.Store == nil {
		close(r.loaded)
	}
	r.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	r.times = times{
		upstream: r.timing("haoke_upstream_seconds", "Time of upstream calls, request to last byte."),
		first:    r.timing("haoke_first_token_seconds", "Time from a turn's start to the first piece of its answer."),
		reply:    r.timing("haoke_reply_seconds", "Time from a turn's start to the end of its answer."),
		added:    r.timing("haoke_added_seconds", "Reply time less the upstream's own."),
		words:    &timing{recent: &recent{}}, patterns: &timing{recent: &recent{}}, review: &timing{recent: &recent{}},
	}
	for _, class := range []string{"vip", "ordinary", "background"} {
		r.queue[class] = &queueClass{wait: &timing{prom: r.histogram("haoke_queue_seconds", "Time until a lease was granted.", prometheus.Labels{"class": class})}}
	}
	for _, f := range []string{"visitor", "ai", "operator", "system"} {
		r.from[f] = &atomic.Uint64{}
	}
	r.registry.MustRegister(collector{r})
	r.sampler = newSampler(r)
	return r
}

func (r *Recorder) timing(name, help string) *timing {
	return &timing{prom: r.histogram(name, help, nil)}
}

// histogram registers one with buckets from 100 µs to 100 s.
func (r *Recorder) histogram(name, help string, labels prometheus.Labels) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: name, Help: help, ConstLabels: labels,
		Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 25, 50, 100},
	})
	r.registry.MustRegister(h)
	return h
}

// ConnOpened counts a visitor's socket in.
func (r *Recorder) ConnOpened() { r.gauges.connections.Add(1) }

// ConnClosed counts it out.
func (r *Recorder) ConnClosed() { r.gauges.connections.Add(-1) }

// Message counts a durable message by its author: visitor, ai, operator or
// system; others count as system.
func (r *Recorder) Message(from string) {
	c := r.from[from] // never written after New
	if c == nil {
		c = r.from["system"]
	}
	c.Add(1)
}

// UpstreamStarted counts a call in flight in.
func (r *Recorder) UpstreamStarted() { r.gauges.inflight.Add(1) }

// UpstreamDone counts it out.
func (r *Recorder) UpstreamDone() { r.gauges.inflight.Add(-1) }

// UpstreamRequest counts a finished attempt by the key's name and its code: an
// HTTP status, or a word such as "timeout" where there was none.
func (r *Recorder) UpstreamRequest(key, code string) { r.key(key).request(code) }

// UpstreamDial counts a new connection to the upstream.
func (r *Recorder) UpstreamDial() { r.counters.dials.Add(1) }

// UpstreamTime records the upstream's own time of a call.
func (r *Recorder) UpstreamTime(d time.Duration) { r.times.upstream.add(d) }

// FirstToken records the time from a turn's start to its first piece.
func (r *Recorder) FirstToken(d time.Duration) { r.times.first.add(d) }

// Reply records the time from a turn's start to the end of its answer.
func (r *Recorder) Reply(d time.Duration) { r.times.reply.add(d) }

// Added records reply time less the upstream's own.
func (r *Recorder) Added(d time.Duration) { r.times.added.add(d) }

// Merged counts a call that shared another's stream.
func (r *Recorder) Merged() { r.counters.merged.Add(1) }

// CacheHit counts an answer from the cache.
func (r *Recorder) CacheHit() { r.counters.cacheHits.Add(1) }

// Saved adds money that merging and the cache saved.
func (r *Recorder) Saved(amount float64) { r.counters.saved.add(amount) }

// FilterHit counts a hit by layer (words, patterns, review) and action.
func (r *Recorder) FilterHit(layer, action string) {
	k := [2]string{bounded(layer), bounded(action)}
	r.mu.Lock()
	c := r.filters[k]
	if c == nil {
		if len(r.filters) >= 64 {
			k = [2]string{"other", "other"}
		}
		if c = r.filters[k]; c == nil {
			c = &atomic.Uint64{}
			r.filters[k] = c
		}
	}
	r.mu.Unlock()
	c.Add(1)
}

// FilterTime records how long a layer took: words, patterns or review.
func (r *Recorder) FilterTime(layer string, d time.Duration) {
	switch layer {
	case "words":
		r.times.words.add(d)
	case "patterns":
		r.times.patterns.add(d)
	case "review":
		r.times.review.add(d)
	}
}

// QueueDepth sets how many calls of a class wait: vip, ordinary or background.
func (r *Recorder) QueueDepth(class string, n int) {
	if q := r.queue[class]; q != nil {
		q.depth.set(float64(n))
	}
}

// QueueWait records how long a call of a class waited for its lease.
func (r *Recorder) QueueWait(class string, d time.Duration) {
	if q := r.queue[class]; q != nil {
		q.wait.add(d)
	}
}

// AdmitRate sets what a key's bucket now allows, in calls a second.
func (r *Recorder) AdmitRate(key string, perSecond float64) { r.key(key).rate.set(perSecond) }

// SessionsHot sets the number of conversations in memory.
func (r *Recorder) SessionsHot(n int) { r.gauges.hot.set(float64(n)) }

// ColdPending sets the number of sealed conversations not shipped yet.
func (r *Recorder) ColdPending(n int) { r.gauges.coldPending.set(float64(n)) }

// ColdShipped counts shipped conversations.
func (r *Recorder) ColdShipped(n int) { r.counters.shipped.Add(uint64(max(n, 0))) }

// ColdRatio sets raw bytes over stored bytes of the archive.
func (r *Recorder) ColdRatio(v float64) { r.gauges.coldRatio.set(v) }

// SQLiteBytes sets the size of the database on disk.
func (r *Recorder) SQLiteBytes(n int64) { r.gauges.sqliteBytes.set(float64(n)) }

// Tokens counts tokens of a key by kind: prompt, cached or completion.
func (r *Recorder) Tokens(key, kind string, n int) { r.key(key).token(kind, n) }

// Spend adds what a call with a key has cost.
func (r *Recorder) Spend(key string, amount float64) { r.key(key).spend.add(amount) }

// SpendToday sets the day's sum of money.
func (r *Recorder) SpendToday(amount float64) { r.gauges.spendToday.set(amount) }

// probe is a gauge that is asked rather than told.
type probe struct {
	set func(float64)
	ask func() float64
}

// Watch asks for a gauge's value once a second in place of its setter. name is
// a series: sessions_hot, cold_pending, cold_ratio, sqlite_bytes, spend_today
// or queue_CLASS. It reports whether there is such a gauge.
func (r *Recorder) Watch(name string, ask func() float64) bool {
	set := map[string]func(float64){
		"sessions_hot": r.gauges.hot.set, "cold_pending": r.gauges.coldPending.set, "cold_ratio": r.gauges.coldRatio.set,
		"sqlite_bytes": r.gauges.sqliteBytes.set, "spend_today": r.gauges.spendToday.set,
		"queue_vip": r.queue["vip"].depth.set, "queue_ordinary": r.queue["ordinary"].depth.set, "queue_background": r.queue["background"].depth.set,
	}[name]
	if set == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.probes = append(r.probes, probe{set, ask})
	return true
}

// Connections returns the visitors' sockets open now.
func (r *Recorder) Connections() int { return int(r.gauges.connections.Load()) }
