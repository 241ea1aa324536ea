package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
	"haoke/backend/internal/sqlite"
)

// archive is a cold tier that packs messages as JSON.
type archive struct {
	cold  *sqlite.Cold
	thaws atomic.Int64
}

func (a *archive) Thaw(ctx context.Context, id chat.ConversationID) (bool, error) {
	a.thaws.Add(1)
	b, err := a.cold.Blob(ctx, id)
	if errors.Is(err, chat.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var msgs []chat.Message
	if err := json.Unmarshal(b.Data, &msgs); err != nil {
		return false, err
	}
	return true, a.cold.Restore(ctx, id, msgs)
}

func (a *archive) seal(t *testing.T, m *session.Manager, id chat.ConversationID) {
	t.Helper()
	ctx := context.Background()
	head, err := m.Head(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	msgs, err := m.Messages(ctx, id, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(msgs)
	if err != nil {
		t.Fatal(err)
	}
	b := sqlite.Blob{ID: id, Version: head.Version, Codec: "json", Messages: head.LastSeq, RawSize: int64(len(data)), Data: data}
	if err := a.cold.Seal(ctx, b, true); err != nil {
		t.Fatal(err)
	}
}

// A sealed conversation goes on at the next seq, whether or not the manager
// was told to forget it, and with many returning at once.
func TestColdConversationGoesOn(t *testing.T) {
	for _, forget := range []bool{true, false} {
		ctx := context.Background()
		db := openDB(t)
		a := &archive{cold: db.Cold()}
		m := session.New(session.Config{}, db.Conversations(), session.WithThawer(a))
		id := chat.NewConversationID()
		mustAppend(t, m, id, session.Append{Create: &chat.Conversation{}, Messages: says("first", "1")})
		mustAppend(t, m, id, session.Append{Messages: []chat.Message{{From: chat.FromAI, Text: "answer", Finish: chat.FinishStop}}})
		a.seal(t, m, id)
		if forget {
			if err := m.Forget(ctx, id); err != nil {
				t.Fatal(err)
			}
		}
		if h, err := m.Head(ctx, id); err != nil || h.LastSeq != 2 || a.thaws.Load() != 0 {
			t.Fatalf("forget %v: head %+v, %v, %d thaws", forget, h, err, a.thaws.Load())
		}
		if _, err := m.Update(ctx, id, func(c *chat.Conversation) { c.Rating = 5 }); err != nil {
			t.Fatalf("update of a cold head: %v", err)
		}
		var wg sync.WaitGroup
		for _, name := range []string{"2", "3", "1", "2", "3"} {
			wg.Go(func() {
				if _, err := m.Append(ctx, id, session.Append{Messages: says("again "+name, name)}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		msgs, err := m.Messages(ctx, id, 0, 0)
		if err != nil || len(msgs) != 4 || msgs[0].Text != "first" || msgs[1].Finish != chat.FinishStop || msgs[3].Seq != 4 {
			t.Fatalf("forget %v: %+v %v", forget, msgs, err)
		}
		if n := a.thaws.Load(); n != 1 {
			t.Errorf("forget %v: %d thaws", forget, n)
		}
		if h, _ := m.Head(ctx, id); h.Rating != 5 {
			t.Errorf("forget %v: rating %d", forget, h.Rating)
		}
	}
}

func TestColdWithoutArchive(t *testing.T) {
	ctx := context.Background()
	db := openDB(t)
	a := &archive{cold: db.Cold()}
	m := session.New(session.Config{}, db.Conversations())
	id := chat.NewConversationID()
	mustAppend(t, m, id, session.Append{Create: &chat.Conversation{}, Messages: says("first", "1")})
	a.seal(t, m, id)
	if err := m.Forget(ctx, id); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Messages(ctx, id, 0, 0); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("messages: %v", err)
	}
	// Above all, the conversation must not be begun anew over the sealed one.
	if _, err := m.Append(ctx, id, session.Append{Create: &chat.Conversation{}, Messages: says("x", "9")}); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("append: %v", err)
	}
}
