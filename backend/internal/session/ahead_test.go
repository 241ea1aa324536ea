package session_test

import (
	"context"
	"errors"
	"testing"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

// Ahead tells once for every commit what the conversation will be, and of
// nothing that is not going to be written.
func TestAheadTellsWhatTheConversationWillBe(t *testing.T) {
	db := openDB(t)
	m := session.New(session.Config{}, db.Conversations())
	ctx, id := context.Background(), chat.NewConversationID()
	var heads []chat.Conversation
	var told [][]chat.Message
	add := func(text, clientID string, fail error) (session.Appended, error) {
		if fail != nil {
			var cancel context.CancelCauseFunc
			ctx, cancel = context.WithCancelCause(ctx)
			cancel(fail)
		}
		return m.Append(ctx, id, session.Append{
			Create: &chat.Conversation{Site: "shop"}, Messages: says(text, clientID),
			Update: func(c *chat.Conversation) { c.Unread++ },
			Ahead: func(head *chat.Conversation, msgs []chat.Message) {
				heads, told = append(heads, *head), append(told, msgs)
			},
		})
	}
	for i, text := range []string{"one", "two"} {
		out, err := add(text, text, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(heads) != i+1 {
			t.Fatalf("told %d times of %d commits", len(heads), i+1)
		}
		if heads[i] != out.Head {
			t.Errorf("told of\n%+v, stored was\n%+v", heads[i], out.Head)
		}
		if msgs := told[i]; len(msgs) != i+1 || msgs[i].Text != text || msgs[i].Seq != int64(i+1) {
			t.Errorf("told of the messages %+v", msgs)
		}
	}
	if out, err := add("two", "two", nil); err != nil || !out.Duplicate || len(heads) != 2 {
		t.Errorf("a repeated message: %v, told %d times", err, len(heads))
	}
	gone := errors.New("gone")
	if _, err := add("three", "three", gone); !errors.Is(err, gone) || len(heads) != 2 {
		t.Errorf("a message whose sender had left: %v, told %d times", err, len(heads))
	}
}

// A conversation of which memory holds only the newer part is not told of:
// nobody may take the part for the whole.
func TestAheadIsSilentOnHalfAConversation(t *testing.T) {
	db := openDB(t)
	id := chat.NewConversationID()
	var msgs []chat.Message
	for range 4200 { // more than a session loads
		msgs = append(msgs, chat.Message{From: chat.FromSystem, Text: "x"})
	}
	first := session.New(session.Config{}, db.Conversations())
	mustAppend(t, first, id, session.Append{Create: &chat.Conversation{Site: "shop"}, Messages: msgs})
	m, told := session.New(session.Config{}, db.Conversations()), 0
	mustAppend(t, m, id, session.Append{Messages: says("hello", "1"), Ahead: func(*chat.Conversation, []chat.Message) { told++ }})
	if told != 0 {
		t.Error("told of a conversation that is not whole in memory")
	}
}
