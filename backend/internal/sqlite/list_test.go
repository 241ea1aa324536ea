package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

// start makes a conversation with these visitor messages.
func start(t testing.TB, m *session.Manager, head chat.Conversation, texts ...string) chat.ConversationID {
	t.Helper()
	id := chat.NewConversationID()
	for i, text := range texts {
		_, err := m.Append(context.Background(), id, session.Append{Create: &head, Messages: []chat.Message{visitorSays(text, fmt.Sprint(i))},
			Update: func(c *chat.Conversation) {
				c.Unread, c.Rating, c.Unanswered, c.Blocked = head.Unread, head.Rating, head.Unanswered, head.Blocked
			}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return id
}

func ids(p Page) []chat.ConversationID {
	out := make([]chat.ConversationID, len(p.Items))
	for i := range p.Items {
		out[i] = p.Items[i].Head.ID
	}
	return out
}

func list(t *testing.T, c *Conversations, q Query) Page {
	t.Helper()
	p, err := c.List(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestListFiltersAndPages(t *testing.T) {
	db := open(t)
	now := newClock()
	m := session.New(session.Config{Now: now.Now}, db.Conversations())
	c := db.Conversations()
	var all []chat.ConversationID
	for i := range 25 {
		h := chat.Conversation{Site: "default", Mode: chat.ModeAI}
		switch i % 5 {
		case 1:
			h.Mode = chat.ModeWaiting
		case 2:
			h.Unanswered = true
		case 3:
			h.Rating, h.Unread = 1+i%4, 2
		case 4:
			h.Blocked = true
		}
		all = append(all, start(t, m, h, "hello"))
		if i%2 == 0 {
			now.Add(time.Minute) // pairs share a time: the order needs its second key
		}
	}
	slices.Reverse(all)
	var got []chat.ConversationID
	q := Query{Limit: 4}
	for {
		p := list(t, c, q)
		got = append(got, ids(p)...)
		if p.Next == "" {
			break
		}
		q.Cursor = p.Next
	}
	if !slices.Equal(got, all) {
		t.Errorf("pages give %d conversations in another order than %d", len(got), len(all))
	}
	for name, want := range map[string]struct {
		q Query
		n int
	}{
		"waiting":    {Query{Mode: chat.ModeWaiting}, 5},
		"ai":         {Query{Mode: chat.ModeAI}, 20},
		"human":      {Query{Mode: chat.ModeHuman}, 0},
		"unanswered": {Query{Unanswered: true}, 5},
		"unread":     {Query{Unread: true}, 5},
		"blocked":    {Query{Blocked: true}, 5},
		"rated":      {Query{MaxRating: 5}, 5},
		"rated low":  {Query{MaxRating: 2}, 2},
		"two":        {Query{Unread: true, Mode: chat.ModeAI, MaxRating: 5}, 5},
		"none":       {Query{Unread: true, Blocked: true}, 0},
		"warm":       {Query{Where: OnlyWarm}, 25},
		"cold":       {Query{Where: OnlyCold}, 0},
		"since":      {Query{Since: now.Now().Add(-5 * time.Minute)}, 10},
		"before":     {Query{Before: now.Now().Add(-5 * time.Minute)}, 15},
	} {
		if p := list(t, c, want.q); len(p.Items) != want.n {
			t.Errorf("%s: %d conversations, want %d", name, len(p.Items), want.n)
		}
	}
	n, err := c.Counts(context.Background())
	if err != nil || n.Warm != 25 || n.Cold != 0 || n.Waiting != 5 || n.Unread != 5 || n.Unanswered != 5 || n.Blocked != 5 || n.All != 25 {
		t.Errorf("%+v %v", n, err)
	}
	if _, err := c.List(context.Background(), Query{Cursor: "nonsense"}); !errors.Is(err, ErrBadCursor) {
		t.Errorf("bad cursor: %v", err)
	}
}

func TestSearch(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	m := session.New(session.Config{}, db.Conversations())
	c := db.Conversations()
	tea := start(t, m, chat.Conversation{Visitor: chat.Visitor{Name: "王小明", Email: "ming@shop.example"}}, "你好", "我想退货，茶壶裂了", "订单 ORD-20394")
	parcel := start(t, m, chat.Conversation{Page: chat.Page{Title: "Green Teapot", URL: "https://shop.example/teapot?id=7"}}, "Where is my PARCEL?", `he said "50% off_now"`)
	wide := start(t, m, chat.Conversation{}, "ＯＲＤ－２０３９４ 在哪里", "退款 and 换货")
	long := start(t, m, chat.Conversation{}, strings.Repeat("x", 40<<10)+"needle")
	for _, indexed := range []bool{false, true} {
		if indexed {
			if err := db.Settle(ctx); err != nil {
				t.Fatal(err)
			}
			if n := count(t, db, "SELECT count(*) FROM conversations WHERE indexed_seq < last_seq OR indexed_who = 0"); n != 0 {
				t.Fatalf("%d conversations not indexed", n)
			}
		}
		for query, want := range map[string][]chat.ConversationID{
			"退货":              {tea},
			"茶":               {tea},
			"茶壶裂了":            {tea},
			"退":               {wide, tea},
			"王小明":             {tea},
			"ming@shop":       {tea},
			"parcel":          {parcel},
			"PARCEL my":       {parcel},
			"parcel 退货":       nil,
			"teapot":          {parcel},
			"ord-20394":       {wide, tea},
			"ORD-20394 茶":     nil,
			"50%":             {parcel},
			`"50% off_now"`:   {parcel},
			"off_n":           {parcel},
			"offxn":           nil,
			"退 换":             {wide},
			"he":              {parcel},
			string(tea)[:9]:   {tea},
			string(tea):       {tea},
			"' OR 1=1 --":     nil,
			"NEAR(a b) * ^":   nil,
			"茶壶裂了没有":          nil,
			"where is parcel": {parcel},
		} {
			if p := list(t, c, Query{Text: query}); !slices.Equal(ids(p), want) || p.Next != "" {
				t.Errorf("indexed %v: %q finds %v (next %q), want %v", indexed, query, ids(p), p.Next, want)
			}
		}
	}
	if p := list(t, c, Query{Text: "teapot", Mode: chat.ModeHuman}); len(p.Items) != 0 {
		t.Error("the search ignores the filter")
	}
	// Only the beginning of a huge message is in the index.
	if p := list(t, c, Query{Text: "needle"}); len(p.Items) != 0 {
		t.Error("found beyond the bound")
	}
	// What is known of a visitor changes.
	if _, err := m.Update(ctx, long, func(h *chat.Conversation) { h.Visitor.Name = "Ottoline" }); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if p := list(t, c, Query{Text: "ottoline"}); !slices.Equal(ids(p), []chat.ConversationID{long}) {
			t.Errorf("new name: %v", ids(p))
		}
		if err := db.Settle(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Delete(ctx, tea); err != nil {
		t.Fatal(err)
	}
	if p := list(t, c, Query{Text: "茶壶"}); len(p.Items) != 0 {
		t.Error("deleted conversation is found")
	}
	if n := count(t, db, "SELECT count(*) FROM message_fts WHERE message_fts MATCH ?", matchAll([]string{"茶壶"})); n != 0 {
		t.Errorf("%d entries of the deleted conversation are still in the index", n)
	}
}

func TestSearchPages(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	m := session.New(session.Config{}, db.Conversations())
	var want []chat.ConversationID
	for i := range 120 {
		texts := []string{"parcel one", "parcel two", "other"}
		if i%3 == 0 {
			// Shares all trigrams of "xabcd" without containing it.
			texts = []string{"xabc abcd", "xabc abcd abcd"}
		}
		id := start(t, m, chat.Conversation{}, texts...)
		if i%3 != 0 {
			want = append(want, id)
		}
	}
	slices.Reverse(want)
	if err := db.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	if p := list(t, db.Conversations(), Query{Text: "xabcd"}); len(p.Items) != 0 {
		t.Errorf("%d false hits", len(p.Items))
	}
	var got []chat.ConversationID
	q := Query{Text: "parcel", Limit: 7}
	for {
		p := list(t, db.Conversations(), q)
		got = append(got, ids(p)...)
		if p.Next == "" {
			break
		}
		q.Cursor = p.Next
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d found over pages, want %d in order", len(got), len(want))
	}
}

func TestBySub(t *testing.T) {
	db := open(t)
	m := session.New(session.Config{}, db.Conversations())
	a := start(t, m, chat.Conversation{Visitor: chat.Visitor{Sub: "42"}}, "x")
	start(t, m, chat.Conversation{}, "anonymous")
	b := start(t, m, chat.Conversation{Visitor: chat.Visitor{Sub: "42"}}, "y")
	got, err := db.Conversations().BySub(context.Background(), "42")
	if err != nil || !slices.Equal(got, []chat.ConversationID{b, a}) {
		t.Errorf("%v %v", got, err)
	}
	if got, err := db.Conversations().BySub(context.Background(), ""); err != nil || len(got) != 0 {
		t.Errorf("anonymous visitors: %v %v", got, err)
	}
}
