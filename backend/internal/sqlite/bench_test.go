package sqlite

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

// BenchmarkAppend measures durable appends through the session manager, one
// conversation a writer. "single" is the same without company in the commit.
func BenchmarkAppend(b *testing.B) {
	text := string(make([]byte, 0, 300))
	for len(text) < 300 {
		text += "Where is my order 12345? "
	}
	for _, writers := range []int{1, 64, 512} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			db := open(b)
			m := session.New(session.Config{}, db.Conversations())
			ctx := context.Background()
			ids := make([]chat.ConversationID, writers)
			for i := range ids {
				ids[i] = chat.NewConversationID()
				_, err := m.Append(ctx, ids[i], session.Append{Create: &chat.Conversation{Site: "default"}, Messages: []chat.Message{visitorSays(text, "first")}})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			var next atomic.Int64
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					for {
						i := next.Add(1)
						if i > int64(b.N) {
							return
						}
						_, err := m.Append(ctx, ids[w], session.Append{Messages: []chat.Message{visitorSays(text, fmt.Sprint(i))}})
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}

// BenchmarkHotRead measures Head and the last messages of a hot session.
func BenchmarkHotRead(b *testing.B) {
	db := open(b)
	m := session.New(session.Config{}, db.Conversations())
	ctx := context.Background()
	id := chat.NewConversationID()
	for i := range 40 {
		if _, err := m.Append(ctx, id, session.Append{Create: &chat.Conversation{}, Messages: []chat.Message{visitorSays("hello", fmt.Sprint(i))}}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			h, err := m.Head(ctx, id)
			if err != nil {
				b.Error(err)
			}
			if msgs, err := m.Messages(ctx, id, h.LastSeq-20, 0); err != nil || len(msgs) != 20 {
				b.Error(len(msgs), err)
			}
		}
	})
}

// BenchmarkColdCacheRead measures loading a session of 40 messages from SQLite.
func BenchmarkColdCacheRead(b *testing.B) {
	db := open(b)
	ctx := context.Background()
	m := session.New(session.Config{}, db.Conversations())
	id := chat.NewConversationID()
	for i := range 40 {
		if _, err := m.Append(ctx, id, session.Append{Create: &chat.Conversation{}, Messages: []chat.Message{visitorSays("hello", fmt.Sprint(i))}}); err != nil {
			b.Fatal(err)
		}
	}
	c := db.Conversations()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Load(ctx, id, 100); err != nil {
			b.Fatal(err)
		}
	}
}
