package tokens

import (
	"context"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/pkoukk/tiktoken-go"
	loader "github.com/pkoukk/tiktoken-go-loader"

	"haoke/backend/internal/chat"
)

// corpus is a mixture of what visitors and answers look like.
var corpus = []string{
	"Hello, where is my order 2026-4471-AB?",
	"Your parcel was sent on 12 March with DHL; the tracking number is JD0146000123456789. It usually arrives within 2 to 4 working days.",
	"您好,您的订单 20261122001 已于 11月20日 由顺丰速运发出,运单号 SF1234567890123,预计 2-3 天内送达,请您耐心等待。",
	"我想退货,怎么操作?",
	"{\"id\": 12, \"name\": \"teapot\", \"price\": 39.90}\n\n- one\n- two\r\n",
	"Ça marche ! L'été, j'y vais à 20 °C — c'est-à-dire demain.",
	"Здравствуйте, где мой заказ? Спасибо большое!",
	"注文した急須はいつ届きますか?ありがとうございます。",
	"👍🏽🎁 yes!!! sooo   good    ...",
	"I'm can't we'll THEY'RE it's isn't   trailing   ",
	"<|endoftext|> is just text here",
}

// TestCountEqualsLibrary: our copy of the patterns and the cutting of long
// texts give the counts of the library's own encodings.
func TestCountEqualsLibrary(t *testing.T) {
	tiktoken.SetBpeLoader(loader.NewOfflineLoader())
	c := New(Config{CacheEntries: 4})
	long := strings.Repeat("The blue teapot holds six cups, and we've 12 of them. ", 200)
	for model, name := range map[string]string{"gpt-4o-mini": "o200k_base", "gpt-3.5-turbo": "cl100k_base"} {
		if got := c.Encoding(model); got != name {
			t.Errorf("Encoding(%s) = %s, want %s", model, got, name)
		}
		ref, err := tiktoken.GetEncoding(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range append([]string{long}, corpus...) {
			want := len(ref.EncodeOrdinary(text))
			for range 2 { // the second time from the cache
				if got := c.Count(model, text); got != want {
					t.Errorf("%s: Count(%.40q) = %d, library %d", model, text, got, want)
				}
			}
		}
	}
}

// TestLinesAreAdditive: the prompt builder sums lines instead of counting the
// joined text; that must never come out lower than the truth.
func TestLinesAreAdditive(t *testing.T) {
	c := New(Config{})
	r := rand.New(rand.NewPCG(1, 2))
	for _, model := range []string{"gpt-4o", "gpt-4", "qwen-max"} {
		for range 200 {
			var lines []string
			sum := 0
			for range 1 + r.IntN(8) {
				l := "[12] visitor: " + strings.Join(strings.Fields(corpus[r.IntN(len(corpus))]), " ")
				lines = append(lines, l)
				sum += c.Count(model, l) + 1
			}
			if joined := c.Count(model, strings.Join(lines, "\n")); joined > sum {
				t.Fatalf("%s: joined %d > sum %d: %q", model, joined, sum, lines)
			}
		}
	}
}

// TestEstimateIsOnTheHighSide keeps the estimate between 0.95 and 1.9 times the
// dearer of the two vocabularies over the corpus.
func TestEstimateIsOnTheHighSide(t *testing.T) {
	c := New(Config{})
	var est, real4, real3 int
	for _, text := range corpus {
		e, a, b := Estimate(text), c.Count("gpt-4o", text), c.Count("gpt-4", text)
		t.Logf("estimate %3d  o200k %3d  cl100k %3d  %.50s", e, a, b, text)
		est, real4, real3 = est+e, real4+a, real3+b
	}
	t.Logf("estimate %d  o200k %d  cl100k %d", est, real4, real3)
	if f := float64(est) / float64(real3); f < 0.95 || f > 1.9 {
		t.Errorf("estimate is %.2f of cl100k", f)
	}
	if est < real4 {
		t.Errorf("estimate %d is below o200k's %d", est, real4)
	}
}

func TestModels(t *testing.T) {
	c := New(Config{})
	for model, want := range map[string]string{
		"gpt-4o-mini": "o200k_base", "openai/gpt-4.1": "o200k_base", "o3-mini": "o200k_base", "GPT-4o": "o200k_base",
		"gpt-4-turbo": "cl100k_base", "gpt-35-turbo": "cl100k_base",
		"deepseek-chat": "estimate", "": "estimate", "qwen2.5": "estimate",
	} {
		if got := c.Encoding(model); got != want {
			t.Errorf("Encoding(%q) = %q, want %q", model, got, want)
		}
	}
}

// TestHostileTexts: no panic, no quadratic time, whatever the bytes.
func TestHostileTexts(t *testing.T) {
	c := New(Config{})
	for _, text := range []string{
		strings.Repeat("a", 100_000), strings.Repeat("茶", 30_000), strings.Repeat(" ", 50_000),
		strings.Repeat("\xff", 5_000), strings.Repeat("é\u0301", 9_000), strings.Repeat("\n", 3_000),
		strings.Repeat("a", maxRun) + "茶", strings.Repeat("a", maxRun-1) + "茶", strings.Repeat("茶", maxRun/3+1),
	} {
		if c.Count("gpt-4o", text) == 0 || Estimate(text) == 0 {
			t.Errorf("%.10q...: no tokens", text)
		}
	}
}

// TestRunLoadsInTheBackground: while Run is up, the first count is an estimate
// and the exact one follows.
func TestRunLoadsInTheBackground(t *testing.T) {
	c := New(Config{})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	for !c.running.Load() {
		runtime.Gosched()
	}
	const text = "antidisestablishmentarianism wrapped"
	if got := c.Count("gpt-4o", text); got != Estimate(text) {
		t.Errorf("first count %d, want the estimate %d", got, Estimate(text))
	}
	if err := c.Warm(ctx, "gpt-4o"); err != nil {
		t.Fatal(err)
	}
	if got, want := c.Count("gpt-4o", text), New(Config{}).Count("gpt-4o", text); got != want {
		t.Errorf("after loading: %d, want %d", got, want)
	}
	cancel()
	wg.Wait()
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache(64)
	for i := range 1000 {
		c.put(cacheKey{hash: uint64(i)}, i)
		if i > 2 {
			if n, ok := c.get(cacheKey{hash: uint64(i - 2)}); !ok || n != i-2 {
				t.Fatalf("a fresh entry is gone: %d %v", n, ok)
			}
		}
	}
	if n := c.len(); n > 66 {
		t.Errorf("%d entries, bound 64", n)
	}
}

func TestPromptAddsOverhead(t *testing.T) {
	c := New(Config{})
	got := c.Prompt("gpt-4o", []chat.PromptMessage{{Role: chat.RoleSystem, Content: "Hello"}, {Role: chat.RoleUser, Content: "Hello"}})
	if want := PerPrompt + 2*PerMessage + 2*c.Count("gpt-4o", "Hello"); got != want {
		t.Errorf("Prompt = %d, want %d", got, want)
	}
}

func BenchmarkCount(b *testing.B) {
	c := New(Config{CacheMin: 1 << 30})
	c.Count("gpt-4o", "x")
	for b.Loop() {
		c.Count("gpt-4o", corpus[1])
	}
}

func BenchmarkCountCached(b *testing.B) {
	c := New(Config{})
	c.Count("gpt-4o", corpus[1])
	b.ReportAllocs()
	for b.Loop() {
		c.Count("gpt-4o", corpus[1])
	}
}

func BenchmarkEstimate(b *testing.B) {
	for b.Loop() {
		Estimate(corpus[1])
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if err := New(Config{}).Warm(context.Background(), "gpt-4o"); err != nil {
			b.Fatal(err)
		}
	}
}
