package sqlite

import (
	"context"
	"testing"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

// TestLeaveUnsought: what is there stays out of the index; what is said later
// is found, in old conversations too.
func TestLeaveUnsought(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	m := session.New(session.Config{}, db.Conversations())
	id := chat.NewConversationID()
	_, err := m.Append(ctx, id, session.Append{Create: &chat.Conversation{Site: "default"}, Messages: []chat.Message{visitorSays("a kettle", "c1")}})
	must(t, err)
	must(t, db.LeaveUnsought(ctx))
	for _, c := range []struct {
		word string
		want int
	}{{"kettle", 0}, {"teapot", 1}} {
		if more, err := db.indexStep(ctx); err != nil || more != (c.want > 0) {
			t.Errorf("before %q: more to index %v, %v", c.word, more, err)
		}
		if n := count(t, db, "SELECT count(*) FROM message_fts WHERE message_fts MATCH ?", matchAll([]string{indexed(c.word)})); n != c.want {
			t.Errorf("%q is found %d times, want %d", c.word, n, c.want)
		}
		_, err := m.Append(ctx, id, session.Append{Messages: []chat.Message{visitorSays("a teapot", "c2")}})
		must(t, err)
	}
}
