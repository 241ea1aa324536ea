package metrics

import (
	"math"
	"strings"
	"time"
)

// sampler turns the Recorder's counters into series, once a second. It belongs
// to one goroutine, that of Run.
type sampler struct {
	r       *Recorder
	last    int64 // second of the latest tick; 0: none yet
	totals  map[string]float64
	acc     []map[string]*blended // running step of each tier but the first
	before  []map[string]*blended // ... what an earlier run knew of its distributions
	dists   []*dist
	values  map[string]float64
	cpuLast float64
	cpuAt   time.Time
}

// dist is a distribution with its three series.
type dist struct {
	t      *timing
	names  [3]string // p50, p95, p99; "": not charted
	second histogram
	tiers  []histogram // running step of each tier but the first
}

var quantiles = [3]float64{0.50, 0.95, 0.99}

func newSampler(r *Recorder) *sampler {
	s := &sampler{r: r, totals: map[string]float64{}}
	for range tiers[1:] {
		s.acc = append(s.acc, map[string]*blended{})
		s.before = append(s.before, map[string]*blended{})
	}
	for _, d := range []struct {
		t     *timing
		names [3]string
	}{
		{r.times.first, [3]string{"first_token_p50", "first_token_p95", "first_token_p99"}},
		{r.times.reply, [3]string{"reply_p50", "reply_p95", "reply_p99"}},
		{r.times.added, [3]string{"added_p50", "added_p95", "added_p99"}},
		{r.times.upstream, [3]string{"upstream_p50", "upstream_p95", "upstream_p99"}},
		{r.queue["vip"].wait, [3]string{"", "queue_seconds_vip", ""}},
		{r.queue["ordinary"].wait, [3]string{"", "queue_seconds_ordinary", ""}},
		{r.queue["background"].wait, [3]string{"", "queue_seconds_background", ""}},
		{r.times.words, [3]string{"", "filter_seconds_words", ""}},
		{r.times.patterns, [3]string{"", "filter_seconds_patterns", ""}},
		{r.times.review, [3]string{"", "filter_seconds_review", ""}},
	} {
		s.dists = append(s.dists, &dist{t: d.t, names: d.names, tiers: make([]histogram, len(tiers)-1)})
	}
	return s
}

// tick ends the second before now and, where they end too, the longer steps.
// It reports whether one ended that the Store is to have.
func (s *sampler) tick(now time.Time) (finished bool) {
	at := now.Unix() - 1
	if at <= s.last {
		if at > s.last-5 {
			return false // two ticks within a second: it goes into the next
		}
		s.restart() // the clock went back
	}
	finished = s.close(at) // of steps whose last second was slept through
	s.values = map[string]float64{}
	c := s.r.charts
	c.mu.Lock()
	s.counters(at)
	s.present(at, now)
	for _, d := range s.dists {
		s.distribution(d, at)
	}
	c.mu.Unlock()
	s.last = at
	finished = s.close(at+1) || finished
	s.r.tell(time.Unix(at, 0), s.values)
	return finished
}

// close finishes the longer steps that ended at a time or before. It reports
// whether one of them is to be stored.
func (s *sampler) close(at int64) (stored bool) {
	if s.last == 0 {
		return false
	}
	c := s.r.charts
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range s.acc {
		step := tiers[i+1].step
		begin := s.last - s.last%step
		if at >= begin+step {
			s.finishLocked(i, begin)
			stored = stored || tiers[i+1].stored
		}
	}
	return stored
}

// finishLocked writes a step of a tier, as far as it has samples, and begins
// anew. A step that an earlier run began is joined with what that run knew.
func (s *sampler) finishLocked(i int, begin int64) {
	c := s.r.charts
	for name, b := range s.acc[i] {
		c.put(c.byName[name], i+1, begin, b.value())
	}
	for _, d := range s.dists {
		for q, name := range d.names {
			line := c.byName[name]
			if line == nil {
				continue
			}
			b := blended{kind: line.blend}
			if before := s.before[i][name]; before != nil {
				b = *before
			}
			b.add(d.tiers[i].quantile(quantiles[q]))
			c.put(line, i+1, begin, b.value())
		}
		d.tiers[i].reset()
	}
	clear(s.acc[i])
	clear(s.before[i])
}

// part writes the running minute as far as it goes, before the end: the next
// run joins its own part to it. The longer steps are put together again from
// their minutes.
func (s *sampler) part() {
	if s.last == 0 {
		return
	}
	s.r.charts.mu.Lock()
	defer s.r.charts.mu.Unlock()
	if (s.last+1)%tiers[minutes].step != 0 { // else it is finished
		s.finishLocked(minutes-1, s.last-s.last%tiers[minutes].step)
	}
}

// restart drops the running steps.
func (s *sampler) restart() {
	for i := range s.acc {
		clear(s.acc[i])
		clear(s.before[i])
		for _, d := range s.dists {
			d.tiers[i].reset()
		}
	}
	s.last = 0
}

// value writes one second of a series and adds it to the longer steps.
func (s *sampler) value(name string, unit Unit, b blend, at int64, v float64) {
	if math.IsNaN(v) {
		return
	}
	line := s.r.charts.line(name, unit, b)
	if line == nil {
		return
	}
	s.r.charts.put(line, 0, at, v)
	s.values[name] = line.scale(v, 1)
	for i := range s.acc {
		a := s.acc[i][name]
		if a == nil {
			a = &blended{kind: b}
			s.acc[i][name] = a
		}
		a.add(v)
	}
}

