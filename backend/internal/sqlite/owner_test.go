package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

func TestSettingsRevisions(t *testing.T) {
	ctx := context.Background()
	s := open(t).Settings()
	must(t, s.Save(ctx, []Setting{{"site.name", []byte(`"Tea"`), 1}, {"vip.share", []byte("0.5"), 1}}))
	must(t, s.Save(ctx, []Setting{{"site.name", []byte(`"Teapots"`), 2}}))
	err := s.Save(ctx, []Setting{{"vip.share", []byte("0.1"), 2}, {"site.name", []byte(`"late"`), 2}})
	if !errors.Is(err, ErrRevision) {
		t.Errorf("stale revision: %v", err)
	}
	if err := s.Save(ctx, []Setting{{"new.path", []byte("1"), 5}}); !errors.Is(err, ErrRevision) {
		t.Errorf("revision of nothing: %v", err)
	}
	rows, err := s.Load(ctx)
	if err != nil || len(rows) != 2 || string(rows[0].Value) != `"Teapots"` || rows[0].Revision != 2 || string(rows[1].Value) != "0.5" {
		t.Errorf("%+v %v", rows, err)
	}
}

func TestValues(t *testing.T) {
	ctx := context.Background()
	v := open(t).Values()
	must(t, v.Set(ctx, "wizard", "3"))
	must(t, v.Set(ctx, "wizard", "4"))
	if s, err := v.Get(ctx, "wizard"); err != nil || s != "4" {
		t.Errorf("%q %v", s, err)
	}
	must(t, v.Set(ctx, "wizard", ""))
	if s, err := v.Get(ctx, "wizard"); err != nil || s != "" {
		t.Errorf("%q %v", s, err)
	}
}

func TestKeysAndProviders(t *testing.T) {
	ctx := context.Background()
	now := newClock()
	k := open(t, func(c *Config) { c.Now = now.Now }).Keys()
	must(t, k.PutProvider(ctx, Provider{"main", 0, true, `{}`}))
	must(t, k.Put(ctx, Key{Name: "b", Provider: "main", Pos: 2, Sealed: []byte{1}, Masked: "sk-…1"}))
	must(t, k.Put(ctx, Key{Name: "a", Provider: "main", Pos: 3, Sealed: []byte{2}, Weight: 1}))
	now.Add(time.Hour)
	must(t, k.Put(ctx, Key{Name: "a", Provider: "main", Pos: 1, Enabled: true, Sealed: []byte{3}, RPM: 7, Weight: 0.5}))
	keys, err := k.List(ctx)
	if err != nil || len(keys) != 2 || keys[0].Name != "a" || keys[0].RPM != 7 || !keys[0].Enabled || keys[0].Sealed[0] != 3 || now.Now().Sub(keys[0].Created) != time.Hour {
		t.Errorf("%+v %v", keys, err)
	}
	must(t, k.Delete(ctx, "b"))
	if err := k.Delete(ctx, "b"); !errors.Is(err, ErrNoRow) {
		t.Errorf("%v", err)
	}
	must(t, k.DeleteProvider(ctx, "main"))
	keys, err = k.List(ctx)
	ps, perr := k.Providers(ctx)
	if len(keys)+len(ps) != 0 || err != nil || perr != nil {
		t.Errorf("%v %v %v %v", keys, ps, err, perr)
	}
}

