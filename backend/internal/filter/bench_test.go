package filter

import (
	"regexp"
	"runtime"
	"testing"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/filter/filtertest"
	"haoke/backend/internal/filter/pattern"
	"haoke/backend/internal/filter/words"
)

// mapTrie is the usual hand-made "DFA" of nested maps, restarted at every
// character, without any normalisation: the naive baseline of the words layer.
type mapTrie struct {
	next map[rune]*mapTrie
	end  bool
}

func newMapTrie(list []string) *mapTrie {
	t := &mapTrie{next: map[rune]*mapTrie{}}
	for _, w := range list {
		n := t
		for _, r := range w {
			m := n.next[r]
			if m == nil {
				m = &mapTrie{next: map[rune]*mapTrie{}}
				n.next[r] = m
			}
			n = m
		}
		n.end = true
	}
	return t
}

func (t *mapTrie) contains(s string) bool {
	rs := []rune(s)
	for i := range rs {
		n := t
		for _, r := range rs[i:] {
			if n = n.next[r]; n == nil {
				break
			}
			if n.end {
				return true
			}
		}
	}
	return false
}

func wordEntries(list []string) []words.Entry {
	es := make([]words.Entry, len(list))
	for i, w := range list {
		es[i] = words.Entry{Text: w, Rule: int32(i)}
	}
	return es
}

// BenchmarkWords: 10,000 words over 2,000 mixed messages of about 75 bytes.
func BenchmarkWords(b *testing.B) {
	list := filtertest.Words(10_000)
	msgs := filtertest.Messages(2000, 20, list)
	b.Run("filter", func(b *testing.B) {
		s, err := words.Build(wordEntries(list))
		if err != nil {
			b.Fatal(err)
		}
		var st words.State
		hit := false
		emit := func(words.Match) { hit = true }
		filtertest.OverMessages(b, msgs, func(m string) bool {
			st.Reset()
			hit = false
			s.Scan(&st, m, 0)
			if !st.Clean() {
				s.Resolve(&st, m, true, emit)
			}
			return hit
		})
		b.ReportMetric(float64(s.Bytes())/(1<<20), "MiB")
	})
	b.Run("naive-map-trie", func(b *testing.B) { filtertest.OverMessages(b, msgs, newMapTrie(list).contains) })
}

// BenchmarkPatterns: 20 patterns over 500 mixed messages, 2 % with a hit.
func BenchmarkPatterns(b *testing.B) {
	msgs := filtertest.Messages(500, 0, filtertest.Words(100))
	for i := range msgs {
		if i%50 == 0 {
			msgs[i] += "我的电话13812345678"
		}
	}
	b.Run("filter", func(b *testing.B) {
		var specs []pattern.Spec
		for _, p := range filtertest.Patterns {
			specs = append(specs, pattern.Spec{Name: p, Expr: p})
		}
		s, err := pattern.Compile(specs, 0)
		if err != nil {
			b.Fatal(err)
		}
		var st pattern.State
		hit := false
		emit := func(pattern.Match) { hit = true }
		filtertest.OverMessages(b, msgs, func(m string) bool {
			st.Reset()
			hit = false
			s.Scan(&st, m, 0, emit)
			s.Close(&st, m, emit)
			return hit
		})
	})
	b.Run("naive-regexp-loop", func(b *testing.B) {
		var res []*regexp.Regexp
		for _, p := range filtertest.Patterns {
			res = append(res, regexp.MustCompile(p))
		}
		filtertest.OverMessages(b, msgs, func(m string) bool {
			for _, r := range res {
				if r.MatchString(m) {
					return true
				}
			}
			return false
		})
	})
}

func benchFilter(b *testing.B) (*Filter, []string) {
	list := filtertest.Words(10_000)
	cfg := Config{Words: []WordList{{Name: "w", Entries: list}}}
	for _, p := range filtertest.Patterns {
		cfg.Patterns = append(cfg.Patterns, Pattern{Name: p, Expr: p})
	}
	return must(b, cfg), list
}

// BenchmarkCheckClean: both layers over clean messages of 75 bytes on average.
func BenchmarkCheckClean(b *testing.B) {
	f, list := benchFilter(b)
	var msgs []string
	for _, m := range filtertest.Messages(3000, 0, list) {
		if len(m) < 150 && f.Check(chat.Inbound, m).Action == chat.ActionAllow {
			msgs = append(msgs, m)
		}
	}
	filtertest.OverMessages(b, msgs, func(m string) bool { return f.Check(chat.Inbound, m).Action != "" })
}

// BenchmarkStream: an answer that streams in tokens of about five characters.
func BenchmarkStream(b *testing.B) {
	f, list := benchFilter(b)
	msgs := filtertest.Messages(200, 0, list)
	var toks [][]byte
	bytes := 0
	for _, m := range msgs {
		for len(m) > 0 {
			n := 0
			for i := range m {
				if n++; n > 5 {
					toks = append(toks, AppendToken(nil, []byte(m[:i])))
					m = m[i:]
					break
				}
			}
			if n <= 5 {
				toks = append(toks, AppendToken(nil, []byte(m)))
				m = ""
			}
			bytes += len(toks[len(toks)-1])
		}
	}
	same := 0
	var in []byte
	emit := func(raw []byte) error {
		if &raw[0] == &in[0] {
			same++
		}
		return nil
	}
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	for b.Loop() {
		same = 0
		s := f.NewStream(chat.Outbound)
		for _, in = range toks {
			if err := s.Push(in, emit); err != nil {
				b.Fatal(err)
			}
		}
		s.Release()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(toks)), "ns/token")
	b.ReportMetric(100*float64(same)/float64(len(toks)), "%unchanged")
}

// BenchmarkBuild200k: how long 200,000 words take to compile.
func BenchmarkBuild200k(b *testing.B) {
	list := filtertest.Words(200_000)
	cfg := Config{Words: []WordList{{Name: "w", Entries: list}}}
	runtime.GC()
	var f *Filter
	for b.Loop() {
		f = must(b, cfg)
	}
	b.ReportMetric(float64(f.Report().Bytes)/(1<<20), "MiB")
}
