package upstream

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/codec"
	"haoke/backend/internal/span"
)

// identity is the SHA-256 of everything that shapes an answer. Visitors write
// parts of it, so it must not collide on purpose.
type identity [sha256.Size]byte

// identify hashes call, each text with its length before it.
func identify(cfg *Config, call *chat.Call) identity {
	b := scratch.Get().(*buffer)
	defer scratch.Put(b)
	p := b.b[:0]
	text := func(s string) {
		p = binary.AppendUvarint(p, uint64(len(s)))
		p = append(p, s...)
	}
	text(cfg.Realm)
	text(call.Model)
	p = binary.AppendVarint(p, int64(call.MaxTokens))
	if call.Temperature != nil {
		p = binary.AppendUvarint(append(p, 1), math.Float64bits(*call.Temperature))
	} else {
		p = append(p, 0)
	}
	for i := range call.Messages {
		text(string(call.Messages[i].Role))
		text(call.Messages[i].Content)
	}
	b.b = p
	return sha256.Sum256(p)
}

// flights are the calls under way, and by identity those that may be joined.
type flights struct {
	mu     sync.Mutex
	byID   map[identity]*flight
	live   map[*flight]struct{}
	closed bool
	memory sync.Pool // of flights that are over
}

func (fs *flights) count() int {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return len(fs.byID)
}

// remove makes a flight one that cannot be joined any more.
func (fs *flights) remove(f *flight) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.byID[f.id] == f {
		delete(fs.byID, f.id)
	}
}

// landed takes out a flight that has ended, or is about to.
func (fs *flights) landed(f *flight) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.byID[f.id] == f {
		delete(fs.byID, f.id)
	}
	delete(fs.live, f)
}

// close ends every flight and lets no further one begin.
func (fs *flights) close(cause error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.closed = true
	for f := range fs.live {
		f.life.Cancel(cause)
	}
}

// flight is one upstream call and those who read along. Its memory is used
// again when its goroutine and all of them have let go of it.
type flight struct {
	c      *Client
	id     identity
	shared bool // may be joined
	vip    bool // queues as a VIP
	limit  int
	maxN   int
	life   span.Span
	cfg    *Config
	caller chat.Caller // who started the call
	call   chat.Call
	msgs   []chat.PromptMessage // the call's
	req    request
	queues func(position int) // queued, bound once
	refs   atomic.Int32       // its goroutine and each reader

	first subscriber // who started the call

	mu     sync.Mutex
	buf    *answerBuf
	subs   []*subscriber
	crowd  bool // somebody has joined: each reader reads for itself
	leased bool // out of the queue
	over   bool // ended, or left by everybody
	done   bool // res and err are set
	res    chat.Result
	err    error
}

// answerBuf is an answer as raw tokens one behind the other. What was appended
// never changes, so readers may read what they saw under the lock without it.
type answerBuf struct {
	raw  []byte
	ends []int32
}

// keptBuf bounds the buffers that are kept for reuse.
const keptBuf = 64 << 10

func newFlight() any {
	f := &flight{buf: &answerBuf{raw: make([]byte, 0, 4<<10), ends: make([]int32, 0, 256)}}
	f.queues = f.queued
	f.first.wake = make(chan struct{}, 1)
	return f
}

// release lets go of a flight; the last one to do so gives its memory back.
// Nothing of a question or an answer stays reachable.
func (c *Client) release(f *flight) {
	if f.refs.Add(-1) > 0 {
		return
	}
	select {
	case <-f.first.wake: // told as it left
	default:
	}
	if cap(f.buf.raw) > keptBuf || cap(f.msgs) > 256 || !f.life.Reset() {
		return
	}
	f.first.reset()
	clear(f.msgs)
	clear(f.subs)
	f.buf.raw, f.buf.ends, f.msgs, f.subs = f.buf.raw[:0], f.buf.ends[:0], f.msgs[:0], f.subs[:0]
	f.cfg, f.caller, f.call, f.req = nil, chat.Caller{}, chat.Call{}, request{}
	f.crowd, f.leased, f.over, f.done, f.res, f.err = false, false, false, false, chat.Result{}, nil
	c.flights.memory.Put(f)
}

// subscriber is one reader of a flight.
type subscriber struct {
	f      *flight
	caller chat.Caller
	merged bool
	index  int  // in f.subs
	waits  wait // guarded by f.mu
	wake   chan struct{}
	pos    int  // pieces delivered
	own    bool // the flight's goroutine serves it; the rest is in direct
	direct direct
}

// reset leaves nothing but the channel.
func (s *subscriber) reset() {
	s.f, s.caller, s.merged, s.index, s.waits, s.pos, s.own = nil, chat.Caller{}, false, 0, waitNothing, 0, false
	s.direct.sink, s.direct.err, s.direct.n = nil, nil, 0
}

// wait says what a sleeping subscriber wants to be woken for.
type wait uint8

const (
	waitNothing wait = iota
	waitPiece
	waitEnd
)

// alone starts a flight that nobody may join.
func (c *Client) alone(cfg *Config, call chat.Call, caller chat.Caller, sink chat.Sink) (*subscriber, error) {
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	if c.flights.closed {
		return nil, errClosed
	}
	return c.launch(cfg, call, caller, sink, identity{}), nil
}

