package codec

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAppendString(t *testing.T) {
	cases := map[string]string{
		"":                  `""`,
		"plain <b>&":        `"plain <b>&"`,
		"q\"b\\s/":          `"q\"b\\s/"`,
		"\n\r\t\b\f\x01":    `"\n\r\t\b\f\u0001"`,
		"a\u2028b\u2029":    `"a\u2028b\u2029"`,
		"你好 😀":              `"你好 😀"`,
		"x\xffy\xe4\xbd":    "\"x\uFFFDy\uFFFD\uFFFD\"",
		"real \uFFFD stays": "\"real \uFFFD stays\"",
	}
	for in, want := range cases {
		if got := string(AppendString([]byte("p"), in)); got != "p"+want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func FuzzString(f *testing.F) {
	for _, s := range []string{"", "a", "\xff", "\u2028", "😀\"\\\n", "\x00", "\xed\xa0\x80"} {
		f.Add(s, []byte(`"`+s+`"`))
	}
	f.Add("", []byte(`"\ud83d\ude00\ud83dx\ude00"`))
	f.Fuzz(func(t *testing.T, s string, raw []byte) {
		token := AppendString(nil, s)
		if !ValidToken(token) {
			t.Fatalf("%q gives %q", s, token)
		}
		var std string
		if err := json.Unmarshal(token, &std); err != nil {
			t.Fatal(err)
		}
		own, err := Unquote(token)
		if err != nil || own != std || !utf8.ValidString(own) {
			t.Fatalf("%q: back %q, standard %q, %v", s, own, std, err)
		}
		if utf8.ValidString(s) && own != s {
			t.Fatalf("%q came back as %q", s, own)
		}
		if len(raw) == 0 || raw[0] != '"' || raw[len(raw)-1] != '"' {
			return
		}
		own, err = Unquote(raw)
		stdErr := json.Unmarshal(raw, &std)
		if (err == nil) != (stdErr == nil) || err == nil && own != std {
			t.Fatalf("%q: %q %v, standard %q %v", raw, own, err, std, stdErr)
		}
	})
}

func TestJoinTokens(t *testing.T) {
	got := JoinTokens(nil, []byte(`"a\ud83d"`), []byte(`""`), []byte(`"\ude00b"`))
	if s, err := Unquote(got); err != nil || s != "a😀b" {
		t.Fatalf("%s: %q %v", got, s, err)
	}
}

func TestOpenTail(t *testing.T) {
	for raw, want := range map[string]int{
		`"\ud83d"`: 6, `"\uD83D"`: 6, `"a\uDbff"`: 6, `"\\\ud83d"`: 6,
		`""`: 0, `"a"`: 0, `"\ude00"`: 0, `"\ud83d\ude00"`: 0, `"\\ud83d"`: 0, `"\u4f60"`: 0, `"ud83d"`: 0, `"\ud83dx"`: 0, `"😀"`: 0,
	} {
		if got := OpenTail([]byte(raw)); got != want {
			t.Errorf("%s: %d, want %d", raw, got, want)
		}
	}
}

func TestAppendNumbers(t *testing.T) {
	b := AppendInt(nil, math.MinInt64)
	b = AppendBool(append(b, ' '), true)
	b = AppendFloat(append(b, ' '), 0.25)
	b = AppendFloat(append(b, ' '), math.NaN())
	b = AppendFloat(append(b, ' '), math.Inf(-1))
	if got := string(b); got != "-9223372036854775808 true 0.25 null null" {
		t.Fatal(got)
	}
}

func TestDecode(t *testing.T) {
	type doc struct{ A int }
	var d doc
	if err := Decode([]byte(`{"a":3,"b":[1,{"c":null}]}`), &d); err != nil || d.A != 3 {
		t.Fatal(d, err)
	}
	bad := []string{``, `{`, `{"A":1}x`, `{"A":01}`, `{"A":"x"}`, `{"A":1,}`, `{"b":tru}`, "{\"b\":\"\n\"}",
		strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1), `"` + strings.Repeat("x", MaxSize) + `"`}
	for _, s := range bad {
		if err := Decode([]byte(s), &d); err == nil {
			t.Errorf("%.40q was accepted", s)
		}
	}
	deep := strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth)
	if !ValidJSON([]byte(deep)) {
		t.Error("MaxDepth levels are refused")
	}
}

func TestEncode(t *testing.T) {
	b, err := Encode(struct {
		S string
		M map[string]int
	}{"<a>\xff\xfe", map[string]int{"b": 1, "a": 2}})
	if err != nil || string(b) != "{\"S\":\"<a>\uFFFD\uFFFD\",\"M\":{\"a\":2,\"b\":1}}" {
		t.Fatalf("%q %v", b, err)
	}
	if _, err := Encode(make(chan int)); err == nil {
		t.Fatal("a channel was encoded")
	}
}

func TestDecodeShapes(t *testing.T) {
	parts := `{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[]},{"type":"text","text":"a"},{"type":"text","text":"b\n"}]}}]}`
	c, err := DecodeChunk([]byte(parts))
	if err != nil {
		t.Fatal(err)
	}
	if raw, ok := c.First().Delta.Token(); !ok || string(raw) != `"ab\n"` {
		t.Fatalf("%s %v", raw, ok)
	}
	bad, err := DecodeChunk([]byte("{\"choices\":[{\"message\":{\"content\":\"\xffx\"},\"finish_reason\":\"stop\"}]}"))
	if err != nil {
		t.Fatal(err)
	}
	if raw, ok := bad.First().Message.Token(); !ok || string(raw) != "\"\uFFFDx\"" || bad.First().FinishReason != "stop" {
		t.Fatalf("%q %v", raw, ok)
	}
	u, ok := DecodeUsage([]byte(`{"prompt_tokens":10.0,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":40}}`))
	if !ok || u != (Tokens{Prompt: 10, Completion: 5, Cached: 10}) {
		t.Fatal(u, ok)
	}
	for in, want := range map[string]APIError{
		`{"error":{"message":"m","type":"t","code":"c"}}`: {"m", "t", "c"},
		`{"error":{"message":"m","code":1301}}`:           {"m", "", "1301"},
		`{"error":"model not found"}`:                     {"model not found", "", ""},
		`{"message":"No.","code":404}`:                    {"No.", "", "404"},
		`{"detail":"Not Found"}`:                          {"Not Found", "", ""},
	} {
		if got, ok := DecodeError([]byte(in)); !ok || got != want {
			t.Errorf("%s: %+v %v", in, got, ok)
		}
	}
	if e, ok := DecodeError([]byte(`{"choices":[]}`)); ok {
		t.Errorf("an error was seen: %+v", e)
	}
}

func BenchmarkAppendString(b *testing.B) {
	s := strings.Repeat("您的订单已发货, arriving soon. ", 8)
	buf := make([]byte, 0, 2*len(s))
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendString(buf[:0], s)
	}
}