// total turns a running total into the second's count.
func (s *sampler) total(name string, unit Unit, at int64, total float64) {
	before, known := s.totals[name]
	s.totals[name] = total
	if !known {
		before = 0 // counters begin at 0 with the process
	}
	s.value(name, unit, sum, at, max(0, total-before))
}

func (s *sampler) counters(at int64) {
	r := s.r
	s.total("messages_in", PerSecond, at, float64(r.from["visitor"].Load()))
	s.total("messages_out", PerSecond, at, float64(r.from["ai"].Load()))
	s.total("merged", PerMinute, at, float64(r.counters.merged.Load()))
	s.total("cache_hits", PerMinute, at, float64(r.counters.cacheHits.Load()))
	s.total("saved_money", Money, at, r.counters.saved.value())
	s.total("upstream_dials", PerMinute, at, float64(r.counters.dials.Load()))

	layers := map[string]float64{"words": 0, "patterns": 0, "review": 0}
	r.mu.Lock()
	for k, n := range r.filters {
		if _, known := layers[k[0]]; known {
			layers[k[0]] += float64(n.Load())
		}
	}
	r.mu.Unlock()
	for layer, n := range layers {
		s.total("filter_hits_"+layer, PerMinute, at, n)
	}
	s.keys(at)
}

func (s *sampler) keys(at int64) {
	var prompt, completion, spend float64
	rate, rated := 0.0, false
	classes := map[string]float64{"upstream_2xx": 0, "upstream_429": 0, "upstream_4xx": 0, "upstream_5xx": 0}
	for name, k := range s.r.keysNow() {
		prompt += float64(k.prompt.Load())
		completion += float64(k.completion.Load())
		spend += k.spend.value()
		own := 0.0
		k.mu.RLock()
		for code, n := range k.codes {
			c := class(code)
			if c == "" {
				continue
			}
			classes[c] += float64(n.Load())
			if c == "upstream_429" {
				own += float64(n.Load())
			}
		}
		k.mu.RUnlock()
		s.total("upstream_429:"+name, PerMinute, at, own)
		s.total("spend:"+name, Money, at, k.spend.value())
		if v := k.rate.value(); !math.IsNaN(v) {
			rate, rated = rate+v*60, true
			s.value("admit_rate:"+name, PerMinute, mean, at, v*60)
		}
	}
	if rated {
		s.value("admit_rate", PerMinute, mean, at, rate)
	}
	for name, n := range classes {
		s.total(name, PerMinute, at, n)
	}
	s.total("tokens_prompt", PerMinute, at, prompt)
	s.total("tokens_completion", PerMinute, at, completion)
	s.total("spend", Money, at, spend)
}

// class is the series of a code: faults without a status count as 5xx, calls
// that nobody waited for any more not at all.
func class(code string) string {
	switch {
	case code == "cancelled":
		return ""
	case code == "429":
		return "upstream_429"
	case len(code) == 3 && strings.HasPrefix(code, "2"):
		return "upstream_2xx"
	case len(code) == 3 && strings.HasPrefix(code, "4"):
		return "upstream_4xx"
	}
	return "upstream_5xx"
}

func (s *sampler) present(at int64, now time.Time) {
	r := s.r
	r.mu.Lock()
	probes := r.probes
	r.mu.Unlock()
	for _, p := range probes {
		if v := p.ask(); !math.IsNaN(v) {
			p.set(v)
		}
	}
	s.value("connections", Count, mean, at, float64(r.gauges.connections.Load()))
	s.value("upstream_inflight", Count, mean, at, float64(r.gauges.inflight.Load()))
	s.value("sessions_hot", Count, mean, at, r.gauges.hot.value())
	s.value("cold_pending", Count, mean, at, r.gauges.coldPending.value())
	s.value("cold_ratio", Ratio, mean, at, r.gauges.coldRatio.value())
	s.value("sqlite_bytes", Bytes, mean, at, r.gauges.sqliteBytes.value())
	s.value("spend_today", Money, mean, at, r.gauges.spendToday.value())
	for name, q := range r.queue {
		s.value("queue_"+name, Count, mean, at, q.depth.value())
	}
	cpu, rss := s.r.usage()
	s.value("memory", Bytes, mean, at, rss)
	if !s.cpuAt.IsZero() {
		if span := now.Sub(s.cpuAt).Seconds(); span > 0 {
			s.value("cpu", Percent, mean, at, max(0, cpu-s.cpuLast)/span*100)
		}
	}
	s.cpuLast, s.cpuAt = cpu, now
}

// distribution ends a second of d.
func (s *sampler) distribution(d *dist, at int64) {
	d.t.live.drain(&d.second)
	defer d.second.reset()
	for i := range d.tiers {
		d.tiers[i].merge(&d.second)
	}
	if d.t.recent != nil {
		d.t.recent.add(at, &d.second)
	}
	for q, name := range d.names {
		if name == "" {
			continue
		}
		b := most
		if q == 0 {
			b = mean
		}
		line := s.r.charts.line(name, Seconds, b)
		v := d.second.quantile(quantiles[q])
		if line != nil && !math.IsNaN(v) {
			s.r.charts.put(line, 0, at, v)
			s.values[name] = v
		}
	}
}
