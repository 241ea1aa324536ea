package loadtest

import (
	"context"
	"sync/atomic"
	"time"
)

// numbers makes every question of a run different: equal ones would share an
// upstream call.
var numbers atomic.Uint64

// drive sends at rate questions a second for d, at times that are fixed
// beforehand, then waits at most patience for the answers. A question whose
// time has come while no visitor is free waits, and its waiting counts. It
// returns the time from the first question to the last answer.
func (f *fleet) drive(ctx context.Context, rate float64, d, patience time.Duration) time.Duration {
	begun := time.Now()
	end := begun.Add(d)
	gap := time.Duration(float64(time.Second) / rate)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := 0; ; i++ {
		due := begun.Add(time.Duration(i) * gap)
		if due.After(end) {
			break
		}
		if wait := time.Until(due); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
				return time.Since(begun)
			}
		}
		waits := len(f.idle) == 0 // then the server is behind, and the waiting is its own
		v := f.free(ctx, end.Add(patience))
		if v == nil { // every visitor still waits: what is due now is never asked
			f.tally.missed(int64(end.Sub(due)/gap) + 1)
			break
		}
		sent := due
		if !waits {
			sent = time.Now()
		}
		v.sendFrom(ctx, numbers.Add(1), due, sent)
	}
	f.settle(ctx, patience)
	return f.elapsed(begun)
}

// free is the visitor that has been idle longest; nil when none became idle in
// time.
func (f *fleet) free(ctx context.Context, until time.Time) *visitor {
	select {
	case v := <-f.idle:
		return v
	default:
	}
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case v := <-f.idle:
		return v
	case <-t.C:
	case <-ctx.Done():
	}
	return nil
}

// saturate keeps n questions under way for d: the most that goes through.
func (f *fleet) saturate(ctx context.Context, n int, d time.Duration) time.Duration {
	begun := time.Now()
	before := f.tally.ended()
	for range n {
		if v := f.free(ctx, begun.Add(d)); v != nil {
			v.send(ctx, numbers.Add(1), time.Now())
		}
	}
	// One goes out for each that comes in: the idle queue holds the others.
	for time.Since(begun) < d && ctx.Err() == nil {
		now := f.tally.ended()
		for ; before < now; before++ {
			if v := f.free(ctx, begun.Add(d)); v != nil {
				v.send(ctx, numbers.Add(1), time.Now())
			}
		}
		time.Sleep(time.Millisecond)
	}
	took := time.Since(begun)
	return took
}

// settle waits for the answers under way.
func (f *fleet) settle(ctx context.Context, patience time.Duration) {
	until := time.Now().Add(patience)
	for !f.tally.settled() && time.Now().Before(until) && ctx.Err() == nil {
		time.Sleep(2 * time.Millisecond)
	}
}

func (f *fleet) elapsed(begun time.Time) time.Duration {
	f.tally.mu.Lock()
	defer f.tally.mu.Unlock()
	if f.tally.lastAnswer.After(begun) {
		return f.tally.lastAnswer.Sub(begun)
	}
	return time.Since(begun)
}
