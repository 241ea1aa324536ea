package adminapi_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"haoke/backend/internal/adminapi"
	"haoke/backend/internal/admit"
	"haoke/backend/internal/auth"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/engine"
	"haoke/backend/internal/filter"
	"haoke/backend/internal/keypool"
	"haoke/backend/internal/logs"
	"haoke/backend/internal/metrics"
	"haoke/backend/internal/offline"
	"haoke/backend/internal/price"
	"haoke/backend/internal/secret"
	"haoke/backend/internal/session"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/sim"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/update"
	"haoke/backend/internal/upload"
	"haoke/backend/internal/upstream"
	"haoke/backend/internal/wire"
)

const (
	ownerPassword    = "correct horse battery"
	operatorPassword = "staple staple staple"
	scriptToken      = "script-token-0123456789"
)

// house is an admin API over real parts: a database in a file, a master key,
// an engine, an upstream that is the simulator, a listener.
type house struct {
	t        *testing.T
	dir      string
	db       *sqlite.DB
	settings *settings.Store
	sealer   *secret.Sealer
	sessions *session.Manager
	engine   *engine.Engine
	guard    *auth.Guard
	metrics  *metrics.Recorder
	logs     *logs.Log
	gate     *admit.Gate
	pool     *keypool.Pool
	uploads  *upload.Store
	upstream *upstream.Client
	filter   filter.Holder
	answerer atomic.Pointer[offline.Answerer]
	api      *adminapi.API
	sim      *httptest.Server
	at       *httptest.Server
	presence *presence
	paused   atomic.Bool
	closed   chan chat.ConversationID
	cold     *cold

	mu  sync.Mutex
	now time.Time // zero: the real one

	updates *update.Updater
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now.IsZero() {
		return time.Now()
	}
	return h.now
}

type options struct {
	config    string // config.toml
	updateKey ed25519.PublicKey
	unclaimed bool
}

