package metrics

import (
	"testing"
	"time"
)

func TestListenersAndLayerTimes(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var first, second int
	r := New(Config{Now: func() time.Time { return now }, OnTick: func(time.Time, map[string]float64) { first++ }})
	var values map[string]float64
	r.OnTick(func(_ time.Time, v map[string]float64) { second++; values = v })
	if got := r.LayerTimes("words"); got != (LayerTimes{}) {
		t.Errorf("before anything: %+v", got)
	}
	for i := range 100 {
		r.FilterTime("words", time.Duration(i+1)*time.Millisecond)
	}
	now = now.Add(time.Second)
	r.sampler.tick(now)
	if first != 1 || second != 1 || values["filter_seconds_words"] == 0 {
		t.Errorf("told %d and %d times: %v", first, second, values)
	}
	got := r.LayerTimes("words")
	if got.Count != 100 || got.P50 < 45*time.Millisecond || got.P50 > 55*time.Millisecond || got.P95 < 90*time.Millisecond || got.P99 < got.P95 {
		t.Errorf("of 1 to 100 ms: %+v", got)
	}
	if other := r.LayerTimes("patterns"); other.Count != 0 {
		t.Errorf("another layer: %+v", other)
	}
	if none := r.LayerTimes("soul"); none != (LayerTimes{}) {
		t.Errorf("no layer: %+v", none)
	}
	now = now.Add(14 * time.Minute)
	if r.LayerTimes("words").Count != 100 {
		t.Error("forgotten too early")
	}
	now = now.Add(2 * time.Minute)
	if r.LayerTimes("words").Count != 0 {
		t.Error("remembered too long")
	}
}
