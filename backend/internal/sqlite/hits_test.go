package sqlite

import (
	"testing"

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
	hits, err := f.Hits(ctx, "", "", 0, 10)
	if err != nil || len(hits) != 2 || hits[0].Match != "nobody's" || hits[1].Match != "yours" {
		t.Errorf("left: %+v, %v", hits, err)
	}
}
