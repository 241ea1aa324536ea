package span

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

var errEnd = errors.New("the end")

func TestASpanEndsOnceAndTellsWhy(t *testing.T) {
	var s Span
	if s.Err() != nil || context.Cause(&s) != nil {
		t.Fatal("over before it began")
	}
	done := s.Done()
	s.Cancel(errEnd)
	s.Cancel(nil)
	<-done
	<-s.Done()
	if !errors.Is(s.Err(), errEnd) || !errors.Is(context.Cause(&s), errEnd) {
		t.Errorf("err %v, cause %v", s.Err(), context.Cause(&s))
	}
	if !s.Reset() || s.Err() != nil {
		t.Error("a new span is over")
	}
	select {
	case <-s.Done():
		t.Error("the channel of the old span")
	default:
	}
	s.Cancel(nil)
	if !errors.Is(s.Err(), context.Canceled) {
		t.Errorf("err %v", s.Err())
	}
}

func TestContextsDerivedFromASpanEndWithIt(t *testing.T) {
	var s Span
	child, cancel := context.WithTimeout(&s, time.Hour)
	defer cancel()
	left, leave := context.WithCancel(&s)
	leave()
	if len(s.after) != 1 {
		t.Errorf("%d children are known, one has left", len(s.after))
	}
	s.Cancel(errEnd)
	<-child.Done()
	if !errors.Is(context.Cause(child), errEnd) {
		t.Errorf("the child ended by %v", context.Cause(child))
	}
	if !errors.Is(left.Err(), context.Canceled) {
		t.Errorf("who left ended by %v", left.Err())
	}
	late, cancelLate := context.WithCancel(&s)
	defer cancelLate()
	<-late.Done()
	if !s.Reset() {
		t.Error("cannot be used again")
	}
}

func TestASpanThatSomebodyMayStillLookAtIsNotUsedAgain(t *testing.T) {
	var s Span
	s.Cancel(errEnd)
	called := make(chan error)
	if stop := s.AfterFunc(func() { called <- s.Err() }); stop() {
		t.Error("what was called was stopped")
	}
	if s.Reset() {
		t.Error("used again")
	}
	if err := <-called; !errors.Is(err, errEnd) {
		t.Errorf("it saw %v", err)
	}
}

func TestGuardIsCalledByWhoEndsTheSpan(t *testing.T) {
	var s Span
	n := 0
	if !s.Guard(func() { n++ }) || !s.Unguard() || s.Unguard() {
		t.Error("a guard that was taken back")
	}
	s.Guard(func() { n++ })
	s.Cancel(nil)
	if n != 1 || s.Unguard() {
		t.Errorf("called %d times", n)
	}
	if s.Guard(func() { n++ }) {
		t.Error("guards a span that is over")
	}
}

func TestASpanIsSafeForManyGoroutines(t *testing.T) {
	for range 200 {
		var s Span
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { s.Cancel(errEnd) })
			wg.Go(func() { <-s.Done() })
			wg.Go(func() {
				ctx, cancel := context.WithCancel(&s)
				<-ctx.Done()
				cancel()
			})
		}
		wg.Wait()
	}
}

func TestASpanThatIsUsedAgainTakesNoMemory(t *testing.T) {
	var s Span
	f := func() {}
	_ = s.Done()
	if n := testing.AllocsPerRun(100, func() {
		if !s.Reset() {
			t.Error("spoiled")
		}
		s.Guard(f)
		_ = s.Done()
		if s.Err() != nil || !s.Unguard() {
			t.Error("over")
		}
	}); n > 0 {
		t.Errorf("%.0f allocations", n)
	}
}
