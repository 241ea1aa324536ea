package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/codec"
	"haoke/backend/internal/engine"
	"haoke/backend/internal/gateway"
	"haoke/backend/internal/session"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/wsconn"
)

// upstream answers "You said: ..." in pieces, or whatever the test scripts.
type upstream struct {
	mu     sync.Mutex
	calls  []chat.Call
	script func(ctx context.Context, call chat.Call, sink chat.Sink) (chat.Result, error)
}

func (u *upstream) Answer(ctx context.Context, call chat.Call, _ chat.Caller, sink chat.Sink) (chat.Result, error) {
	u.mu.Lock()
	u.calls = append(u.calls, call)
	script := u.script
	u.mu.Unlock()
	if script != nil {
		return script(ctx, call, sink)
	}
	for _, w := range strings.SplitAfter("You said: "+call.Messages[0].Content, " ") {
		if err := sink(codec.AppendString(nil, w)); err != nil {
			return chat.Result{}, err
		}
	}
	return chat.Result{Finish: chat.FinishStop}, nil
}

func (u *upstream) count() int { u.mu.Lock(); defer u.mu.Unlock(); return len(u.calls) }

type prompter struct{}

func (prompter) Prompt(_ context.Context, _ chat.Conversation, _, open []chat.Message) (chat.Call, string, error) {
	var texts []string
	for _, m := range open {
		texts = append(texts, m.Text)
	}
	return chat.Call{Messages: []chat.PromptMessage{{Role: chat.RoleUser, Content: strings.Join(texts, "|")}}}, "", nil
}

type curated struct{}

func (curated) Exact(_ context.Context, text, _ string) (engine.CuratedAnswer, bool) {
	if text == "opening hours?" {
		return engine.CuratedAnswer{Text: "Nine to six.", Title: "opening hours?", Found: true}, true
	}
	return engine.CuratedAnswer{}, false
}
func (curated) Best(context.Context, string, string) engine.CuratedAnswer {
	return engine.CuratedAnswer{Text: "no idea"}
}

// words is a filter that blocks "forbidden" and masks nothing.
type words struct{}

func (words) Check(_ chat.Direction, text string) chat.Verdict {
	if strings.Contains(text, "forbidden") {
		return chat.Verdict{Action: chat.ActionBlock, Text: text, Hits: []chat.Hit{{Rule: "forbidden"}}}
	}
	return chat.Verdict{Text: text}
}
func (words) Stream() engine.FilterStream { return open{} }

type open struct{}

func (open) Push(raw []byte, emit chat.Sink) error { return emit(raw) }
func (open) Close(chat.Sink) error                 { return nil }
func (open) Verdict() chat.Verdict                 { return chat.Verdict{} }
func (open) Release()                              {}

type quiet struct{}

func (quiet) NeedsPerson(chat.Conversation)                              {}
func (quiet) Trouble(chat.ConversationID, chat.Fault, string)            {}
func (quiet) Unanswered(string)                                          {}
func (quiet) Message(chat.From)                                          {}
func (quiet) Turn(*chat.TurnInfo, chat.Finish, time.Duration)            {}
func (quiet) FilterHits(chat.ConversationID, chat.Direction, []chat.Hit) {}
func (quiet) Connections(int)                                            {}
func (quiet) Refused(string)                                             {}

// shop is an appliance without window, admin side and real upstream.
type shop struct {
	t        *testing.T
	up       *upstream
	sessions *session.Manager
	engine   *engine.Engine
	gateway  *gateway.Gateway
	live     *gateway.Live
	server   *httptest.Server
	stop     func()
}

