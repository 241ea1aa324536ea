package filter

import (
	"math/rand/v2"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/filter/pattern"
	"haoke/backend/internal/filter/words"
)

// benchWords makes n distinct words: 70 % Chinese of 2-5 characters, 30 %
// Latin of 4-10 letters.
func benchWords(n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[string]bool{}
	out := make([]string, 0, n)
	for len(out) < n {
		var b strings.Builder
		if r.IntN(10) < 7 {
			for range 2 + r.IntN(4) {
				b.WriteRune(rune(0x4E00 + r.IntN(3500)*5))
			}
		} else {
			for range 4 + r.IntN(7) {
				b.WriteByte(byte('a' + r.IntN(26)))
			}
		}
		if s := b.String(); !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

var benchPhrases = []string{"您好，", "请问", "我的订单", "什么时候发货", "可以退款吗", "物流信息", "一直没有更新", "谢谢", "麻烦帮我", "查询一下", "这个商品", "质量有问题", "我想换一个尺码", "优惠券", "不能使用", "地址写错了", "能改成", "顺丰快递吗", "发票", "电子发票", "会员积分", "怎么兑换", "hello, ", "can you check my order ", "please ", "refund ", "shipping address ", "it does not work ", "iPhone 15 Pro ", "tracking number ", "还没收到货", "已经三天了", "客服在吗", "人工客服", "转人工"}

// benchMessages makes n mixed messages of about 75 bytes; hit in a thousand
// carry one of the words. A quarter of the pieces is random Chinese, so that
// no automaton can rest.
func benchMessages(n, hit int, list []string) []string {
	r := rand.New(rand.NewPCG(3, 4))
	out := make([]string, n)
	for i := range out {
		var b strings.Builder
		for range 3 + r.IntN(8) {
			if r.IntN(4) == 0 {
				for range 1 + r.IntN(4) {
					b.WriteRune(rune(0x4E00 + r.IntN(20000)))
				}
			} else {
				b.WriteString(benchPhrases[r.IntN(len(benchPhrases))])
			}
		}
		if r.IntN(1000) < hit {
			b.WriteString(list[r.IntN(len(list))])
			b.WriteString(benchPhrases[r.IntN(len(benchPhrases))])
		}
		out[i] = b.String()
	}
	return out
}

var benchPatterns = []string{
	`1[3-9]\d{9}`, `\b[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]\b`,
	`\b(?:62|4|5[1-5])\d{14,17}\b`, `[\w.+-]+@[\w-]+\.[\w.]{2,}`, `https?://[^\s，。]+`,
	`(?i)(?:微信|wx|weixin|v信|vx)[号：:\s]*[a-z][\w-]{5,19}`, `(?i)qq[群号：:\s]*[1-9]\d{4,10}`,
	`(?i)(?:加|\+)\s*(?:我|v|微)`, `\b(?:\d{1,3}\.){3}\d{1,3}\b`, `(?i)(?:ignore|disregard)\s+(?:all\s+)?(?:previous|above)\s+instructions`,
	`忽略(?:之前|以上|上面)的?(?:所有)?(?:指令|提示)`, `(?i)system\s*prompt`, `(?:代开|出售|购买)发票`, `(?:刷单|兼职)\s*日[结赚]`,
	`(?i)(?:t\.me|telegram)[/:]?\s*@?\w+`, `(?:贷款|借钱).{0,8}(?:秒到|无抵押|免征信)`, `(?i)\b(?:fuck|shit|bitch)\w*\b`,
	`(?:傻|煞)\s*[逼比bB]`, `(?:博彩|赌场|六合彩).{0,10}(?:网址|注册|充值)`, `[\x{1F4A9}\x{1F595}]`,
}

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

func overMessages(b *testing.B, msgs []string, f func(string) bool) {
	bytes, hits := 0, 0
	for _, m := range msgs {
		bytes += len(m)
		if f(m) {
			hits++
		}
	}
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	for b.Loop() {
		for _, m := range msgs {
			f(m)
		}
	}
	b.ReportMetric(float64(hits), "hits")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(msgs)), "ns/message")
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
	list := benchWords(10_000)
	msgs := benchMessages(2000, 20, list)
	b.Run("filter", func(b *testing.B) {
		s, err := words.Build(wordEntries(list))
		if err != nil {
			b.Fatal(err)
		}
		var st words.State
		hit := false
		emit := func(words.Match) { hit = true }
		overMessages(b, msgs, func(m string) bool {
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
	b.Run("naive-map-trie", func(b *testing.B) { overMessages(b, msgs, newMapTrie(list).contains) })
}

// BenchmarkPatterns: 20 patterns over 500 mixed messages, 2 % with a hit.
func BenchmarkPatterns(b *testing.B) {
	msgs := benchMessages(500, 0, benchWords(100))
	for i := range msgs {
		if i%50 == 0 {
			msgs[i] += "我的电话13812345678"
		}
	}
	b.Run("filter", func(b *testing.B) {
		var specs []pattern.Spec
		for _, p := range benchPatterns {
			specs = append(specs, pattern.Spec{Name: p, Expr: p})
		}
		s, err := pattern.Compile(specs, 0)
		if err != nil {
			b.Fatal(err)
		}
		var st pattern.State
		hit := false
		emit := func(pattern.Match) { hit = true }
		overMessages(b, msgs, func(m string) bool {
			st.Reset()
			hit = false
			s.Scan(&st, m, 0, emit)
			s.Close(&st, m, emit)
			return hit
		})
	})
	b.Run("naive-regexp-loop", func(b *testing.B) {
		var res []*regexp.Regexp
		for _, p := range benchPatterns {
			res = append(res, regexp.MustCompile(p))
		}
		overMessages(b, msgs, func(m string) bool {
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
	list := benchWords(10_000)
	cfg := Config{Words: []WordList{{Name: "w", Entries: list}}}
	for _, p := range benchPatterns {
		cfg.Patterns = append(cfg.Patterns, Pattern{Name: p, Expr: p})
	}
	return must(b, cfg), list
}

// BenchmarkCheckClean: both layers over clean messages of 75 bytes on average.
func BenchmarkCheckClean(b *testing.B) {
	f, list := benchFilter(b)
	var msgs []string
	for _, m := range benchMessages(3000, 0, list) {
		if len(m) < 150 && f.Check(chat.Inbound, m).Action == chat.ActionAllow {
			msgs = append(msgs, m)
		}
	}
	overMessages(b, msgs, func(m string) bool { return f.Check(chat.Inbound, m).Action != "" })
}

// BenchmarkStream: an answer that streams in tokens of about five characters.
func BenchmarkStream(b *testing.B) {
	f, list := benchFilter(b)
	msgs := benchMessages(200, 0, list)
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
	list := benchWords(200_000)
	cfg := Config{Words: []WordList{{Name: "w", Entries: list}}}
	runtime.GC()
	var f *Filter
	for b.Loop() {
		f = must(b, cfg)
	}
	b.ReportMetric(float64(f.Report().Bytes)/(1<<20), "MiB")
}
