package keypool

import "time"

// breaker stops the calls to a provider that fails for reasons of its own
// (unreachable, 5xx, too slow, not an answer), so that visitors get the next
// provider at once instead of a timeout each. After a pause one call probes.
type breaker struct {
	fails   int // in a row
	opens   int // in a row, for the doubling of the pause
	openAt  time.Duration
	openTil time.Duration
	open    bool
	probing bool
	reason  string
}

// wait is how long the provider must be left alone, 0: it may be called. When
// the pause is over only one call passes until it has reported.
func (b *breaker) wait(now time.Duration) (d time.Duration, ok bool) {
	if !b.open {
		return 0, true
	}
	if now < b.openTil {
		return b.openTil - now, false
	}
	return 0, !b.probing
}

func (b *breaker) taken() {
	if b.open {
		b.probing = true
	}
}

// succeeded closes the breaker. A call that was sent before it opened proves
// nothing about now.
func (b *breaker) succeeded(sent time.Duration) {
	if !b.open || sent >= b.openAt {
		*b = breaker{}
	}
}

// forget ends a probe that came to nothing (cancelled), so that the next call
// may probe.
func (b *breaker) forget() { b.probing = false }

func (b *breaker) failed(now time.Duration, c *Config, jitter float64, reason string) {
	b.fails++
	b.reason = reason
	if b.open && !b.probing || !b.open && b.fails < c.BreakAfter {
		return // a straggler sent before it opened, or not enough yet
	}
	pause := c.BreakFor << min(b.opens, 10)
	pause = min(pause, c.MaxCoolDown)
	b.opens++
	b.open, b.probing = true, false
	b.openAt = now
	b.openTil = now + time.Duration(float64(pause)*(0.75+0.5*jitter))
}
