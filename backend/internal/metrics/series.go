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

// addMany adds a value that already stands for n of the others.
func (b *blended) addMany(v float64, n int) {
	if b.kind != mean || math.IsNaN(v) {
		b.add(v)
		return
	}
	b.acc += v * float64(n)
	b.n += n
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
