package metrics

// ring holds the last values of one tier: the steps from last-size+1 to last,
// numbered from the epoch. Steps that were jumped over are gaps. It grows with
// what it has to hold, up to size: a tier of 400 days takes its memory when
// there are that many days.
type ring struct {
	step   int64
	size   int64     // steps at most
	first  int64     // number of the oldest step ever held; 0: empty
	last   int64     // number of the newest; 0: empty
	values []float32 // step n is at n % len
}

// ringLeast is how many steps a ring begins with.
const ringLeast = 64

func newRing(step int64, size int) *ring { return &ring{step: step, size: int64(size)} }

// put stores the value of the step that begins at a time. What is older than
// the ring reaches is dropped.
func (r *ring) put(at int64, v float64) {
	n := at / r.step
	if n <= r.last-r.size {
		return
	}
	if r.last == 0 {
		r.first, r.last = n, n
	}
	r.first = min(r.first, n)
	r.grow(max(r.last, n) - r.first + 1)
	size := int64(len(r.values))
	if n > r.last {
		for k := max(r.last+1, n-size+1); k < n; k++ {
			r.values[k%size] = float32(gap)
		}
		r.last = n
	}
	r.values[n%size] = float32(v)
}

// grow makes room for so many steps, as far as size allows.
func (r *ring) grow(steps int64) {
	have := int64(len(r.values))
	if min(steps, r.size) <= have {
		return
	}
	want := min(r.size, max(ringLeast, 2*have, steps))
	values := make([]float32, want)
	for i := range values {
		values[i] = float32(gap)
	}
	for n := max(0, r.last-have+1); n <= r.last && have > 0; n++ {
		values[n%want] = r.values[n%have]
	}
	r.values = values
}

func (r *ring) get(at int64) float64 {
	n, size := at/r.step, int64(len(r.values))
	if n > r.last || n <= r.last-size {
		return gap
	}
	return float64(r.values[n%size])
}
