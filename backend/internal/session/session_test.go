package session_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
	"haoke/backend/internal/sqlite"
)

var _ session.Store = (*counting)(nil)

// counting counts the reads that reach the store.
type counting struct {
	session.Store
	loads, reads, finds atomic.Int64
}

func (c *counting) Load(ctx context.Context, id chat.ConversationID, tail int) (session.Record, error) {
	c.loads.Add(1)
	return c.Store.Load(ctx, id, tail)
}

func (c *counting) Messages(ctx context.Context, id chat.ConversationID, after int64, limit int) ([]chat.Message, error) {
	c.reads.Add(1)
	return c.Store.Messages(ctx, id, after, limit)
}

func (c *counting) Find(ctx context.Context, id chat.ConversationID, clientID string) (chat.Message, error) {
	c.finds.Add(1)
	return c.Store.Find(ctx, id, clientID)
}

func openDB(t testing.TB) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(context.Background(), sqlite.Config{Path: filepath.Join(t.TempDir(), "haoke.db"), Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func says(text, id string) []chat.Message {
	return []chat.Message{{From: chat.FromVisitor, Text: text, ClientID: id}}
}

func mustAppend(t testing.TB, m *session.Manager, id chat.ConversationID, a session.Append) session.Appended {
	t.Helper()
	out, err := m.Append(context.Background(), id, a)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// 64 writers, half through one manager and half through another over the same
// database (as another process would be), each repeating every message once:
// nothing lost, doubled or reordered.
func TestManyWritersOneConversation(t *testing.T) {
	const writers, each = 64, 12
	db := openDB(t)
	ctx := context.Background()
	managers := []*session.Manager{
		session.New(session.Config{}, db.Conversations()),
		session.New(session.Config{HotCapacity: 1}, db.Conversations()),
	}
	id := chat.NewConversationID()
	var wg sync.WaitGroup
	var dups atomic.Int64
	for w := range writers {
		wg.Go(func() {
			m := managers[w%2]
			for i := range each {
				name := fmt.Sprintf("%d-%d", w, i)
				for range 2 {
					out, err := retry(m, ctx, id, session.Append{
						Create: &chat.Conversation{Site: "default"}, Messages: says(name, name),
						Update: func(c *chat.Conversation) { c.Unread++ },
					})
					if err != nil {
						t.Errorf("append %s: %v", name, err)
						return
					}
					if out.Duplicate {
						dups.Add(1)
					}
					if out.Messages[0].Text != name {
						t.Errorf("append %s returned %q", name, out.Messages[0].Text)
					}
				}
			}
		})
	}
	wg.Wait()
	if n := dups.Load(); n != writers*each {
		t.Errorf("%d duplicates recognised, want %d", n, writers*each)
	}
	fresh := session.New(session.Config{}, db.Conversations())
	head, err := fresh.Head(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if head.LastSeq != writers*each || head.Version != writers*each || head.Unread != writers*each {
		t.Errorf("head: seq %d version %d unread %d, want %d each", head.LastSeq, head.Version, head.Unread, writers*each)
	}
	msgs, err := fresh.Messages(ctx, id, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	next := make(map[string]int)
	for i, msg := range msgs {
		if msg.Seq != int64(i)+1 {
			t.Fatalf("message %d has seq %d", i, msg.Seq)
		}
		w, n, _ := strings.Cut(msg.Text, "-")
		if n != fmt.Sprint(next[w]) {
			t.Fatalf("writer %s: message %s where %d was due", w, n, next[w])
		}
		next[w]++
	}
}

// retry repeats an append that lost every race: with two managers that fight
// over one conversation the bound on attempts can be reached.
func retry(m *session.Manager, ctx context.Context, id chat.ConversationID, a session.Append) (session.Appended, error) {
	for {
		out, err := m.Append(ctx, id, a)
		if !errors.Is(err, chat.ErrConflict) {
			return out, err
		}
	}
}

func TestHotReadsDoNotTouchTheStore(t *testing.T) {
	ctx := context.Background()
	store := &counting{Store: openDB(t).Conversations()}
	m := session.New(session.Config{}, store)
	id := chat.NewConversationID()
	for i := range 30 {
		mustAppend(t, m, id, session.Append{Create: &chat.Conversation{}, Messages: says("hello", fmt.Sprint(i))})
	}
	before := store.loads.Load()
	for after := range int64(31) {
		if _, err := m.Head(ctx, id); err != nil {
			t.Fatal(err)
		}
		msgs, err := m.Messages(ctx, id, after, 5)
		if err != nil || len(msgs) != int(min(5, 30-after)) || len(msgs) > 0 && msgs[0].Seq != after+1 {
			t.Fatalf("after %d: %d messages, %v", after, len(msgs), err)
		}
	}
	if store.loads.Load() != before || store.reads.Load() != 0 || store.finds.Load() != 0 {
		t.Errorf("hot reads reached the store: %d loads, %d reads, %d finds", store.loads.Load()-before, store.reads.Load(), store.finds.Load())
	}
	if s := m.Stats(); s.Hot != 1 || s.Bytes <= 0 || s.Hits < 62 {
		t.Errorf("stats %+v", s)
	}
}

func TestBoundsHold(t *testing.T) {
	ctx := context.Background()
	m := session.New(session.Config{HotCapacity: 10}, openDB(t).Conversations())
	var ids []chat.ConversationID
	for range 50 {
		id := chat.NewConversationID()
		ids = append(ids, id)
		mustAppend(t, m, id, session.Append{Create: &chat.Conversation{}, Messages: says("x", "1")})
	}
	if s := m.Stats(); s.Hot != 10 {
		t.Errorf("%d sessions hot, want 10", s.Hot)
	}
	for _, id := range ids {
		if h, err := m.Head(ctx, id); err != nil || h.LastSeq != 1 {
			t.Fatalf("%s: %+v %v", id, h, err)
		}
	}
	if _, err := m.Head(ctx, chat.NewConversationID()); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("unknown id: %v", err)
	}
	if s := m.Stats(); s.Hot != 10 {
		t.Errorf("%d sessions hot after reading, want 10", s.Hot)
	}
}

func TestBytesBound(t *testing.T) {
	const limit = 1 << 20
	ctx := context.Background()
	store := &counting{Store: openDB(t).Conversations()}
	m := session.New(session.Config{HotBytes: limit}, store)
	text := strings.Repeat("长", 3000)
	long := chat.NewConversationID()
	for i := range 60 {
		mustAppend(t, m, long, session.Append{Create: &chat.Conversation{}, Messages: says(text, fmt.Sprint(i))})
	}
	if s := m.Stats(); s.Bytes > limit/4 {
		t.Errorf("one long session holds %d bytes of %d", s.Bytes, limit)
	}
	// Its older part comes from the store, and so does the memory of its ids.
	msgs, err := m.Messages(ctx, long, 0, 0)
	if err != nil || len(msgs) != 60 || msgs[0].Seq != 1 || msgs[59].Seq != 60 {
		t.Fatalf("%d messages, %v", len(msgs), err)
	}
	if out := mustAppend(t, m, long, session.Append{Messages: says(text, "0")}); !out.Duplicate || out.Messages[0].Seq != 1 {
		t.Errorf("old id not recognised: %+v", out.Duplicate)
	}
	for range 200 {
		mustAppend(t, m, chat.NewConversationID(), session.Append{Create: &chat.Conversation{}, Messages: says(text, "1")})
	}
	if s := m.Stats(); s.Bytes > limit {
		t.Errorf("%d bytes hot, bound %d", s.Bytes, limit)
	}
}

func TestIfVersion(t *testing.T) {
	m := session.New(session.Config{}, openDB(t).Conversations())
	id := chat.NewConversationID()
	first := mustAppend(t, m, id, session.Append{Create: &chat.Conversation{}, Messages: says("a", "1")})
	mustAppend(t, m, id, session.Append{IfVersion: first.Head.Version, Messages: says("b", "2")})
	_, err := m.Append(context.Background(), id, session.Append{IfVersion: first.Head.Version, Messages: says("c", "3")})
	if !errors.Is(err, chat.ErrConflict) {
		t.Fatalf("stale version: %v", err)
	}
	if h, _ := m.Head(context.Background(), id); h.LastSeq != 2 {
		t.Errorf("seq %d after the refused append", h.LastSeq)
	}
}

func TestUpdateCannotBreakTheHead(t *testing.T) {
	ctx := context.Background()
	clock := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	m := session.New(session.Config{Now: func() time.Time { return clock }}, openDB(t).Conversations())
	id := chat.NewConversationID()
	mustAppend(t, m, id, session.Append{Create: &chat.Conversation{}, Messages: says("a", "1")})
	clock = clock.Add(-time.Hour) // the clock was set back
	h, err := m.Update(ctx, id, func(c *chat.Conversation) {
		c.ID, c.LastSeq, c.Version, c.Rating = "x", 99, 99, 4
		c.LastText = strings.Repeat("好", 500)
	})
	if err != nil || h.ID != id || h.LastSeq != 1 || h.Version != 2 || h.Rating != 4 {
		t.Fatalf("%+v %v", h, err)
	}
	if n := len([]rune(h.LastText)); n != 200 {
		t.Errorf("last text of %d characters", n)
	}
	out := mustAppend(t, m, id, session.Append{Messages: says("b", "2")})
	if out.Head.UpdatedAt.Before(h.UpdatedAt) {
		t.Errorf("updated went back from %v to %v", h.UpdatedAt, out.Head.UpdatedAt)
	}
	if _, err := m.Update(ctx, chat.NewConversationID(), func(*chat.Conversation) {}); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("update of nothing: %v", err)
	}
}

func TestPendingForgetDelete(t *testing.T) {
	ctx := context.Background()
	m := session.New(session.Config{}, openDB(t).Conversations())
	open, closed := chat.NewConversationID(), chat.NewConversationID()
	mustAppend(t, m, open, session.Append{Create: &chat.Conversation{}, Messages: says("a", "1"),
		Update: func(c *chat.Conversation) { c.Pending = c.LastSeq }})
	mustAppend(t, m, closed, session.Append{Create: &chat.Conversation{}, Messages: says("a", "1")})
	if ids, err := m.Pending(ctx); err != nil || len(ids) != 1 || ids[0] != open {
		t.Fatalf("pending %v %v", ids, err)
	}
	if err := m.Forget(ctx, closed); err != nil {
		t.Fatal(err)
	}
	if s := m.Stats(); s.Hot != 1 {
		t.Errorf("%d hot after Forget", s.Hot)
	}
	if h, err := m.Head(ctx, closed); err != nil || h.LastSeq != 1 {
		t.Errorf("after Forget: %+v %v", h, err)
	}
	if err := m.Delete(ctx, closed); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Head(ctx, closed); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("after Delete: %v", err)
	}
	if err := m.Delete(ctx, closed); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("second Delete: %v", err)
	}
}

func TestAbandonedWaitLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	m := session.New(session.Config{}, openDB(t).Conversations())
	id := chat.NewConversationID()
	if _, err := m.Append(ctx, id, session.Append{Create: &chat.Conversation{}, Messages: says("a", "1")}); !errors.Is(err, context.Canceled) {
		t.Fatalf("append with an ended context: %v", err)
	}
	if _, err := m.Head(context.Background(), id); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("the abandoned append left something: %v", err)
	}
}

