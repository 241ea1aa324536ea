package wire

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"haoke/backend/internal/chat"
)

func TestFramesAreJSON(t *testing.T) {
	nasty := "\"\\\u2028\x00\n<b>\xff好"
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	for name, frame := range map[string][]byte{
		"welcome":  AppendWelcome(nil, Welcome{Conversation: "c", Token: nasty, Epoch: "e", Seq: 3, Mode: chat.ModeAI, Settings: []byte(`{"title":"x"}`)}),
		"ack":      AppendAck(nil, nasty, 7),
		"ai":       AppendAI(nil, 2, 0, []byte(`"a\u654f"`)),
		"message":  AppendMessage(nil, &chat.Message{Seq: 2, From: chat.FromAI, Text: nasty, At: at, Finish: chat.FinishStop, Sources: []chat.Source{{Title: nasty, URL: "u"}, {Title: "b"}}}),
		"operator": AppendMessage(nil, &chat.Message{Seq: 2, From: chat.FromOperator, Text: "x", At: at, Author: nasty, Mark: "noted", Turn: &chat.TurnInfo{Reason: "secret"}}),
		"status":   AppendStatus(nil, StateQueued, 4, chat.ModeWaiting),
		"error":    AppendError(nil, CodeTooLong, nasty, 1500*time.Millisecond, nasty),
		"pong":     AppendPong(nil, []byte(`{"a":1}`)),
		"pong0":    AppendPong(nil, nil),
	} {
		var m map[string]any
		if err := json.Unmarshal(frame, &m); err != nil {
			t.Errorf("%s: %s: %v", name, frame, err)
		}
		if name == "operator" && (strings.Contains(string(frame), "secret") || strings.Contains(string(frame), "noted")) {
			t.Errorf("the owner's part leaks: %s", frame)
		}
		if name == "error" && m["retry_after"] != 2.0 {
			t.Errorf("retry_after is not rounded up: %s", frame)
		}
	}
}

func TestAIFrameDoesNotAllocate(t *testing.T) {
	buf, raw := make([]byte, 0, 256), []byte(`"piece"`)
	if n := testing.AllocsPerRun(100, func() { buf = AppendAI(buf[:0], 12, 34, raw) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestDecodeClientRefuses(t *testing.T) {
	for _, bad := range []string{
		``, `{`, `null`, `[]`, `1`, `{"type":""}`, `{"type":1}`, `{"type":"message","id":"","text":"x"}`, `{"type":"hello","after":-1}`,
		`{"type":"rate","seq":1,"score":6}`, `{"type":"message","id":"` + strings.Repeat("x", 65) + `"}`,
		"{\"type\":\"message\",\"id\":\"a\",\"text\":\"\xff\"}", `{"type":"hello","token":"` + strings.Repeat("x", 2000) + `"}`,
		`{"type":"ping","t":"` + strings.Repeat("x", MaxFrame) + `"}`,
	} {
		var f ClientFrame
		if err := DecodeClient([]byte(bad), &f); !errors.Is(err, ErrFrame) {
			t.Errorf("%.60q: %v", bad, err)
		}
	}
	var f ClientFrame
	if err := DecodeClient([]byte(`{"type":"message","id":"a","text":"x","more":{"deep":[1]}}`), &f); err != nil || f.Text != "x" {
		t.Errorf("unknown fields are ignored: %+v, %v", f, err)
	}
}

func FuzzDecodeClient(f *testing.F) {
	for _, s := range []string{`{"type":"hello","token":"a","after":3,"page":{"url":"u"}}`, `{"type":"message","id":"1","text":"hi"}`, `{"type":"ping","t":[1,2]}`,
		`{"type":"context","attributes":{"a":null,"b":1.5,"c":{"d":[]}},"tags":["x",1],"untags":["y"],"event":{"name":"e","data":{}}}`, `{"type":"hello","visitor":{"name":"n","order":7}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var c ClientFrame
		if err := DecodeClient(data, &c); err != nil {
			if !errors.Is(err, ErrFrame) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		if !utf8.ValidString(c.Text) || c.Type == "" || c.After < 0 || len(c.Token) > MaxToken {
			t.Fatalf("accepted %+v", c)
		}
		// Whatever was told, what is kept of it is bounded and whole.
		facts := chat.Facts("").With(c.Told(time.Unix(0, 0)))
		if len(facts) > 8<<10 || facts != "" && !json.Valid([]byte(facts)) || !utf8.ValidString(string(facts)) {
			t.Fatalf("kept %q", facts)
		}
		if name, email := c.Typed(); utf8.RuneCountInString(name) > 200 || utf8.RuneCountInString(email) > 320 {
			t.Fatalf("a name of %d bytes, an address of %d", len(name), len(email))
		}
		// What was accepted can be echoed without breaking a frame.
		if pong := AppendPong(nil, c.T); !json.Valid(pong) {
			t.Fatalf("pong %s", pong)
		}
	})
}

func TestClip(t *testing.T) {
	if Clip("好客很好", 2) != "好客" || Clip("ab", 5) != "ab" || clipBytes("好客", 4) != "好" {
		t.Error("characters are cut in two")
	}
}
