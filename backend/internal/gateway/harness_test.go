package gateway_test

import (
	"context"
	"encoding/json"
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

func (prompter) Prompt(_ context.Context, _ *chat.Conversation, _, open []chat.Message) (engine.Prompt, error) {
	var texts []string
	for _, m := range open {
		texts = append(texts, m.Text)
	}
	return engine.Prompt{Call: chat.Call{Messages: []chat.PromptMessage{{Role: chat.RoleUser, Content: strings.Join(texts, "|")}}}}, nil
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
func (quiet) Unanswered(chat.ConversationID, string, string)             {}
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
