package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/sim"
)

func TestAnswer(t *testing.T) {
	for _, merge := range []bool{true, false} {
		r := newRig(t, Config{Merge: merge}, sim.Config{Keys: []string{"sk-test-secret-1"}})
		ctx := within(t, 20*time.Second)
		for range 3 {
			got, res, err := r.ask(ctx, "[[say:Your \"order\" 😀 is on its way.\n再见]]")
			if err != nil || got != "Your \"order\" 😀 is on its way.\n再见" {
				t.Fatal(got, err)
			}
			if res.Finish != chat.FinishStop || res.Key != "main" || res.Model != "gpt-4o-mini" || res.Attempts != 1 ||
				res.Usage.Prompt == 0 || res.Usage.Completion < 5 || res.Usage.Estimated || res.Cost == 0 ||
				res.FirstToken <= 0 || res.Upstream < res.FirstToken {
				t.Fatalf("%+v", res)
			}
			r.wg.Wait() // the connection is back
		}
		if d := r.Stats().Dials; d != 1 {
			t.Errorf("%d connections for three calls one after the other", d)
		}
		if a := r.watch.attempts; len(a) != 3 || a[0].Code != "200" || a[0].Cost == 0 {
			t.Errorf("%+v", a)
		}
		body := r.sim.Stats().LastBody
		if !strings.Contains(body, `"stream_options":{"include_usage":true}`) || !strings.Contains(body, `"max_tokens":1000`) {
			t.Error(body)
		}
	}
}

func TestStreamVariants(t *testing.T) {
	r := newRig(t, Config{Timeout: 5 * time.Second}, sim.Config{Drip: 100 * time.Microsecond})
	ctx := within(t, 30*time.Second)
	for _, c := range []struct {
		marker string
		finish chat.Finish
	}{
		{"length", chat.FinishLength}, {"json", chat.FinishStop}, {"text", chat.FinishStop}, {"crlf", chat.FinishStop},
		{"gzip", chat.FinishStop}, {"reason", chat.FinishStop}, {"nousage", chat.FinishStop}, {"drip", chat.FinishStop},
		{"late", chat.FinishStop},
	} {
		got, res, err := r.ask(ctx, "hello [["+c.marker+"]]")
		if err != nil || res.Finish != c.finish || !strings.HasSuffix(got, "do for you?") {
			t.Errorf("%s: %q %+v %v", c.marker, got, res, err)
		}
		if est := c.marker == "nousage" || c.marker == "drip"; res.Usage.Estimated != est || res.Usage.Completion < 10 {
			t.Errorf("%s: %+v", c.marker, res.Usage)
		}
	}
}

