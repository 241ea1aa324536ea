package terms

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAppend(t *testing.T) {
	for text, want := range map[string][]string{
		"The teapots were returned":          {"teapot", "return"},
		"Order TX-4471, €12.50 (2026/11/22)": {"order", "tx4471", "tx", "4471", "1250", "12", "50", "20261122", "2026", "11", "22"},
		"怎么退货":                               {"怎么", "么退", "退", "退货", "货"},
		"ＡＢＣ１２３ full":                        {"abc123", "full"},
		"退貨":                                 {"退", "退货", "货"},
		"mail ada@c.de now":                  {"mail", "adacde", "ada", "de", "now"},
		"I can't, won't":                     nil,
		"":                                   nil,
	} {
		if got := Append(nil, text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestStemsMeet(t *testing.T) {
	for _, pair := range [][2]string{
		{"exchange", "exchanging"}, {"delivery", "deliveries"}, {"wrapped", "wrapping"}, {"box", "boxes"}, {"dishes", "dish"},
		{"engraved", "engraving"}, {"return", "returned"}, {"store", "stores"}, {"cancelled", "cancelling"},
	} {
		if a, b := Stem(pair[0]), Stem(pair[1]); a != b {
			t.Errorf("%s -> %s, %s -> %s", pair[0], a, pair[1], b)
		}
	}
	for _, w := range []string{"glass", "bus", "this", "tea", "a", "ing"} {
		if Stem(w) == "" {
			t.Errorf("%s has no stem", w)
		}
	}
}

func TestFeatures(t *testing.T) {
	l := Shop()
	for text, want := range map[string]string{
		"How do I send back my order?": "@return", "如何退换商品": "@return", "请问怎么退货": "@return", "請問怎麼退貨": "@return",
		"运费是多少": "@shipcost", "Do you gift-wrap? gift wrapping please": "@giftwrap", "which courier": "@carrier",
	} {
		if got := l.Features(text); !slices.Contains(got, want) {
			t.Errorf("%q: %q, want %s", text, got, want)
		}
	}
	if got := l.Features("你好，请问一下"); len(got) != 0 {
		t.Errorf("polite words have features %q", got)
	}
}

// TestLexiconIsSound: no word means two things.
func TestLexiconIsSound(t *testing.T) {
	seen := map[string]string{}
	for line := range strings.Lines(shop) {
		concept, list, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		for w := range strings.SplitSeq(list, ",") {
			w = Normalize(strings.TrimSpace(w))
			if before, twice := seen[w]; twice && before != concept {
				t.Errorf("%q means %s and %s", w, before, concept)
			}
			seen[w] = concept
		}
	}
	if len(seen) < 1000 {
		t.Errorf("only %d words", len(seen))
	}
}

func TestWeak(t *testing.T) {
	for term, want := range map[string]bool{"茶": true, "的茶": true, "茶壶": false, "a": false, "": false} {
		if Weak(term) != want {
			t.Errorf("Weak(%q) = %v", term, !want)
		}
	}
}

func FuzzAppend(f *testing.F) {
	for _, s := range []string{"tx-4471 茶壶's", "a.b@c.de", "ー退\xff\xfe'", "１２-３"} {
		f.Add(s)
	}
	l := Shop()
	f.Fuzz(func(t *testing.T, text string) {
		for _, term := range append(Append(nil, text), l.Features(text)...) {
			if term == "" || !utf8.ValidString(term) {
				t.Errorf("%q: term %q", text, term)
			}
		}
		if a, b := Append(nil, text), Append(nil, Normalize(text)); !reflect.DeepEqual(a, b) {
			t.Errorf("%q: normalising twice changes terms: %q, %q", text, a, b)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	buf := make([]string, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		buf = Append(buf[:0], "Your parcel TX-4471 was sent on 12 March; it usually arrives within 2 to 4 working days.")
	}
}
