package metrics

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
)

// The charts' resolutions: step in seconds and steps kept. Those from stored
// on survive a restart through the Store.
var tiers = [...]struct {
	step   int64
	size   int
	stored bool
}{
	{1, 900, false},    // 15 minutes
	{10, 2160, false},  // 6 hours
	{60, 2880, true},   // 2 days
	{600, 5040, true},  // 5 weeks
	{3600, 9600, true}, // 400 days
}

// minutes is the tier of whole minutes, the finest that is stored.
const minutes = 2

// maxSeries bounds the lines kept; further keys get none of their own.
const maxSeries = 300

// maxPoints bounds what one query returns.
const maxPoints = 2000

// ErrSeries is the error of a query for a series that does not exist.
var ErrSeries = errors.New("there is no such series")

// Point is one stored value of a series: what happened in the Step seconds
// from At on. Counters are stored as counts, not as rates.
type Point struct {
	Series string
	Step   int64 // 60, 600 or 3600
	At     int64 // Unix seconds, a multiple of Step
	Value  float64
}

// Store keeps rollups over restarts. Points are unique by Series, Step and At;
// the later wins.
type Store interface {
	SavePoints(ctx context.Context, points []Point) error
	// LoadPoints calls each for every point of a step from a time on.
	LoadPoints(ctx context.Context, step, from int64, each func(Point)) error
	// DropPoints deletes the points of a step before a time.
	DropPoints(ctx context.Context, step, before int64) error
}

// charts is the store of all series.
type charts struct {
	mu     sync.RWMutex
	byName map[string]*series
	order  []*series
	unsent []Point // finished steps that the Store has not yet
}

// maxUnsent bounds what waits for a Store that fails: a day of minutes.
const maxUnsent = 1440 * 60

func newCharts() *charts { return &charts{byName: map[string]*series{}} }

// line returns the series, made when it is new; nil at the bound.
func (c *charts) line(name string, unit Unit, b blend) *series {
	if s := c.byName[name]; s != nil {
		return s
	}
	if len(c.order) >= maxSeries {
		return nil
	}
	s := &series{Info: Info{Name: name, Unit: unit}, blend: b}
	for _, t := range tiers {
		s.rings = append(s.rings, newRing(t.step, t.size))
	}
	c.byName[name] = s
	c.order = append(c.order, s)
	return s
}

// put writes a finished step of one tier. The caller holds mu.
func (c *charts) put(s *series, tier int, at int64, v float64) {
	if s == nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	s.rings[tier].put(at, v)
	if tiers[tier].stored {
		if len(c.unsent) >= maxUnsent {
			c.unsent = append(c.unsent[:0], c.unsent[len(c.unsent)/2:]...)
		}
		c.unsent = append(c.unsent, Point{s.Name, tiers[tier].step, at, v})
	}
}

// Chart is the answer to a query: values aligned to T. A gap is NaN.
type Chart struct {
	From, To, Step int64   // Unix seconds and seconds
	T              []int64 // start of each step
	Lines          []Line
}

// Line is one series of a Chart.
type Line struct {
	Info
	Values []float64 // of the length of T; NaN: nothing was measured
}

// Query returns series between two times. step 0 chooses one that gives at
// most 400 points; a smaller step than the finest one that reaches back to
// from is raised to it, and every step is rounded up so that at most 2000
// points come back. Errors: ErrSeries, or a time span that makes no sense.
func (r *Recorder) Query(names []string, from, to time.Time, step time.Duration) (Chart, error) {
	c := r.charts
	r.awaitLoaded()
	now := r.now().Unix()
	lo, hi := from.Unix(), min(to.Unix(), now)
	if hi <= lo || lo < 0 || step < 0 {
		return Chart{}, fmt.Errorf("query charts: %s is not before %s", from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
	}
	tier, want := choose(now-lo, hi-lo, int64(step/time.Second))
	out := Chart{Step: want, From: lo - lo%want, To: hi}
	for t := out.From; t < hi; t += want {
		out.T = append(out.T, t)
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, name := range names {
		s := c.byName[name]
		if s == nil {
			return Chart{}, fmt.Errorf("query charts: %w: %q", ErrSeries, name)
		}
		out.Lines = append(out.Lines, Line{s.Info, s.read(tier, out.T, want)})
	}
	return out, nil
}

// choose picks the tier for a query that begins back seconds ago and spans
// span, and the step, a multiple of the tier's.
func choose(back, span, step int64) (tier int, want int64) {
	if step == 0 {
		step = (span + 399) / 400
	}
	step = max(step, (span+maxPoints-1)/maxPoints, 1)
	for tier < len(tiers)-1 && !reaches(tier, back) {
		tier++
	}
	// the coarsest tier whose step still fits is the cheapest and reaches furthest
	for i := len(tiers) - 1; i > tier; i-- {
		if tiers[i].step <= step {
			tier = i
			break
		}
	}
	ts := tiers[tier].step
	return tier, (step + ts - 1) / ts * ts
}

func reaches(tier int, back int64) bool { return tiers[tier].step*int64(tiers[tier].size) >= back }

// read blends the tier's steps into the asked ones.
func (s *series) read(tier int, times []int64, step int64) []float64 {
	r := s.rings[tier]
	out := make([]float64, len(times))
	for i, t := range times {
		b := blended{kind: s.blend}
		for at := t - t%r.step; at < t+step; at += r.step {
			b.add(r.get(at))
		}
		out[i] = s.scale(b.value(), max(step, r.step))
	}
	return out
}

// Series lists every series that exists, sorted by name.
func (r *Recorder) Series() []Info {
	r.awaitLoaded()
	r.charts.mu.RLock()
	defer r.charts.mu.RUnlock()
	out := make([]Info, 0, len(r.charts.order))
	for _, s := range r.charts.order {
		out = append(out, s.Info)
	}
	slices.SortFunc(out, func(a, b Info) int {
		switch {
		case a.Name < b.Name:
			return -1
		case a.Name > b.Name:
			return 1
		}
		return 0
	})
	return out
}
