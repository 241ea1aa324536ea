package beside

import (
	"regexp"
	"runtime"
	"strings"
	"testing"

	bobu "github.com/BobuSumisu/aho-corasick"
	ank "github.com/anknown/ahocorasick"
	cf "github.com/cloudflare/ahocorasick"
	graf "github.com/grafana/regexp"
	petar "github.com/petar-dambovaliev/aho-corasick"
	re2 "github.com/wasilibs/go-re2"

	"haoke/backend/internal/filter/filtertest"
	"haoke/backend/internal/filter/pattern"
	"haoke/backend/internal/filter/words"
)

// matcher is one way to find out whether a text has a hit.
type matcher struct {
	name  string
	build func(tb testing.TB, list []string) func(string) bool
}

var wordMatchers = []matcher{
	{"haoke", haokeWords},
	{"cloudflare", func(_ testing.TB, list []string) func(string) bool {
		a := cf.NewStringMatcher(list)
		return func(s string) bool { return a.Contains([]byte(s)) }
	}},
	{"bobusumisu", func(_ testing.TB, list []string) func(string) bool {
		a := bobu.NewTrieBuilder().AddStrings(list).Build()
		return func(s string) bool { return a.MatchFirstString(s) != nil }
	}},
	{"petar-dfa", petarWords(true)},
	{"petar-nfa", petarWords(false)},
	{"anknown", func(tb testing.TB, list []string) func(string) bool {
		m := new(ank.Machine)
		rs := make([][]rune, len(list))
		for i, w := range list {
			rs[i] = []rune(w)
		}
		if err := m.Build(rs); err != nil {
			tb.Fatal(err)
		}
		return func(s string) bool { return len(m.MultiPatternSearch([]rune(s), true)) > 0 }
	}},
}

func haokeWords(tb testing.TB, list []string) func(string) bool {
	es := make([]words.Entry, len(list))
	for i, w := range list {
		es[i] = words.Entry{Text: w, Rule: int32(i)}
	}
	s, err := words.Build(es)
	if err != nil {
		tb.Fatal(err)
	}
	var st words.State
	hit := false
	emit := func(words.Match) { hit = true }
	return func(text string) bool {
		st.Reset()
		hit = false
		s.Scan(&st, text, 0)
		if !st.Clean() {
			s.Resolve(&st, text, true, emit)
		}
		return hit
	}
}

func petarWords(dfa bool) func(testing.TB, []string) func(string) bool {
	return func(_ testing.TB, list []string) func(string) bool {
		b := petar.NewAhoCorasickBuilder(petar.Opts{AsciiCaseInsensitive: true, MatchKind: petar.StandardMatch, DFA: dfa})
		a := b.Build(list)
		return func(s string) bool { return a.Iter(s).Next() != nil }
	}
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}

// BenchmarkWords: 10,000 words over 2,000 mixed messages of about 75 bytes.
func BenchmarkWords(b *testing.B) {
	list := filtertest.Words(10_000)
	msgs := filtertest.Messages(2000, 20, list)
	for _, m := range wordMatchers {
		b.Run(m.name, func(b *testing.B) {
			before := heap()
			f := m.build(b, list)
			size := heap() - before
			filtertest.OverMessages(b, msgs, f)
			b.ReportMetric(size, "MiB")
			runtime.KeepAlive(f)
		})
	}
}

// BenchmarkPatterns: 20 patterns over 500 mixed messages, 2 % with a hit.
func BenchmarkPatterns(b *testing.B) {
	msgs := filtertest.Messages(500, 0, filtertest.Words(100))
	for i := range msgs {
		if i%50 == 0 {
			msgs[i] += "我的电话13812345678"
		}
	}
	b.Run("haoke", func(b *testing.B) { filtertest.OverMessages(b, msgs, haokePatterns(b)) })
	b.Run("regexp-each", func(b *testing.B) { filtertest.OverMessages(b, msgs, each(regexp.MustCompile)) })
	b.Run("grafana-each", func(b *testing.B) { filtertest.OverMessages(b, msgs, each(graf.MustCompile)) })
	b.Run("re2-each", func(b *testing.B) { filtertest.OverMessages(b, msgs, each(re2.MustCompile)) })
	union := "(?:" + strings.Join(filtertest.Patterns, ")|(?:") + ")"
	b.Run("regexp-union", func(b *testing.B) { filtertest.OverMessages(b, msgs, regexp.MustCompile(union).MatchString) })
	b.Run("re2-union", func(b *testing.B) { filtertest.OverMessages(b, msgs, re2.MustCompile(union).MatchString) })
}

func haokePatterns(tb testing.TB) func(string) bool {
	specs := make([]pattern.Spec, len(filtertest.Patterns))
	for i, p := range filtertest.Patterns {
		specs[i] = pattern.Spec{Name: p, Expr: p}
	}
	s, err := pattern.Compile(specs, 0)
	if err != nil {
		tb.Fatal(err)
	}
	var st pattern.State
	hit := false
	emit := func(pattern.Match) { hit = true }
	return func(text string) bool {
		st.Reset()
		hit = false
		s.Scan(&st, text, 0, emit)
		s.Close(&st, text, emit)
		return hit
	}
}

// each runs one compiled expression after the other.
func each[R interface{ MatchString(string) bool }](compile func(string) R) func(string) bool {
	var all []R
	for _, p := range filtertest.Patterns {
		all = append(all, compile(p))
	}
	return func(s string) bool {
		for _, r := range all {
			if r.MatchString(s) {
				return true
			}
		}
		return false
	}
}