func TestFAQ(t *testing.T) {
	ctx := context.Background()
	f := open(t).FAQ()
	id, err := f.Put(ctx, FAQEntry{Lang: "zh", Question: "如何退换商品？", Alternatives: []string{"怎么退货", "可以换货吗"}, Answer: "七天内", Enabled: true})
	must(t, err)
	ship, err := f.Put(ctx, FAQEntry{Lang: "en", Question: "How long does shipping take?", Answer: "3 days", Enabled: true})
	must(t, err)
	if _, err := f.Put(ctx, FAQEntry{Lang: "en", Question: "  HOW long does shipping take? "}); !errors.Is(err, ErrExists) {
		t.Errorf("the same question again: %v", err)
	}
	off, err := f.Put(ctx, FAQEntry{Lang: "en", Question: "shipping to the moon", Answer: "no"})
	must(t, err)
	for q, want := range map[string]int64{"退货": id, "怎么退货呢": id, "shipping": ship, "how long is SHIPPING": ship, "hello": 0, "": 0, "a": 0} {
		m, err := f.Search(ctx, q, "", 5)
		must(t, err)
		if want == 0 && len(m) != 0 || want != 0 && (len(m) == 0 || m[0].ID != want) {
			t.Errorf("%q: %+v, want %d first", q, m, want)
		}
	}
	if m, _ := f.Search(ctx, "怎么退货", "zh", 5); len(m) != 1 || m[0].Score != 1 || m[0].Rank <= 0 {
		t.Errorf("an alternative word for word: %+v", m)
	}
	if m, _ := f.Search(ctx, "shipping", "zh", 5); len(m) != 0 {
		t.Errorf("another language: %+v", m)
	}
	e, err := f.Get(ctx, off)
	must(t, err)
	e.Enabled = true
	_, err = f.Put(ctx, e)
	must(t, err)
	if m, _ := f.Search(ctx, "moon", "en", 5); len(m) != 1 {
		t.Errorf("enabled entry is not found: %+v", m)
	}
	e.Question = "delivery to Mars"
	_, err = f.Put(ctx, e)
	must(t, err)
	if m, _ := f.Search(ctx, "moon", "en", 5); len(m) != 0 {
		t.Errorf("the old wording is found: %+v", m)
	}
	must(t, f.Hit(ctx, ship, 1))
	if e, _ := f.Get(ctx, ship); e.Hits != 1 {
		t.Errorf("%d hits", e.Hits)
	}
	must(t, f.Delete(ctx, ship))
	if err := f.Delete(ctx, ship); !errors.Is(err, ErrNoRow) {
		t.Errorf("%v", err)
	}
	if _, err := f.Put(ctx, FAQEntry{ID: ship, Question: "gone"}); !errors.Is(err, ErrNoRow) {
		t.Errorf("%v", err)
	}
	added, updated, err := f.Import(ctx, []FAQEntry{{Lang: "en", Question: "delivery to mars", Answer: "yes", Enabled: true}, {Lang: "en", Question: "gift wrap?", Enabled: true}}, false)
	if err != nil || added != 1 || updated != 1 {
		t.Errorf("import: %d %d %v", added, updated, err)
	}
	added, updated, err = f.Import(ctx, []FAQEntry{{Lang: "en", Question: "gift wrap?", Enabled: true}}, true)
	if all, _ := f.All(ctx); err != nil || added != 1 || updated != 0 || len(all) != 1 {
		t.Errorf("import over all: %d %d %v %+v", added, updated, err, all)
	}
	if m, _ := f.Search(ctx, "delivery mars", "", 5); len(m) != 0 {
		t.Errorf("emptied FAQ: %+v", m)
	}
}

func TestUnanswered(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	f, id := db.FAQ(), chat.NewConversationID()
	_, err := session.New(session.Config{}, db.Conversations()).Append(ctx, id, session.Append{Create: &chat.Conversation{Site: "default"}, Messages: []chat.Message{visitorSays("x", "c")}})
	must(t, err)
	for _, q := range []string{"Do you sell cats?", "do you sell CATS", "狗呢？", "狗呢", "狗呢！", "once", " ?! "} {
		must(t, f.AddUnanswered(ctx, q, "en", id))
	}
	var all []Unanswered
	cursor := ""
	for {
		items, next, err := f.ListUnanswered(ctx, 2, cursor)
		must(t, err)
		all = append(all, items...)
		if cursor = next; next == "" {
			break
		}
	}
	if len(all) != 3 || all[0].Text != "狗呢？" || all[0].Count != 3 || all[1].Count != 2 || all[2].Text != "once" || all[0].Conversation != id {
		t.Fatalf("%+v", all)
	}
	must(t, f.CloseUnanswered(ctx, all[0].ID))
	if items, _, _ := f.ListUnanswered(ctx, 0, ""); len(items) != 2 {
		t.Errorf("%+v", items)
	}
	// They quote a visitor: nothing of one who was deleted stays or comes after.
	must(t, f.AddUnanswered(ctx, "of nobody", "en", ""))
	must(t, db.Conversations().Delete(ctx, id))
	must(t, f.AddUnanswered(ctx, "too late", "en", id))
	if items, _, _ := f.ListUnanswered(ctx, 0, ""); len(items) != 1 || items[0].Text != "of nobody" {
		t.Errorf("after the visitor's deletion: %+v", items)
	}
	must(t, f.DropUnanswered(ctx, db.cfg.Now().Add(time.Hour)))
	if items, _, _ := f.ListUnanswered(ctx, 0, ""); len(items) != 0 {
		t.Errorf("kept for ever: %+v", items)
	}
}

