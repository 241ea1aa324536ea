//go:build !race

package sqlite

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

// shop is a store with visitors who ask, as an engine uses it.
type shop struct {
	db       *DB
	sessions *session.Manager
	ledger   *Ledger
	asked    int
	id       chat.ConversationID
	said     [1]chat.Message
	info     []chat.TurnInfo // made before, as an engine makes one a turn
	begin    chat.Conversation
}

// turnsEach is how many questions a visitor asks.
const turnsEach = 6

func newShop(t testing.TB, turns int) *shop {
	db := open(t)
	return &shop{
		db: db, sessions: session.New(session.Config{}, db.Conversations()), ledger: db.NewLedger(), info: make([]chat.TurnInfo, turns),
		begin: chat.Conversation{Site: "default", Visitor: chat.Visitor{IP: "192.0.2.1"}},
	}
}

var (
	clientIDs  = [turnsEach]string{"m1", "m2", "m3", "m4", "m5", "m6"}
	answerText = strings.Repeat(" arriving", 100)
)

// turn is the store's share of one: the question, what the prompt reads, the
// answer, the ledger, and its part of what happens in the background.
func (s *shop) turn(t testing.TB) {
	ctx := context.Background()
	nth := s.asked % turnsEach
	if nth == 0 {
		s.id = chat.NewConversationID()
	}
	s.said[0] = chat.Message{From: chat.FromVisitor, Text: "Where is the parcel?", ClientID: clientIDs[nth]}
	out, err := s.sessions.Append(ctx, s.id, session.Append{Create: &s.begin, Messages: s.said[:], Update: opens})
	if err != nil || out.Head.Pending != int64(2*nth+1) {
		t.Fatalf("question %d: %v, pending %d", nth, err, out.Head.Pending)
	}
	if msgs, err := s.sessions.Messages(ctx, s.id, 0, 0); err != nil || len(msgs) != 2*nth+1 {
		t.Fatalf("turn %d reads %d messages: %v", nth, len(msgs), err)
	}
	info := &s.info[s.asked%len(s.info)]
	*info = chat.TurnInfo{Provider: "main", Key: "first", Model: "gpt-4o-mini", Prompt: 900, Completion: 100, Cost: 0.000195, TotalUS: 812345, PromptTrace: answerText}
	s.said[0] = chat.Message{From: chat.FromAI, Text: answerText, Finish: chat.FinishStop, Turn: info}
	if _, err := s.sessions.Append(ctx, s.id, session.Append{Messages: s.said[:], Update: closes}); err != nil {
		t.Fatal(err)
	}
	s.ledger.Record(Spend{Day: "2026-03-01", Provider: "main", Key: "first", Model: "gpt-4o-mini", Visitor: string(s.id), Cost: 0.000195})
	if s.asked++; s.asked%32 == 0 {
		if _, err := s.db.indexStep(ctx); err != nil {
			t.Fatal(err)
		}
		if err := s.ledger.Flush(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

func opens(h *chat.Conversation) {
	h.Unread++
	h.Pending = h.LastSeq
}

func closes(h *chat.Conversation) {
	h.Pending, h.Tokens, h.Spend = 0, h.Tokens+1000, h.Spend+0.000195
}

// BenchmarkTurn is the store's share of a turn, one visitor after the other:
// two commits with nobody to share them.
func BenchmarkTurn(b *testing.B) {
	s := newShop(b, 256)
	for range 64 {
		s.turn(b)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		s.turn(b)
	}
}

// What a turn takes of the heap in the store: its two messages in the session's
// memory, whose array doubles now and then, and a sixth of a new conversation.
// It was 14 KB when each value passed through database/sql.
func TestTurnTakesLittle(t *testing.T) {
	const turns = 480
	s := newShop(t, turns)
	for range turns {
		s.turn(t)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range turns {
		s.turn(t)
	}
	runtime.ReadMemStats(&after)
	bytes := float64(after.TotalAlloc-before.TotalAlloc) / turns
	objects := float64(after.Mallocs-before.Mallocs) / turns
	t.Logf("%.0f bytes and %.1f objects a turn", bytes, objects)
	if bytes > 1400 || objects > 8 {
		t.Errorf("a turn takes %.0f bytes and %.1f objects", bytes, objects)
	}
}