func open1(t *testing.T, dir string, up *upstream, change func(*gateway.Live)) *shop {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	db, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(dir, "haoke.db")})
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{t: t, up: up, sessions: session.New(session.Config{}, db.Conversations())}
	hub := gateway.NewHub(s.sessions)
	s.engine = engine.New(engine.Config{
		Epoch: func() string { return "e1" }, DefaultMode: func() chat.Mode { return chat.ModeAI },
		Offline: func() bool { return false }, Drain: 200 * time.Millisecond, TypingLapse: 30 * time.Second, BurstWait: time.Minute,
	}, engine.Deps{Sessions: s.sessions, Upstream: up, Prompter: prompter{}, Curated: curated{}, Filter: words{}, Feed: hub, Owner: quiet{}, Meter: quiet{}, Log: log})
	policy, err := wsconn.NewPolicy([]string{"https://shop.example"}, "")
	if err != nil {
		t.Fatal(err)
	}
	s.live = &gateway.Live{Policy: policy, DefaultMode: chat.ModeAI, Epoch: "e1", Limits: gateway.Limits{MessageChars: 100}, IdentitySecret: []byte("shop secret")}
	if change != nil {
		change(s.live)
	}
	s.gateway, err = gateway.New(gateway.Config{
		Secret: []byte(strings.Repeat("k", 32)), Live: func() *gateway.Live { return s.live },
		ClientIP: func(*http.Request) string { return "127.0.0.1" }, Helloing: 4 * time.Second,
	}, hub, s.engine, s.sessions, quiet{}, log)
	if err != nil {
		t.Fatal(err)
	}
	s.server = httptest.NewServer(s.gateway)
	ended := make(chan error, 1)
	go func() { ended <- s.engine.Run(ctx) }()
	var once sync.Once
	s.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			wait, done := context.WithTimeout(context.Background(), 10*time.Second)
			defer done()
			s.gateway.CloseAll(wait)
			s.server.Close()
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(s.stop)
	return s
}

// visitor is one client of the protocol.
type visitor struct {
	t    *testing.T
	c    *wsconn.Client
	ctx  context.Context
	last frame
}

type frame struct {
	Type, Conversation, Token, Epoch, Mode, ID, Text, From, Finish, State, Code, Data string
	Seq                                                                               int64
	Part, Position                                                                    int
	T                                                                                 json.RawMessage
	RetryAfter                                                                        int `json:"retry_after"`
}

func (s *shop) dial(cfg wsconn.DialConfig) (*wsconn.Client, int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cfg.Subprotocol = "haoke.v1"
	return wsconn.Dial(ctx, "ws"+strings.TrimPrefix(s.server.URL, "http")+"/v1/chat?site=default", cfg)
}

func (s *shop) visit() *visitor {
	s.t.Helper()
	c, _, err := s.dial(wsconn.DialConfig{})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	s.t.Cleanup(cancel)
	s.t.Cleanup(func() { c.Cut() })
	return &visitor{t: s.t, c: c, ctx: ctx}
}

func (v *visitor) send(format string, args ...any) {
	v.t.Helper()
	if err := v.c.Write(v.ctx, fmt.Appendf(nil, format, args...)); err != nil {
		v.t.Fatal(err)
	}
}

func (v *visitor) next() frame {
	v.t.Helper()
	data, err := v.c.Read(v.ctx)
	if err != nil {
		v.t.Fatalf("read: %v", err)
	}
	v.last = frame{}
	if err := json.Unmarshal(data, &v.last); err != nil {
		v.t.Fatalf("frame %s: %v", data, err)
	}
	return v.last
}

// until reads on to the first frame that fits.
func (v *visitor) until(fits func(frame) bool) frame {
	v.t.Helper()
	for {
		if f := v.next(); fits(f) {
			return f
		}
	}
}

func (v *visitor) untilType(typ string) frame {
	v.t.Helper()
	return v.until(func(f frame) bool { return f.Type == typ })
}

func (v *visitor) answer() frame {
	v.t.Helper()
	return v.until(func(f frame) bool { return f.Type == "message" && f.From != "visitor" })
}

// closed reads until the socket ends and returns the close code.
func (v *visitor) closed() int {
	v.t.Helper()
	for {
		if _, err := v.c.Read(v.ctx); err != nil {
			return wsconn.CloseCode(err)
		}
	}
}