func TestUnansweredIsBounded(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	f := db.FAQ()
	must(t, f.AddUnanswered(ctx, "often", "en", ""))
	must(t, f.AddUnanswered(ctx, "often", "en", ""))
	must(t, db.write(ctx, func(tx *Tx) error {
		_, err := tx.exec(`INSERT INTO unanswered (key, text, lang, count, last_at, conversation)
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 7000) SELECT 'q' || i, 'q' || i, '', 1, i, '' FROM n`)
		return err
	}))
	for i := range 200 {
		must(t, f.AddUnanswered(ctx, fmt.Sprint("fresh ", i), "en", ""))
	}
	if n := count(t, db, "SELECT count(*) FROM unanswered"); n > unansweredMax+100 {
		t.Errorf("%d kept", n)
	}
	if items, _, _ := f.ListUnanswered(ctx, 1, ""); items[0].Text != "often" {
		t.Errorf("the most frequent went: %+v", items)
	}
}

func TestFilters(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	f := db.Filters()
	id, err := f.PutList(ctx, WordList{Name: "spam", Way: "both", Source: "own", Enabled: true})
	must(t, err)
	if _, err := f.PutList(ctx, WordList{Name: "spam"}); !errors.Is(err, ErrExists) {
		t.Errorf("%v", err)
	}
	added, removed, err := f.EditWords(ctx, id, []string{"casino", "赌博", "casino", "50%_off"}, nil, false)
	if err != nil || added != 3 || removed != 0 {
		t.Errorf("%d %d %v", added, removed, err)
	}
	added, removed, err = f.EditWords(ctx, id, []string{"lottery"}, []string{"casino", "absent"}, false)
	if err != nil || added != 1 || removed != 1 {
		t.Errorf("%d %d %v", added, removed, err)
	}
	if w, err := f.Words(ctx, id, "", "", 0); err != nil || !slices.Equal(w, []string{"50%_off", "lottery", "赌博"}) {
		t.Errorf("%v %v", w, err)
	}
	if w, err := f.Words(ctx, id, "%_", "", 10); err != nil || !slices.Equal(w, []string{"50%_off"}) {
		t.Errorf("%v %v", w, err)
	}
	if w, err := f.Words(ctx, id, "", "50%_off", 1); err != nil || !slices.Equal(w, []string{"lottery"}) {
		t.Errorf("%v %v", w, err)
	}
	if n, err := f.CountWords(ctx, id, "o"); err != nil || n != 2 {
		t.Errorf("%d %v", n, err)
	}
	if l, err := f.Lists(ctx); err != nil || len(l) != 1 || l[0].Count != 3 || !l[0].Enabled {
		t.Errorf("%+v %v", l, err)
	}
	if _, removed, err := f.EditWords(ctx, id, []string{"only"}, nil, true); err != nil || removed != 3 {
		t.Errorf("%d %v", removed, err)
	}
	if _, _, err := f.EditWords(ctx, 99, []string{"x"}, nil, false); !errors.Is(err, ErrNoRow) {
		t.Errorf("%v", err)
	}
	must(t, f.DeleteList(ctx, id))
	if n := count(t, db, "SELECT count(*) FROM words"); n != 0 {
		t.Errorf("%d words without a list", n)
	}
	p, err := f.PutPattern(ctx, Pattern{Name: "phone", Expr: `\d{11}`, Action: chat.ActionMask, Way: "in"})
	must(t, err)
	_, err = f.PutPattern(ctx, Pattern{ID: p, Name: "phone", Expr: `1\d{10}`, Action: chat.ActionMask, Way: "in", Enabled: true})
	must(t, err)
	if ps, err := f.Patterns(ctx); err != nil || len(ps) != 1 || ps[0].Expr != `1\d{10}` || ps[0].Action != chat.ActionMask {
		t.Errorf("%+v %v", ps, err)
	}
	must(t, f.DeletePattern(ctx, p))
}

