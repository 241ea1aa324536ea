package chat

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestFactsGrowAndShrink(t *testing.T) {
	var f Facts
	f = f.With(FactChange{Answers: map[string]string{"order": " 4711 "}, Attributes: map[string]string{"plan": "gold", "cart": "3"}, Tags: []string{"vip", "vip", "new"}})
	f = f.With(FactChange{Unset: []string{"cart"}, Untags: []string{"new"}, Event: &FactEvent{At: noon, Name: "added\nto cart", Data: `{"sku":1}`}})
	f = f.With(FactChange{Page: &FactPage{At: noon, URL: "https://shop/a"}})
	f = f.With(FactChange{Page: &FactPage{At: noon, URL: "https://shop/a"}}) // the same page again is no step
	want := FactSheet{
		Answers: map[string]string{"order": "4711"}, Attributes: map[string]string{"plan": "gold"}, Tags: []string{"vip"},
		Events: []FactEvent{{noon, "added to cart", `{"sku":1}`}}, Pages: []FactPage{{At: noon, URL: "https://shop/a"}},
	}
	if got := f.Sheet(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	same := f.With(FactChange{Attributes: map[string]string{"plan": "gold"}, Tags: []string{"vip"}, Untags: []string{"none"}})
	if same != f {
		t.Errorf("repeating what is known changed %s to %s", f, same)
	}
	if gone := Facts(`{"tags":["a"]}`).With(FactChange{Untags: []string{"a"}}); gone != "" {
		t.Errorf("nothing is left, yet there is %q", gone)
	}
}

func TestFactsAreBounded(t *testing.T) {
	var f Facts
	for i := range 300 {
		f = f.With(FactChange{
			Attributes: map[string]string{fmt.Sprint("a", i): strings.Repeat("x", 100)},
			Answers:    map[string]string{fmt.Sprint("q", i): "y"},
			Tags:       []string{fmt.Sprint("t", i)},
			Event:      &FactEvent{At: noon.Add(time.Duration(i) * time.Second), Name: fmt.Sprint("e", i), Data: strings.Repeat("语", 2000)},
			Page:       &FactPage{At: noon, URL: fmt.Sprint("https://shop/", i), Title: strings.Repeat("t", 500)},
		})
		if len(f) > maxFactBytes {
			t.Fatalf("after %d changes: %d bytes", i+1, len(f))
		}
	}
	s := f.Sheet()
	if len(s.Attributes) > MaxAttributes || len(s.Answers) > MaxAnswers || len(s.Tags) > MaxTags || len(s.Events) > MaxEvents || len(s.Pages) > MaxPages {
		t.Errorf("counts: %d attributes, %d answers, %d tags, %d events, %d pages", len(s.Attributes), len(s.Answers), len(s.Tags), len(s.Events), len(s.Pages))
	}
	if e := s.Events[len(s.Events)-1]; e.Name != "e299" || len([]rune(e.Data)) != MaxFactValue {
		t.Errorf("the newest event is %q with %d characters", e.Name, len([]rune(e.Data)))
	}
	huge := map[string]string{}
	for i := range MaxAttributes {
		huge[fmt.Sprint(i)] = strings.Repeat("z", MaxFactValue)
	}
	if got := Facts(`{"tags":["kept"]}`).With(FactChange{Attributes: huge}); got != `{"tags":["kept"]}` {
		t.Errorf("what does not fit changed the facts to %d bytes", len(got))
	}
}

func TestFactsDeceiveNobody(t *testing.T) {
	f := Facts("").With(FactChange{Attributes: map[string]string{"na\u202eme": "a\u2066b\x00c\u009b", "": "x"}, Tags: []string{" ", "\u202e"}})
	if got := f.Sheet(); !reflect.DeepEqual(got, FactSheet{Attributes: map[string]string{"name": "ab c"}}) {
		t.Errorf("%+v", got)
	}
}

func TestFactsInJSON(t *testing.T) {
	v := Visitor{Name: "Lin", Facts: Facts("").With(FactChange{Tags: []string{"<b>"}})}
	data, err := json.Marshal(v)
	if err != nil || string(data) != `{"name":"Lin","facts":{"tags":["\u003cb\u003e"]}}` {
		t.Fatalf("%s (%v)", data, err)
	}
	var back Visitor
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(back.Facts.Sheet(), v.Facts.Sheet()) {
		t.Errorf("back: %+v (%v)", back, err)
	}
	if data, _ := json.Marshal(Visitor{}); string(data) != "{}" {
		t.Errorf("a silent visitor is %s", data)
	}
	for _, old := range []string{`{"name":"Lin"}`, `{"facts":{}}`, `{"facts":null}`} {
		var v Visitor
		if err := json.Unmarshal([]byte(old), &v); err != nil || v.Facts != "" {
			t.Errorf("%s: %q, %v", old, v.Facts, err)
		}
	}
}

func TestMergeKeepsBothTabs(t *testing.T) {
	a := Facts("").With(FactChange{Tags: []string{"a"}, Event: &FactEvent{At: noon.Add(time.Minute), Name: "later"}})
	b := Facts("").With(FactChange{Tags: []string{"b"}, Event: &FactEvent{At: noon, Name: "earlier"}})
	s := a.Merge(b).Sheet()
	if strings.Join(s.Tags, "") != "ab" || len(s.Events) != 2 || s.Events[0].Name != "earlier" {
		t.Errorf("%+v", s)
	}
	if a.Merge("") != a || Facts("").Merge(b) != b || a.Merge(a) != a {
		t.Error("merging with nothing or with itself changed the facts")
	}
}
