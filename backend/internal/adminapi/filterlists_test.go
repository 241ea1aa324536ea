package adminapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/wire"
)

// newList makes a list of the owner's and returns its number.
func newList(t *testing.T, owner *door, in wire.WordListWrite) (id string) {
	t.Helper()
	return fmt.Sprint(decode[wire.WordList](t, owner.send("POST", "/filters/lists", in)).ID)
}

func listOf(t *testing.T, owner *door, name string) wire.WordList {
	t.Helper()
	all := decode[wire.Filters](t, owner.send("GET", "/filters", nil))
	for _, l := range all.Lists {
		if l.Name == name {
			return l
		}
	}
	t.Fatalf("there is no list %q", name)
	return wire.WordList{}
}

// TestWordsOfTheirOwn: what a table says of its words holds for them, and comes
// out again.
func TestWordsOfTheirOwn(t *testing.T) {
	owner := open(t, options{}).script()
	id := newList(t, owner, wire.WordListWrite{Name: "Mixed", Category: "house", Action: chat.ActionMask, Way: wire.WayBoth, Enabled: true})
	csv := "word,category,action\nteapot,house,mask\ncasino,gambling,block\nrefund,,note\n"
	if r := decode[wire.ImportReport](t, owner.send("POST", "/filters/lists/"+id+"/import", raw{"text/csv", []byte(csv)})); r.Added != 3 || r.Preview[1].Value != "gambling · block" {
		t.Fatalf("imported: %+v", r)
	}
	test := func(text string) (chat.Action, string) {
		t.Helper()
		x := decode[wire.FilterTestResult](t, owner.send("POST", "/filters/test", wire.FilterTest{Text: text}))
		if len(x.Layers[0].Hits) != 1 {
			t.Fatalf("%q: %+v", text, x)
		}
		return x.Action, x.Layers[0].Hits[0].Category
	}
	for text, want := range map[string][2]string{"a teapot": {"mask", "house"}, "a casino": {"block", "gambling"}, "a refund": {"note", "house"}} {
		if a, c := test(text); string(a) != want[0] || c != want[1] {
			t.Errorf("%q: %s %s, want %v", text, a, c, want)
		}
	}
	page := decode[wire.WordPage](t, owner.send("GET", "/filters/lists/"+id+"/words?skip=1&limit=1", nil))
	if page.Total != 3 || !slices.Equal(page.Items, []string{"refund"}) || page.Own["refund"].Action != chat.ActionNote || page.Own["refund"].Category != "" {
		t.Errorf("the second entry: %+v", page)
	}

	out := owner.send("GET", "/filters/lists/"+id+"/export?format=csv", nil)
	if want := "word,category,action\ncasino,gambling,block\nrefund,house,note\nteapot,house,mask\n"; string(out.body) != want {
		t.Errorf("exported %q", out.body)
	}
	other := newList(t, owner, wire.WordListWrite{Name: "Again", Way: wire.WayBoth})
	decode[wire.ImportReport](t, owner.send("POST", "/filters/lists/"+other+"/import", raw{"text/csv", out.body}))
	if back := owner.send("GET", "/filters/lists/"+other+"/export?format=csv", nil); string(back.body) != string(out.body) {
		t.Errorf("there and back: %q", back.body)
	}
	// the same again changes nothing, another action does
	if r := decode[wire.ImportReport](t, owner.send("POST", "/filters/lists/"+id+"/import?dry_run=true", raw{"text/csv", []byte(strings.Replace(csv, "note", "block", 1))})); r.Added != 0 || r.Updated != 1 || r.Skipped != 2 {
		t.Errorf("a second import would: %+v", r)
	}
	if r := decode[wire.ImportReport](t, owner.send("POST", "/filters/lists/"+id+"/words", wire.WordEdit{Own: map[string]wire.WordOwn{"refund": {Category: "money", Action: chat.ActionMask}}})); r.Updated != 1 {
		t.Errorf("edited: %+v", r)
	}
	if a, c := test("a refund"); a != chat.ActionMask || c != "money" {
		t.Errorf("after the edit: %s %s", a, c)
	}
}

// TestListTakesOver: what all rows of a table say becomes the list's own.
func TestListTakesOver(t *testing.T) {
	owner := open(t, options{}).script()
	id := newList(t, owner, wire.WordListWrite{Name: "Empty", Way: wire.WayBoth, Enabled: true})
	decode[wire.ImportReport](t, owner.send("POST", "/filters/lists/"+id+"/import", raw{"text/csv", []byte("词,类别,动作\r\n赌场;注册,赌博,block\r\n博彩,赌博,block\r\n")}))
	l := listOf(t, owner, "Empty")
	if l.Category != "赌博" || l.Action != chat.ActionBlock || l.Count != 2 {
		t.Errorf("the list: %+v", l)
	}
	if page := decode[wire.WordPage](t, owner.send("GET", "/filters/lists/"+id+"/words", nil)); len(page.Own) != 0 {
		t.Errorf("its words: %+v", page)
	}
	// a table of a European spreadsheet, columns in another order
	other := newList(t, owner, wire.WordListWrite{Name: "Semicolons", Way: wire.WayBoth, Enabled: true})
	decode[wire.ImportReport](t, owner.send("POST", "/filters/lists/"+other+"/import", raw{"text/csv", []byte("Action;Word;Category\nmask;teapot;tea\n")}))
	if l := listOf(t, owner, "Semicolons"); l.Category != "tea" || l.Action != chat.ActionMask || l.Count != 1 {
		t.Errorf("semicolons: %+v", l)
	}
}

