package upstream

import (
	"sync"

	"haoke/backend/internal/chat"
)

// direct is a reader that the flight's own goroutine serves: who started a call
// is not woken for every piece. The zero value is a reader that reads for
// itself, as all do from the moment somebody joins.
type direct struct {
	mu   sync.Mutex
	sink chat.Sink // nil: none, or it has left
	err  error     // what sink returned
	n    int       // pieces delivered
}

// deliver hands over what came since the last time, as one token: it came in one
// read, and costs one frame. False: the reader wants no more and has to be told.
func (d *direct) deliver(b *answerBuf) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := len(b.ends)
	switch {
	case d.sink == nil || n == d.n:
		return true
	case n == d.n+1:
		d.err = d.sink(b.raw[b.start(d.n):b.ends[d.n]])
	default:
		joined := scratch.Get().(*buffer)
		joined.b = b.join(joined.b[:0], d.n, n)
		d.err = d.sink(joined.b)
		scratch.Put(joined)
	}
	d.n = n
	if d.err != nil {
		d.sink = nil
		return false
	}
	return true
}

// leave ends the deliveries: sink is not called any more once it has returned.
// It returns how many pieces were delivered.
func (d *direct) leave() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sink = nil
	return d.n
}

// failed is what sink returned.
func (d *direct) failed() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// begun reports whether a piece was delivered.
func (d *direct) begun() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.n > 0
}
