package keypool

import "time"

// pace finds a key's limit where nobody tells it: additive increase and
// multiplicative decrease, with the cubic shape of RFC 9438 for the increase.
// After a refusal the rate falls to paceBeta of what it was, climbs back fast,
// stays long near the rate that last worked and only then probes above it.
// That plateau is what keeps a learned quota used without many refusals.
type pace struct {
	on   bool
	rate float64 // calls a second allowed now
	top  float64 // rate at the last refusal
	k    float64 // seconds of pressure until rate is back at top
	t    float64 // seconds of pressure since the last refusal

	level   float64
	at      time.Duration
	pressed bool          // a call had to wait since the last refill
	cutAt   time.Duration // last decrease
}

const (
	paceBeta    = 0.85
	paceSeconds = 30.0 // k before jitter
	paceFloor   = 1.0 / 20
	paceBurst   = 0.25 // seconds' worth of calls that may go at once
)

// advance moves the rate on. Only time under pressure counts: an allowance
// that nobody asks for proves nothing about the limit.
func (p *pace) advance(now time.Duration) {
	dt := (now - p.at).Seconds()
	p.at = now
	if !p.on || dt <= 0 {
		return
	}
	// A gap longer than a few seconds was idle time even if it ended in a wait.
	if p.pressed {
		p.t += min(dt, 5)
		p.pressed = false
		p.rate = max(paceFloor, p.top*(1+(1-paceBeta)*climb((p.t-p.k)/p.k)))
	}
	p.level = min(p.burst(), p.level+dt*p.rate)
}

// climb is the cubic from -1 (just refused) over 0 (back at the top), straight
// on from its middle: an upstream that counts by the clock's minute refuses up
// to a minute late, and the pace must not have run away by then.
func climb(x float64) float64 {
	if x <= 0.5 {
		return x * x * x
	}
	return 0.125 + 0.75*(x-0.5)
}

func (p *pace) burst() float64 { return max(1, p.rate*paceBurst) }

// wait is how long the next call has to wait.
func (p *pace) wait(now time.Duration, reserve float64) time.Duration {
	p.advance(now)
	if !p.on {
		return 0
	}
	burst := p.burst()
	short := min(1+reserve*burst, burst) - p.level
	if short <= 1e-6 {
		return 0
	}
	p.pressed = true
	return max(seconds(short/p.rate), 100*time.Microsecond)
}

// take counts a call. careful: after a refusal the next calls go singly, so
// that a quota that is still closed refuses one of them and not a burst.
func (p *pace) take(now time.Duration, careful bool) {
	p.advance(now)
	if p.on {
		p.level--
		if careful {
			p.level = min(p.level, 0)
		}
	}
}

// cut lowers the rate after a refusal of a call sent at then, while measured
// calls a second were going through. Calls sent before the last cut tell
// nothing new: one overshoot is one decrease. jitter (0 to 1) spreads the way
// back of several keys. With pauseOnly the rate stays as it is and the key's
// pause must do. It reports whether the refusal was news.
func (p *pace) cut(now, then time.Duration, measured, jitter float64, pauseOnly bool) bool {
	p.advance(now)
	if p.cutAt > 0 && then <= p.cutAt {
		return false
	}
	p.cutAt = max(now, 1)
	if pauseOnly {
		return true
	}
	was := measured
	if p.on {
		was = min(p.rate, max(measured, p.rate*0.5))
	}
	was = max(was, paceFloor)
	// Fast convergence: two refusals in a row with a falling top mean that the
	// quota shrank, so aim below what just failed.
	if p.on && was < p.top*0.97 {
		was *= (1 + paceBeta) / 2
	}
	p.on = true
	p.top = was
	p.rate = max(paceFloor, was*paceBeta)
	p.k = paceSeconds * (0.8 + 0.4*jitter)
	p.t = 0
	p.level = min(p.level, 0)
	p.pressed = false
	return true
}

// release ends the pacing when it has climbed over a limit that is known.
func (p *pace) release(limitPerMinute float64) {
	if p.on && limitPerMinute > 0 && p.rate >= limitPerMinute/60 {
		p.on = false
	}
}
