package loadtest

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"haoke/backend/internal/sim"
)

// TestQuiet: a process that still allocates is waited for, and its vitals are
// what tells.
func TestQuiet(t *testing.T) {
	var asked atomic.Int64
	var sum uint64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n := asked.Add(1); n <= 2 {
			sum += 20 << 20 // tables
		} else {
			sum += 1000
		}
		json.NewEncoder(w).Encode(Vitals{Allocated: sum})
	}))
	defer srv.Close()
	p := &subject{inspect: inspector{srv.URL}}
	if !quiet(t.Context(), p) || asked.Load() != 3 {
		t.Errorf("quiet after %d looks", asked.Load())
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if quiet(ended, p) {
		t.Error("quiet though nobody could ask")
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		of   []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2}} {
		if got := median(c.of); got != c.want {
			t.Errorf("%v of %v", got, c.of)
		}
	}
	if !math.IsNaN(median(nil)) {
		t.Error("a middle of nothing")
	}
}

// TestOnlyTenAsk: in each look it is others, and everybody is asked at most
// once a look's share.
func TestOnlyTenAsk(t *testing.T) {
	url := textbookOn(t, sim.Config{Tokens: 20})
	tl := newTally()
	f, err := openFleet(t.Context(), url, 25, 8, tl, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	all := f.benched()
	if len(all) != 25 || len(f.idle) != 0 {
		t.Fatalf("%d benched, %d idle", len(all), len(f.idle))
	}
	for _, v := range all[10:20] {
		f.idle <- v
	}
	f.drive(t.Context(), costRate, 300*time.Millisecond, 10*time.Second)
	if o := tl.outcome(time.Second); o.Answers != 31 || o.Errors() != 0 {
		t.Errorf("%+v", o)
	}
	asked := f.benched()
	if len(asked) != 10 {
		t.Fatalf("%d came back", len(asked))
	}
	for i, v := range all {
		v.mu.Lock()
		if seq := v.check.seq; (seq > 0) != (i >= 10 && i < 20) {
			t.Errorf("visitor %d is at message %d", i, seq)
		}
		v.mu.Unlock()
	}
}

// TestSpread: what cannot be divided meets no target.
func TestSpread(t *testing.T) {
	if got := spread([]Point{{1, 4}, {2, 2}, {3, 3}}); got != 2 {
		t.Errorf("%v", got)
	}
	for _, ps := range [][]Point{nil, {{1, 0}, {2, 1}}, {{1, -3}, {2, 1}}} {
		if got := spread(ps); !math.IsNaN(got) {
			t.Errorf("%v of %v", got, ps)
		}
	}
}