// launch starts a flight with its first subscriber; the zero id is not shared.
// c.flights.mu is held, so that Close knows of every goroutine.
func (c *Client) launch(cfg *Config, call chat.Call, caller chat.Caller, sink chat.Sink, id identity) *subscriber {
	f := c.flights.memory.Get().(*flight)
	f.c, f.cfg, f.caller = c, cfg, caller
	f.id, f.shared, f.vip, f.limit = id, id != identity{}, caller.VIP, cfg.AnswerBytes
	// A piece holds a token at least, so more pieces than tokens were asked for
	// means that the bound was ignored.
	f.maxN = call.MaxTokens + 16
	// The caller uses its messages again, and the flight may outlive it.
	f.msgs = append(f.msgs[:0], call.Messages...)
	f.call = call
	f.call.Messages = f.msgs
	f.req = request{call: &f.call, stream: true}
	f.refs.Store(1)
	sub := &f.first
	f.add(sub, caller)
	if cfg.Coalesce <= 0 {
		sub.direct.sink = sink
		sub.own = true
	}
	c.flights.live[f] = struct{}{}
	c.wg.Add(1)
	go c.fly(f)
	return sub
}

// join finds the cached answer of id, or the flight of id to read along, or
// launches one. A VIP does not join a call that still queues as an ordinary
// one.
func (c *Client) join(cfg *Config, call chat.Call, caller chat.Caller, sink chat.Sink, id identity) (*subscriber, *entry, error) {
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	if c.flights.closed {
		return nil, nil, errClosed
	}
	if cfg.CacheTTL > 0 {
		if hit := c.cache.get(id, cfg.Now()); hit != nil {
			return nil, hit, nil
		}
	}
	if f := c.flights.byID[id]; f != nil && cfg.Merge {
		if sub := f.tryJoin(caller); sub != nil {
			c.merged.Add(1)
			return sub, nil, nil
		}
	}
	sub := c.launch(cfg, call, caller, sink, id)
	if cfg.Merge {
		c.flights.byID[id] = sub.f
	}
	return sub, nil, nil
}

func (f *flight) tryJoin(caller chat.Caller) *subscriber {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over || caller.VIP && !f.vip && !f.leased {
		return nil
	}
	sub := &subscriber{merged: true, wake: make(chan struct{}, 1)}
	f.add(sub, caller)
	f.crowd = true
	if f.first.own {
		f.first.rouse()
	}
	return sub
}

// add makes sub a reader of the flight.
func (f *flight) add(sub *subscriber, caller chat.Caller) {
	sub.f, sub.caller, sub.index = f, caller, len(f.subs)
	f.subs = append(f.subs, sub)
	f.refs.Add(1)
}

// leave takes sub out; the last one to leave cancels the call.
func (c *Client) leave(sub *subscriber) {
	f := sub.f
	f.mu.Lock()
	last := len(f.subs) - 1
	f.subs[sub.index] = f.subs[last]
	f.subs[sub.index].index = sub.index
	f.subs[last] = nil
	f.subs = f.subs[:last]
	empty, done := last == 0, f.done
	if empty {
		f.over = true
	}
	f.mu.Unlock()
	if empty && !done {
		f.life.Cancel(nil)
		if f.shared {
			c.flights.remove(f)
		}
	}
	c.release(f)
}

// piece appends one raw token and wakes those who wait for it; false: the
// answer is long enough.
func (f *flight) piece(raw []byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.buf
	if len(b.raw)+len(raw) > f.limit || len(b.ends) >= f.maxN {
		return false
	}
	b.raw = append(b.raw, raw...)
	b.ends = append(b.ends, int32(len(b.raw)))
	for _, sub := range f.subs {
		if sub.waits == waitPiece {
			sub.rouse()
		}
	}
	return true
}

// pause hands what has come to the reader that started the call. Only the
// flight's goroutine calls it, which is also the only one that adds pieces, so
// that the buffer can be read without the lock.
func (f *flight) pause() {
	if !f.first.own {
		return
	}
	f.mu.Lock()
	crowd := f.crowd
	f.mu.Unlock()
	if !crowd && !f.first.direct.deliver(f.buf) {
		f.mu.Lock()
		f.first.rouse()
		f.mu.Unlock()
	}
}

// rouse wakes a reader that waits. The flight's lock is held.
func (s *subscriber) rouse() {
	if s.waits != waitNothing {
		s.waits = waitNothing
		s.wake <- struct{}{}
	}
}

// delivered is how many pieces there are.
func (f *flight) delivered() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.buf.ends)
}

// answer is the whole answer as one raw token, in memory of its own.
func (f *flight) answer() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.buf.join(nil, 0, len(f.buf.ends))
}

// text is what was answered so far.
func (f *flight) text() string {
	s, _ := codec.Unquote(f.answer())
	return s
}

// admitted notes that the call left the queue.
func (f *flight) admitted() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leased = true
}

// answered ends the flight with a whole answer.
func (f *flight) answered(res chat.Result) {
	if res.Finish == chat.FinishStop && f.cfg.CacheTTL > 0 && f.shared {
		f.c.cache.put(f.id, f.answer(), res, f.cfg.Now().Add(f.cfg.CacheTTL), f.cfg.CacheBytes)
	}
	f.c.flights.landed(f)
	f.finish(res, nil)
	runtime.Gosched() // those who were told go first: nobody waits for what follows here
}

// queued passes the place in the queue on to everybody.
func (f *flight) queued(position int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, sub := range f.subs {
		if sub.caller.Queued != nil {
			sub.caller.Queued(position)
		}
	}
}

// finish ends the flight, if it has not ended yet, and wakes everybody.
func (f *flight) finish(res chat.Result, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done {
		return
	}
	f.res, f.err, f.done, f.over = res, err, true, true
	for _, sub := range f.subs {
		sub.rouse()
	}
}
