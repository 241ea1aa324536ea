package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

// TestDeletedIsGone: the words of a deleted visitor are in none of the
// database's files any more, free pages and the log included, and nobody else's
// are missed.
func TestDeletedIsGone(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	m := session.New(session.Config{}, db.Conversations())
	say := func(word string) chat.ConversationID {
		t.Helper()
		id := chat.NewConversationID()
		for i := range 30 {
			text := strings.Repeat(fmt.Sprintf("%s-%d and so on, at some length. ", word, i), 20)
			_, err := m.Append(ctx, id, session.Append{Create: &chat.Conversation{Site: "default", Visitor: chat.Visitor{Name: word + " Smith", Email: word + "@example.org"}},
				Messages: []chat.Message{visitorSays(text, fmt.Sprint(i)), {From: chat.FromAI, Text: "You said " + word, Turn: &chat.TurnInfo{PromptTrace: "the prompt with " + word}}}})
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := db.FAQ().AddUnanswered(ctx, "What is "+word+"?", "en", id); err != nil {
			t.Fatal(err)
		}
		if err := db.Filters().AddHits(ctx, []FilterHit{{Layer: "words", Rule: "r", Match: word, Context: "about " + word, Conversation: id}}); err != nil {
			t.Fatal(err)
		}
		return id
	}
	gone, stays := say("quixoticneedle"), say("haystackstraw")
	if err := db.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	if found := where(t, db, "quixoticneedle"); len(found) == 0 {
		t.Fatal("the test looks in the wrong place")
	}
	if err := m.Delete(ctx, gone); err != nil {
		t.Fatal(err)
	}
	if err := db.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	if found := where(t, db, "quixoticneedle"); len(found) > 0 {
		t.Errorf("a deleted visitor's words are still in %v", found)
	}
	if msgs, err := m.Messages(ctx, stays, 0, 0); err != nil || len(msgs) != 60 || len(where(t, db, "haystackstraw")) == 0 {
		t.Errorf("another's %d messages (%v)", len(msgs), err)
	}
}

// where lists the database's files that hold a word.
func where(t *testing.T, db *DB, word string) (found []string) {
	t.Helper()
	files, err := filepath.Glob(db.Path() + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(bytes.ToLower(data), []byte(word)); n > 0 {
			found = append(found, fmt.Sprint(filepath.Base(name), " ", n, " times"))
		}
	}
	return found
}

// TestDeletionGoesFirst: what is written anew under an id whose deletion waits
// for the archive's server is not shipped before it: the deletion would take it
// along.
func TestDeletionGoesFirst(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	c := db.Cold()
	id, other := chat.NewConversationID(), chat.NewConversationID()
	if err := c.EnqueueDelete(ctx, id); err != nil {
		t.Fatal(err)
	}
	due, err := c.Outbox(ctx, 10)
	if err != nil || len(due) != 1 {
		t.Fatalf("%+v %v", due, err)
	}
	if err := c.Fail(ctx, []int64{due[0].ID}, db.cfg.Now().Add(1e12), "away"); err != nil {
		t.Fatal(err)
	}
	for _, x := range []chat.ConversationID{id, other} {
		if err := db.write(ctx, func(tx *Tx) error { return enqueue(tx, "ship", x, 1, db.now()) }); err != nil {
			t.Fatal(err)
		}
	}
	if due, err := c.Outbox(ctx, 10); err != nil || len(due) != 1 || due[0].Conv != other {
		t.Errorf("due: %+v %v", due, err)
	}
}
