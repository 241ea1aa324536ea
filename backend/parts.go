package backend

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"time"

	"haoke/backend/internal/adminapi"
	"haoke/backend/internal/admit"
	"haoke/backend/internal/archive"
	"haoke/backend/internal/auth"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/engine"
	"haoke/backend/internal/filter"
	"haoke/backend/internal/gateway"
	"haoke/backend/internal/httpd"
	"haoke/backend/internal/keypool"
	"haoke/backend/internal/logs"
	"haoke/backend/internal/metrics"
	"haoke/backend/internal/offline"
	"haoke/backend/internal/prompt"
	"haoke/backend/internal/secret"
	"haoke/backend/internal/session"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/tokens"
	"haoke/backend/internal/upload"
	"haoke/backend/internal/upstream"
)

// parts is everything between the stores and the listeners.
type parts struct {
	b        *Backend
	db       *sqlite.DB
	settings *settings.Store
	log      *slog.Logger

	metrics    *metrics.Recorder
	counter    *tokens.Counter
	sessions   *session.Manager
	faq        *sqlite.FAQ
	answerer   atomic.Pointer[offline.Answerer]
	demoSilent atomic.Bool // the demo's FAQ entries are not said
	faqMute    atomic.Pointer[func(sqlite.FAQEntry) bool]
	prompts    *prompt.Builder
	summariser *prompt.Summariser
	filter     filter.Holder
	pool       *keypool.Pool
	gate       *admit.Gate
	upstream   *upstream.Client
	hub        *gateway.Hub
	feed       *fanout
	engine     *engine.Engine
	gateway    *gateway.Gateway
	troubles   troubles
	hits       *hitLog
	faqNotes   *faqNotes
	ledger     *sqlite.Ledger
	forms      addressLimit
	sealer     *secret.Sealer
	auth       *auth.Guard
	api        *adminapi.API
	protect    *protection
	paused     atomic.Bool
	// blockedText is what the owner wants a blocked visitor to read.
	blockedText atomic.Pointer[string]
	uploads     *upload.Store
	archive     *archive.Archive
	farther     *farther

	live        atomic.Pointer[gateway.Live]
	epoch       string
	localToken  string
	publicTLS   *tls.Config
	adminTLS    *tls.Config
	unsubscribe func()
}

// build makes the parts from the bottom up. What it starts is started by
// background.
func build(ctx context.Context, b *Backend) (*parts, error) {
	p := &parts{b: b, db: b.db, settings: b.settings, log: b.log}
	if err := p.attachSettings(ctx); err != nil {
		return nil, err
	}
	s := b.settings.Current()
	var err error
	if p.publicTLS, err = loadTLS("server", s.Server.TLSCert, s.Server.TLSKey); err != nil {
		return nil, &ConfigError{err}
	}
	if p.adminTLS, err = loadTLS("admin", s.Admin.TLSCert, s.Admin.TLSKey); err != nil {
		return nil, &ConfigError{err}
	}
	if p.localToken, err = randomHex(32); err != nil {
		return nil, err
	}
	p.metrics = metrics.New(metrics.Config{Store: rollups{b.db.Points()}, Days: s.Privacy.MetricDays, Log: b.log})
	p.counter = tokens.New(tokens.Config{})
	p.buildCold()
	p.sessions = session.New(session.Config{HotCapacity: s.Session.HotCapacity, HotBytes: int64(s.Session.HotBytes)}, b.db.Conversations(),
		session.WithThawer(p.archive), session.WithPurger(purger{p}))
	p.archive.SetSessions(p.sessions)
	p.troubles = troubles{b.log}
	p.hits = newHitLog(b.db.Filters(), b.log)
	p.ledger = b.db.NewLedger()

	if p.uploads, err = upload.Open(filepath.Join(b.dir, "files")); err != nil {
		return nil, err
	}
	if err := p.buildAnswers(ctx, s); err != nil {
		return nil, err
	}
	if err := p.buildUpstream(ctx, s); err != nil {
		return nil, err
	}
	if err := p.buildFilter(ctx, s); err != nil {
		return nil, &ConfigError{err}
	}
	if err := p.buildProtection(s); err != nil {
		return nil, &ConfigError{err}
	}
	if err := p.buildFront(ctx); err != nil {
		return nil, err
	}
	if err := p.buildAuth(ctx, s); err != nil {
		return nil, err
	}
	if err := p.buildAdmin(b); err != nil {
		return nil, err
	}
	p.watchGauges()
	p.watchCold()
	p.unsubscribe = b.settings.Subscribe(p.apply)
	return p, nil
}

