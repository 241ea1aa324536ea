package filter

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"haoke/backend/internal/chat"
)

// testConfig is the configuration of the tests here: every action, words of every
// script, patterns, detectors and exceptions.
func testConfig() Config {
	return Config{
		Words: []WordList{
			{Name: "spam", Category: "advertising", Action: chat.ActionMask, Entries: []string{"spam", "敏感", "赌博", "敏感词汇", "buy now", "ass", "感冒药", "казино", "bitcoin"}},
			{Name: "swap", Action: chat.ActionReplace, Replace: "<ok>", Entries: []string{"viagra", "加微信", "spam mail"}},
			{Name: "note", Action: chat.ActionNote, Entries: []string{"refund", "退款"}},
		},
		Allow:    []string{"敏感肌", "kick ass"},
		Patterns: []Pattern{{Name: "foo", Expr: `\bfo+\b`, Action: chat.ActionMask}, {Name: "url", Expr: `https?://[^\s,。]+`, Action: chat.ActionReplace, Replace: "[link]"}, {Name: "end", Expr: `bye$`, Action: chat.ActionMask}},
		Personal: []Detector{{Name: "all"}},
		Except:   []Exception{{"spam mail", "spam"}, {"foo spam", "foo"}},
	}
}

func must(t testing.TB, cfg Config) *Filter {
	t.Helper()
	f, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// stream pushes the tokens and returns the decoded text that came out.
func stream(t testing.TB, f *Filter, tokens []string) (string, chat.Verdict, error) {
	t.Helper()
	s := f.NewStream(chat.Outbound)
	defer s.Release()
	var b strings.Builder
	emit := func(raw []byte) error {
		var x string
		if err := json.Unmarshal(raw, &x); err != nil {
			t.Fatalf("emitted %q: %v", raw, err)
		}
		if !utf8.Valid(raw) {
			t.Fatalf("emitted invalid UTF-8 %q", raw)
		}
		b.WriteString(x)
		return nil
	}
	for _, tok := range tokens {
		if err := s.Push([]byte(tok), emit); err != nil {
			v := s.Verdict()
			return b.String(), v, err
		}
	}
	v, err := s.Close(emit)
	if v.Text != b.String() {
		t.Fatalf("Text is %q, emitted was %q", v.Text, b.String())
	}
	return b.String(), v, err
}

// tokens cuts text into JSON string tokens at random places, escapes some
// runes and splits surrogate pairs.
func tokens(r *rand.Rand, text string) []string {
	var out []string
	var b strings.Builder
	b.WriteByte('"')
	size := 1 + r.IntN(12)
	for _, c := range text {
		var parts []string
		switch {
		case c >= 0x10000 && r.IntN(2) == 0:
			v := c - 0x10000
			parts = []string{fmt.Sprintf(`\u%04x`, 0xD800+v>>10), fmt.Sprintf(`\u%04X`, 0xDC00+v&0x3FF)}
		case c < 0x20 || c == '"' || c == '\\' || c < 0x10000 && r.IntN(8) == 0:
			parts = []string{fmt.Sprintf(`\u%04x`, c)}
		default:
			parts = []string{string(c)}
		}
		for _, p := range parts {
			if r.IntN(size) == 0 {
				b.WriteByte('"')
				out = append(out, b.String())
				b.Reset()
				b.WriteByte('"')
			}
			b.WriteString(p)
		}
	}
	b.WriteByte('"')
	return append(out, b.String())
}

var pieces = []string{"spam", "敏感", "敏", "感", "赌博", "賭", "博", "buy", "now", "buy now", "ass", "a s s", "kick ass", "敏感肌", "敏感词汇", "感冒药", "viagra", "v1agra", "vi@gra",
	"加微信", "加", "微信", "refund", "退款", "foo", "fooo", "https://a.example/x", "http", "bye", " ", " ", " ", ",", "。", "\n", ".", "-", "*", "\u200b", "\u0301", "😀", "🅂", "🅿", "s", "p", "a", "m", "@", "$", "!", "|",
	"ｓｐａｍ", "ѕраm", "s-p-a-m", "s p a m", "spammer", "13812345678", "１３８", "4111 1111 1111 1111", "4111", "1111 ", "a@b.example", "user.name", "@shop.example", "11010519491231002X", "GB82 WEST 1234 5698 7654 32",
	"192.168.1.1", "::1", "sk-abcdefghijklmnop1234", "hello ", "请问", "订单", "the", "ssss", "aaaa", "mmmm", "ﬁ", "㎏", "①", "İ", "ß", "\u3000", "К", "казино", "к@зино", "b!tcoin", "bitcoin", "\"", "\\", "\u2028", "\uFFFD", "\U0001F468\u200d\U0001F469", "电话", "tel: ", "555 ", "12345"}

func hostile(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(14) {
		b.WriteString(pieces[r.IntN(len(pieces))])
		if r.IntN(40) == 0 {
			b.WriteString(strings.Repeat(pieces[r.IntN(len(pieces))], 20+r.IntN(60)))
		}
	}
	return b.String()
}

// TestStreamIsWhole is the property that matters: however a text is cut, the
// stream says and shows what the check of the whole text does.
func TestStreamIsWhole(t *testing.T) {
	for _, pin := range []bool{false, true} {
		cfg := testConfig()
		cfg.Pinyin = pin
		f := must(t, cfg)
		r := rand.New(rand.NewPCG(1, 2))
		n := 5000
		if testing.Short() {
			n = 1000
		}
		hits := 0
		for range n {
			text := hostile(r)
			want := f.Check(chat.Outbound, text)
			got, v, err := stream(t, f, tokens(r, text))
			if err != nil || got != want.Text || v.Action != want.Action || !slices.Equal(v.Hits, want.Hits) {
				t.Fatalf("text %q\nstream %q %v %v\nwhole  %q %v", text, got, v.Hits, err, want.Text, want.Hits)
			}
			hits += len(v.Hits)
		}
		if hits < n/2 {
			t.Fatalf("only %d hits in %d texts: the corpus tests nothing", hits, n)
		}
	}
}

// TestStreamStops: a block ends the stream before any part of the hit, and at
// the same place however the text was cut.
func TestStreamStops(t *testing.T) {
	cfg := testConfig()
	cfg.Words = append(cfg.Words, WordList{Name: "stop", Action: chat.ActionBlock, Entries: []string{"禁止", "forbidden"}})
	f := must(t, cfg)
	r := rand.New(rand.NewPCG(3, 4))
	stops := 0
	for range 5000 {
		text := hostile(r) + []string{"禁止", "for\u200bbidden", " f-o-r-b-i-d-d-e-n "}[r.IntN(3)] + hostile(r)
		want, wv, werr := stream(t, f, []string{string(AppendToken(nil, []byte(text)))})
		got, v, err := stream(t, f, tokens(r, text))
		if got != want || (err == nil) != (werr == nil) || v.Action != wv.Action {
			t.Fatalf("text %q\ngot  %q %v\nwant %q %v", text, got, err, want, werr)
		}
		var st *Stopped
		if errors.As(err, &st) {
			stops++
			if strings.Contains(got, "禁") {
				t.Fatalf("%q leaked into %q", st.Hit.Match, got)
			}
		}
	}
	if stops < 3000 {
		t.Fatalf("stopped only %d times", stops)
	}
}
