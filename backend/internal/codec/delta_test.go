package codec

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

const openAIChunk = `{"id":"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG","object":"chat.completion.chunk","created":1741570283,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_44added55e","choices":[{"index":0,"delta":{"content":"您好,订单\n已发货 hello"},"logprobs":null,"finish_reason":null}],"usage":null}`

// deltaCases are chunks as servers send them and as they should not; want ""
// means that the scan leaves the chunk to the decoder.
var deltaCases = []struct{ name, chunk, want string }{
	{"openai", openAIChunk, `"您好,订单\n已发货 hello"`},
	{"obfuscation", `{"choices":[{"index":0,"delta":{"content":" a"},"finish_reason":null}],"obfuscation":"8vC3x"}`, `" a"`},
	{"role first", `{"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}]}`, `""`},
	{"no index", `{"choices":[{"delta":{"content":"x"}}]}`, `"x"`},
	{"index behind", `{"choices":[{"delta":{"content":"x"},"index":0}]}`, `"x"`},
	{"empty finish", `{"choices":[{"delta":{"content":"x"},"finish_reason":""}]}`, `"x"`},
	{"white space", " {\n \"choices\" : [ { \"delta\" : { \"content\" : \"x\" } } ] } ", `"x"`},
	{"escapes stay", `{"choices":[{"delta":{"content":"\u4f60\"\\\/\ud83d\ude00"}}]}`, `"\u4f60\"\\\/\ud83d\ude00"`},
	{"half a surrogate pair", `{"choices":[{"delta":{"content":"\ud83d"}}]}`, `"\ud83d"`},
	{"nested content elsewhere", `{"x":{"choices":[{"delta":{"content":"no"}}]},"choices":[{"delta":{"meta":{"content":"no"},"content":"yes"}}]}`, `"yes"`},
	{"content in a string", `{"id":"\"choices\":[{\"delta\":{\"content\":\"no\"","choices":[{"delta":{"content":"yes"}}]}`, `"yes"`},
	{"azure filter results", `{"choices":[{"content_filter_results":{"hate":{"filtered":false}},"delta":{"content":"x"},"finish_reason":null,"index":0}],"prompt_filter_results":[]}`, `"x"`},
	{"content null", `{"choices":[{"delta":{"content":null,"reasoning_content":"hm"}}]}`, ""},
	{"reasoning", `{"choices":[{"delta":{"reasoning_content":"content"}}]}`, ""},
	{"second choice", `{"choices":[{"index":1,"delta":{"content":"x"}}]}`, ""},
	{"two choices", `{"choices":[{"index":0,"delta":{"content":"x"}},{"index":1,"delta":{"content":"y"}}]}`, ""},
	{"finish", `{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}`, ""},
	{"usage chunk", `{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}`, ""},
	{"usage beside content", `{"choices":[{"delta":{"content":"x"}}],"usage":{"prompt_tokens":1}}`, ""},
	{"usage in the choice", `{"choices":[{"delta":{"content":"x"},"usage":{"prompt_tokens":1}}]}`, ""},
	{"tool call", `{"choices":[{"delta":{"tool_calls":[{"function":{"name":"content"}}]}}]}`, ""},
	{"error", `{"error":{"message":"content"}}`, ""},
	{"error beside content", `{"choices":[{"delta":{"content":"x"}}],"error":{"message":"no"}}`, ""},
	{"repeated content", `{"choices":[{"delta":{"content":"x","content":"y"}}]}`, ""},
	{"repeated choices", `{"choices":[{"delta":{"content":"x"}}],"choices":[]}`, ""},
	{"escaped key", `{"choices":[{"delta":{"\u0063ontent":"x"}}]}`, ""},
	{"escaped twin", `{"choices":[{"delta":{"content":"x","\u0063ontent":"y"}}]}`, ""},
	{"odd case", `{"choices":[{"delta":{"content":"x","Content":"y"}}]}`, ""},
	{"long s folds", `{"choices":[{"delta":{"content":"x"}}],"choiceſ":[]}`, ""},
	{"content is a list", `{"choices":[{"delta":{"content":[{"type":"text","text":"x"}]}}]}`, ""},
	{"invalid UTF-8", "{\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}", ""},
	{"control character", "{\"choices\":[{\"delta\":{\"content\":\"a\nb\"}}]}", ""},
	{"bad escape", `{"choices":[{"delta":{"content":"\x"}}]}`, ""},
	{"bad number elsewhere", `{"created":01,"choices":[{"delta":{"content":"x"}}]}`, ""},
	{"trailing comma", `{"choices":[{"delta":{"content":"x"},}]}`, ""},
	{"trailing bytes", `{"choices":[{"delta":{"content":"x"}}]}}`, ""},
	{"cut", `{"choices":[{"delta":{"content":"x"`, ""},
	{"too deep", `{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `,"choices":[{"delta":{"content":"x"}}]}`, ""},
	{"done", `[DONE]`, ""},
	{"empty", ``, ""},
}

func TestDeltaToken(t *testing.T) {
	for _, c := range deltaCases {
		raw, ok := DeltaToken([]byte(c.chunk))
		if string(raw) != c.want || ok != (c.want != "") {
			t.Errorf("%s: got %q, %v; want %q", c.name, raw, ok, c.want)
		}
		var s DeltaScanner
		for range 2 { // the second time by what it remembers
			if raw, ok := s.Token([]byte(c.chunk)); string(raw) != c.want || ok != (c.want != "") {
				t.Errorf("%s: scanner got %q, %v; want %q", c.name, raw, ok, c.want)
			}
		}
	}
}

func TestDeltaScannerAcrossStreams(t *testing.T) {
	var s DeltaScanner
	feed := func(chunk, want string) {
		t.Helper()
		if raw, _ := s.Token([]byte(chunk)); string(raw) != want {
			t.Fatalf("%s: got %q, want %q", chunk, raw, want)
		}
	}
	feed(`{"choices":[{"delta":{"content":"a"}}]}`, `"a"`)
	feed(`{"choices":[{"delta":{"content":"b\"]"}}]}`, `"b\"]"`)
	feed(`{"choices":[{"delta":{"content":"c"},"finish_reason":"stop"}]}`, ``)
	feed(`{"choices":[{"delta":{"content":"c"}}],"usage":{}}`, ``)
	feed("{\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}", ``)
	feed(`{"choices":[{"delta":{"content":null}}]}`, ``)
	feed(`{"choices":[{"delta":{"content":"d"}}]}`, `"d"`)
	s.Reset()
	feed(`{"id":"2","choices":[{"delta":{"content":"e"}}]}`, `"e"`)
}

// reference is what DeltaToken must agree with.
type reference struct {
	Choices []struct {
		Index int `json:"index"`
		Delta struct {
			Content json.RawMessage `json:"content"`
		} `json:"delta"`
		FinishReason json.RawMessage `json:"finish_reason"`
		Usage        json.RawMessage `json:"usage"`
	} `json:"choices"`
	Usage json.RawMessage `json:"usage"`
	Error json.RawMessage `json:"error"`
}

func checkAgainstStandard(data, token []byte) error {
	var ref reference
	if err := json.Unmarshal(data, &ref); err != nil {
		return fmt.Errorf("encoding/json refuses it: %w", err)
	}
	if len(ref.Choices) != 1 || ref.Choices[0].Index != 0 || Present(ref.Usage) || Present(ref.Error) || Present(ref.Choices[0].Usage) {
		return fmt.Errorf("there is more in it than a token")
	}
	if f := ref.Choices[0].FinishReason; Present(f) && string(f) != `""` {
		return fmt.Errorf("finish reason %s", f)
	}
	if got := ref.Choices[0].Delta.Content; string(got) != string(token) {
		return fmt.Errorf("encoding/json says %q", got)
	}
	var want string
	if err := json.Unmarshal(token, &want); err != nil {
		return err
	}
	if got, err := Unquote(token); err != nil || got != want {
		return fmt.Errorf("unquoted %q, %v; want %q", got, err, want)
	}
	if !utf8.Valid(token) {
		return fmt.Errorf("token is not UTF-8")
	}
	return nil
}

func FuzzDeltaToken(f *testing.F) {
	for _, c := range deltaCases {
		f.Add([]byte(c.chunk), []byte(`"tok"`))
	}
	f.Fuzz(func(t *testing.T, data, token []byte) {
		raw, ok := DeltaToken(data)
		if !ok {
			return
		}
		if err := checkAgainstStandard(data, raw); err != nil {
			t.Fatalf("%q gives %q: %v", data, raw, err)
		}
		// The scanner that knows data must agree about data with another token.
		var s DeltaScanner
		s.Token(data)
		start, end := deltaSpan(data)
		twin := append(append(append([]byte{}, data[:start]...), token...), data[end:]...)
		a, aok := DeltaToken(twin)
		b, bok := s.Token(twin)
		if aok && (!bok || string(a) != string(b)) || !aok && bok {
			t.Fatalf("%q: token %q %v, scanner %q %v", twin, a, aok, b, bok)
		}
	})
}

// FuzzDecodeChunk: what Decode accepts, encoding/json reads the same way.
func FuzzDecodeChunk(f *testing.F) {
	for _, c := range deltaCases {
		f.Add([]byte(c.chunk))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if ValidJSON(data) && !json.Valid(data) {
			t.Fatalf("%q is taken for valid", data)
		}
		got, err := DecodeChunk(data)
		if err != nil || hasTwins(data) {
			return
		}
		var want Chunk
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("%q: encoding/json refuses it: %v", data, err)
		}
		a, _ := json.Marshal(got.view())
		b, _ := json.Marshal(want.view())
		if string(a) != string(b) {
			t.Fatalf("%q: got %s, want %s", data, a, b)
		}
	})
}

// view is what the rest of the program sees of a chunk.
func (c *Chunk) view() map[string]any {
	v := map[string]any{"error": string(c.Error)}
	v["usage"], _ = DecodeUsage(c.Usage)
	if first := c.First(); first != nil {
		raw, _ := first.Delta.Token()
		whole, _ := first.Message.Token()
		v["token"], v["whole"], v["finish"] = string(raw), string(whole), strings.ToValidUTF8(first.FinishReason, "\uFFFD")
	}
	return v
}

// hasTwins reports whether keys repeat (but for case) within any object; then
// decoders may differ.
func hasTwins(data []byte) bool {
	dec := json.NewDecoder(strings.NewReader(string(data)))
	var walk func() bool
	walk = func() bool {
		tok, err := dec.Token()
		if err != nil {
			return true
		}
		d, ok := tok.(json.Delim)
		if !ok {
			return false
		}
		keys := map[string]bool{}
		for dec.More() {
			if d == '{' {
				k, err := dec.Token()
				if err != nil {
					return true
				}
				name := strings.ToLower(strings.ToUpper(fmt.Sprint(k)))
				if keys[name] {
					return true
				}
				keys[name] = true
			}
			if walk() {
				return true
			}
		}
		dec.Token()
		return false
	}
	return walk()
}

func TestDeltaAllocations(t *testing.T) {
	chunk := []byte(openAIChunk)
	var s DeltaScanner
	s.Token(chunk)
	n := testing.AllocsPerRun(100, func() {
		if _, ok := DeltaToken(chunk); !ok {
			t.Fatal("not taken")
		}
		if _, ok := s.Token(chunk); !ok {
			t.Fatal("not taken")
		}
	})
	if n != 0 {
		t.Fatalf("%v allocations a chunk", n)
	}
}

var benchSink int

// BenchmarkDelta compares the ways to a token; the goal is a seventh of
// json-iterator's time and a twentieth of encoding/json's.
func BenchmarkDelta(b *testing.B) {
	chunk := []byte(openAIChunk)
	var s DeltaScanner
	ways := []struct {
		name string
		f    func() int
	}{
		{"scanner", func() int { raw, _ := s.Token(chunk); return len(raw) }},
		{"scan", func() int { raw, _ := DeltaToken(chunk); return len(raw) }},
		{"json-iterator", func() int {
			var r slim
			if api.Unmarshal(chunk, &r) != nil {
				b.Fatal()
			}
			return len(r.Choices[0].Delta.Content)
		}},
		{"decode", func() int { c, _ := DecodeChunk(chunk); return len(c.Choices) }},
		{"encoding-json", func() int {
			var r slim
			if json.Unmarshal(chunk, &r) != nil {
				b.Fatal()
			}
			return len(r.Choices[0].Delta.Content)
		}},
	}
	for _, w := range ways {
		b.Run(w.name, func(b *testing.B) {
			b.SetBytes(int64(len(chunk)))
			b.ReportAllocs()
			for b.Loop() {
				benchSink += w.f()
			}
		})
	}
}

// slim is the struct that a textbook stream reader decodes into.
type slim struct {
	Choices []struct {
		Delta struct {
			Content string `json:"content"`
		} `json:"delta"`
		FinishReason *string `json:"finish_reason"`
	} `json:"choices"`
	Usage *struct {
		PromptTokens int `json:"prompt_tokens"`
	} `json:"usage"`
}
