package filter

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/filter/pattern"
)

// FuzzStream: whatever the text and however it is cut, the stream is the whole.
func FuzzStream(f *testing.F) {
	flt := must(f, testConfig())
	r := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		f.Add(hostile(r), r.Uint64())
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		if len(text) > 5000 {
			return
		}
		text = strings.ToValidUTF8(text, "\uFFFD")
		want := flt.Check(chat.Outbound, text)
		got, v, err := stream(t, flt, tokens(rand.New(rand.NewPCG(seed, 1)), text))
		if err != nil || got != want.Text || !slices.Equal(v.Hits, want.Hits) {
			t.Fatalf("text %q\nstream %q %v %v\nwhole  %q %v", text, got, v.Hits, err, want.Text, want.Hits)
		}
	})
}

// FuzzTokens: no token, however broken, does harm; what comes out is valid.
func FuzzTokens(f *testing.F) {
	flt := must(f, testConfig())
	f.Add([]byte(`"\ud83d"`), []byte(`"\ude00 sp"`), []byte(`"am"`))
	f.Add([]byte("\"\xe6\x95\""), []byte("\"\x8f感\""), []byte(`"\u12"`))
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		s := flt.NewStream(chat.Outbound)
		defer s.Release()
		emit := func(raw []byte) error {
			var d decoder
			if _, _, err := d.decode(nil, raw); err != nil || d.waiting() {
				t.Fatalf("emitted %q", raw)
			}
			return nil
		}
		for _, tok := range [][]byte{a, b, c} {
			if err := s.Push(tok, emit); err != nil && !errors.Is(err, ErrToken) {
				t.Fatal(err)
			}
		}
		if _, err := s.Close(emit); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzCompile: no set of rules makes the compiler panic, and an accepted one
// works.
func FuzzCompile(f *testing.F) {
	f.Add("spam\nas*\n*x*\n敏感", `\bfo+\b`, "a spam text")
	f.Add("\u200b\n***\n"+strings.Repeat("a", 70), `(?i)[^a-z]{2,9}$`, "aaaa")
	f.Add("㎏ﬁ\n١٢٣\n谢谢", `(a|b)*c`, "kgfi 123")
	f.Fuzz(func(t *testing.T, list, expr, text string) {
		if len(list) > 2000 || len(text) > 2000 {
			return
		}
		entries := strings.Split(list, "\n")
		flt, err := New(Config{Pinyin: true, Words: []WordList{{Name: "w", Action: chat.ActionMask, Entries: entries}}, Patterns: []Pattern{{Name: "p", Expr: expr, Action: chat.ActionMask}}})
		if err != nil {
			var bad *pattern.Error
			if !errors.As(err, &bad) {
				t.Fatalf("%q %q: %v", list, expr, err)
			}
			return
		}
		v := flt.Check(chat.Inbound, text)
		for _, h := range v.Hits {
			if h.Start < 0 || h.Start >= h.End || h.End > 3*len(text) {
				t.Fatalf("hit %+v in %q", h, text)
			}
		}
		for _, e := range entries {
			// an entry without wildcards and without invalid bytes finds itself
			if strings.ToValidUTF8(e, "") != e || strings.Contains(e, "*") || Normalise(e) == "" {
				continue
			}
			if len([]rune(Normalise(e))) <= 64 && len(flt.Check(chat.Inbound, e).Hits) == 0 {
				t.Fatalf("entry %q does not find itself", e)
			}
		}
	})
}