func TestHits(t *testing.T) {
	ctx := context.Background()
	now := newClock()
	f := open(t, func(c *Config) { c.Now = now.Now }).Filters()
	hit := FilterHit{Layer: chat.LayerWords, Rule: "casino", Action: chat.ActionBlock, Direction: chat.Inbound, Match: "C@sino", Seq: 3}
	must(t, f.AddHits(ctx, []FilterHit{hit, hit, {Layer: chat.LayerPatterns, Rule: "phone", Action: chat.ActionMask}}))
	all, err := f.Hits(ctx, "", "", 0, 10)
	if err != nil || len(all) != 3 || all[0].Rule != "phone" || all[2].Match != "C@sino" || !all[1].At.Equal(now.Now()) {
		t.Fatalf("%+v %v", all, err)
	}
	if some, err := f.Hits(ctx, chat.LayerWords, "casino", all[1].ID, 10); err != nil || len(some) != 1 {
		t.Errorf("%+v %v", some, err)
	}
	if top, err := f.TopHits(ctx, now.Now().Add(-24*time.Hour), 5); err != nil || len(top) != 2 || top[0] != (HitCount{chat.LayerWords, "casino", 2}) {
		t.Errorf("%+v %v", top, err)
	}
	h, err := f.FalsePositive(ctx, all[1].ID)
	if err != nil || h.Match != "C@sino" || h.Rule != "casino" {
		t.Errorf("%+v %v", h, err)
	}
	if _, err := f.FalsePositive(ctx, 999); !errors.Is(err, ErrNoRow) {
		t.Errorf("%v", err)
	}
	must(t, f.Allow(ctx, "C@sino", "casino"))
	must(t, f.Allow(ctx, "grass", "ass"))
	if ex, err := f.Exceptions(ctx); err != nil || len(ex) != 2 || ex[0].Text != "C@sino" {
		t.Errorf("%+v %v", ex, err)
	}
	must(t, f.Forbid(ctx, "grass"))
	now.Add(48 * time.Hour)
	must(t, f.AddHits(ctx, []FilterHit{hit}))
	must(t, f.DropHits(ctx, now.Now().Add(-time.Hour)))
	left, _ := f.Hits(ctx, "", "", 0, 10)
	top, _ := f.TopHits(ctx, time.Time{}, 5)
	if len(left) != 1 || len(top) != 1 || top[0].Count != 1 {
		t.Errorf("%+v %+v", left, top)
	}
}

