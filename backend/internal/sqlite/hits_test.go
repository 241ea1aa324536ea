package sqlite

import (
	"slices"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

// TestHitsGoWithTheirConversation: the hit log keeps no quotation of a visitor
// who was deleted.
func TestHitsGoWithTheirConversation(t *testing.T) {
	db := open(t)
	ctx := t.Context()
	c, f := db.Conversations(), db.Filters()
	gone, stays := chat.NewConversationID(), chat.NewConversationID()
	m := session.New(session.Config{}, c)
	for _, id := range []chat.ConversationID{gone, stays} {
		if _, err := m.Append(ctx, id, session.Append{Create: &chat.Conversation{Site: "default"}, Messages: []chat.Message{visitorSays("x", "c")}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.AddHits(ctx, []FilterHit{{Layer: chat.LayerWords, Rule: "a", Match: "mine", Conversation: gone}, {Layer: chat.LayerWords, Rule: "a", Match: "yours", Conversation: stays}, {Layer: chat.LayerWords, Rule: "a", Match: "nobody's"}}); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(ctx, gone); err != nil {
		t.Fatal(err)
	}
	left := func(want ...string) {
		t.Helper()
		hits, err := f.Hits(ctx, "", "", 0, 10)
		var got []string
		for _, h := range hits {
			got = append(got, h.Match)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("left: %q, %v; want %q", got, err, want)
		}
	}
	left("nobody's", "yours")
	// Those that waited for the writer while their conversation was deleted.
	if err := f.AddHits(ctx, []FilterHit{{Layer: chat.LayerWords, Rule: "a", Match: "mine too", Conversation: gone}}); err != nil {
		t.Fatal(err)
	}
	if err := f.AddHits(ctx, []FilterHit{{Layer: chat.LayerWords, Rule: "a", Match: "yours too", Conversation: stays}, {Layer: chat.LayerWords, Rule: "a", Match: "mine last", Conversation: gone}}); err != nil {
		t.Fatal(err)
	}
	left("yours too", "nobody's", "yours")
	top, err := f.TopHits(ctx, time.Time{}, 5)
	if err != nil || len(top) != 1 || top[0].Count != 6 {
		t.Errorf("counted: %+v, %v", top, err)
	}
}
