package metrics

import "time"

// OnTick adds a listener that is told the values of each second that ended, as
// Config.OnTick is. It is called from the sampling goroutine, must not block
// and must not change or keep the map. Listeners stay for good.
func (r *Recorder) OnTick(f func(at time.Time, values map[string]float64)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taps = append(r.taps, f)
}

// tell passes the second that ended on to every listener.
func (r *Recorder) tell(at time.Time, values map[string]float64) {
	if f := r.cfg.OnTick; f != nil {
		f(at, values)
	}
	r.mu.Lock()
	taps := r.taps
	r.mu.Unlock()
	for _, f := range taps {
		f(at, values)
	}
}
