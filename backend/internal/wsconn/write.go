package wsconn

import (
	"sync"
	"time"
)

// writeChunk is how much goes to the network in one write: a slow reader has
// Config.WriteTimeout for each.
const writeChunk = 32 << 10

// queueBuffers recycles what sockets queue into; large ones are left to the
// collector.
var queueBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

func putQueue(b *[]byte) {
	if b != nil && cap(*b) <= 64<<10 {
		*b = (*b)[:0]
		queueBuffers.Put(b)
	}
}

// Send queues a copy of one message. It never blocks: a full queue closes the
// socket with Config.CloseSlow and returns ErrTooSlow.
func (c *Conn) Send(frame []byte) error { return c.push(opText, frame) }

// SendNow is Send for a frame that comes alone, as the pieces of an answer do:
// when nothing waits before it, it is written at once and no goroutine has to be
// woken for it. What the network does not take at once is queued.
func (c *Conn) SendNow(frame []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sendNowLocked(frame)
}

func (c *Conn) sendNowLocked(frame []byte) error {
	if c.closing || c.dead || c.writing || c.queue != nil || !c.watch.ok() {
		return c.sendLocked(opText, frame)
	}
	b := queueBuffers.Get().(*[]byte)
	*b = appendFrame((*b)[:0], opText, frame)
	if n := c.watch.write(*b); n < len(*b) {
		*b = (*b)[:copy(*b, (*b)[n:])]
		c.queue = b
		if n > 0 {
			c.begun = len(*b)
		}
		c.startLocked() // the writer waits, and learns of errors
		return nil
	}
	putQueue(b)
	return nil
}

func (c *Conn) push(op byte, payload []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sendLocked(op, payload)
}

func (c *Conn) sendLocked(op byte, payload []byte) error {
	if c.closing {
		return ErrClosed
	}
	if c.waiting()+len(payload)+4 > c.cfg.QueueBytes {
		if c.queue != nil {
			*c.queue = (*c.queue)[:c.begun] // a frame that was begun is finished
		}
		c.closeLocked(c.cfg.CloseSlow, "too slow")
		c.end.cause = ErrTooSlow
		return ErrTooSlow
	}
	c.pushLocked(op, payload)
	return nil
}

// SendWait queues a copy of one message and waits while more than half of the
// queue is taken, so that a long replay does not count as slowness. Only the
// socket's own reader may call it: it delays nobody else.
func (c *Conn) SendWait(frame []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.closing && c.waiting() > 0 && c.waiting()+len(frame) > c.cfg.QueueBytes/2 {
		if c.room == nil {
			c.room = sync.NewCond(&c.mu)
		}
		c.room.Wait()
	}
	if c.closing {
		return ErrClosed
	}
	c.pushLocked(opText, frame)
	return nil
}

func (c *Conn) pushLocked(op byte, payload []byte) {
	if c.queue == nil {
		c.queue = queueBuffers.Get().(*[]byte)
	}
	*c.queue = appendFrame(*c.queue, op, payload)
	c.startLocked()
}

// waiting is how many bytes are not written yet.
func (c *Conn) waiting() int {
	if c.queue == nil {
		return c.inflight
	}
	return len(*c.queue) + c.inflight
}

func (c *Conn) startLocked() {
	if !c.writing && !c.dead {
		c.writing = true
		go c.drainer()
	}
}

func (c *Conn) wakeLocked() {
	if c.room != nil {
		c.room.Broadcast()
	}
}

// drain is the writer: it exists while there is something to write. Frames
// that came in the meantime leave together.
func (c *Conn) drain() {
	for {
		batch, last := c.batch()
		if batch == nil {
			return
		}
		err := c.write(*batch)
		putQueue(batch)
		if err != nil {
			c.kill(err)
		} else if last {
			c.closeSent()
		}
	}
}

// batch takes what is queued; last says that it ends in the close frame. Nil:
// there is nothing to write and the writer's place is free again.
func (c *Conn) batch() (batch *[]byte, last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.end; e != nil && !e.sent && !c.dead { // nothing is queued any more
		if c.queue == nil {
			c.queue = queueBuffers.Get().(*[]byte)
		}
		*c.queue = appendClose(*c.queue, e.code, e.reason)
		e.sent, last = true, true
	}
	batch, c.queue, c.begun = c.queue, nil, 0
	if batch == nil || len(*batch) == 0 || c.dead {
		putQueue(batch)
		c.writing, c.inflight = false, 0
		return nil, false
	}
	c.inflight = len(*batch)
	return batch, last
}

// write brings a batch to the network, piece by piece.
func (c *Conn) write(b []byte) error {
	for len(b) > 0 {
		n := min(len(b), writeChunk)
		if err := c.nc.SetWriteDeadline(time.Now().Add(c.cfg.WriteTimeout)); err != nil {
			return err
		}
		if _, err := c.nc.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
		c.mu.Lock()
		c.inflight -= n
		c.wakeLocked()
		c.mu.Unlock()
	}
	return nil
}

// closeSent follows the close frame: the socket is closed when the peer's has
// come, which is given some time.
func (c *Conn) closeSent() {
	c.mu.Lock()
	e := c.end
	e.gone = true
	done := e.came
	if !done && !c.dead {
		e.timer = time.AfterFunc(c.cfg.CloseWait, func() { c.kill(ErrClosed) })
		if e.broken {
			c.closeWriteLocked()
		}
	}
	c.mu.Unlock()
	if done {
		c.kill(nil)
	}
}
