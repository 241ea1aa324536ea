// Package span is a context that can be used again: the life of a turn, of a
// call, of one attempt. The standard library's contexts are made anew for each
// of them, with a channel and a table of children, which at a thousand turns a
// second is a good part of what a turn costs.
package span

import (
	"context"
	"sync"
	"time"
)

// Span is a context without a deadline and without values. The zero value is
// ready for use; it must not be copied. All methods but Reset are safe for
// concurrent use.
//
// Err is the cause itself, so that context.Cause tells it. A context of the
// standard library may be derived from a Span and ends with it.
type Span struct {
	mu    sync.Mutex
	cause error
	done  chan struct{} // made when somebody asks for it
	guard func()
	after map[*hook]struct{}
	stray bool // a goroutine of AfterFunc may look at the span at any time
}

// hook is what AfterFunc registers.
type hook struct{ f func() }

var _ context.Context = (*Span)(nil)

// Reset begins a new span in the same memory. Nobody may hold the old one any
// more: its end must be over for everyone who was given it, and every call of
// Cancel. False: a context that was derived just as the span ended may still
// look at it, and the memory must not be used again.
func (s *Span) Reset() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stray {
		return false
	}
	if s.cause != nil {
		s.done = nil // closed
	}
	s.cause, s.guard = nil, nil
	clear(s.after)
	return true
}

// Cancel ends the span, and before it returns the contexts that were derived
// from it; nil stands for context.Canceled. Only the first call counts.
func (s *Span) Cancel(cause error) {
	if cause == nil {
		cause = context.Canceled
	}
	for h := range s.end(cause) {
		h.f() // looks at the span
	}
}

// end marks the end and returns who is to be told of it.
func (s *Span) end(cause error) map[*hook]struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause != nil {
		return nil
	}
	s.cause = cause
	if s.done != nil {
		close(s.done)
	}
	if s.guard != nil {
		s.guard()
		s.guard = nil
	}
	told := s.after
	s.after = nil
	return told
}

// Guard has f called when the span ends, by whoever ends it and before Cancel
// returns: f must be quick and must not touch the span. There is one place for
// it. False: the span has ended already and f is not called.
func (s *Span) Guard(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause != nil {
		return false
	}
	s.guard = f
	return true
}

// Unguard takes Guard back. True: f was not called and never will be. It does
// not return while f runs.
func (s *Span) Unguard() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := s.guard != nil
	s.guard = nil
	return set
}

// AfterFunc is what contexts that are derived from the span use instead of a
// goroutine each: see [context.AfterFunc]. f is called by who ends the span.
func (s *Span) AfterFunc(f func()) (stop func() bool) {
	h := &hook{f}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause != nil {
		s.stray = true
		go f() // the caller may hold what f wants
		return func() bool { return false }
	}
	if s.after == nil {
		s.after = map[*hook]struct{}{}
	}
	s.after[h] = struct{}{}
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		_, waits := s.after[h]
		delete(s.after, h)
		return waits
	}
}

// Done implements context.Context.
func (s *Span) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == nil {
		s.done = make(chan struct{})
		if s.cause != nil {
			close(s.done)
		}
	}
	return s.done
}

// Err implements context.Context: nil while the span lasts, then its cause.
func (s *Span) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

// Deadline implements context.Context: there is none.
func (s *Span) Deadline() (time.Time, bool) { return time.Time{}, false }

// Value implements context.Context: there is none.
func (s *Span) Value(any) any { return nil }
