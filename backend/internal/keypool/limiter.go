package keypool

import (
	"math"
	"time"
)

// The pool counts time as the duration since it was made, so that a step of
// the wall clock moves nothing.

const (
	slotLen = 100 * time.Millisecond
	// slotCount covers a minute and three slots more. The extra time makes the
	// window safe for calls whose way to the upstream takes up to 200 ms longer
	// or shorter than that of the one before, and costs 0.5 % of the quota.
	slotCount = 603
)

// window counts what was taken in the trailing minute. It is safe against
// upstreams that count by the clock's minute, by a sliding minute, or with a
// bucket.
type window struct {
	n    [slotCount]int64
	sum  int64
	head int64 // number of the newest slot
}

func slotOf(now time.Duration) int64 { return int64(now / slotLen) }

func (w *window) advance(slot int64) {
	if slot <= w.head {
		return
	}
	for steps := min(slot-w.head, slotCount); steps > 0; steps-- {
		i := (slot - steps + 1) % slotCount
		w.sum -= w.n[i]
		w.n[i] = 0
	}
	w.head = slot
}

// add puts n (negative: a refund) into the slot of an earlier or the current
// moment; what has left the window is ignored.
func (w *window) add(slot, n int64) {
	if slot <= w.head-slotCount || slot > w.head {
		return
	}
	i := slot % slotCount
	n = max(n, -w.n[i])
	w.n[i] += n
	w.sum += n
}

// freeAt is when at least need units will have left the window.
func (w *window) freeAt(need int64) time.Duration {
	slot := w.head - slotCount + 1
	for ; slot <= w.head && need > 0; slot++ {
		if slot >= 0 {
			need -= w.n[slot%slotCount]
		}
	}
	return time.Duration(slot-1+slotCount) * slotLen
}

// limiter keeps one dimension of one key, requests or tokens, under its limit
// a minute: a bucket spreads the calls, a window bounds any minute, and a copy
// of the upstream's own count bounds both where the upstream tells it.
type limiter struct {
	limit float64 // a minute; 0: unlimited, only counted
	burst float64
	level float64
	at    time.Duration
	win   window

	remote remote
}

// remote is the upstream's own count as last told, carried forward.
type remote struct {
	limit  float64 // 0: never told
	period time.Duration
	level  float64
	at     time.Duration
	seq    int64 // grant whose answer told it
}

// setLimit changes the limit and keeps what was taken. burstFloor is the least
// burst worth having (one question must never wait for a bucket to fill that
// it may take at once), part the burst as part of the limit.
func (l *limiter) setLimit(limit, burstFloor, part float64, now time.Duration) {
	l.refill(now)
	if limit == l.limit {
		return
	}
	debt := l.burst - l.level
	fresh := l.limit == 0
	l.limit = limit
	l.burst = min(limit, max(burstFloor, limit*part))
	if fresh {
		debt = 0
	}
	l.level = l.burst - debt
}

func (l *limiter) refill(now time.Duration) {
	l.win.advance(slotOf(now))
	if now > l.at {
		dt := (now - l.at).Seconds()
		if l.limit > 0 {
			l.level = min(l.burst, l.level+dt*l.limit/60)
		}
		l.at = now
	}
	r := &l.remote
	if r.limit > 0 && now > r.at {
		r.level = min(r.limit, r.level+(now-r.at).Seconds()*r.limit/r.period.Seconds())
		r.at = now
	}
}

// wait is how long a call of the given cost has to wait, 0: it may go now.
// reserve (0 to 1) is the part of the burst that must stay behind. A cost
// above the burst passes when the bucket is full and leaves a debt.
func (l *limiter) wait(now time.Duration, cost, reserve float64) time.Duration {
	l.refill(now)
	var d time.Duration
	if l.limit > 0 {
		keep := reserve * l.burst
		if short := min(cost+keep, l.burst) - l.level; short > 1e-6 {
			d = seconds(short / l.limit * 60)
		}
		need := min(cost+keep, l.limit)
		if over := float64(l.win.sum) + need - l.limit; over > 1e-6 && l.win.sum > 0 {
			d = max(d, l.win.freeAt(int64(math.Ceil(over)))-now)
		}
	}
	if r := &l.remote; r.limit > 0 {
		if short := min(cost, r.limit) - r.level; short > 1e-6 {
			d = max(d, seconds(short*r.period.Seconds()/r.limit))
		}
	}
	if d > 0 {
		return max(d, 100*time.Microsecond)
	}
	return 0
}

func (l *limiter) take(now time.Duration, cost int64) {
	l.refill(now)
	l.level -= float64(cost)
	l.remote.level -= float64(cost)
	l.win.add(slotOf(now), cost)
}

// refund gives n units of a call granted at then back.
func (l *limiter) refund(now, then time.Duration, n int64) {
	l.refill(now)
	l.win.add(slotOf(then), -n)
	if l.limit > 0 {
		l.level = min(l.burst, l.level+float64(n))
	}
}

// told takes over the upstream's count from the answer to grant seq, sent at
// then. after is what was granted on the key since, which that count cannot
// contain yet.
func (l *limiter) told(now, then time.Duration, seq int64, a Allowance, period time.Duration, after float64) {
	r := &l.remote
	if a.Limit <= 0 || a.Remaining < 0 || seq < r.seq {
		return
	}
	r.limit, r.period, r.seq, r.at = a.Limit, period, seq, now
	back := (now - then).Seconds() * a.Limit / period.Seconds()
	r.level = min(a.Limit, a.Remaining+back) - after
}

// remaining is what may be taken right now, -1 when there is no limit.
func (l *limiter) remaining(now time.Duration) float64 {
	l.refill(now)
	if l.limit <= 0 && l.remote.limit <= 0 {
		return -1
	}
	left := math.Inf(1)
	if l.limit > 0 {
		left = l.limit - float64(l.win.sum)
	}
	if l.remote.limit > 0 {
		left = min(left, l.remote.level)
	}
	return max(0, math.Floor(left))
}

// headroom is remaining as a part of the limit, 1 when there is no limit.
func (l *limiter) headroom(now time.Duration) float64 {
	left := l.remaining(now)
	if left < 0 {
		return 1
	}
	full := l.limit
	if full <= 0 {
		full = l.remote.limit
	}
	return min(1, left/full)
}