func (v *visitor) hello() frame {
	v.t.Helper()
	v.send(`{"type":"hello"}`)
	return v.untilType("welcome")
}

func TestAskAndReadAStreamedAnswer(t *testing.T) {
	s := open1(t, t.TempDir(), &upstream{}, nil)
	v := s.visit()
	if w := v.hello(); w.Seq != 0 || w.Mode != "ai" || w.Token == "" || w.Conversation == "" || w.Epoch == "" {
		t.Fatalf("welcome %+v", w)
	}
	v.send(`{"type":"message","id":"a1","text":"good morning to you"}`)
	if f := v.next(); f.Type != "ack" || f.ID != "a1" || f.Seq != 1 {
		t.Fatalf("the first frame is not the ack: %+v", f)
	}
	if f := v.next(); f.Type != "message" || f.From != "visitor" || f.Seq != 1 || f.ID != "a1" {
		t.Fatalf("own message: %+v", f)
	}
	if f := v.next(); f.Type != "status" || f.State != "thinking" {
		t.Fatalf("status: %+v", f)
	}
	var text string
	for part := 0; ; part++ {
		f := v.next()
		if f.Type == "message" {
			if f.Seq != 2 || f.From != "ai" || f.Finish != "stop" || f.Text != text {
				t.Fatalf("durable answer %+v after the pieces %q", f, text)
			}
			break
		}
		if f.Type != "ai" || f.Seq != 2 || f.Part != part {
			t.Fatalf("piece %d: %+v", part, f)
		}
		text += f.Data
	}
	if text != "You said: good morning to you" {
		t.Fatalf("text %q", text)
	}
	if f := v.next(); f.State != "idle" {
		t.Fatalf("at the end: %+v", f)
	}
}

func TestRepeatedMessageIsAcknowledgedOnce(t *testing.T) {
	up := &upstream{}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	v.hello()
	v.send(`{"type":"message","id":"x","text":"hello"}`)
	v.answer()
	v.send(`{"type":"message","id":"x","text":"hello"}`)
	if f := v.untilType("ack"); f.Seq != 1 {
		t.Fatalf("ack of the repetition: %+v", f)
	}
	v.send(`{"type":"ping","t":7}`)
	if f := v.next(); f.Type != "pong" || string(f.T) != "7" {
		t.Fatalf("something came of a repetition: %+v", f)
	}
	if up.count() != 1 {
		t.Fatalf("%d upstream calls", up.count())
	}
}

func TestResumeReplaysExactlyTheGap(t *testing.T) {
	s := open1(t, t.TempDir(), &upstream{}, nil)
	v := s.visit()
	w := v.hello()
	for i := range 3 {
		v.send(`{"type":"message","id":"m%d","text":"number %d"}`, i, i)
		v.answer()
	}
	v.c.Cut()
	v2 := s.visit()
	v2.send(`{"type":"hello","token":%q,"after":2,"epoch":%q}`, w.Token, w.Epoch)
	w2 := v2.untilType("welcome")
	if w2.Conversation != w.Conversation || w2.Seq != 6 || w2.Epoch != w.Epoch {
		t.Fatalf("welcome %+v, first %+v", w2, w)
	}
	for seq := int64(3); seq <= 6; seq++ {
		if f := v2.next(); f.Type != "message" || f.Seq != seq {
			t.Fatalf("replay at %d: %+v", seq, f)
		}
	}
}

func TestAHistoryThatWasCutGetsANewEpoch(t *testing.T) {
	s := open1(t, t.TempDir(), &upstream{}, nil)
	v := s.visit()
	w := v.hello()
	v.send(`{"type":"message","id":"m","text":"one"}`)
	v.answer()
	v.c.Cut()
	v2 := s.visit()
	v2.send(`{"type":"hello","token":%q,"after":9,"epoch":%q}`, w.Token, w.Epoch)
	if w2 := v2.untilType("welcome"); w2.Epoch == w.Epoch || w2.Seq != 2 {
		t.Fatalf("welcome %+v", w2)
	}
	if f := v2.next(); f.Seq != 1 {
		t.Fatalf("the replay does not start again: %+v", f)
	}
}

