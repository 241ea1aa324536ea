package tokens

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pkoukk/tiktoken-go"
	loader "github.com/pkoukk/tiktoken-go-loader"
)

var loaded = func() func(testing.TB, encoding) *bpe {
	var kept [len(encodingNames)]*bpe
	return func(t testing.TB, e encoding) *bpe {
		t.Helper()
		if kept[e] == nil {
			b, err := newBPE(e)
			if err != nil {
				t.Fatal(err)
			}
			kept[e] = b
		}
		return kept[e]
	}
}()

// alike compares the two ways to count one text; it reports whether the quick
// one knew it.
func alike(t *testing.T, s string) (known bool) {
	t.Helper()
	for _, e := range []encoding{o200k, cl100k} {
		b := loaded(t, e)
		want := len(library(t, e).EncodeOrdinary(s))
		if got := b.ordinary(s); got != want {
			t.Errorf("%s: %q: %d tokens, the library says %d", encodingNames[e], s, got, want)
		}
		n, ok := quick(e, b.ranks, s)
		if !ok {
			return false
		}
		if n != want {
			t.Errorf("%s: %q: %d tokens by hand, the library says %d", encodingNames[e], s, n, want)
		}
	}
	return true
}

// library is what the counts are held to.
var library = func() func(testing.TB, encoding) *tiktoken.Tiktoken {
	var kept [len(encodingNames)]*tiktoken.Tiktoken
	return func(t testing.TB, e encoding) *tiktoken.Tiktoken {
		t.Helper()
		if kept[e] != nil {
			return kept[e]
		}
		name := encodingNames[e]
		ranks, err := loader.NewOfflineLoader().LoadTiktokenBpe(name + ".tiktoken")
		if err != nil {
			t.Fatal(err)
		}
		core, err := tiktoken.NewCoreBPE(ranks, map[string]int{}, encodingPatterns[e])
		if err != nil {
			t.Fatal(err)
		}
		kept[e] = tiktoken.NewTiktoken(core, &tiktoken.Encoding{Name: name, PatStr: encodingPatterns[e], MergeableRanks: ranks}, map[string]any{})
		return kept[e]
	}
}()

func TestQuickCounts(t *testing.T) {
	for _, s := range []string{
		"", "a", " ", "  ", "\n", " \n ", "Where is my order 12345?", "Don't we've I'LL he'd it's 'tis rock'n'roll", "HTTPServer iPhone ABCdef",
		"  two  blanks", "tab\tand\t\ttabs", "line\r\nline\n\n  indented\n", "(((hello))) a/b//c /\n/ x", "¿no? caf\u00e9", "1234567 12 1", "price: $12.50!!!\n\n",
		"\u60a8\u597d\uff0c\u8bf7\u95ee iPhone15 \u6709\u8d27\u5417\uff1f", "\u6211\u7684ABC\u8ba2\u5355abc\u53f7", "\u304a\u5e97\u306f\u3069\u3053\u3067\u3059\u304b\u3002", "\u2026\u2014\u201cquoted\u201d \u2018x\u2019s", "\u3000wide blank", "emoji \U0001F600",
		strings.Repeat("word ", 200), strings.Repeat("x", 127), "trailing  ", "trailing \t", "a \u00a0b", "it's\u597d's",
	} {
		alike(t, s)
	}
	if !alike(t, "Where is my order 12345?") || alike(t, strings.Repeat("x", maxPiece+1)) || alike(t, "caf\u00e9") {
		t.Error("the quick way takes what it does not know, or leaves what it knows")
	}
}

// TestQuickCountsAtRandom mixes short parts of all classes, in any order.
func TestQuickCountsAtRandom(t *testing.T) {
	parts := []string{"a", "B", "the", "THE", "Word", " ", "  ", "\t", "\n", "\r\n", "1", "23", "4567", ".", "...", "(", "/", "//", "'", "'s", "'S", "'re", "'LL",
		"\u4f60", "\u597d", "\u3002", "\uff0c", "\u3042", "\u30ab", "\ud55c", "-", "_", "$", "ing", "tion", "Xy", "\u201c", "\u2026", "@", "#"}
	r := rand.New(rand.NewPCG(1, 2))
	known := 0
	for range 20_000 {
		var b strings.Builder
		for range 1 + r.IntN(9) {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		if alike(t, b.String()) {
			known++
		}
		if t.Failed() {
			return
		}
	}
	if known < 19_000 {
		t.Errorf("only %d of 20,000 texts are known", known)
	}
}

func FuzzQuickCounts(f *testing.F) {
	for _, s := range []string{"Don't \u4f60\u597d  x\n y", "A'b \t/\r\n1234", "\u00a0 \u3000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) < 600 {
			alike(t, s)
		}
	})
}

func BenchmarkCountQuick(b *testing.B) {
	v := loaded(b, o200k)
	const text = "Where is my order 12345, please? It was promised for Tuesday, and I'd like to know whether w1x9fz arrives."
	b.Run("quick", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v.count(text)
		}
	})
	b.Run("library", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v.exactly(text)
		}
	})
}
