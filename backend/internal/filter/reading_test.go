package filter

import (
	"slices"
	"strings"
	"testing"

	"haoke/backend/internal/chat"
)

func TestReading(t *testing.T) {
	f := must(t, Config{Pinyin: true, Words: []WordList{{Name: "l", Entries: []string{"spam", "敏感", "赌博", "buy now"}}}, Personal: []Detector{{Name: "phone"}}})
	for _, c := range []struct{ text, normalised, steps string }{
		{"spam", "spam", ""},
		{"SPAM", "spam", "case"},
		{"ｓｐａｍ", "spam", "width"},
		{"🅂🄿🄰🄼", "spam", "form"},
		{"spám", "spam", "accents"},
		{"sp\u0301am", "spam", "marks"},
		{"s\u200bpam", "spam", "invisible"},
		{"s-p-a-m", "spam", "separators"},
		{"sspppaam", "spam", "repeats"},
		{"5pam", "spam", "digits"},
		{"sp@m", "spam", "symbols"},
		{"sраm", "spam", "look-alikes"},
		{"S.P.A.M", "spam", "case,separators"},
		{"賭博", "赌博", "traditional"},
		{"du博", "赌博", "pinyin"},
		{"敏*感", "敏感", "separators"},
		{"buy now", "buy now", ""},
		{"１３８\u200b12345678", "13812345678", "width,invisible"},
	} {
		x := f.Explain(chat.Inbound, "我 "+c.text+" 你")
		var got []Reading
		for _, l := range x.Layers {
			if len(l.Reads) != len(l.Hits) {
				t.Fatalf("%q: %d readings of %d hits", c.text, len(l.Reads), len(l.Hits))
			}
			got = append(got, l.Reads...)
		}
		if len(got) != 1 || got[0].Normalised != c.normalised || strings.Join(got[0].Steps, ",") != c.steps {
			t.Errorf("%q: %+v, want %q %q", c.text, got, c.normalised, c.steps)
		}
		if len(x.Verdict.Hits) == 1 {
			if h := x.Verdict.Hits[0]; ("我 " + c.text + " 你")[h.Start:h.End] != c.text {
				t.Errorf("%q: offsets %d-%d", c.text, h.Start, h.End)
			}
		}
	}
}

func TestDraft(t *testing.T) {
	f := must(t, testConfig())
	with, err := f.With(Draft{
		Words: []string{"teapot", "x"}, Action: chat.ActionBlock, Category: "tea", Allow: []string{"spam tin"},
		Patterns: []Pattern{{Name: "p", Expr: `\bzz+\b`, Action: chat.ActionNote}},
	})
	if err != nil {
		t.Fatal(err)
	}
	rules := func(f *Filter, text string) (out []string) {
		for _, h := range f.Check(chat.Inbound, text).Hits {
			out = append(out, h.Rule)
		}
		return out
	}
	if got := rules(with, "a t-e-a-p-o-t, zzz, spam tin and spam"); !slices.Equal(got, []string{"teapot", "p", "spam"}) {
		t.Errorf("with the rules in use: %v", got)
	}
	if r := with.Report(); len(r.Problems) == 0 || r.Problems[0].Entry != "x" {
		t.Errorf("the single letter is not reported: %+v", r)
	}
	alone, err := f.With(Draft{Alone: true, Words: []string{"teapot"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := rules(alone, "teapot and spam"); !slices.Equal(got, []string{"teapot"}) {
		t.Errorf("alone: %v", got)
	}
	if _, err := f.With(Draft{Patterns: []Pattern{{Name: "bad", Expr: "(a"}}}); err == nil {
		t.Error("a broken pattern was accepted")
	}
	if got := rules(f, "teapot zzz"); got != nil {
		t.Errorf("the filter itself changed: %v", got)
	}
}
