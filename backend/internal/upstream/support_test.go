package upstream

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/codec"
	"haoke/backend/internal/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gate is an Admitter over a list of targets, first in first served, that
// checks that every lease comes back exactly once.
type gate struct {
	mu       sync.Mutex
	targets  []chat.Target
	asks     []chat.Ask
	outcomes []chat.Outcome
	waiting  []string // visitors who came to a closed gate
	out      int
	hold     chan struct{} // when set, Acquire waits for it
	refuse   func(chat.Ask) error
}

type lease struct {
	g      *gate
	target chat.Target
	once   sync.Once
}

func (g *gate) Acquire(ctx context.Context, ask chat.Ask) (chat.Lease, error) {
	if g.hold != nil {
		g.mu.Lock()
		g.waiting = append(g.waiting, ask.Visitor)
		g.mu.Unlock()
		if ask.Queued != nil {
			ask.Queued(1)
		}
		select {
		case <-g.hold:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asks = append(g.asks, ask)
	if g.refuse != nil {
		if err := g.refuse(ask); err != nil {
			return nil, err
		}
	}
next:
	for _, t := range g.targets {
		for _, not := range ask.NotKeys {
			if not == t.Key {
				continue next
			}
		}
		g.out++
		return &lease{g: g, target: t}, nil
	}
	return nil, &chat.UpstreamError{Fault: chat.FaultNoKey, Reason: "no key is left"}
}

func (l *lease) Target() chat.Target { return l.target }

func (l *lease) Done(o chat.Outcome) (cost float64) {
	l.once.Do(func() {
		l.g.mu.Lock()
		defer l.g.mu.Unlock()
		l.g.out--
		o.Header = o.Header.Clone()
		l.g.outcomes = append(l.g.outcomes, o)
		cost = float64(o.Usage.Prompt + o.Usage.Completion)
	})
	return cost
}

func (g *gate) outstanding() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.out
}

// watcher is an Observer that remembers.
type watcher struct {
	mu       sync.Mutex
	attempts []Attempt
	saved    []string
}

func (w *watcher) Dialed(string) {}
func (w *watcher) Attempt(a Attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.attempts = append(w.attempts, a)
}
func (w *watcher) Saved(how string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.saved = append(w.saved, how)
}

// rig is a client against a simulator.
type rig struct {
	*Client
	sim   *sim.Server
	url   string
	gate  *gate
	watch *watcher
}

func newRig(t testing.TB, cfg Config, sc sim.Config) *rig {
	t.Helper()
	r := &rig{sim: sim.New(sc), watch: &watcher{}}
	srv := httptest.NewUnstartedServer(r.sim.Handler())
	srv.Config.ConnState = r.sim.ConnState
	srv.Start()
	r.url = srv.URL + "/v1"
	r.gate = &gate{targets: []chat.Target{{Provider: "sim", BaseURL: r.url, Key: "main", Secret: "sk-test-secret-1", Model: "gpt-4o-mini", StreamUsage: true}}}
	if cfg.Model == "" {
		cfg.Model = "gpt-4o-mini"
	}
	r.Client = New(cfg, r.gate, r.watch)
	t.Cleanup(func() {
		r.Close()
		srv.CloseClientConnections()
		srv.Close()
		if n := r.gate.outstanding(); n != 0 {
			t.Errorf("%d leases did not come back", n)
		}
		if n := r.Stats(); n.Inflight != 0 || n.Flights != 0 {
			t.Errorf("left behind: %+v", n)
		}
	})
	return r
}

func question(text string) chat.Call {
	return chat.Call{Messages: []chat.PromptMessage{{Role: chat.RoleSystem, Content: "You help."}, {Role: chat.RoleUser, Content: text}}}
}

// text collects an answer's pieces.
type text struct {
	b      strings.Builder
	pieces int
}

func (x *text) sink(raw []byte) error {
	s, err := codec.Unquote(raw)
	x.b.WriteString(s)
	x.pieces++
	return err
}

func (r *rig) ask(ctx context.Context, q string) (string, chat.Result, error) {
	var x text
	res, err := r.Answer(ctx, question(q), chat.Caller{Conversation: "c1"}, x.sink)
	return x.b.String(), res, err
}

func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}
