package tokens

import (
	"hash/maphash"
	"sync"
)

// cacheKey identifies a text by a seeded 64-bit hash and its length. Two texts
// with the same key would share a count; the seed is random, so nobody can
// make such texts on purpose, and the harm would be a slightly wrong count.
type cacheKey struct {
	hash uint64
	size uint32
	enc  encoding
}

// cache keeps counts in two generations: when the young one is full it becomes
// the old one and the old one is forgotten. Hits in the old generation move to
// the young one, so what is used stays.
type cache struct {
	seed maphash.Seed
	half int

	mu         sync.Mutex
	young, old map[cacheKey]int32
}

func newCache(entries int) *cache {
	half := max(1, entries/2)
	return &cache{seed: maphash.MakeSeed(), half: half, young: make(map[cacheKey]int32)}
}

func (c *cache) key(e encoding, text string) cacheKey {
	return cacheKey{hash: maphash.String(c.seed, text), size: uint32(len(text)), enc: e}
}

func (c *cache) get(k cacheKey) (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n, ok := c.young[k]; ok {
		return int(n), true
	}
	n, ok := c.old[k]
	if ok {
		c.store(k, n)
	}
	return int(n), ok
}

func (c *cache) put(k cacheKey, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.store(k, int32(n))
}

// store adds to the young generation; the caller holds mu.
func (c *cache) store(k cacheKey, n int32) {
	if len(c.young) >= c.half {
		c.old, c.young = c.young, make(map[cacheKey]int32, c.half)
	}
	c.young[k] = n
}

// len counts the entries of both generations.
func (c *cache) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.young) + len(c.old)
}
