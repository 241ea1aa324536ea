package upstream

import (
	"container/list"
	"sync"
	"time"

	"haoke/backend/internal/chat"
)

// cache keeps complete answers: bounded in bytes, the least recently used go
// first, and none is given out after its time. The zero value is ready.
type cache struct {
	mu           sync.Mutex
	byID         map[identity]*list.Element // of *entry
	order        list.List                  // front: used last
	bytes        int
	hits, misses int64
}

// entry is one answer; it is never changed once it is in the cache.
type entry struct {
	id      identity
	raw     []byte // the whole answer as one raw token
	res     chat.Result
	expires time.Time
}

// entryOverhead is what an entry takes beside its text, about.
const entryOverhead = 512

func (e *entry) size() int { return len(e.raw) + entryOverhead }

func (c *cache) get(id identity, now time.Time) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	el := c.byID[id]
	if el != nil && !now.Before(el.Value.(*entry).expires) {
		c.drop(el)
		el = nil
	}
	if el == nil {
		c.misses++
		return nil
	}
	c.hits++
	c.order.MoveToFront(el)
	return el.Value.(*entry)
}

// put keeps raw as the answer of id, unless it alone exceeds limit.
func (c *cache) put(id identity, raw []byte, res chat.Result, expires time.Time, limit int) {
	e := &entry{id: id, raw: raw, res: res, expires: expires}
	c.mu.Lock()
	defer c.mu.Unlock()
	if el := c.byID[id]; el != nil {
		c.drop(el)
	}
	if e.size() > limit {
		return
	}
	if c.byID == nil {
		c.byID = map[identity]*list.Element{}
	}
	c.byID[id] = c.order.PushFront(e)
	c.bytes += e.size()
	for c.bytes > limit {
		c.drop(c.order.Back())
	}
}

func (c *cache) drop(el *list.Element) {
	e := c.order.Remove(el).(*entry)
	delete(c.byID, e.id)
	c.bytes -= e.size()
}

func (c *cache) purge() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.byID)
	c.order.Init()
	c.bytes = 0
}

func (c *cache) stats(s *Stats) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.CacheHits, s.CacheMisses, s.CacheEntries, s.CacheBytes = c.hits, c.misses, len(c.byID), c.bytes
}

// deliver hands the answer over in one piece.
func (e *entry) deliver(sink chat.Sink) (chat.Result, error) {
	res := e.res
	res.Cached, res.Cost, res.Queue, res.FirstToken, res.Upstream, res.Attempts = true, 0, 0, 0, 0, 0
	if err := sink(e.raw); err != nil {
		res.Finish = chat.FinishError
		return res, err
	}
	return res, nil
}
