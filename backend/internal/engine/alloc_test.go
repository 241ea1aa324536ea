package engine

import (
	"testing"
	"time"

	"haoke/backend/internal/chat"
)

// silentFeed is a Feed that nobody listens to.
type silentFeed struct{ pieces int }

func (f *silentFeed) Begin(chat.ConversationID, int64)                   {}
func (f *silentFeed) Delta(chat.ConversationID, []byte)                  { f.pieces++ }
func (f *silentFeed) Message(chat.ConversationID, *chat.Message, bool)   {}
func (f *silentFeed) Abandon(chat.ConversationID)                        {}
func (f *silentFeed) Status(chat.ConversationID, string, int, chat.Mode) {}

// TestPieceTakesNoMemory: a piece on its way through a turn, once the buffer of
// the durable text has grown.
func TestPieceTakesNoMemory(t *testing.T) {
	feed := &silentFeed{}
	e := New(Config{AnswerChars: 1 << 30}, Deps{Feed: feed})
	turn := &turn{e: e, r: &room{id: "c"}, said: make([]byte, 0, 1<<20), of: of{first: time.Now()}}
	raw := []byte(`" arriving \u4f60\n"`)
	if n := testing.AllocsPerRun(1000, func() {
		if err := turn.show(raw); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Fatalf("%v allocations a piece", n)
	}
	if feed.pieces < 1000 {
		t.Fatalf("%d pieces", feed.pieces)
	}
}