func TestTheHalfAnswerIsRestored(t *testing.T) {
	release := make(chan struct{})
	up := &upstream{script: func(_ context.Context, _ chat.Call, sink chat.Sink) (chat.Result, error) {
		for _, w := range []string{`"one "`, `"two "`} {
			if err := sink([]byte(w)); err != nil {
				return chat.Result{}, err
			}
		}
		<-release
		return chat.Result{Finish: chat.FinishStop}, sink([]byte(`"three"`))
	}}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	w := v.hello()
	v.send(`{"type":"message","id":"m","text":"count"}`)
	v.until(func(f frame) bool { return f.Type == "ai" && f.Part == 1 })
	v.c.Cut()
	v2 := s.visit()
	v2.send(`{"type":"hello","token":%q,"after":1}`, w.Token)
	v2.untilType("welcome")
	for part, data := range []string{"one ", "two "} {
		if f := v2.next(); f.Type != "ai" || f.Part != part || f.Data != data || f.Seq != 2 {
			t.Fatalf("restored piece %d: %+v", part, f)
		}
	}
	if f := v2.next(); f.Type != "status" || f.State != "thinking" {
		t.Fatalf("state: %+v", f)
	}
	close(release)
	if f := v2.next(); f.Part != 2 || f.Data != "three" {
		t.Fatalf("going on: %+v", f)
	}
	if f := v2.next(); f.Type != "message" || f.Text != "one two three" {
		t.Fatalf("durable: %+v", f)
	}
}

func TestAMessageDuringTheAnswerMovesItsPieces(t *testing.T) {
	release := make(chan struct{})
	first := true
	up := &upstream{}
	up.script = func(_ context.Context, call chat.Call, sink chat.Sink) (chat.Result, error) {
		up.mu.Lock()
		wait := first
		first = false
		up.mu.Unlock()
		sink([]byte(`"A"`))
		if wait {
			<-release
		}
		sink([]byte(`"B"`))
		return chat.Result{Finish: chat.FinishStop}, nil
	}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	v.hello()
	v.send(`{"type":"message","id":"m1","text":"first"}`)
	v.untilType("ai")
	v.send(`{"type":"message","id":"m2","text":"second"}`)
	if f := v.untilType("message"); f.Seq != 2 || f.From != "visitor" {
		t.Fatalf("the second message: %+v", f)
	}
	if f := v.next(); f.Type != "ai" || f.Seq != 3 || f.Part != 0 || f.Data != "A" {
		t.Fatalf("the pieces did not move: %+v", f)
	}
	close(release)
	if f := v.next(); f.Type != "ai" || f.Seq != 3 || f.Part != 1 {
		t.Fatalf("going on: %+v", f)
	}
	if f := v.next(); f.Type != "message" || f.Seq != 3 || f.Text != "AB" {
		t.Fatalf("first answer: %+v", f)
	}
	if f := v.answer(); f.Seq != 4 {
		t.Fatalf("second answer: %+v", f)
	}
	if up.count() != 2 {
		t.Fatalf("%d calls", up.count())
	}
}

func TestMessagesBeforeTheFirstTokenJoin(t *testing.T) {
	arrived := make(chan struct{}, 8)
	up := &upstream{}
	up.script = func(ctx context.Context, call chat.Call, sink chat.Sink) (chat.Result, error) {
		arrived <- struct{}{}
		if !strings.Contains(call.Messages[0].Content, "|") {
			<-ctx.Done() // the single question is never answered
			return chat.Result{}, context.Cause(ctx)
		}
		return chat.Result{Finish: chat.FinishStop}, sink(codec.AppendString(nil, call.Messages[0].Content))
	}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	v.hello()
	v.send(`{"type":"message","id":"m1","text":"do you have"}`)
	<-arrived
	v.send(`{"type":"message","id":"m2","text":"the red one"}`)
	if f := v.answer(); f.Text != "do you have|the red one" || f.Seq != 3 {
		t.Fatalf("joint answer: %+v", f)
	}
}