// buildFront makes engine and gateway.
func (p *parts) buildFront(ctx context.Context) error {
	secret, err := p.keptSecret(ctx, "visitor_token_secret")
	if err != nil {
		return err
	}
	if p.epoch, err = p.kept(ctx, "epoch", gateway.NewEpoch); err != nil {
		return err
	}
	if err := p.refreshLive(p.settings.Current()); err != nil {
		return &ConfigError{err}
	}
	p.hub = gateway.NewHub(p.sessions)
	p.feed = &fanout{visitors: p.hub}
	current := p.settings.Current
	p.engine = engine.New(engine.Config{
		BurstWait:   current().Burst.TypingWait,
		Drain:       drain,
		Pace:        15 * time.Millisecond,
		Deadline:    func() time.Duration { return current().Limits.QueueWait },
		Epoch:       func() string { return p.epoch },
		DefaultMode: func() chat.Mode { return p.live.Load().DefaultMode },
		Offline:     p.offlineOnly,
		BlockedText: func() string { return *p.blockedText.Load() },
		Paused:      p.paused.Load,
		PeopleAtCap: func() bool { return current().Limits.AtCap == "people" },
		KeepTrace:   func() bool { return current().Context.KeepPrompt },
	}, engine.Deps{
		Sessions: p.sessions, Upstream: p.upstream, Prompter: prompter{p}, Curated: curated{p}, Filter: filtering{p},
		Guard: p.protect, Feed: p.feed, Owner: owner{p}, Meter: meter{p}, Log: p.log,
	})
	p.gateway, err = gateway.New(gateway.Config{
		Secret: secret, Live: p.live.Load, ClientIP: httpd.ClientIP, Line: httpd.Line, KeepIP: p.keptIP,
		Told: func(id chat.ConversationID) { p.api.Live().Changed(id) },
	}, p.hub, turns{p.engine, p}, p.sessions, meter{p}, p.log)
	return err
}

// offlineOnly: no upstream is configured, the FAQ answers alone.
func (p *parts) offlineOnly() bool {
	return p.settings.Current().Upstream.BaseURL == "" && len(p.gate.Snapshot().Keys) == 0
}

// background hands every long-lived part to the group.
func (p *parts) background(ctx context.Context, start func(func() error)) {
	for _, run := range []func(context.Context) error{
		p.db.Run, p.ledger.Run, p.hits.run, p.faqNotes.run, p.metrics.Run, p.counter.Run, p.gate.Run, p.upstream.Run, p.summariser.Run, p.keepHours, p.api.Run, p.api.Live().Run, p.archive.Run, p.retain,
	} {
		start(func() error { return run(ctx) })
	}
}

// close ends what does not end with a context.
func (p *parts) close() {
	if p.unsubscribe != nil {
		p.unsubscribe()
	}
	if p.upstream != nil {
		p.upstream.Close()
	}
	if p.farther != nil {
		p.farther.close()
	}
}

// apply brings changed settings into the running parts. What needs a restart
// is marked so in the settings' descriptions.
func (p *parts) apply(old, now *settings.Settings) {
	if err := p.refreshLive(now); err != nil {
		p.log.Error("the new settings of the visitors' side are not usable; the old ones stay", "err", err)
	}
	if err := p.protect.configure(now); err != nil {
		p.log.Error("the new settings of the review are not usable; the old ones stay", "err", err)
	}
	if err := p.reconfigureUpstream(context.Background(), now); err != nil {
		p.log.Error("the new settings of the upstream are not usable; the old ones stay", "err", err)
	}
	if !reflect.DeepEqual(old.Filter, now.Filter) {
		if err := p.rebuildFilter(context.Background(), now); err != nil {
			p.log.Error("the new filter settings are not usable; the old ones stay", "err", err)
		}
	}
	if old.Server.PublicAddr != now.Server.PublicAddr {
		p.move("public", p.b.public, now.Server.PublicAddr)
	}
	if old.Server.AdminAddr != now.Server.AdminAddr {
		p.move("admin", p.b.admin, now.Server.AdminAddr)
	}
	if old.Archive != now.Archive || old.Session.ColdAfter != now.Session.ColdAfter {
		p.archive.Kick()
	}
	if level, err := logLevel(now.Log.Level); err == nil {
		p.b.logs.SetLevel(level)
	}
	p.b.logs.SetVisitorText(now.Log.VisitorText)
}

// kept is a value that is made once and then lives in the database.
func (p *parts) kept(ctx context.Context, name string, fresh func() string) (string, error) {
	v, err := p.db.Values().Get(ctx, name)
	if err != nil || v != "" {
		return v, err
	}
	v = fresh()
	return v, p.db.Values().Set(ctx, name, v)
}

// keptSecret is a random secret of 32 bytes, made at the first start.
func (p *parts) keptSecret(ctx context.Context, name string) ([]byte, error) {
	var random string
	var err error
	if random, err = randomHex(32); err != nil {
		return nil, err
	}
	text, err := p.kept(ctx, name, func() string { return random })
	if err != nil {
		return nil, err
	}
	secret, err := hex.DecodeString(text)
	if err != nil || len(secret) != 32 {
		return nil, fmt.Errorf("the stored %s is damaged; remove it from the table meta to start with a new one", name)
	}
	return secret, nil
}

func randomHex(n int) (string, error) {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("random bytes: %w", err)
	}
	return hex.EncodeToString(b), nil
}

func loadTLS(section, cert, key string) (*tls.Config, error) {
	if cert == "" && key == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%s.tls_cert and %s.tls_key: %w", section, section, err)
	}
	// HTTP/1.1 only: WebSockets need it, and nothing here gains by HTTP/2.
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}, nil
}

func logLevel(name string) (slog.Level, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(name)); err != nil {
		return l, fmt.Errorf("log.level: %w", err)
	}
	return l, nil
}

func newLogs(s *settings.Settings, c Config) (*logs.Log, error) {
	level, err := logLevel(s.Log.Level)
	if err != nil {
		return nil, err
	}
	return logs.New(logs.Config{Out: c.LogOutput, Level: level, Format: s.Log.Format, Lines: s.Log.Lines, VisitorText: s.Log.VisitorText}), nil
}