func TestLedger(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	db := open(t)
	l := db.NewLedger()
	ran := make(chan error)
	go func() { ran <- l.Run(ctx) }()
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for range 250 {
				l.Record(Spend{Day: "2026-03-02", Key: "main", Model: "m", Visitor: fmt.Sprint(w), Usage: chat.Usage{Prompt: 3, Completion: 2}, Cost: 0.001})
			}
		})
	}
	wg.Wait()
	l.Record(Spend{Day: "2026-03-01", Key: "other", Cost: 1})
	l.Record(Spend{Day: "2026-02-28", Key: "main", Cost: 5})
	s, err := l.Spent(context.Background(), "2026-03-02")
	if err != nil || !near(s.Day, 2) || !near(s.Month, 3) || !near(s.Keys["main"], 2) || !near(s.Visitors["3"], 0.25) || s.Calls != 2000 || s.Tokens != 10000 {
		t.Errorf("%+v %v", s, err)
	}
	l.Record(Spend{Day: "2026-03-02", Key: "main", Model: "m", Visitor: "3", Cost: 1})
	cancel()
	if err := <-ran; err != nil {
		t.Errorf("run: %v", err)
	}
	again := db.NewLedger() // as after a restart
	if s, err := again.Spent(context.Background(), "2026-03-02"); err != nil || !near(s.Day, 3) || !near(s.Visitors["3"], 1.25) {
		t.Errorf("%+v %v", s, err)
	}
	must(t, again.ForgetVisitors(context.Background(), "2026-03-03"))
	if s, err := again.Spent(context.Background(), "2026-03-02"); err != nil || !near(s.Day, 3) || len(s.Visitors) != 1 || s.Calls != 2001 {
		t.Errorf("%+v %v", s, err)
	}
	if h, err := again.History(context.Background(), "2026-03-01", "2026-03-31"); err != nil || len(h) != 2 || h[1].Calls != 2001 || h[1].Prompt != 6000 {
		t.Errorf("%+v %v", h, err)
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestLedgerIsBounded(t *testing.T) {
	l := open(t).NewLedger()
	for i := range spendPending + 500 {
		l.Record(Spend{Day: "2026-03-02", Visitor: fmt.Sprint(i), Cost: 1})
	}
	if n := len(l.pending); n > spendPending+1 {
		t.Errorf("%d sums in memory", n)
	}
	if s, err := l.Spent(context.Background(), "2026-03-02"); err != nil || s.Day != spendPending+500 {
		t.Errorf("%v %v", s.Day, err)
	}
}

func TestPoints(t *testing.T) {
	ctx := context.Background()
	p := open(t).Points()
	must(t, p.Save(ctx, []Point{{"connections", 60, 120, 5}, {"messages", 60, 60, 1}, {"messages", 60, 120, 2}, {"messages", 600, 600, 9}}))
	must(t, p.Save(ctx, []Point{{"messages", 60, 120, 3}}))
	var got []Point
	load := func(step, from int64) {
		got = nil
		must(t, p.Load(ctx, step, from, func(x Point) { got = append(got, x) }))
	}
	if load(60, 120); len(got) != 2 || !slices.Contains(got, Point{"messages", 60, 120, 3}) {
		t.Errorf("%+v", got)
	}
	must(t, p.Drop(ctx, 60, 120))
	if load(60, 0); len(got) != 2 {
		t.Errorf("%+v", got)
	}
	if load(600, 0); len(got) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestOperators(t *testing.T) {
	ctx := context.Background()
	now := newClock()
	o := open(t, func(c *Config) { c.Now = now.Now }).Operators()
	must(t, o.Add(ctx, Operator{Name: "li", Display: "Li", Role: "owner", Hash: "h1"}))
	if err := o.Add(ctx, Operator{Name: "li"}); !errors.Is(err, ErrExists) {
		t.Errorf("%v", err)
	}
	in := SignIn{Token: []byte("t1"), Operator: "li", Created: now.Now(), Seen: now.Now(), Expires: now.Now().Add(time.Hour), IP: "127.0.0.1"}
	must(t, o.PutSignIn(ctx, in))
	in2 := in
	in2.Token = []byte("t2")
	must(t, o.PutSignIn(ctx, in2))
	if x, err := o.Get(ctx, "li"); err != nil || x.SignIns != 2 || !x.Seen.Equal(now.Now()) || x.Hash != "h1" {
		t.Errorf("%+v %v", x, err)
	}
	if err := o.PutSignIn(ctx, SignIn{Token: []byte("t3"), Operator: "nobody"}); !errors.Is(err, ErrNoRow) {
		t.Errorf("%v", err)
	}
	must(t, o.Change(ctx, Operator{Name: "li", Display: "Li Lei", Role: "owner", Hash: "h2"}))
	must(t, o.Touch(ctx, []byte("t1"), now.Now().Add(3*time.Hour)))
	now.Add(2 * time.Hour)
	if s, err := o.SignIn(ctx, []byte("t1")); err != nil || s.Operator != "li" || s.IP != "127.0.0.1" {
		t.Errorf("%+v %v", s, err)
	}
	if _, err := o.SignIn(ctx, []byte("t2")); !errors.Is(err, ErrNoRow) {
		t.Errorf("expired sign-in: %v", err)
	}
	must(t, o.SignOut(ctx, []byte("t1")))
	must(t, o.PutSignIn(ctx, SignIn{Token: []byte("t4"), Operator: "li", Expires: now.Now().Add(time.Hour)}))
	must(t, o.SignOutAll(ctx, ""))
	if l, err := o.List(ctx); err != nil || len(l) != 1 || l[0].SignIns != 0 || l[0].Display != "Li Lei" {
		t.Errorf("%+v %v", l, err)
	}
	must(t, o.Delete(ctx, "li"))
}

func TestInboxAndFiles(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	b := db.Inbox()
	for i := range 3 {
		_, err := b.Add(ctx, LeftMessage{Name: fmt.Sprint(i), Email: "a@b.example", Text: "call me"})
		must(t, err)
	}
	first, err := b.List(ctx, false, 0, 2)
	if err != nil || len(first) != 2 || first[0].Name != "2" {
		t.Fatalf("%+v %v", first, err)
	}
	if rest, err := b.List(ctx, false, first[1].ID, 2); err != nil || len(rest) != 1 || rest[0].Name != "0" {
		t.Errorf("%+v %v", rest, err)
	}
	must(t, b.SetDone(ctx, first[0].ID, true))
	must(t, b.Delete(ctx, first[1].ID))
	if n, err := b.CountOpen(ctx); err != nil || n != 1 {
		t.Errorf("%d %v", n, err)
	}
	if err := b.SetDone(ctx, 99, true); !errors.Is(err, ErrNoRow) {
		t.Errorf("%v", err)
	}
	f := db.Files()
	must(t, f.Add(ctx, File{ID: "r1", Conv: "c", Name: "a.png", Type: "image/png", Size: 5}))
	if x, err := f.Get(ctx, "r1"); err != nil || x.Name != "a.png" || x.Created.IsZero() {
		t.Errorf("%+v %v", x, err)
	}
	if l, err := f.Of(ctx, "c"); err != nil || len(l) != 1 {
		t.Errorf("%+v %v", l, err)
	}
	must(t, f.Delete(ctx, "r1"))
	if _, err := f.Get(ctx, "r1"); !errors.Is(err, ErrNoRow) {
		t.Errorf("%v", err)
	}
}
