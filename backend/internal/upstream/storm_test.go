package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/codec"
	"haoke/backend/internal/sim"
)

// TestStorm: four calls in ten fail in some way and every seventh caller
// leaves early. Whoever gets something gets the right text up to where it
// ends, without gaps or repetitions; an error is always one that the owner can
// read; and (the rig and TestMain see to it) no lease, connection or goroutine
// is left.
func TestStorm(t *testing.T) {
	for _, merge := range []bool{false, true} {
		r := newRig(t, Config{Merge: merge, Timeout: 2 * time.Second, Rand: func() float64 { return 0.01 }}, sim.Config{
			Latency: 2 * time.Millisecond, Jitter: 2 * time.Millisecond, Pace: time.Millisecond, Seed: 7, FaultRate: 0.4,
			Faults: []string{"500", "503", "429", "reset", "early", "cut", "half", "garbage", "error", "html", "badjson", "chunkerr", "nodone", "empty", "bigline"},
		})
		ctx := within(t, 60*time.Second)
		var mu sync.Mutex
		var whole, broken, failed, left int
		var wg sync.WaitGroup
		for w := range 40 {
			wg.Go(func() {
				for i := range 12 {
					n := w*12 + i
					mine, leave := context.WithCancel(ctx)
					var x text
					q := fmt.Sprintf("question %d?", n%(25+w%2)) // some ask the same
					want := fmt.Sprintf("Thank you for asking: %q. This is the simulator's answer; with a real model you would read its own words here. Is there anything else I can do for you?", q)
					_, err := r.Answer(mine, question(q), chat.Caller{}, func(raw []byte) error {
						if n%7 == 0 && x.pieces == 5 {
							leave()
						}
						return x.sink(raw)
					})
					leave()
					got := x.b.String()
					mu.Lock()
					switch {
					case !strings.HasPrefix(want, got):
						t.Errorf("%s: got %q", q, got)
					case err == nil && got != want:
						t.Errorf("%s: incomplete without an error: %q", q, got)
					case err == nil:
						whole++
					case errors.Is(err, context.Canceled):
						left++
					case chat.FaultOf(err) == "":
						t.Errorf("%s: %v", q, err)
					case got != "":
						broken++
					default:
						failed++
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		t.Logf("merge %v: %d whole, %d broken off, %d failed, %d left", merge, whole, broken, failed, left)
		if whole < 200 || broken == 0 || left == 0 {
			t.Errorf("merge %v: %d whole, %d broken off, %d failed, %d left", merge, whole, broken, failed, left)
		}
	}
}

// FuzzStream: whatever an upstream sends as a stream, pieces are whole tokens
// and within the bounds, and the end is an answer or an error in words.
func FuzzStream(f *testing.F) {
	for _, s := range []string{
		benchChunk + "data: [DONE]\n\n",
		"data: {\"choices\":[{\"delta\":{\"content\":\"\\ud83d\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"\\ude00\"},\"finish_reason\":\"stop\"}]}\n\n",
		"data: {\"choices\":[{\"delta\":{\"content\":[{\"type\":\"text\",\"text\":\"a\"}]}}]}\n\n",
		"data: {\"choices\":[{\"message\":{\"content\":\"\xff\"},\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":1e99}}\n\n",
		"{\"choices\":[{\"message\":{\"content\":\"whole\"},\"finish_reason\":\"stop\"}]}", "<html>", "",
		"data: {\"error\":{\"message\":\"m\",\"code\":429}}\n\n", "data: {\ndata: \"choices\":[]}\n\n",
	} {
		f.Add(s, "text/event-stream")
		f.Add(s, "")
	}
	f.Fuzz(func(t *testing.T, body, kind string) {
		cfg := Config{AnswerBytes: 4000, MaxTokens: 20}.withDefaults()
		out := &collector{limit: cfg.AnswerBytes}
		c := New(Config{}, nil, nil)
		defer c.Close()
		a := c.attempt(cfg, chat.Target{BaseURL: "http://x"}, checked{t, out})
		defer a.release()
		a.url, _ = endpoint(&a.target, "/chat/completions")
		a.begin(t.Context(), time.Hour)
		defer a.end(t.Context())
		a.start, a.status = time.Now(), 200
		err := a.read(&http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body))}, true)
		if err == nil && out.n == 0 {
			t.Fatal("an answer without a piece")
		}
		if err != nil && a.broken(t.Context(), err).Error() == "" {
			t.Fatal("an error without words")
		}
		if !codec.ValidToken(append(append([]byte{'"'}, out.raw...), '"')) {
			t.Fatalf("pieces %q", out.raw)
		}
	})
}

// checked is a receiver that wants every piece to be one whole token.
type checked struct {
	t *testing.T
	*collector
}

func (c checked) piece(raw []byte) bool {
	if !codec.ValidToken(raw) || codec.OpenTail(raw) != 0 {
		c.t.Fatalf("piece %q", raw)
	}
	return c.collector.piece(raw)
}