func TestTypingHoldsTheCallBack(t *testing.T) {
	up := &upstream{}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	w := v.hello()
	// The first message starts at once; typing after it holds the next turn.
	started, release := make(chan struct{}), make(chan struct{})
	up.script = func(_ context.Context, call chat.Call, sink chat.Sink) (chat.Result, error) {
		if call.Messages[0].Content == "one" {
			sink([]byte(`"A"`))
			close(started)
			<-release
			return chat.Result{Finish: chat.FinishStop}, nil
		}
		return chat.Result{Finish: chat.FinishStop}, sink(codec.AppendString(nil, call.Messages[0].Content))
	}
	v.send(`{"type":"message","id":"m1","text":"one"}`)
	<-started
	v.send(`{"type":"message","id":"m2","text":"two"}`)
	v.until(func(f frame) bool { return f.Type == "ack" && f.ID == "m2" })
	v.send(`{"type":"typing","on":true}`)
	v.send(`{"type":"ping"}`)
	v.untilType("pong")
	close(release)
	v.answer()
	if up.count() != 1 {
		t.Fatal("a call started while the visitor was typing")
	}
	v.send(`{"type":"message","id":"m3","text":"three"}`)
	if f := v.answer(); f.Text != "two|three" {
		t.Fatalf("the burst was not joined: %+v", f)
	}
	_ = w
}

func TestStopKeepsWhatWasShown(t *testing.T) {
	up := &upstream{script: func(ctx context.Context, _ chat.Call, sink chat.Sink) (chat.Result, error) {
		if err := sink([]byte(`"half an"`)); err != nil {
			return chat.Result{}, err
		}
		<-ctx.Done()
		return chat.Result{}, context.Cause(ctx)
	}}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	v.hello()
	v.send(`{"type":"message","id":"m","text":"talk"}`)
	v.untilType("ai")
	v.send(`{"type":"stop"}`)
	if f := v.answer(); f.From != "ai" || f.Finish != "stopped" || f.Text != "half an" {
		t.Fatalf("stopped answer: %+v", f)
	}
}

func TestEveryFailureEndsInASentence(t *testing.T) {
	up := &upstream{script: func(context.Context, chat.Call, chat.Sink) (chat.Result, error) {
		return chat.Result{}, &chat.UpstreamError{Fault: chat.FaultAuth, Status: 401, Provider: "x", Reason: "the key was refused"}
	}}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	v.hello()
	v.send(`{"type":"message","id":"m","text":"hello"}`)
	f := v.answer()
	if f.From != "system" || f.Finish != "error" || strings.Contains(f.Text, "401") || strings.Contains(f.Text, "key") {
		t.Fatalf("apology: %+v", f)
	}
}

func TestBlockedMessageIsKeptAndAnswered(t *testing.T) {
	up := &upstream{}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	w := v.hello()
	v.send(`{"type":"message","id":"m","text":"a forbidden thing"}`)
	if f := v.untilType("ack"); f.Seq != 1 {
		t.Fatalf("ack: %+v", f)
	}
	if f := v.answer(); f.From != "system" || f.Finish != "blocked" || f.Seq != 2 {
		t.Fatalf("sentence: %+v", f)
	}
	msgs, err := s.sessions.Messages(context.Background(), chat.ConversationID(w.Conversation), 0, 0)
	if err != nil || len(msgs) != 2 || msgs[0].Mark != engine.MarkBlocked || msgs[0].Text != "a forbidden thing" {
		t.Fatalf("stored: %+v, %v", msgs, err)
	}
	if up.count() != 0 {
		t.Fatal("a blocked message went upstream")
	}
}

