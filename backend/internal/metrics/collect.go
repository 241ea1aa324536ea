package metrics

import (
	"math"
	"net/http"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Handler serves GET /metrics in Prometheus' formats.
func (r *Recorder) Handler() http.Handler {
	return promhttp.HandlerFor(r.registry, promhttp.HandlerOpts{Registry: r.registry})
}

// collector shows the Recorder's own counters to Prometheus; they are counted
// once, in atomics, and read when somebody asks.
type collector struct{ r *Recorder }

var _ prometheus.Collector = collector{}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// Describe sends nothing: which labels exist is known only while running.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	r := c.r
	number := func(kind prometheus.ValueType, name, help string, v float64) {
		if !math.IsNaN(v) {
			ch <- prometheus.MustNewConstMetric(desc(name, help), kind, v)
		}
	}
	number(prometheus.GaugeValue, "haoke_connections", "Visitors' sockets open.", float64(r.gauges.connections.Load()))
	number(prometheus.GaugeValue, "haoke_upstream_inflight", "Upstream calls under way.", float64(r.gauges.inflight.Load()))
	number(prometheus.GaugeValue, "haoke_sessions_hot", "Conversations in memory.", r.gauges.hot.value())
	number(prometheus.GaugeValue, "haoke_cold_pending", "Sealed conversations not shipped yet.", r.gauges.coldPending.value())
	number(prometheus.CounterValue, "haoke_upstream_dials_total", "New connections to upstreams.", float64(r.counters.dials.Load()))
	number(prometheus.CounterValue, "haoke_merged_total", "Calls that shared another's stream.", float64(r.counters.merged.Load()))
	number(prometheus.CounterValue, "haoke_cache_hits_total", "Answers from the cache.", float64(r.counters.cacheHits.Load()))
	number(prometheus.CounterValue, "haoke_cold_shipped_total", "Conversations shipped to the archive.", float64(r.counters.shipped.Load()))

	messages := desc("haoke_messages_total", "Durable messages by author.", "from")
	for from, n := range r.from {
		ch <- prometheus.MustNewConstMetric(messages, prometheus.CounterValue, float64(n.Load()), from)
	}
	depth := desc("haoke_queue_depth", "Calls that wait for a lease.", "class")
	for class, q := range r.queue {
		v := q.depth.value()
		if math.IsNaN(v) {
			v = 0
		}
		ch <- prometheus.MustNewConstMetric(depth, prometheus.GaugeValue, v, class)
	}
	c.collectFilters(ch)
	c.collectKeys(ch)
}

func (c collector) collectFilters(ch chan<- prometheus.Metric) {
	hits := desc("haoke_filter_hits_total", "Filter hits by layer and action.", "layer", "action")
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	for k, n := range c.r.filters {
		ch <- prometheus.MustNewConstMetric(hits, prometheus.CounterValue, float64(n.Load()), k[0], k[1])
	}
}

func (c collector) collectKeys(ch chan<- prometheus.Metric) {
	requests := desc("haoke_upstream_requests_total", "Finished upstream attempts by key and code.", "key", "code")
	tokens := desc("haoke_tokens_total", "Tokens by key and kind.", "key", "kind")
	spend := desc("haoke_spend_total", "Money by key, in the currency of the price table.", "key")
	rate := desc("haoke_admit_rate", "Calls a second that the key's bucket now allows.", "key")
	for name, k := range c.r.keysNow() {
		k.mu.RLock()
		for code, n := range k.codes {
			ch <- prometheus.MustNewConstMetric(requests, prometheus.CounterValue, float64(n.Load()), name, code)
		}
		k.mu.RUnlock()
		for kind, n := range map[string]*atomic.Uint64{"prompt": &k.prompt, "cached": &k.cached, "completion": &k.completion} {
			ch <- prometheus.MustNewConstMetric(tokens, prometheus.CounterValue, float64(n.Load()), name, kind)
		}
		ch <- prometheus.MustNewConstMetric(spend, prometheus.CounterValue, k.spend.value(), name)
		if v := k.rate.value(); !math.IsNaN(v) {
			ch <- prometheus.MustNewConstMetric(rate, prometheus.GaugeValue, v, name)
		}
	}
}

// keysNow copies the map of keys.
func (r *Recorder) keysNow() map[string]*keyCounters {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make(map[string]*keyCounters, len(r.keys))
	for n, k := range r.keys {
		out[n] = k
	}
	return out
}
