package sqlite

import (
	"context"
	"strings"
	"testing"
	"unicode/utf8"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

func TestIndexedTexts(t *testing.T) {
	for text, want := range map[string]string{
		"":                 "",
		"Order  ＡＢ 12\x00": "order ab 12",
		"退货":               "\x01退\x01货\x01",
		"a退b":              "a\x01退\x01b",
		"x\u200by\t\n z":   "xy z",
	} {
		if got := indexed(text); got != want {
			t.Errorf("indexed(%q) = %q, want %q", text, got, want)
		}
	}
	long := indexed(strings.Repeat("a", indexText-1) + "退货")
	if len(long) != indexText-1 || !utf8.ValidString(long) {
		t.Errorf("a cut text has %d bytes, valid: %v", len(long), utf8.ValidString(long))
	}
}

// What search finds of a head is found after each change of it, and what was
// there before is not.
func TestChangedHeadIsFound(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	c := db.Conversations()
	m := session.New(session.Config{}, c)
	id := chat.NewConversationID()
	if _, err := m.Append(ctx, id, session.Append{Create: &chat.Conversation{Visitor: chat.Visitor{Name: "Annabel"}},
		Messages: []chat.Message{visitorSays("hello", "1")}}); err != nil {
		t.Fatal(err)
	}
	must(t, db.Settle(ctx))
	found := func(word string) bool {
		t.Helper()
		must(t, db.Settle(ctx))
		if n := count(t, db, "SELECT count(*) FROM conversations WHERE indexed_seq < last_seq OR indexed_who = 0"); n != 0 {
			t.Fatalf("%d conversations are not indexed", n)
		}
		p, err := c.List(ctx, Query{Text: word})
		must(t, err)
		return len(p.Items) == 1
	}
	if !found("annabel") {
		t.Error("the name is not found")
	}
	for _, change := range []struct {
		word string
		do   func(*chat.Conversation)
	}{
		{"bertram", func(h *chat.Conversation) { h.Visitor.Name = "Bertram" }},
		{"checkout", func(h *chat.Conversation) { h.Page.Title = "Checkout" }},
		{"florence", func(h *chat.Conversation) { h.Operator = "Florence" }},
		{"wonderful", func(h *chat.Conversation) { h.Comment = "Wonderful" }},
	} {
		if _, err := m.Update(ctx, id, change.do); err != nil {
			t.Fatal(err)
		}
		if !found(change.word) {
			t.Errorf("%q is not found", change.word)
		}
	}
	if found("annabel") {
		t.Error("the old name is still found")
	}
}