func TestCuratedAnswerCostsNothing(t *testing.T) {
	up := &upstream{}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	v.hello()
	v.send(`{"type":"message","id":"m","text":"opening hours?"}`)
	if f := v.answer(); f.Text != "Nine to six." || up.count() != 0 {
		t.Fatalf("answer %+v after %d calls", f, up.count())
	}
}

func TestRestartTakesUpTheOpenTurn(t *testing.T) {
	dir := t.TempDir()
	started := make(chan struct{})
	up := &upstream{script: func(ctx context.Context, _ chat.Call, _ chat.Sink) (chat.Result, error) {
		close(started)
		<-ctx.Done()
		return chat.Result{}, context.Cause(ctx)
	}}
	s := open1(t, dir, up, nil)
	v := s.visit()
	w := v.hello()
	v.send(`{"type":"message","id":"m","text":"are you there"}`)
	<-started
	s.stop()
	if code := v.closed(); code != 1001 {
		t.Fatalf("close code %d", code)
	}
	s2 := open1(t, dir, &upstream{}, nil)
	v2 := s2.visit()
	v2.send(`{"type":"hello","token":%q,"after":1}`, w.Token)
	if f := v2.answer(); f.Text != "You said: are you there" || f.Seq != 2 {
		t.Fatalf("after the restart: %+v", f)
	}
}

func TestAskForAPersonAndTakeOver(t *testing.T) {
	up := &upstream{}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	w := v.hello()
	id := chat.ConversationID(w.Conversation)
	v.send(`{"type":"human"}`)
	if f := v.untilType("message"); f.From != "system" || f.Seq != 1 {
		t.Fatalf("handover: %+v", f)
	}
	if f := v.untilType("status"); f.Mode != "waiting" {
		t.Fatalf("mode: %+v", f)
	}
	v.send(`{"type":"message","id":"m","text":"my parcel is broken"}`)
	v.until(func(f frame) bool { return f.Type == "message" && f.From == "visitor" })
	if _, err := s.engine.SetMode(v.ctx, id, chat.ModeHuman, "Anna"); err != nil {
		t.Fatal(err)
	}
	v.until(func(f frame) bool { return f.Type == "status" && f.Mode == "human" })
	if _, err := s.engine.SetMode(v.ctx, id, chat.ModeHuman, "Ben"); !errors.Is(err, chat.ErrConflict) {
		t.Fatalf("a second operator could claim it: %v", err)
	}
	if _, err := s.engine.Say(v.ctx, id, "Anna", "I am looking into it", ""); err != nil {
		t.Fatal(err)
	}
	if f := v.until(func(f frame) bool { return f.From == "operator" }); f.Text != "I am looking into it" {
		t.Fatalf("operator: %+v", f)
	}
	if up.count() != 0 {
		t.Fatal("the AI answered while a person was asked for")
	}
}

func TestRefusalsBeforeTheUpgrade(t *testing.T) {
	s := open1(t, t.TempDir(), &upstream{}, nil)
	for name, c := range map[string]struct {
		cfg  wsconn.DialConfig
		want int
	}{
		"foreign origin":          {wsconn.DialConfig{Origin: "https://evil.example"}, 403},
		"look-alike":              {wsconn.DialConfig{Origin: "https://shop.example.evil.example"}, 403},
		"wrong scheme":            {wsconn.DialConfig{Origin: "http://shop.example"}, 403},
		"null":                    {wsconn.DialConfig{Origin: "null"}, 403},
		"rebinding":               {wsconn.DialConfig{Origin: "http://evil.example", Host: "evil.example"}, 421},
		"allowed":                 {wsconn.DialConfig{Origin: "https://shop.example"}, 101},
		"own page":                {wsconn.DialConfig{Origin: s.server.URL}, 101},
		"program without a page":  {wsconn.DialConfig{}, 101},
		"allowed, default port":   {wsconn.DialConfig{Origin: "https://shop.example:443"}, 101},
		"allowed, another port":   {wsconn.DialConfig{Origin: "https://shop.example:8443"}, 403},
		"localhost by its name":   {wsconn.DialConfig{Host: "localhost:1"}, 101},
		"upper case is the same":  {wsconn.DialConfig{Origin: "HTTPS://SHOP.EXAMPLE"}, 101},
		"an origin with a path":   {wsconn.DialConfig{Origin: "https://evil.example/https://shop.example"}, 403},
		"an origin with userinfo": {wsconn.DialConfig{Origin: "https://shop.example@evil.example"}, 403},
	} {
		c2, status, err := s.dial(c.cfg)
		if c2 != nil {
			c2.Cut()
		}
		if status != c.want {
			t.Errorf("%s: status %d (%v), want %d", name, status, err, c.want)
		}
	}
}

