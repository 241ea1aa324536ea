package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

// BenchmarkAppend measures durable appends through the session manager, one
// conversation a writer. One writer has no company in its
// commits.
func BenchmarkAppend(b *testing.B) {
	text := strings.Repeat("Where is my order 12345? ", 12)
	for _, writers := range []int{1, 4, 64, 512} {
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
			ops, commits := db.ops.Load(), db.commits.Load()
			var next atomic.Int64
			var wg sync.WaitGroup
			waits := make([]time.Duration, b.N)
			for w := range writers {
				wg.Go(func() {
					for {
						i := next.Add(1)
						if i > int64(b.N) {
							return
						}
						start := time.Now()
						_, err := m.Append(ctx, ids[w], session.Append{Messages: []chat.Message{visitorSays(text, fmt.Sprint(i))}})
						waits[i-1] = time.Since(start)
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			slices.Sort(waits)
			b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
			b.ReportMetric(float64(db.ops.Load()-ops)/float64(db.commits.Load()-commits), "msg/commit")
		})
	}
}

// BenchmarkCommit is the ceiling of the writer: rows of 300 bytes into a bare
// table, one operation a row, by the number of goroutines that wait.
func BenchmarkCommit(b *testing.B) {
	text := strings.Repeat("x", 300)
	for _, waiters := range []int{1, 64, 512} {
		b.Run(fmt.Sprintf("waiters=%d", waiters), func(b *testing.B) {
			db := open(b)
			must := func(err error) {
				if err != nil {
					b.Error(err)
				}
			}
			must(db.write(context.Background(), func(tx *Tx) error {
				_, err := tx.exec("CREATE TABLE bare (a INTEGER, b INTEGER, t TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID")
				return err
			}))
			b.ResetTimer()
			var next atomic.Int64
			var wg sync.WaitGroup
			for w := range waiters {
				wg.Go(func() {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						must(db.write(context.Background(), func(tx *Tx) error {
							_, err := tx.insert("INSERT INTO bare VALUES (?,?,?)", w, i, text)
							return err
						}))
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(db.ops.Load())/float64(db.commits.Load()), "rows/commit")
		})
	}
}

// BenchmarkIndex measures the background full-text index, a message of 300
// bytes of English or of 100 characters of Chinese.
func BenchmarkIndex(b *testing.B) {
	for name, text := range map[string]string{"en": strings.Repeat("Where is my order 12345? ", 12), "zh": strings.Repeat("我想退货茶壶裂了怎么办呢", 8)} {
		b.Run(name, func(b *testing.B) {
			db := open(b)
			i := int64(0)
			b.ResetTimer()
			for b.Loop() {
				err := db.write(context.Background(), func(tx *Tx) error {
					for range 64 {
						i++
						if _, err := tx.insert("INSERT INTO message_fts (rowid, text) VALUES (?,?)", i, indexed(text)); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(i), "us/msg")
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
