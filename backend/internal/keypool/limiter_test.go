package keypool

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// worst is the largest sum of units in any minute, when each call reaches the
// upstream up to late after it was granted.
func worst(at []time.Duration, n []int64, late time.Duration, r *rand.Rand) int64 {
	type call struct {
		at time.Duration
		n  int64
	}
	calls := make([]call, len(at))
	for i := range at {
		calls[i] = call{at[i] + time.Duration(r.Float64()*float64(late)), n[i]}
	}
	slices.SortFunc(calls, func(a, b call) int { return int(a.at - b.at) })
	var sum, most int64
	first := 0
	for _, c := range calls {
		sum += c.n
		for calls[first].at <= c.at-time.Minute {
			sum -= calls[first].n
			first++
		}
		most = max(most, sum)
	}
	return most
}

// TestNoMinuteHoldsMoreThanTheLimit: whatever the demand looks like, no minute
// sees more than the limit, and steady demand gets nearly all of it.
func TestNoMinuteHoldsMoreThanTheLimit(t *testing.T) {
	for _, limit := range []float64{1, 2, 3, 10, 60, 500, 800, 10000} {
		for seed := range uint64(6) {
			r := rand.New(rand.NewPCG(seed, uint64(limit)))
			var l limiter
			l.setLimit(limit, 3, 0.25/60, 0)
			var at []time.Duration
			var n []int64
			now := time.Duration(0)
			for end := 5 * time.Minute; now < end; {
				if d := l.wait(now, 1, 0); d > 0 {
					if seed%2 == 0 { // greedy
						now += d
					} else { // some come late
						now += d + time.Duration(r.ExpFloat64()*float64(time.Second)/limit*20)
					}
					continue
				}
				l.take(now, 1)
				at, n = append(at, now), append(n, 1)
				if seed%3 == 2 && r.IntN(40) == 0 { // nobody asks for a while
					now += time.Duration(r.IntN(90)) * time.Second
				}
			}
			if most := worst(at, n, 200*time.Millisecond, r); most > int64(limit) {
				t.Errorf("limit %v, seed %d: %d in one minute", limit, seed, most)
			}
			if seed == 0 {
				if got := float64(len(at)) / 5 / limit; got < 0.985 {
					t.Errorf("limit %v: only %.3f of it used", limit, got)
				}
			}
		}
	}
}

func TestWindowRefundAndExpiry(t *testing.T) {
	var w window
	w.advance(slotOf(10 * time.Second))
	w.add(slotOf(10*time.Second), 5)
	w.add(slotOf(2*time.Second), 7)
	if w.sum != 12 {
		t.Fatalf("sum %d", w.sum)
	}
	w.add(slotOf(10*time.Second), -3)
	w.add(slotOf(2*time.Second), -100) // never below nothing
	w.add(slotOf(11*time.Second), 50)  // the future does not count
	if w.sum != 2 {
		t.Fatalf("sum %d after refunds", w.sum)
	}
	if at := w.freeAt(2); at != 70300*time.Millisecond {
		t.Errorf("free at %v, want a minute and three slots later", at)
	}
	w.advance(slotOf(70 * time.Second))
	if w.sum != 2 {
		t.Error("it left before the minute was over")
	}
	w.advance(slotOf(70300 * time.Millisecond))
	if w.sum != 0 {
		t.Error("it did not leave")
	}
	w.add(slotOf(10*time.Second), -2) // a refund that comes too late
	w.advance(slotOf(time.Hour))
	if w.sum != 0 {
		t.Errorf("sum %d", w.sum)
	}
}

func TestPaceConverges(t *testing.T) {
	// An upstream that lets exactly ten a second pass, and says nothing.
	var p pace
	now := time.Duration(0)
	credit, sent, refused, late := 10.0, 0, 0, 0
	last := now
	for now < 10*time.Minute {
		if d := p.wait(now, 0); d > 0 {
			now += d
			continue
		}
		p.take(now, false)
		credit = min(10, credit+(now-last).Seconds()*10)
		last = now
		sent++
		if credit < 1 {
			refused++
			if now > 5*time.Minute {
				late++
			}
			p.cut(now, now, 10, 0.5, false)
			now += 250 * time.Millisecond
			continue
		}
		credit--
		if !p.on {
			now += 50 * time.Millisecond
		}
	}
	use := float64(sent-refused) / 6000
	t.Logf("used %.3f, %d refused, %d of them in the second half", use, refused, late)
	if use < 0.93 || late > 60 {
		t.Errorf("used %.3f, %d refused late", use, late)
	}
}