func open(t *testing.T, o options) *house {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	h := &house{t: t, dir: t.TempDir(), presence: &presence{watching: map[chat.ConversationID]int{}}, closed: make(chan chat.ConversationID, 10)}
	h.sim = httptest.NewServer(sim.New(sim.Config{Keys: []string{"sk-good-key-0123456789", "sk-next-key-9876543210"}}).Handler())
	t.Cleanup(h.sim.Close)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(h.dir, "config.toml")
	must(os.WriteFile(file, []byte(o.config), 0o600))
	var err error
	h.settings, err = settings.Open(settings.Config{File: file, Environ: []string{}, Flags: []settings.Flag{{Name: "--token", Path: "admin.token", Value: scriptToken}}})
	must(err)
	h.logs = logs.New(logs.Config{Out: io.Discard})
	t.Cleanup(func() { h.logs.Close() })
	h.db, err = sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(h.dir, "haoke.db"), Reserve: -1, Log: h.logs.Logger()})
	must(err)
	h.sealer, err = secret.New(ctx, secret.Config{Dir: h.dir, Store: "file"})
	must(err)
	must(h.settings.Attach(ctx, rows{h.db.Settings()}, h.sealer))
	h.metrics = metrics.New(metrics.Config{})
	h.sessions = session.New(session.Config{}, h.db.Conversations())
	h.cold = &cold{h: h, sealed: map[chat.ConversationID][]chat.Message{}}
	h.buildUpstream(ctx)
	must(h.ReloadFilter(ctx))
	must(h.ReloadFAQ(ctx))
	h.buildGuard(ctx, o.unclaimed)
	feed := &lateFeed{}
	h.engine = engine.New(engine.Config{}, engine.Deps{
		Sessions: h.sessions, Upstream: h.upstream, Prompter: prompter{}, Curated: curated{}, Filter: filtering{h}, Guard: open_{},
		Feed: feed, Owner: owner{}, Meter: meter{}, Log: h.logs.Logger(),
	})
	h.uploads, err = upload.Open(filepath.Join(h.dir, "files"))
	must(err)
	h.updates = update.New(update.Config{
		Dir: h.dir, Version: "1.2.3", Keys: []ed25519.PublicKey{o.updateKey}, Now: h.clock,
		Installed: update.Installed{Way: update.WayReplace, Kind: update.KindTar, Program: "haoked", Exe: filepath.Join(h.dir, "haoked")},
	})
	h.at = httptest.NewUnstartedServer(nil)
	h.api, err = adminapi.New(adminapi.Deps{
		Guard: h.guard, Settings: h.settings, DB: h.db, Sealer: h.sealer, Sessions: h.sessions, Engine: h.engine, Presence: h.presence,
		Gate: h.gate, Pool: h.pool, Upstream: h.upstream, Metrics: h.metrics, Logs: h.logs, Filter: h.filter.Get, FAQ: h.answerer.Load,
		Ledger: h.db.NewLedger(), Host: h, Log: h.logs.Logger(), DataDir: h.dir, ConfigFile: file, Version: "1.2.3", Commit: "abc",
		Files: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "file "+path.Base(r.URL.Path)) }),
		Keep: func(r io.Reader, name string) (upload.File, error) {
			return h.uploads.Put(r, name, 1000, []string{"text/plain"})
		},
		Updates: h.updates, Zone: func() *time.Location { return time.UTC }, Now: h.clock,
	})
	must(err)
	feed.set(h.api.Live())
	h.metrics.OnTick(h.api.Live().Tick)
	hosts := auth.NewHosts(nil)
	h.at.Config.Handler = hosts.Handler(h.guard.Protect(h.api))
	h.at.Start()
	var wait sync.WaitGroup
	for _, run := range []func(context.Context) error{h.db.Run, h.metrics.Run, h.gate.Run, h.upstream.Run, h.engine.Run, h.api.Live().Run} {
		wait.Go(func() {
			if err := run(ctx); err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() {
		h.at.CloseClientConnections()
		h.at.Close()
		cancel()
		wait.Wait()
		h.upstream.Close()
		h.db.Close()
	})
	return h
}

func (h *house) buildUpstream(ctx context.Context) {
	h.t.Helper()
	resolve := func(name string) (chat.Target, bool) { return upstream.PresetByName(name).Apply(chat.Target{}), true }
	var err error
	if h.pool, err = keypool.New(keypool.Config{}, resolve); err != nil {
		h.t.Fatal(err)
	}
	table, err := price.New(price.Default())
	if err != nil {
		h.t.Fatal(err)
	}
	if h.gate, err = admit.New(admit.Config{MaxInFlight: 50, MaxWait: 5 * time.Second, Prices: table, Money: admit.Money{PerDay: h.settings.Current().Limits.DailySpend}}, h.pool, nil, nil); err != nil {
		h.t.Fatal(err)
	}
	h.upstream = upstream.New(upstream.Config{AllowLocal: true, Timeout: 5 * time.Second}, h.gate, nil)
	if err := h.ReloadKeys(ctx); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) buildGuard(ctx context.Context, unclaimed bool) {
	h.t.Helper()
	store := accounts{h.db.Operators()}
	h.guard = auth.New(auth.Config{Instance: "test", Token: func() string { return h.settings.Current().Admin.Token.Reveal() }}, store, store)
	if unclaimed {
		return
	}
	if err := h.guard.Bootstrap(ctx, ownerPassword); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.guard.AddPerson(ctx, "lin", "Lin", auth.RoleOperator, operatorPassword); err != nil {
		h.t.Fatal(err)
	}
}

// Addresses implements adminapi.Host.
func (h *house) Addresses() (public, admin string) { return "http://127.0.0.1:8787", h.at.URL }

// Unmoved implements adminapi.Host: nothing moves here.
func (h *house) Unmoved(string) error { return nil }

// ReloadKeys implements adminapi.Host as the composition root does.
func (h *house) ReloadKeys(ctx context.Context) error {
	s := h.settings.Current()
	c := keypool.Config{Model: s.Upstream.Model}
	add := func(p keypool.Provider, fixed []settings.Key) error {
		for _, k := range fixed {
			p.Keys = append(p.Keys, keypool.Key{Name: k.Name, Secret: k.Value.Reveal()})
		}
		keys, err := h.db.Keys().List(ctx)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if k.Provider != p.Name {
				continue
			}
			plain, err := h.sealer.Open(k.Sealed, adminapi.SecretName(k.Name))
			if err != nil {
				return err
			}
			p.Keys = append(p.Keys, keypool.Key{Name: k.Name, Secret: string(plain), RPM: float64(k.RPM), Disabled: !k.Enabled})
		}
		p.NoKey = len(p.Keys) == 0
		c.Providers = append(c.Providers, p)
		return nil
	}
	if s.Upstream.BaseURL != "" {
		if err := add(keypool.Provider{Name: "main", Preset: "custom", BaseURL: s.Upstream.BaseURL}, s.Upstream.Keys); err != nil {
			return err
		}
	}
	own, err := h.db.Keys().Providers(ctx)
	if err != nil {
		return err
	}
	for i, p := range own {
		var pc adminapi.ProviderConfig
		if err := json.Unmarshal([]byte(p.Config), &pc); err != nil {
			return err
		}
		if err := add(keypool.Provider{Name: p.Name, Preset: "custom", BaseURL: pc.BaseURL, Order: i + 1, Disabled: !p.Enabled}, nil); err != nil {
			return err
		}
	}
	return h.pool.Reconfigure(c)
}

