package admit

import (
	"sync"
	"time"

	"haoke/backend/internal/chat"
)

// Class is a call's place in the order of service.
type Class int

// The classes, first served first.
const (
	VIP Class = iota
	Ordinary
	Background
	classCount
)

// String is the class's name as metrics use it.
func (c Class) String() string {
	switch c {
	case VIP:
		return "vip"
	case Ordinary:
		return "ordinary"
	}
	return "background"
}

func classOf(ask *chat.Ask) Class {
	switch {
	case ask.Background:
		return Background
	case ask.VIP:
		return VIP
	}
	return Ordinary
}

// waiter is one call in the queue. It is in at most one list; prev and next
// make leaving it a matter of two pointers.
type waiter struct {
	lease *lease // the call's; granted when done is closed and err is nil
	class Class
	since time.Time
	until time.Time
	done  chan struct{} // closed when granted or refused

	// guarded by the Gate's lock
	prev, next *waiter
	queued     bool
	err        error
	told       int // position last handed to tell

	tellMu sync.Mutex
	spoken bool // something was told
	quiet  bool // Acquire is over: nothing may be told any more
}

// first tells the position at the start, unless a newer one was told already.
func (w *waiter) first(position int) {
	w.tellMu.Lock()
	defer w.tellMu.Unlock()
	if !w.spoken {
		w.spoken = true
		w.lease.ask.Queued(position)
	}
}

// tell passes the position on unless Acquire has returned meanwhile.
func (w *waiter) tell(position int) {
	w.tellMu.Lock()
	defer w.tellMu.Unlock()
	if !w.quiet {
		w.spoken = true
		w.lease.ask.Queued(position)
	}
}

func (w *waiter) hush() {
	w.tellMu.Lock()
	w.quiet = true
	w.tellMu.Unlock()
}

// line is the queue of one class, first in first out.
type line struct {
	head, tail *waiter
	n          int
	passed     int // grants of higher classes while this one waited
}

func (l *line) push(w *waiter) {
	w.prev, w.queued = l.tail, true
	if l.tail != nil {
		l.tail.next = w
	} else {
		l.head = w
		l.passed = 0
	}
	l.tail = w
	l.n++
}

func (l *line) remove(w *waiter) {
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		l.head = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		l.tail = w.prev
	}
	w.prev, w.next, w.queued = nil, nil, false
	l.n--
}

// patience is how many grants of higher classes a class lets pass before it
// is its turn: fewer the longer its first has waited (ageing), so that a flood
// of VIPs slows the others down but never stops them.
func (l *line) patience(c Class, now time.Time) int {
	most, least := 8, 2
	if c == Background {
		most, least = 32, 8
	}
	w := l.head
	allowed := w.until.Sub(w.since)
	if allowed <= 0 {
		return least
	}
	age := float64(now.Sub(w.since)) / float64(allowed)
	return max(least, int(float64(most)*(1-min(max(age, 0), 1))))
}

// order gives the classes in the order in which they are to be tried now.
func (g *Gate) order(now time.Time) [classCount]Class {
	out := [classCount]Class{VIP, Ordinary, Background}
	for _, c := range [2]Class{Ordinary, Background} {
		l := &g.lines[c]
		if l.head != nil && l.passed >= l.patience(c, now) {
			// To the front, the others keep their order.
			i := int(c)
			copy(out[1:i+1], out[:i])
			out[0] = c
			break
		}
	}
	return out
}

// served keeps the count of who was passed over.
func (g *Gate) served(c Class) {
	g.lines[c].passed = 0
	for lower := c + 1; lower < classCount; lower++ {
		if g.lines[lower].head != nil {
			g.lines[lower].passed++
		}
	}
}