// gate holds up the commits of one conversation until it is opened.
type gate struct {
	session.Store
	id      chat.ConversationID
	reached chan struct{}
	open    chan struct{}
}

func (g *gate) Commit(ctx context.Context, c *session.Change) (int64, error) {
	if c.Head.ID == g.id {
		g.reached <- struct{}{}
		<-g.open
	}
	return g.Store.Commit(ctx, c)
}

// With room for one session, a write under way keeps its place: the writer
// behind it waits, works on its result, and loads nothing.
func TestUnfinishedWriteIsNotEvicted(t *testing.T) {
	ctx := context.Background()
	store := &counting{Store: openDB(t).Conversations()}
	g := &gate{Store: store, id: chat.NewConversationID(), reached: make(chan struct{}, 2), open: make(chan struct{})}
	m := session.New(session.Config{HotCapacity: 1}, g)
	var wg sync.WaitGroup
	write := func(name string) {
		wg.Go(func() {
			if _, err := m.Append(ctx, g.id, session.Append{Create: &chat.Conversation{}, Messages: says(name, name)}); err != nil {
				t.Error(err)
			}
		})
	}
	write("first")
	<-g.reached
	write("second")
	for range 20 {
		mustAppend(t, m, chat.NewConversationID(), session.Append{Create: &chat.Conversation{}, Messages: says("x", "1")})
	}
	before := store.loads.Load()
	close(g.open)
	wg.Wait()
	if n := store.loads.Load() - before; n != 0 {
		t.Errorf("%d loads: the session was dropped in the middle of a write", n)
	}
	msgs, err := m.Messages(ctx, g.id, 0, 0)
	if err != nil || len(msgs) != 2 || msgs[0].Text != "first" || msgs[1].Text != "second" {
		t.Errorf("%+v %v", msgs, err)
	}
	if s := m.Stats(); s.Hot != 1 {
		t.Errorf("%d sessions hot", s.Hot)
	}
}