// ReloadFAQ implements adminapi.Host.
func (h *house) ReloadFAQ(ctx context.Context) error {
	all, err := h.db.FAQ().All(ctx)
	if err != nil {
		return err
	}
	var entries []offline.Entry
	for _, e := range all {
		entries = append(entries, offline.Entry{ID: e.ID, Lang: e.Lang, Question: e.Question, Answer: e.Answer, Alternatives: e.Alternatives})
	}
	a := offline.New(offline.Config{Threshold: h.settings.Current().FAQ.Threshold}, nil)
	a.Load(entries)
	h.answerer.Store(a)
	return nil
}

// ReloadFilter implements adminapi.Host.
func (h *house) ReloadFilter(ctx context.Context) error {
	s := h.settings.Current().Filter
	c := filter.Config{WordsOff: !s.Words, Shadow: s.Shadow, DefaultIn: chat.Action(s.ActionIn), DefaultOut: chat.Action(s.ActionOut), Pinyin: s.Pinyin}
	x, err := adminapi.LoadFilterExtra(ctx, h.db.Values())
	if err != nil {
		return err
	}
	x.Filter(&c)
	if err := adminapi.StoredRules(ctx, h.db.Filters(), &c); err != nil {
		return err
	}
	f, err := filter.New(c)
	if err != nil {
		return err
	}
	h.filter.Set(f)
	return nil
}

// CloseVisitor implements adminapi.Host.
func (h *house) CloseVisitor(id chat.ConversationID) {
	select {
	case h.closed <- id:
	default:
	}
}

// Forget implements adminapi.Host.
func (h *house) Forget(chat.ConversationID) {}

// Paused and Pause implement adminapi.Host.
func (h *house) Paused() bool { return h.paused.Load() }

// Pause implements adminapi.Host.
func (h *house) Pause(on bool) { h.paused.Store(on) }

// Archive implements adminapi.Host.
func (h *house) Archive() adminapi.Archive { return h.cold }

// cold keeps sealed conversations in memory beside the database's own seal.
type cold struct {
	h      *house
	mu     sync.Mutex
	sealed map[chat.ConversationID][]chat.Message
}

func (c *cold) Read(_ context.Context, id chat.ConversationID) ([]chat.Message, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sealed[id], nil
}

func (c *cold) Seal(ctx context.Context, id chat.ConversationID) error {
	head, err := c.h.sessions.Head(ctx, id)
	if err != nil {
		return err
	}
	msgs, err := c.h.sessions.Messages(ctx, id, 0, 0)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.sealed[id] = msgs
	c.mu.Unlock()
	err = c.h.db.Cold().Seal(ctx, sqlite.Blob{ID: id, Version: head.Version, Codec: "test", Messages: head.LastSeq, RawSize: 10, Data: []byte("sealed")}, false)
	return errors.Join(err, c.h.sessions.Forget(ctx, id))
}

func (c *cold) Status(context.Context) (wire.ArchiveStatus, error) {
	return wire.ArchiveStatus{ClickHouse: "off"}, nil
}

