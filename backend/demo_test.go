package backend

import (
	"strconv"
	"strings"
	"testing"

	"haoke/backend/internal/sim"
)

// The demo's answers are nobody's promise: a shop with an upstream neither
// gives them nor shows them to the model; what the owner wrote stays.
func TestTheDemoSpeaksOnlyWithoutAnUpstream(t *testing.T) {
	const question = "How do I return something?"
	dir := t.TempDir()
	a := run(t, dir)
	v := a.visit("")
	if e := v.ask(question); !strings.Contains(e.Text, "30 days") {
		t.Fatalf("without an upstream: %+v", e)
	}
	a.stop()

	url, s := simulator(t, sim.Config{Keys: []string{"sk-good"}})
	a = run(t, dir, "HAOKE_UPSTREAM_BASE_URL="+url, "HAOKE_UPSTREAM_KEY=sk-good")
	v = a.visit("")
	if e := v.ask(question); e.From != "ai" || strings.Contains(e.Text, "30 days") || s.Stats().Calls != 1 {
		t.Fatalf("with an upstream, %d calls: %+v", s.Stats().Calls, e)
	}
	var list struct {
		Silent int
		Items  []struct {
			ID       int64
			Lang     string
			Question string
			Answer   string
			Silent   bool
		}
	}
	a.api("GET", "/faq?query=return+something&limit=50", "", &list)
	for _, it := range list.Items {
		if !it.Silent || list.Silent < 60 {
			t.Errorf("%d of the demo are silent, %q: %v", list.Silent, it.Question, it.Silent)
		}
		if it.Question == question {
			a.api("PUT", "/faq/"+strconv.FormatInt(it.ID, 10), `{"lang":"en","question":"`+question+`","alternatives":[],"answer":"Within 14 days.","enabled":true}`, nil)
		}
	}
	was := list.Silent
	list.Items = nil
	a.api("GET", "/faq?limit=1", "", &list)
	if list.Silent != was-1 || list.Items[0].Silent {
		t.Errorf("after an edit %d are silent, before %d; the edited one: %v", list.Silent, was, list.Items[0].Silent)
	}
	if e := v.ask(question); e.Text != "Within 14 days." || s.Stats().Calls != 1 {
		t.Fatalf("the owner's own words, %d calls: %+v", s.Stats().Calls, e)
	}
}
