package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

// generate fills a database with n conversations of a few messages each, in
// the shape that the session manager writes, without its fsync a message.
func generate(t testing.TB, path string, n int) {
	t.Helper()
	ctx := context.Background()
	db, err := Open(ctx, Config{Path: path, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	words := []string{"parcel", "invoice", "teapot", "退货", "尺码", "发票", "refund", "colour", "address", "opening hours"}
	for done := 0; done < n; {
		step := min(2000, n-done)
		err := db.write(ctx, func(tx *Tx) error {
			for i := range step {
				at = at.Add(time.Second)
				h := chat.Conversation{ID: chat.ConversationID(fmt.Sprintf("%016x%016x", rng.Uint64(), rng.Uint64())), Version: 2, Site: "default",
					Mode: chat.ModeAI, Epoch: "e", LastSeq: 2, CreatedAt: at, UpdatedAt: at, LastText: "answer", LastFrom: chat.FromAI}
				if (done+i)%1000 == 0 {
					h.Pending, h.Unanswered = 1, true
				}
				w := commit{}
				if err := w.encode(&session.Change{Head: h, Messages: []chat.Message{
					{Seq: 1, From: chat.FromVisitor, Text: "Question about " + words[rng.IntN(len(words))] + " " + strconv.Itoa(done+i), At: at, ClientID: "1"},
					{Seq: 2, From: chat.FromAI, Text: "Here is what you need to know.", At: at, Finish: chat.FinishStop}}}); err != nil {
					return err
				}
				if err := w.do(tx); err != nil {
					return err
				}
				if _, err := tx.exec("UPDATE conversations SET indexed_seq = 2, indexed_who = 1 WHERE n = ?", w.ref); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		done += step
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestStartWithManyConversations opens a large history and works with it: the
// start must not read it, and memory must follow the capacity. The number of
// conversations is 20,000 unless HAOKE_TEST_CONVERSATIONS says otherwise
// (1000000 for the figure in the README).
func TestStartWithManyConversations(t *testing.T) {
	n := 20_000
	if s := os.Getenv("HAOKE_TEST_CONVERSATIONS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "haoke.db")
	generate(t, path, n)
	ctx := context.Background()
	before := heap()
	begin := time.Now()
	db, err := Open(ctx, Config{Path: path, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	opened := time.Since(begin)
	m := session.New(session.Config{HotCapacity: 500}, db.Conversations())
	pending, err := m.Pending(ctx)
	if err != nil || len(pending) != (n+999)/1000 {
		t.Fatalf("%d pending, %v", len(pending), err)
	}
	ready := time.Since(begin)
	step := func(what string, f func() error) time.Duration {
		start := time.Now()
		if err := f(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return time.Since(start)
	}
	c := db.Conversations()
	lists := step("list", func() error { _, err := c.List(ctx, Query{}); return err })
	rare := step("unanswered", func() error { _, err := c.List(ctx, Query{Unanswered: true}); return err })
	counts := step("count", func() error { _, err := c.Counts(ctx); return err })
	var all []chat.ConversationID
	q := Query{Limit: 500}
	for len(all) < 3000 {
		p, err := c.List(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		all, q.Cursor = append(all, ids(p)...), p.Next
	}
	reads := step("read", func() error {
		for _, id := range all {
			if _, err := m.Messages(ctx, id, 0, 0); err != nil {
				return err
			}
		}
		return nil
	})
	if s := m.Stats(); s.Hot != 500 {
		t.Errorf("%d sessions hot with a capacity of 500", s.Hot)
	}
	grown := heap() - before
	t.Logf("%d conversations, %d MB: open %v, with pending turns %v; first page %v, unanswered %v, counts %v; cold read %v; heap grown by %d KB",
		n, fileSize(path)>>20, opened, ready, lists, rare, counts, reads/time.Duration(len(all)), grown>>10)
	if grown > 32<<20 {
		t.Errorf("the heap grew by %d MB", grown>>20)
	}
}

func heap() int64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}