func (c *cold) Test(_ context.Context, p wire.ArchiveProbe) (wire.ArchiveTest, error) {
	return wire.ArchiveTest{Text: "no server at " + p.DSN}, nil
}
func (c *cold) Run(context.Context) (wire.ArchiveRun, error) { return wire.ArchiveRun{}, nil }
func (c *cold) Troubles() []wire.Trouble                     { return nil }

// presence is who is there now, as the test says.
type presence struct {
	mu       sync.Mutex
	watching map[chat.ConversationID]int
	draft    string
	of       chat.ConversationID
	part     int
}

func (p *presence) Watching(id chat.ConversationID) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.watching[id]
}

func (p *presence) Draft(id chat.ConversationID) (int64, int, string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return 2, p.part, p.draft, p.of == id && p.draft != ""
}

func (p *presence) write(id chat.ConversationID, part int, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.of, p.part, p.draft = id, part, text
}

// The engine's other needs.
type (
	prompter  struct{}
	curated   struct{}
	filtering struct{ h *house }
	passing   struct{ v chat.Verdict }
	open_     struct{}
	owner     struct{}
	meter     struct{}
)

func (prompter) Prompt(_ context.Context, _ *chat.Conversation, _, open []chat.Message) (engine.Prompt, error) {
	q := open[len(open)-1].Text
	return engine.Prompt{Call: chat.Call{Messages: []chat.PromptMessage{{Role: "user", Content: q}}}, Trace: `{"model":"m","parts":[{"kind":"question","tokens":3}],"prompt":[{"role":"user","content":"hi"}]}`}, nil
}

func (curated) Exact(context.Context, string, string) (engine.CuratedAnswer, bool) {
	return engine.CuratedAnswer{}, false
}
func (curated) Best(context.Context, string, string) engine.CuratedAnswer {
	return engine.CuratedAnswer{Text: "Sorry."}
}
func (f filtering) Check(dir chat.Direction, text string) chat.Verdict {
	return f.h.filter.Get().Check(dir, text)
}
func (f filtering) Stream() engine.FilterStream          { return &passing{} }
func (p *passing) Push(raw []byte, emit chat.Sink) error { return emit(raw) }
func (p *passing) Close(chat.Sink) error                 { return nil }
func (p *passing) Verdict() chat.Verdict                 { return p.v }
func (p *passing) Release()                              {}
func (open_) Keep(chat.ConversationID, *chat.Message)    {}
func (open_) Mask(chat.ConversationID, *chat.Call) func(chat.Sink) (chat.Sink, func() error) {
	return nil
}
func (open_) Review(context.Context, chat.Direction, string, chat.Caller) chat.Verdict {
	return chat.Verdict{}
}
func (open_) ReviewMode() (bool, bool)                                   { return false, false }
func (owner) NeedsPerson(chat.Conversation)                              {}
func (owner) Trouble(chat.ConversationID, chat.Fault, string)            {}
func (owner) Unanswered(chat.ConversationID, string, string)             {}
func (meter) Message(chat.From)                                          {}
func (meter) Turn(*chat.TurnInfo, chat.Finish, time.Duration)            {}
func (meter) FilterHits(chat.ConversationID, chat.Direction, []chat.Hit) {}

// lateFeed passes on to a feed that is made later.
type lateFeed struct{ to atomic.Pointer[adminapi.Live] }

func (f *lateFeed) set(l *adminapi.Live)                     { f.to.Store(l) }
func (f *lateFeed) Begin(id chat.ConversationID, seq int64)  { f.to.Load().Begin(id, seq) }
func (f *lateFeed) Delta(id chat.ConversationID, raw []byte) { f.to.Load().Delta(id, raw) }
func (f *lateFeed) Abandon(id chat.ConversationID)           { f.to.Load().Abandon(id) }
func (f *lateFeed) Message(id chat.ConversationID, m *chat.Message, answer bool) {
	f.to.Load().Message(id, m, answer)
}
func (f *lateFeed) Status(id chat.ConversationID, state string, position int, mode chat.Mode) {
	f.to.Load().Status(id, state, position, mode)
}
