package codec

import "testing"

const (
	chunkRole  = `{"id":"c1","object":"chat.completion.chunk","created":1741570283,"model":"gpt-4o-mini","system_fingerprint":null,"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}`
	chunkStop  = `{"id":"c1","object":"chat.completion.chunk","created":1741570283,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}`
	chunkUsage = `{"choices":[],"usage":{"prompt_tokens":900,"completion_tokens":20,"total_tokens":920,"prompt_tokens_details":{"cached_tokens":128,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}`
)

func TestClosing(t *testing.T) {
	for _, c := range []struct {
		data string
		want Closing
		ok   bool
	}{
		{chunkRole, Closing{Choice: true}, true},
		{chunkStop, Closing{Choice: true, Finish: "stop"}, true},
		{chunkUsage, Closing{Usage: Tokens{Prompt: 900, Completion: 20, Cached: 128}, HasUsage: true}, true},
		{`{"choices":[{"delta":{},"finish_reason":"eos_token"}]}`, Closing{Choice: true, Finish: "eos_token"}, true},
		{` { "choices" : [ { "delta" : { } , "finish_reason" : "length" } ] } `, Closing{Choice: true, Finish: "length"}, true},
		{`{"usage":{"prompt_tokens":3,"prompt_cache_hit_tokens":9}}`, Closing{Usage: Tokens{Prompt: 3, Cached: 3}, HasUsage: true}, true},
		{`{}`, Closing{}, true},
		{`{"choices":[{"index":0,"delta":{"content":"a"}}]}`, Closing{}, false},
		{`{"choices":[{"index":1,"delta":{},"finish_reason":"stop"}]}`, Closing{}, false},
		{`{"choices":[{"delta":{}},{"delta":{}}]}`, Closing{}, false},
		{`{"choices":[{"delta":{"tool_calls":[]},"finish_reason":"tool_calls"}]}`, Closing{}, false},
		{`{"choices":[{"delta":{},"message":{"content":"x"}}]}`, Closing{}, false},
		{`{"error":{"message":"no"}}`, Closing{}, false},
		{`{"message":"no"}`, Closing{}, false},
		{`{"Choices":[{"delta":{"content":"a"}}]}`, Closing{}, false},
		{`{"choi\u0063es":[]}`, Closing{}, false},
		{`{"usage":{"prompt_tokens":1.5}}`, Closing{}, false},
		{`{"usage":{"prompt_tokens":-1}}`, Closing{}, false},
		{`{"usage":{"prompt_tokens":1,"prompt_tokens":2}}`, Closing{}, false},
		{`{"choices":[]}x`, Closing{}, false},
		{`{"choices":[`, Closing{}, false},
		{`[]`, Closing{}, false}, {``, Closing{}, false}, {`[DONE]`, Closing{}, false},
	} {
		if got, ok := new(ClosingReader).Read([]byte(c.data)); got != c.want || ok != c.ok {
			t.Errorf("%s: %+v %v, want %+v %v", c.data, got, ok, c.want, c.ok)
		}
	}
}

// FuzzClosing: what it reads, DecodeChunk reads too, and in the same way.
func FuzzClosing(f *testing.F) {
	for _, s := range []string{chunkRole, chunkStop, chunkUsage, `{"usage":{"prompt_tokens":7,"prompt_tokens_details":null}}`, `{"choices":[{"finish_reason":null,"delta":{"a":{"b":[1,"x"]}}}]}`, `{"model":[]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, ok := new(ClosingReader).Read(data)
		if !ok {
			return
		}
		c, err := DecodeChunk(data)
		if err != nil {
			t.Fatalf("%q: read, but it is %v", data, err)
		}
		want := Closing{}
		want.Usage, want.HasUsage = DecodeUsage(c.Usage)
		first := c.First()
		if first != nil {
			want.Choice, want.Finish = true, first.FinishReason
			for _, p := range [...]Part{first.Delta, first.Message} {
				if raw, ok := p.Token(); ok && len(raw) > 2 || Present(p.ToolCalls) || Present(p.Reasoning) {
					t.Fatalf("%q says something", data)
				}
			}
			if Present(first.Usage) {
				t.Fatalf("%q has usage in its choice", data)
			}
		}
		if len(c.Choices) > 1 || len(c.Choices) == 1 && first == nil || Present(c.Error) || Present(c.Message) {
			t.Fatalf("%q has more to it", data)
		}
		if !want.HasUsage {
			got.Usage, want.Usage = Tokens{}, Tokens{} // says nothing
		}
		if got != want {
			t.Fatalf("%q: %+v, want %+v", data, got, want)
		}
	})
}

func TestClosingTakesNoMemory(t *testing.T) {
	var r ClosingReader
	for _, s := range []string{chunkRole, chunkStop, chunkUsage} {
		data := []byte(s)
		if n := testing.AllocsPerRun(100, func() {
			if _, ok := r.Read(data); !ok {
				t.Error("not read")
			}
		}); n > 0 {
			t.Errorf("%.0f allocations for %s", n, s)
		}
	}
}

func BenchmarkClosing(b *testing.B) {
	data := []byte(chunkUsage)
	b.Run("own", func(b *testing.B) {
		var r ClosingReader
		b.ReportAllocs()
		for b.Loop() {
			r.Read(data)
		}
	})
	b.Run("decoded", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c, _ := DecodeChunk(data)
			DecodeUsage(c.Usage)
		}
	})
}
