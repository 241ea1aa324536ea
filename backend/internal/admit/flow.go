package admit

import (
	"math"
	"time"
)

// flow estimates what the expected wait needs: how long a call takes and how
// much of the service goes to whom.
type flow struct {
	call time.Duration // moving mean of successful calls
	vip  meter         // arrivals
	all  meter         // grants, of any class
}

// meter is an exponentially decaying rate with a time constant of ten seconds.
type meter struct {
	sum float64
	at  time.Time
}

const meterSeconds = 10.0

func (m *meter) add(now time.Time) {
	m.decay(now)
	m.sum++
}

func (m *meter) decay(now time.Time) {
	if dt := now.Sub(m.at).Seconds(); dt > 0 {
		m.sum *= math.Exp(-dt / meterSeconds)
		m.at = now
	}
}

func (m *meter) perSecond(now time.Time) float64 {
	m.decay(now)
	return m.sum / meterSeconds
}

func (f *flow) arrived(now time.Time, c Class) {
	if c == VIP {
		f.vip.add(now)
	}
}

func (f *flow) granted(now time.Time) { f.all.add(now) }

func (f *flow) finished(took time.Duration) {
	if f.call == 0 {
		f.call = took
	}
	f.call += (took - f.call) / 16
}

// perCall is the mean time between two grants while a queue stands, and base
// the time until the first of them. Both are 0 when nothing is known that
// limits the calls.
func (g *Gate) perCall(now time.Time) (perCall, base time.Duration) {
	rate, back := g.pool.Capacity(now)
	if rate == 0 {
		// Everything rests. Assume that it comes back as fast as calls went
		// lately.
		rate, base = math.Inf(1), back
		if r := g.flow.all.perSecond(now); r > 0 {
			rate = max(r, 1)
		}
	}
	if g.flow.call > 0 {
		rate = min(rate, float64(g.cfg.MaxInFlight)/g.flow.call.Seconds())
	}
	if math.IsInf(rate, 1) || rate <= 0 {
		return 0, base
	}
	return time.Duration(float64(time.Second) / rate), base
}

// expected is how long a call of the class that came now would probably wait.
// VIPs that arrive meanwhile go before ordinary calls; but where they take
// everything, ageing still gives the lower class one grant in a few.
func (g *Gate) expected(now time.Time, c Class) time.Duration {
	per, base := g.perCall(now)
	if per == 0 {
		return base
	}
	ahead, own := float64(g.ahead(c)), float64(g.lines[c].n+1)
	rate := float64(time.Second) / float64(per)
	wait := (ahead + own) / rate
	if c != VIP {
		wait = (ahead + own) / max(rate-g.flow.vip.perSecond(now), rate/100)
		wait = min(wait, own*agedTurns/rate)
	}
	return base + time.Duration(wait*float64(time.Second))
}

// agedTurns is how many grants apart a passed-over class is served on the
// average of its ageing; see patience.
const agedTurns = 6
