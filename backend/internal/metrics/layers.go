package metrics

import (
	"math"
	"sync"
	"time"
)

// LayerTimes is what a filter layer cost lately.
type LayerTimes struct {
	Count         int64 // texts looked at
	P50, P95, P99 time.Duration
}

// recentMinutes is how far back LayerTimes look.
const recentMinutes = 15

// recent keeps the distributions of the latest minutes.
type recent struct {
	mu     sync.Mutex
	minute [recentMinutes]int64
	parts  [recentMinutes]histogram
}

func (w *recent) add(at int64, h *histogram) {
	if h.total == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	i := (at / 60) % recentMinutes
	if w.minute[i] != at/60 {
		w.minute[i] = at / 60
		w.parts[i].reset()
	}
	w.parts[i].merge(h)
}

func (w *recent) sum(now int64) *histogram {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all histogram
	for i, m := range w.minute {
		if m > now/60-recentMinutes && m <= now/60 {
			all.merge(&w.parts[i])
		}
	}
	return &all
}

// LayerTimes returns what a layer (words, patterns or review) cost in the last
// 15 minutes; zero for other names and when nothing was looked at.
func (r *Recorder) LayerTimes(layer string) LayerTimes {
	t := map[string]*timing{"words": r.times.words, "patterns": r.times.patterns, "review": r.times.review}[layer]
	if t == nil {
		return LayerTimes{}
	}
	h := t.recent.sum(r.now().Unix())
	return LayerTimes{Count: int64(h.total), P50: span(h.quantile(.5)), P95: span(h.quantile(.95)), P99: span(h.quantile(.99))}
}

func span(seconds float64) time.Duration {
	if math.IsNaN(seconds) {
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}