// TestFaults: what the owner reads, what kind it is, and what the visitor had
// before it.
func TestFaults(t *testing.T) {
	r := newRig(t, Config{Timeout: 400 * time.Millisecond, Attempts: 2, Rand: func() float64 { return 0 }}, sim.Config{Drip: 50 * time.Millisecond})
	ctx := within(t, 60*time.Second)
	cases := []struct {
		marker string
		fault  chat.Fault
		status int
		words  string
		pieces bool
		calls  int64
	}{
		{"401", chat.FaultAuth, 401, `401 from http://127.0.0.1`, false, 1},
		{"401", chat.FaultAuth, 401, `the key "main" was refused; paste a new one`, false, 1},
		{"403", chat.FaultAuth, 403, `may not do this`, false, 1},
		{"402", chat.FaultQuota, 402, `no money left`, false, 1},
		{"quota", chat.FaultQuota, 429, `no money left`, false, 1},
		{"429", chat.FaultRate, 429, `too many requests`, false, 2},
		{"400", chat.FaultRequest, 400, `not accepted`, false, 1},
		{"toolong", chat.FaultRequest, 400, `too long for the model`, false, 1},
		{"blocked", chat.FaultContent, 400, `content filter`, false, 1},
		{"404", chat.FaultRequest, 404, `base URL`, false, 1},
		{"500", chat.FaultUnavailable, 500, `has trouble`, false, 2},
		{"502", chat.FaultUnavailable, 502, `has trouble`, false, 2},
		{"503", chat.FaultUnavailable, 503, `has trouble`, false, 2},
		{"529", chat.FaultUnavailable, 529, `has trouble`, false, 2},
		{"408", chat.FaultUnavailable, 408, `has trouble`, false, 2},
		{"redirect", chat.FaultBadAnswer, 307, `redirects to /sim/elsewhere`, false, 2},
		{"html", chat.FaultBadAnswer, 200, `web page`, false, 2},
		{"empty", chat.FaultBadAnswer, 200, `without an answer`, false, 2},
		{"badjson", chat.FaultBadAnswer, 200, `not valid JSON`, false, 2},
		{"tool", chat.FaultBadAnswer, 200, `asked for a tool`, false, 2},
		{"bigline", chat.FaultBadAnswer, 200, `longer than 1 MiB`, false, 2},
		{"reset", chat.FaultUnavailable, 0, `the connection broke`, false, 2},
		{"early", chat.FaultUnavailable, 200, `the connection broke`, false, 2},
		{"hang", chat.FaultTimeout, 0, `within 400ms`, false, 1},
		{"silence", chat.FaultTimeout, 200, `within 400ms`, false, 1},
		{"comments", chat.FaultTimeout, 200, `within 400ms`, false, 1},
		{"drip", chat.FaultTimeout, 200, `within 400ms`, false, 1},
		{"cut", chat.FaultCut, 200, `the answer was cut off`, true, 1},
		{"half", chat.FaultCut, 200, `the answer was cut off`, true, 1},
		{"nodone", chat.FaultCut, 200, `ended in the middle`, true, 1},
		{"garbage", chat.FaultCut, 200, `not valid JSON`, true, 1},
		{"error", chat.FaultCut, 200, `The server had an error`, true, 1},
		{"chunkerr", chat.FaultCut, 200, `the answer was cut off`, true, 1},
		{"filter", chat.FaultContent, 200, `content filter`, true, 1},
	}
	for _, c := range cases {
		r.sim.Reset()
		got, res, err := r.ask(ctx, "please [["+c.marker+"]]")
		var ue *chat.UpstreamError
		if !errors.As(err, &ue) {
			t.Errorf("%s: %q %v", c.marker, got, err)
			continue
		}
		if ue.Fault != c.fault || ue.Status != c.status || !strings.Contains(ue.Reason, c.words) || (got != "") != c.pieces {
			t.Errorf("%s: %q, %+v", c.marker, got, ue)
		}
		if strings.Contains(ue.Error(), "sk-test-secret") || strings.Contains(ue.Reason, "Bearer") && strings.Contains(ue.Reason, "secret") {
			t.Errorf("%s: the secret is in %q", c.marker, ue.Reason)
		}
		if n := r.sim.Stats().Calls; n != c.calls {
			t.Errorf("%s: %d calls, want %d", c.marker, n, c.calls)
		}
		want := chat.FinishError
		if c.marker == "filter" {
			want = chat.FinishBlocked
		}
		if res.Finish != want {
			t.Errorf("%s: finish %s", c.marker, res.Finish)
		}
		if c.pieces && res.Usage.Completion == 0 {
			t.Errorf("%s: no usage for what was delivered", c.marker)
		}
	}
	if g := r.gate.outcomes[5]; g.RetryAfter != time.Second || g.Status != 429 || g.Header.Get("Retry-After") != "1" {
		t.Errorf("outcome of the 429: %+v", g)
	}
}

// TestGzipBomb: what a compressed answer unpacks to is bounded like any other.
func TestGzipBomb(t *testing.T) {
	r := newRig(t, Config{Attempts: 1}, sim.Config{})
	_, _, err := r.ask(within(t, 20*time.Second), "[[gzipbomb]]")
	if chat.FaultOf(err) != chat.FaultBadAnswer || !strings.Contains(err.Error(), "longer than 1 MiB") {
		t.Error(err)
	}
}

// scripted answers every call with the same body as a stream.
func scripted(t *testing.T, cfg Config, body string) *rig {
	t.Helper()
	r := newRig(t, cfg, sim.Config{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, body)
	}))
	t.Cleanup(srv.Close)
	r.gate.targets[0].BaseURL = srv.URL + "/v1"
	return r
}

