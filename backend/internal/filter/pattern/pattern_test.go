package pattern

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func compile(t testing.TB, exprs ...string) *Set {
	t.Helper()
	var specs []Spec
	for i, e := range exprs {
		specs = append(specs, Spec{Name: fmt.Sprint(i), Expr: e})
	}
	s, err := Compile(specs, 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func find(s *Set, text string, sizes ...int) []Match {
	var st State
	var out []Match
	emit := func(m Match) { out = append(out, m) }
	at := 0
	for _, n := range sizes {
		to := min(at+n, len(text))
		s.Scan(&st, text[:to], at, emit)
		at = to
	}
	s.Scan(&st, text, at, emit)
	s.Close(&st, text, emit)
	slices.SortFunc(out, func(a, b Match) int { return (a.Pattern-b.Pattern)*1000000 + a.Start - b.Start })
	return out
}

var exprs = []string{`1[3-9]\d{9}`, `[\w.+-]+@[\w-]+\.[\w.]{2,}`, `https?://[^\s,。]+`, `\bfoo\b`, `^start`, `end$`,
	`(?i)qq[群号:\s]*[1-9]\d{4,10}`, `(?:贷款|借钱).{0,8}(?:秒到|免征信)`, `a+b`, `[\x{1F4A9}]`, `(?m)^line$`}

func TestSameAsRegexp(t *testing.T) {
	s := compile(t, exprs...)
	for _, text := range []string{"", "start foo end", "foo start end foo", "a@b.cn, mail x.y@shop.example!", "13812345678 and 138123456789",
		"see https://a.example/x?y=z, ok", "QQ群 12345678", "贷款啦马上秒到", "aaab aab ab b", "x💩y", "foofoo foo_foo foo", "line\nline", "end\nend"} {
		var want []Match
		for i, e := range exprs {
			for _, m := range regexp.MustCompile(e).FindAllStringIndex(text, -1) {
				want = append(want, Match{i, m[0], m[1]})
			}
		}
		if got := find(s, text); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestLightNormalisation(t *testing.T) {
	s := compile(t, `1[3-9]\d{9}`)
	text := "电话１３８\u200b12345678。"
	got := find(s, text)
	if len(got) != 1 || text[got[0].Start:got[0].End] != "１３８\u200b12345678" {
		t.Errorf("got %v", got)
	}
}

func TestRefused(t *testing.T) {
	for expr, want := range map[string]string{
		"":                        "empty",
		"(":                       "missing closing",
		"(?=x)":                   "look-ahead",
		`(a)\1`:                   "back-references",
		"x*":                      "empty text",
		"a{1001}":                 "too large",
		"((a{100}){100}){100}":    "too large",
		"(x|y){500}(z|w|v){800}":  "steps",
		strings.Repeat("a", 1001): "at most 1000",
		"\xff":                    "UTF-8",
	} {
		err := Check(Spec{Name: "n", Expr: expr})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: got %v, want %q", expr, err, want)
		}
	}
}

func TestGenerations(t *testing.T) {
	// (a|b)*a(a|b){n} has 2^n states as an automaton
	s := compile(t, `a[ab]{14}c`)
	var b strings.Builder
	x := uint32(1)
	for range 200_000 {
		x = x*1664525 + 1013904223
		b.WriteByte("ab"[x>>31])
		if x>>24 == 0 {
			b.WriteByte(' ')
		}
	}
	b.WriteString(" aaaaaaaaaaaaaaac")
	got := find(s, b.String())
	if len(got) == 0 || got[len(got)-1].End != b.Len() {
		t.Errorf("got %v", got)
	}
}
