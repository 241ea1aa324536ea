package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

// open returns a store in a folder of the test.
func open(t testing.TB, change ...func(*Config)) *DB {
	t.Helper()
	cfg := Config{Path: filepath.Join(t.TempDir(), "haoke.db"), Reserve: -1}
	for _, f := range change {
		f(&cfg)
	}
	db, err := Open(context.Background(), cfg)
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

func visitorSays(text, id string) chat.Message {
	return chat.Message{From: chat.FromVisitor, Text: text, ClientID: id}
}

func TestAppendSurvivesReopen(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "haoke.db")
	db, err := Open(ctx, Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	m := session.New(session.Config{}, db.Conversations())
	id := chat.NewConversationID()
	head := &chat.Conversation{Site: "default", Visitor: chat.Visitor{Sub: "7", Name: "王小明", VIP: true}, Page: chat.Page{URL: "https://shop.example/"}}
	if _, err := m.Append(ctx, id, session.Append{Messages: []chat.Message{visitorSays("x", "c0")}}); !errors.Is(err, chat.ErrNotFound) {
		t.Fatalf("append without Create: %v", err)
	}
	out, err := m.Append(ctx, id, session.Append{Create: head, Messages: []chat.Message{visitorSays("怎么退货？", "c1")},
		Update: func(c *chat.Conversation) { c.Pending = c.LastSeq; c.Unread++ }})
	if err != nil {
		t.Fatal(err)
	}
	if out.Head.LastSeq != 1 || out.Head.Version != 1 || out.Messages[0].Seq != 1 {
		t.Fatalf("first append: %+v", out)
	}
	answer := chat.Message{From: chat.FromAI, Text: "七天内可退。", Finish: chat.FinishStop, Sources: []chat.Source{{Title: "退货"}},
		Turn: &chat.TurnInfo{Provider: "offline", PromptTrace: "[big]", Prompt: 12}}
	if _, err = m.Append(ctx, id, session.Append{Messages: []chat.Message{answer},
		Update: func(c *chat.Conversation) { c.Pending = 0 }}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	db, err = Open(ctx, Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	m = session.New(session.Config{}, db.Conversations())
	h, err := m.Head(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if h.Visitor.Name != "王小明" || !h.Visitor.VIP || h.LastSeq != 2 || h.Version != 2 || h.LastText != "七天内可退。" || h.Page.URL == "" || h.Epoch == "" {
		t.Fatalf("head after reopen: %+v", h)
	}
	msgs, err := m.Messages(ctx, id, 0, 0)
	if err != nil || len(msgs) != 2 {
		t.Fatalf("messages: %v %v", msgs, err)
	}
	if a := msgs[1]; a.Finish != chat.FinishStop || a.Turn == nil || a.Turn.Prompt != 12 || a.Turn.PromptTrace != "" || a.Sources[0].Title != "退货" {
		t.Fatalf("answer: %+v %+v", a, a.Turn)
	}
	if msgs[0].At.IsZero() || time.Since(msgs[0].At) > time.Hour {
		t.Fatalf("at: %v", msgs[0].At)
	}
	if tr, err := db.Conversations().Trace(ctx, id, 2); err != nil || tr != "[big]" {
		t.Fatalf("trace %q %v", tr, err)
	}
	dup, err := m.Append(ctx, id, session.Append{Messages: []chat.Message{visitorSays("怎么退货？", "c1")}})
	if err != nil || !dup.Duplicate || dup.Messages[0].Seq != 1 {
		t.Fatalf("duplicate: %+v %v", dup, err)
	}
}