// TestErrorInStream: an error in a stream is sorted like one outside of it.
func TestErrorInStream(t *testing.T) {
	for body, want := range map[string]chat.Fault{
		`{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","code":"invalid_api_key"}}`: chat.FaultAuth,
		`{"error":{"message":"slow down","code":429}}`:                                                               chat.FaultRate,
		`{"error":{"message":"slow down","code":"rate_limit_exceeded"}}`:                                             chat.FaultRate,
		`{"error":{"message":"pay","code":402}}`:                                                                     chat.FaultQuota,
		`{"error":{"message":"pay","type":"insufficient_quota"}}`:                                                    chat.FaultQuota,
		`{"error":{"message":"too long","code":"context_length_exceeded"}}`:                                          chat.FaultRequest,
		`{"error":{"message":"no","code":"content_filter"}}`:                                                         chat.FaultContent,
		`{"error":"out of memory"}`:                                                                                  chat.FaultUnavailable,
		`{"message":"overloaded","code":503}`:                                                                        chat.FaultUnavailable,
	} {
		r := scripted(t, Config{Attempts: 1}, "data: "+body+"\n\n")
		_, _, err := r.ask(within(t, 10*time.Second), "hi")
		if chat.FaultOf(err) != want {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// TestSplitCharacter: each piece can be decoded for itself, even when the
// upstream cuts characters in two.
func TestSplitCharacter(t *testing.T) {
	body := ""
	for _, token := range []string{`"a\ud83d"`, `"\ude00b"`, `"\ud83d"`, `"\ude01"`, `"\ud83d\ude02"`, `"c\\ud83d"`, `"\ud83d"`} {
		body += `data: {"choices":[{"index":0,"delta":{"content":` + token + "}}]}\n\n"
	}
	r := scripted(t, Config{}, body+"data: [DONE]\n\n")
	if got, _, err := r.ask(within(t, 10*time.Second), "hi"); err != nil || got != `a😀b😁😂c\ud83d` {
		t.Errorf("%q %v", got, err)
	}
}

// TestRecovers: faults before the first piece are not seen by the visitor.
func TestRecovers(t *testing.T) {
	for _, marker := range []string{"500:1", "503:1", "reset:1", "early:1", "html:1", "badjson:1", "429:1", "empty:1", "502:2"} {
		r := newRig(t, Config{Rand: func() float64 { return 0.01 }}, sim.Config{})
		got, res, err := r.ask(within(t, 20*time.Second), "hi [["+marker+"]]")
		if err != nil || !strings.HasSuffix(got, "do for you?") {
			t.Errorf("%s: %q %v", marker, got, err)
		}
		if want := 1 + int(marker[len(marker)-1]-'0'); res.Attempts != want {
			t.Errorf("%s: %d attempts", marker, res.Attempts)
		}
	}
}

// TestOtherKey: a refused key is not asked again; the next one answers.
func TestOtherKey(t *testing.T) {
	r := newRig(t, Config{}, sim.Config{Keys: []string{"good-key"}})
	second := r.gate.targets[0]
	second.Key, second.Secret = "second", "good-key"
	r.gate.targets = append(r.gate.targets, second)
	_, res, err := r.ask(within(t, 20*time.Second), "hi")
	if err != nil || res.Key != "second" || res.Attempts != 2 {
		t.Fatal(res, err)
	}
	if o := r.gate.outcomes; len(o) != 2 || o[0].Fault != chat.FaultAuth || o[1].Err != nil {
		t.Errorf("%+v", o)
	}
	if asks := r.gate.asks; len(asks[1].NotKeys) != 1 || asks[1].NotKeys[0] != "main" || asks[0].Tokens < asks[0].PromptTokens+1000 {
		t.Errorf("%+v", asks)
	}
}

func TestNetworkFaults(t *testing.T) {
	cases := []struct {
		base, words string
		fault       chat.Fault
	}{
		{"http://127.0.0.1:1/v1", "the connection was refused", chat.FaultUnavailable},
		{"http://no-such-host-for-haoke.invalid/v1", "https", chat.FaultRequest},
		{"https://no-such-host-for-haoke.invalid/v1", "no-such-host-for-haoke.invalid", chat.FaultUnavailable},
		{"", "is not an address", chat.FaultRequest},
		{"127.0.0.1:8000/v1", "is not an address", chat.FaultRequest},
		{"https://169.254.169.254/v1", "forbidden address", chat.FaultRequest},
		{"http://[::ffff:169.254.169.254]/v1", "https", chat.FaultRequest},
	}
	for _, c := range cases {
		r := newRig(t, Config{Timeout: 3 * time.Second, Attempts: 1}, sim.Config{})
		r.gate.targets[0].BaseURL = c.base
		_, _, err := r.ask(within(t, 20*time.Second), "hi")
		var ue *chat.UpstreamError
		if !errors.As(err, &ue) || ue.Fault != c.fault || !strings.Contains(ue.Reason, c.words) {
			t.Errorf("%s: %v", c.base, err)
		}
	}
}

func TestEndless(t *testing.T) {
	r := newRig(t, Config{MaxTokens: 50}, sim.Config{})
	call := question("x [[endless]]")
	var x text
	res, err := r.Answer(within(t, 20*time.Second), call, chat.Caller{}, x.sink)
	if err != nil || res.Finish != chat.FinishLength || res.Usage.Completion < 50 || res.Usage.Completion > 100 {
		t.Fatal(x.pieces, res, err)
	}
	r.Reconfigure(Config{AnswerBytes: 300, MaxTokens: 1 << 20, Model: "m"})
	res, err = r.Answer(within(t, 20*time.Second), call, chat.Caller{}, x.sink)
	if err != nil || res.Finish != chat.FinishLength || x.b.Len() > 1000 {
		t.Fatal(x.b.Len(), res, err)
	}
}

func TestNoKey(t *testing.T) {
	r := newRig(t, Config{}, sim.Config{})
	r.gate.targets = nil
	if _, res, err := r.ask(within(t, 5*time.Second), "hi"); chat.FaultOf(err) != chat.FaultNoKey || res.Finish != chat.FinishError {
		t.Fatal(res, err)
	}
}

func TestCancelAndSinkError(t *testing.T) {
	r := newRig(t, Config{Merge: true}, sim.Config{Pace: 5 * time.Millisecond, Tokens: 2000})
	ctx, cancel := context.WithCancelCause(within(t, 20*time.Second))
	var x text
	res, err := r.Answer(ctx, question("stop me"), chat.Caller{}, func(raw []byte) error {
		if x.pieces == 3 {
			cancel(chat.ErrStopped)
		}
		return x.sink(raw)
	})
	if !errors.Is(err, chat.ErrStopped) || res.Finish != chat.FinishStopped || x.pieces < 3 {
		t.Fatal(x.pieces, res, err)
	}
	enough := errors.New("blocked by a rule")
	if _, err := r.Answer(within(t, 5*time.Second), question("other"), chat.Caller{}, func([]byte) error { return enough }); err != enough {
		t.Fatal(err)
	}
	r.Close() // waits until both upstream calls are over
	if o := r.gate.outcomes; len(o) != 2 || o[0].Usage.Completion < 3 || !o[0].Usage.Estimated {
		t.Errorf("%+v", o)
	}
	if _, _, err := r.ask(within(t, time.Second), "late"); !errors.Is(err, errClosed) {
		t.Error(err)
	}
}

func TestDeadline(t *testing.T) {
	r := newRig(t, Config{}, sim.Config{})
	r.gate.hold = make(chan struct{})
	var position int
	caller := chat.Caller{Deadline: time.Now().Add(30 * time.Millisecond), Queued: func(p int) { position = p }}
	_, err := r.Answer(within(t, 5*time.Second), question("hi"), caller, func([]byte) error { return nil })
	if chat.FaultOf(err) != chat.FaultTimeout {
		t.Fatal(err)
	}
	r.Close()
	if position != 1 {
		t.Errorf("position %d", position)
	}
}
