package upstream

import (
	"context"
	"time"

	"haoke/backend/internal/chat"
)

// start is where piece i begins.
func (b *answerBuf) start(i int) int32 {
	if i == 0 {
		return 0
	}
	return b.ends[i-1]
}

// join appends the pieces from i up to n as one token.
func (b *answerBuf) join(dst []byte, i, n int) []byte {
	dst = append(dst, '"')
	for ; i < n; i++ {
		dst = append(dst, b.raw[b.start(i)+1:b.ends[i]-1]...)
	}
	return append(dst, '"')
}

// follow delivers a flight's pieces to sink until the end, and leaves.
func (c *Client) follow(ctx context.Context, sub *subscriber, sink chat.Sink) (chat.Result, error) {
	defer c.leave(sub)
	f, cfg := sub.f, c.cfg.Load()
	late, lateC := c.timerAt(cfg.Now(), sub.caller.Deadline)
	defer c.stop(late)
	if sub.own {
		if res, ended, err := sub.attend(ctx, lateC); ended {
			return res, err
		}
	}
	r := reader{sink: sink, coalesce: cfg.Coalesce}
	defer r.close()
	for {
		wants := waitPiece
		pause := r.pause()
		if pause != nil {
			wants = waitEnd
		}
		f.mu.Lock()
		seen, done := answerBuf{raw: f.buf.raw, ends: f.buf.ends}, f.done
		idle := !done && (pause != nil || sub.pos == len(seen.ends))
		if idle {
			sub.waits = wants
		}
		f.mu.Unlock()
		if !idle {
			if err := r.deliver(&seen, &sub.pos); err != nil {
				return sub.result(chat.FinishError), err
			}
			if done {
				return sub.outcome()
			}
			continue
		}
		if sub.pos > 0 {
			lateC = nil // the deadline is for the first piece
		}
		select {
		case <-sub.wake:
			if pause != nil {
				r.paused = false
			}
		case <-pause:
			r.paused = false
			sub.calm()
		case <-ctx.Done():
			return sub.result(chat.FinishStopped), context.Cause(ctx)
		case <-lateC:
			return sub.result(chat.FinishError), errLate
		}
	}
}

// errLate: nothing came before the caller's deadline.
var errLate = &chat.UpstreamError{
	Fault: chat.FaultTimeout, Reason: "no answer began before the visitor's deadline; the queue or the upstream is too slow"}

// attend waits for the end of a call whose pieces the flight's goroutine
// delivers. ended is false when others have joined: then the rest is to be read
// from pos on, so that nobody waits for this reader.
func (s *subscriber) attend(ctx context.Context, late <-chan time.Time) (res chat.Result, ended bool, err error) {
	defer func() { s.pos = s.direct.leave() }()
	for {
		s.f.mu.Lock()
		done, crowd := s.f.done, s.f.crowd
		if !done {
			s.waits = waitEnd
		}
		s.f.mu.Unlock()
		// An error after this look wakes: the wish to be woken stands already.
		if err := s.direct.failed(); err != nil {
			return s.result(chat.FinishError), true, err
		}
		if crowd {
			s.calm()
			return res, false, nil
		}
		if done {
			res, err = s.outcome()
			return res, true, err
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return s.result(chat.FinishStopped), true, context.Cause(ctx)
		case <-late:
			if !s.direct.begun() { // the deadline is for the first piece
				return s.result(chat.FinishError), true, errLate
			}
			late = nil
		}
	}
}

// calm takes back the wish to be woken, and the wake-up if it came already.
func (s *subscriber) calm() {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	s.waits = waitNothing
	select {
	case <-s.wake:
	default:
	}
}

// outcome is how the flight ended, as this subscriber sees it: only the one
// that started the call pays.
func (s *subscriber) outcome() (chat.Result, error) {
	res := s.f.res // set before done, never changed after
	if s.merged {
		res.Merged, res.Cost = true, 0
	}
	return res, s.f.err
}

// result is for a subscriber that leaves before the end.
func (s *subscriber) result(fin chat.Finish) chat.Result {
	return chat.Result{Finish: fin, Merged: s.merged}
}

// reader hands pieces to a sink, joined as the coalescing wants it.
type reader struct {
	sink     chat.Sink
	coalesce time.Duration
	timer    *time.Timer
	paused   bool
	joined   *buffer
}

// pause returns the channel to wait on before the next delivery, nil: none.
func (r *reader) pause() <-chan time.Time {
	if !r.paused {
		return nil
	}
	return r.timer.C
}

func (r *reader) close() {
	if r.timer != nil {
		r.timer.Stop()
	}
	if r.joined != nil {
		scratch.Put(r.joined)
	}
}

// deliver hands over everything from *pos on.
func (r *reader) deliver(b *answerBuf, pos *int) error {
	n := len(b.ends)
	if *pos == n {
		return nil
	}
	if r.coalesce > 0 && *pos > 0 && n-*pos > 1 {
		if r.joined == nil {
			r.joined = scratch.Get().(*buffer)
		}
		r.joined.b = b.join(r.joined.b[:0], *pos, n)
		*pos = n
		if err := r.sink(r.joined.b); err != nil {
			return err
		}
	}
	for *pos < n {
		raw := b.raw[b.start(*pos):b.ends[*pos]]
		*pos++
		if err := r.sink(raw); err != nil {
			return err
		}
	}
	if r.coalesce > 0 {
		if r.timer == nil {
			r.timer = time.NewTimer(r.coalesce)
		} else {
			r.timer.Reset(r.coalesce)
		}
		r.paused = true
	}
	return nil
}
