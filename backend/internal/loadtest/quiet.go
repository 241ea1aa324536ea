package loadtest

import (
	"context"
	"math"
	"slices"
	"time"
)

const (
	// quietFor is how long a process must do next to nothing to be taken for
	// quiet: what it does once after a start or behind the visitors' backs
	// (tables of the tokenizer, the search index) is over.
	quietFor = 600 * time.Millisecond
	// quietBytes and quietTime are next to nothing in that time, allocated and
	// of a processor; the question itself costs something. SQLite's work shows
	// in the second only.
	quietBytes = 512 << 10
	quietTime  = 30 * time.Millisecond
	// quietWait is how long a measurement waits for it; then it begins anyway.
	quietWait = 12 * time.Second
)

// quiet waits until a process has nothing left to do. It reports whether that
// came about.
func quiet(ctx context.Context, p *subject) bool {
	last, used := uint64(0), time.Duration(0)
	for begun := time.Now(); time.Since(begun) < quietWait; {
		v, err := p.inspect.vitals(ctx)
		if err != nil {
			return false
		}
		now, _ := p.processor() // 0 where it cannot be measured
		if last > 0 && v.Allocated-last < quietBytes && now-used <= quietTime {
			return true
		}
		last, used = v.Allocated, now
		select {
		case <-time.After(quietFor):
		case <-ctx.Done():
			return false
		}
	}
	return false
}

// median is the middle one; of an even number, the lower of the two. NaN: there
// is none.
func median(of []float64) float64 {
	if len(of) == 0 {
		return math.NaN()
	}
	of = slices.Sorted(slices.Values(of))
	return of[(len(of)-1)/2]
}

// processor is the processor time that the measured process has used.
func (p *subject) processor() (time.Duration, error) {
	if p.Proc == nil {
		return 0, nil
	}
	return processor(p.PID())
}
