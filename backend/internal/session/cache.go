package session

import (
	"context"
	"sync"
	"sync/atomic"

	"haoke/backend/internal/chat"
)

// entry is one conversation's place in the cache.
type entry struct {
	id   chat.ConversationID
	sem  chan struct{} // holds one token: the conversation's lock, abandonable by ctx
	snap atomic.Pointer[state]

	// ids finds visitor messages by ClientID in the state with version idsOf;
	// nil: not made. Guarded by sem.
	ids   map[string]int64
	idsOf int64

	// The rest is guarded by cache.mu.
	refs       int
	bytes      int64
	prev, next *entry
}

func (e *entry) lock(ctx context.Context) error {
	select {
	case e.sem <- struct{}{}:
		return nil
	default:
	}
	select {
	case e.sem <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (e *entry) unlock() { <-e.sem }

// cache is a least-recently-used set of entries, bounded by count and bytes.
// Entries in use (refs > 0) are never evicted: dropping one would lose its
// lock, and with it the order of its writers. The list is intrusive because
// general caches can neither pin nor weigh what they hold without a second
// table (measured in BenchmarkCache).
type cache struct {
	capacity int
	maxBytes int64

	mu    sync.Mutex
	m     map[chat.ConversationID]*entry
	root  entry // ring: root.next is the newest, root.prev the oldest
	bytes int64

	hits, misses atomic.Uint64
}

func newCache(capacity int, maxBytes int64) *cache {
	c := &cache{capacity: capacity, maxBytes: maxBytes, m: make(map[chat.ConversationID]*entry)}
	c.root.prev, c.root.next = &c.root, &c.root
	return c
}

// get returns the state of a hot entry, nil when it is not hot.
func (c *cache) get(id chat.ConversationID) *state {
	c.mu.Lock()
	e := c.m[id]
	if e == nil {
		c.mu.Unlock()
		return nil
	}
	c.front(e)
	c.mu.Unlock()
	s := e.snap.Load()
	if s != nil {
		c.hits.Add(1)
	}
	return s
}

// pin returns the entry of id, made when there is none, and keeps it from
// being evicted until unpin.
func (c *cache) pin(id chat.ConversationID) *entry {
	c.mu.Lock()
	e := c.m[id]
	if e == nil {
		e = &entry{id: id, sem: make(chan struct{}, 1)}
		c.m[id] = e
		c.insert(e)
	} else {
		c.front(e)
	}
	e.refs++
	c.mu.Unlock()
	if e.snap.Load() != nil {
		c.hits.Add(1)
	} else {
		c.misses.Add(1)
	}
	return e
}

// unpin lets go of an entry. One without a state (not found, forgotten) leaves
// no trace, so that guesses at ids cannot fill the cache.
func (c *cache) unpin(e *entry) {
	c.mu.Lock()
	e.refs--
	if e.refs == 0 && e.snap.Load() == nil {
		c.remove(e)
	}
	c.evict()
	c.mu.Unlock()
}

// publish makes s the state of a pinned and locked entry, or counts what it has
// grown to.
func (c *cache) publish(e *entry, s *state) {
	c.mu.Lock()
	e.snap.Store(s)
	c.bytes += s.bytes - e.bytes
	e.bytes = s.bytes
	c.evict()
	c.mu.Unlock()
}

// evict drops the oldest unused entries until both bounds hold.
func (c *cache) evict() {
	e := c.root.prev
	for e != &c.root && (len(c.m) > c.capacity || c.bytes > c.maxBytes) {
		prev := e.prev
		if e.refs == 0 {
			c.remove(e)
		}
		e = prev
	}
}

func (c *cache) insert(e *entry) {
	e.prev, e.next = &c.root, c.root.next
	e.prev.next, e.next.prev = e, e
}

func (c *cache) front(e *entry) {
	if c.root.next == e {
		return
	}
	e.prev.next, e.next.prev = e.next, e.prev
	c.insert(e)
}

func (c *cache) remove(e *entry) {
	e.prev.next, e.next.prev = e.next, e.prev
	e.prev, e.next = nil, nil
	delete(c.m, e.id)
	c.bytes -= e.bytes
	e.bytes = 0
}

func (c *cache) stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{Hot: len(c.m), Bytes: c.bytes, Hits: c.hits.Load(), Misses: c.misses.Load()}
}
