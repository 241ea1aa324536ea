package session

import (
	"math/rand/v2"
	"testing"

	lru "github.com/hashicorp/golang-lru/v2"

	"haoke/backend/internal/chat"
)

// benchIDs are the ids of a skewed access pattern: a few conversations are
// much busier than the rest, as in a shop.
func benchIDs(n int) []chat.ConversationID {
	ids := make([]chat.ConversationID, n)
	for i := range ids {
		ids[i] = chat.NewConversationID()
	}
	return ids
}

// BenchmarkCache compares the pinning, weighing list with golang-lru, which
// can do neither, at a capacity of 10,000 and 20,000 conversations. Both miss
// about as often; the metric says how often.
func BenchmarkCache(b *testing.B) {
	const capacity, population = 10_000, 20_000
	ids := benchIDs(population)
	b.Run("own", func(b *testing.B) {
		c := newCache(capacity, 1<<40)
		held := &state{bytes: 1000}
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			rng := rand.New(rand.NewPCG(1, rand.Uint64()))
			zipf := rand.NewZipf(rng, 1.1, 8, population-1)
			for pb.Next() {
				id := ids[zipf.Uint64()]
				if c.get(id) != nil {
					continue
				}
				e := c.pin(id)
				c.publish(e, held)
				c.unpin(e)
			}
		})
		s := c.stats()
		b.ReportMetric(100*float64(s.Misses)/float64(s.Hits+s.Misses), "%miss")
	})
	b.Run("golang-lru", func(b *testing.B) {
		c, err := lru.New[chat.ConversationID, *state](capacity)
		if err != nil {
			b.Fatal(err)
		}
		held := &state{bytes: 1000}
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			rng := rand.New(rand.NewPCG(1, rand.Uint64()))
			zipf := rand.NewZipf(rng, 1.1, 8, population-1)
			for pb.Next() {
				id := ids[zipf.Uint64()]
				if _, ok := c.Get(id); !ok {
					c.Add(id, held)
				}
			}
		})
	})
}
