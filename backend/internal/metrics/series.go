package metrics

import "math"

// gap is the value of a step in which nothing was measured. It is never 0.
var gap = math.NaN()

// Unit says how a series is to be read.
type Unit string

// Units of series.
const (
	Count     Unit = "count"
	PerSecond Unit = "per_second"
	PerMinute Unit = "per_minute"
	Seconds   Unit = "seconds"
	Bytes     Unit = "bytes"
	Percent   Unit = "percent"
	Money     Unit = "money" // sum of the step, or a running sum for gauges
	Ratio     Unit = "ratio"
)

// blend is how the values of several steps become one.
type blend uint8

const (
	sum  blend = iota // counters: kept as the count of the step
	mean              // gauges and medians
	most              // high percentiles: the worst of the steps
)

// Info describes a series.
type Info struct {
	Name string
	Unit Unit
}

// series is one line of the charts at every resolution.
type series struct {
	Info
	blend blend
	rings []*ring // one a tier
}

// scale turns a counter's count within a step into the unit.
func (s *series) scale(v float64, step int64) float64 {
	if s.blend != sum {
		return v
	}
	switch s.Unit {
	case PerSecond:
		return v / float64(step)
	case PerMinute:
		return v * 60 / float64(step)
	}
	return v
}

// ring holds the last values of one tier: the steps from last-size+1 to last,
// numbered from the epoch. Steps that were jumped over are gaps.
type ring struct {
	step   int64
	last   int64 // number of the newest step; 0: empty
	values []float32
}

func newRing(step int64, size int) *ring {
	return &ring{step: step, values: make([]float32, size)}
}

// put stores the value of the step that begins at a time. What is older than
// the ring reaches is dropped.
func (r *ring) put(at int64, v float64) {
	n, size := at/r.step, int64(len(r.values))
	if n <= r.last-size {
		return
	}
	if n > r.last {
		for k := max(r.last+1, n-size+1); k < n; k++ {
			r.values[k%size] = float32(gap)
		}
		if r.last == 0 {
			for i := range r.values {
				r.values[i] = float32(gap)
			}
		}
		r.last = n
	}
	r.values[n%size] = float32(v)
}

func (r *ring) get(at int64) float64 {
	n, size := at/r.step, int64(len(r.values))
	if n > r.last || n <= r.last-size {
		return gap
	}
	return float64(r.values[n%size])
}

// blended collects values of one kind.
type blended struct {
	kind blend
	n    int
	acc  float64
}

func (b *blended) add(v float64) {
	if math.IsNaN(v) {
		return
	}
	if b.n == 0 && b.kind == most {
		b.acc = v
	}
	if b.kind == most {
		b.acc = max(b.acc, v)
	} else {
		b.acc += v
	}
	b.n++
}

func (b *blended) value() float64 {
	switch {
	case b.n == 0:
		return gap
	case b.kind == mean:
		return b.acc / float64(b.n)
	}
	return b.acc
}
