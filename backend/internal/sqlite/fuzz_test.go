package sqlite

import (
	"context"
	"testing"
	"unicode/utf8"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

// FuzzSearch: whatever a visitor or an operator types, searching is no error,
// a stored text comes back as it was, and it is found by its own words, before
// and after it is indexed.
func FuzzSearch(f *testing.F) {
	for _, s := range []string{"hello world", "怎么退货？", `"quoted" AND (x) NEAR/2 *`, "a\x00bcd", "ＡＢＣ abc", "%_\\", "\x01退\x01", "İstanbul", "👨‍👩‍👧 family", "\xff\xfebad", "ß straße", "ΑΣ σς"} {
		f.Add(s)
	}
	db := open(f)
	ctx := context.Background()
	m := session.New(session.Config{}, db.Conversations())
	c, faq := db.Conversations(), db.FAQ()
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 2000 {
			return
		}
		id := chat.NewConversationID()
		if _, err := m.Append(ctx, id, session.Append{Create: &chat.Conversation{}, Messages: []chat.Message{visitorSays(s, s)}}); err != nil {
			t.Fatal(err)
		}
		r, err := c.Load(ctx, id, 1)
		if err != nil || r.Tail[0].Text != s {
			t.Fatalf("%q came back as %q (%v)", s, r.Tail[0].Text, err)
		}
		words := terms(s)
		for _, indexed := range []bool{false, true} {
			p, err := c.List(ctx, Query{Text: s, Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			if utf8.ValidString(s) && len(words) > 0 && len(p.Items) == 0 {
				t.Errorf("indexed %v: %q does not find itself", indexed, s)
			}
			if err := db.Settle(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := faq.Search(ctx, s, "", 3); err != nil {
			t.Fatal(err)
		}
		if err := m.Delete(ctx, id); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzCursor: a cursor is a stranger's text.
func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add(encodeCursor(1, 2))
	f.Add("!!")
	f.Fuzz(func(t *testing.T, s string) {
		if a, b, err := decodeCursor(s); err == nil {
			if x, y, err := decodeCursor(encodeCursor(a, b)); err != nil || x != a || y != b {
				t.Errorf("%q: %d %d, then %d %d %v", s, a, b, x, y, err)
			}
		}
	})
}