// TestDraftIsTried: rules that are not saved can be tried, alone or beside
// those in use, and leave nothing behind.
func TestDraftIsTried(t *testing.T) {
	owner := open(t, options{}).script()
	id := newList(t, owner, wire.WordListWrite{Name: "Use", Action: chat.ActionMask, Way: wire.WayBoth, Enabled: true})
	decode[wire.ImportReport](t, owner.send("POST", "/filters/lists/"+id+"/words", wire.WordEdit{Add: []string{"casino"}}))
	try := func(text string, d *wire.FilterDraft) wire.FilterTestResult {
		t.Helper()
		return decode[wire.FilterTestResult](t, owner.send("POST", "/filters/test", wire.FilterTest{Text: text, Draft: d}))
	}
	d := &wire.FilterDraft{Words: []string{"teapot", "q"}, Patterns: []wire.DraftPattern{{Expr: `ORD-\d{4}`}}, Allow: []string{"casino royale"}, Action: chat.ActionBlock, Category: "tea"}
	x := try("T.E.A.P.O.T and ORD-1234 at casino royale, casino", d)
	words, patterns := x.Layers[0], x.Layers[1]
	if x.Action != chat.ActionBlock || len(words.Hits) != 2 || words.Hits[0].Match != "T.E.A.P.O.T" || words.Hits[0].Start != 0 || words.Hits[0].Category != "tea" ||
		len(patterns.Hits) != 1 || patterns.Hits[0].Start != 16 || patterns.Hits[0].End != 24 {
		t.Errorf("tried: %+v", x)
	}
	if r := words.Reads[0]; r.Normalised != "teapot" || !slices.Equal(r.Steps, []string{"case", "separators"}) || words.Nanos <= 0 {
		t.Errorf("read: %+v", words)
	}
	if len(x.Excepted) != 1 || x.Excepted[0].Match != "casino" || len(x.Notes) != 1 || !strings.Contains(x.Notes[0], `"q"`) {
		t.Errorf("excepted %+v, notes %q", x.Excepted, x.Notes)
	}
	if x := try("casino teapot", &wire.FilterDraft{Alone: true, Words: []string{"teapot"}, Action: chat.ActionMask, MaskStyle: "three"}); x.Text != "casino ***" {
		t.Errorf("alone: %+v", x)
	}
	if x := try("casino teapot", nil); len(x.Layers[0].Hits) != 1 || x.Text != "****** teapot" {
		t.Errorf("the draft was left behind: %+v", x)
	}
	bad := owner.send("POST", "/filters/test", wire.FilterTest{Text: "x", Draft: &wire.FilterDraft{Patterns: []wire.DraftPattern{{Name: "p", Expr: "(a{1,900}){1,900}"}}}})
	if bad.status != 422 || !strings.Contains(string(bad.body), "draft.patterns") {
		t.Errorf("an exploding pattern: %d %s", bad.status, bad.body)
	}
}

// TestMaskStyleAndPersonalData: the page's two new choices are settings too.
func TestMaskStyleAndPersonalData(t *testing.T) {
	owner := open(t, options{}).script()
	c := decode[wire.Filters](t, owner.send("GET", "/filters", nil)).Config
	if c.StoredPersonalData != "original" || c.MaskStyle != "same" {
		t.Errorf("defaults: %+v", c)
	}
	c.StoredPersonalData, c.MaskStyle = "label", "three"
	if got := decode[wire.FilterConfig](t, owner.send("PUT", "/filters/config", c)); got.StoredPersonalData != "label" || got.MaskStyle != "three" {
		t.Errorf("changed: %+v", got)
	}
	c.Revision, c.MaskStyle = -1, "wavy"
	if out := owner.send("PUT", "/filters/config", c); out.status != 422 || !strings.Contains(string(out.body), "mask_style") {
		t.Errorf("an unknown style: %d %s", out.status, out.body)
	}
}

// TestOddWords: doubles, contradictions and single letters across lists are
// told, and the stricter action holds.
func TestOddWords(t *testing.T) {
	owner := open(t, options{}).script()
	for name, action := range map[string]chat.Action{"A": chat.ActionMask, "B": chat.ActionBlock} {
		id := newList(t, owner, wire.WordListWrite{Name: name, Action: action, Way: wire.WayBoth, Enabled: true})
		decode[wire.ImportReport](t, owner.send("POST", "/filters/lists/"+id+"/words", wire.WordEdit{Add: []string{"casino", "teapot", "甲"}}))
	}
	decode[wire.FilterException](t, owner.send("POST", "/filters/exceptions", wire.FilterExceptionNew{Text: "teapot", Also: []string{" tea party ", "", "teapot"}}))
	all := decode[wire.Filters](t, owner.send("GET", "/filters", nil))
	codes := map[string]int{}
	for _, p := range all.Problems {
		codes[p.Code]++
	}
	if codes["contradiction"] != 4 || codes["one_letter"] != 1 || len(all.Exceptions) != 2 {
		t.Errorf("%v %+v, exceptions %+v", codes, all.Problems, all.Exceptions)
	}
	if x := decode[wire.FilterTestResult](t, owner.send("POST", "/filters/test", wire.FilterTest{Text: "casino teapot"})); x.Action != chat.ActionBlock || len(x.Layers[0].Hits) != 1 || len(x.Excepted) != 1 {
		t.Errorf("tried: %+v", x)
	}
	if out := owner.send("POST", "/filters/exceptions", wire.FilterExceptionNew{Text: "x", Also: []string{strings.Repeat("y", 201)}}); out.status != 422 {
		t.Errorf("a long exception: %d %s", out.status, out.body)
	}
}