func TestLimitsAndBadFrames(t *testing.T) {
	s := open1(t, t.TempDir(), &upstream{}, func(l *gateway.Live) { l.Limits.MessagesAMinute = 3 })
	v := s.visit()
	v.hello()
	v.send(`{"type":"message","id":"long","text":%q}`, strings.Repeat("x", 101))
	if f := v.untilType("error"); f.Code != "too_long" || f.ID != "long" {
		t.Fatalf("too long: %+v", f)
	}
	v.send(`{"type":"dance"}`)
	if f := v.untilType("error"); f.Code != "unknown_type" {
		t.Fatalf("unknown: %+v", f)
	}
	for _, bad := range []string{`{`, `[]`, `"x"`, `{"type":1}`, `{"type":"message","text":"x"}`, `{"type":"message","id":"e","text":" \u3000 "}`} {
		v.send("%s", bad)
		if f := v.untilType("error"); f.Code != "bad_frame" {
			t.Fatalf("%s: %+v", bad, f)
		}
	}
	for i := range 4 {
		v.send(`{"type":"message","id":"r%d","text":"opening hours?"}`, i)
	}
	if f := v.untilType("error"); f.Code != "rate_limited" || f.RetryAfter < 1 || f.ID != "r3" {
		t.Fatalf("rate: %+v", f)
	}
}

func TestCloseCodes(t *testing.T) {
	s := open1(t, t.TempDir(), &upstream{}, nil)
	t.Run("no hello", func(t *testing.T) {
		if code := s.visit().closed(); code != 4001 {
			t.Errorf("code %d", code)
		}
	})
	t.Run("hello must come first", func(t *testing.T) {
		v := s.visit()
		v.send(`{"type":"message","id":"a","text":"x"}`)
		if code := v.closed(); code != 4002 {
			t.Errorf("code %d", code)
		}
	})
	t.Run("too big", func(t *testing.T) {
		v := s.visit()
		v.hello()
		v.send(`{"type":"message","id":"a","text":%q}`, strings.Repeat("x", 20000))
		if code := v.closed(); code != 1009 {
			t.Errorf("code %d", code)
		}
	})
	t.Run("binary", func(t *testing.T) {
		v := s.visit()
		v.hello()
		v.c.WriteBinary(v.ctx, []byte("x"))
		if code := v.closed(); code != 4002 {
			t.Errorf("code %d", code)
		}
	})
	t.Run("too many", func(t *testing.T) {
		s := open1(t, t.TempDir(), &upstream{}, func(l *gateway.Live) { l.Limits.PerIP = 1 })
		s.visit().hello()
		if code := s.visit().closed(); code != 4008 {
			t.Errorf("code %d", code)
		}
	})
	t.Run("bad token", func(t *testing.T) {
		v := s.visit()
		v.send(`{"type":"hello","token":"AQID"}`)
		if f := v.next(); f.Code != "bad_token" {
			t.Fatalf("%+v", f)
		}
		v.hello()
	})
}
