package archive

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"haoke/backend/internal/chat"
)

// Settings are what the owner may change at any time.
type Settings struct {
	ColdAfter  time.Duration // silence until a conversation is sealed; 0: never by itself
	Codec      string        // auto, snappy, s2 or zstd; empty: auto
	KeepLocal  bool          // keep blobs here after they were shipped
	MaxBacklog int64         // bytes waiting to be shipped before the owner is warned; 0: no warning
}

// Config is how an Archive works.
type Config struct {
	// Settings are asked before each round; nil: all defaults.
	Settings func() Settings
	// Busy says that a conversation must not be sealed now; nil: never.
	Busy func(chat.ConversationID) bool
	// Remote is the server to ship to; nil, or returning nil: none.
	Remote func() Remote
	// Shipped is told how many conversations were shipped; may be nil.
	Shipped func(n int)
	// Every is the pause between rounds; 0: 30 s, or less where ColdAfter is
	// shorter than a few minutes.
	Every time.Duration
	// BatchBytes bounds the raw bytes of a batch, which is one insert;
	// 0: 16 MiB. One conversation that is larger goes alone.
	BatchBytes int64
	Now        func() time.Time // nil: time.Now
	Log        *slog.Logger     // nil: nowhere
}

const (
	// dueAtOnce is how many conversations one round looks up at a time.
	dueAtOnce = 200
	// batchRows bounds the conversations of one batch.
	batchRows = 500
	// enqueueAtOnce bounds what is put into the outbox in one commit.
	enqueueAtOnce = 1000
)

// Archive is the cold tier. It is safe for concurrent use; Run does its
// background work.
type Archive struct {
	cfg      Config
	store    Store
	sessions Sessions
	codecs   *Codecs
	trainer  trainer
	kick     chan struct{}

	// round is held by whoever seals by the list or ships, so that "archive
	// now" and the background do not do the same work twice.
	round    chan struct{}
	enqueued atomic.Bool // the outbox has what was sealed before there was a remote
	warmed   bool        // the latest dictionary is in memory; Run's own

	mu       sync.Mutex
	ship     shipState
	corrupt  map[chat.ConversationID]string
	sealFail error
}

// New returns an Archive over its store. Sessions may be given later by
// SetSessions, because the sessions ask the archive to thaw.
func New(cfg Config, store Store) *Archive {
	if cfg.Settings == nil {
		cfg.Settings = func() Settings { return Settings{} }
	}
	if cfg.Busy == nil {
		cfg.Busy = func(chat.ConversationID) bool { return false }
	}
	if cfg.Remote == nil {
		cfg.Remote = func() Remote { return nil }
	}
	if cfg.Shipped == nil {
		cfg.Shipped = func(int) {}
	}
	if cfg.BatchBytes <= 0 {
		cfg.BatchBytes = 16 << 20
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Archive{
		cfg: cfg, store: store, codecs: NewCodecs(store), kick: make(chan struct{}, 1), round: make(chan struct{}, 1),
		corrupt: map[chat.ConversationID]string{},
	}
}

// SetSessions gives the warm side. It must be called once, before Run, Seal,
// SealDue or Read.
func (a *Archive) SetSessions(s Sessions) { a.sessions = s }

// Kick makes Run begin a round now, for example after settings changed. It
// forgets a back-off, so that a repaired server is tried at once.
func (a *Archive) Kick() {
	a.mu.Lock()
	a.ship.until = time.Time{}
	a.mu.Unlock()
	a.enqueued.Store(false)
	select {
	case a.kick <- struct{}{}:
	default:
	}
}

// Run seals what has been silent for long and ships what waits, round after
// round, until ctx ends. It returns nil then: what goes wrong in a round is
// logged, shown by Health, and tried again.
func (a *Archive) Run(ctx context.Context) error {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		case <-a.kick:
		}
		a.step(ctx)
		a.warm(ctx)
		t.Reset(a.pause())
	}
}

// warm primes the codec of sealed conversations, which takes most of a second,
// so that the first visitor who returns does not wait for it. Where nothing is
// sealed with a dictionary it costs neither time nor memory.
func (a *Archive) warm(ctx context.Context) {
	if a.warmed || ctx.Err() != nil {
		return
	}
	id, err := a.store.LatestDict(ctx, Mix)
	if err == nil && id > 0 {
		_, err = a.codecs.mixerFor(ctx, id)
		a.warmed = err == nil
	}
	if err != nil && ctx.Err() == nil {
		a.cfg.Log.Warn("the dictionary of archived conversations cannot be read", "id", id, "err", err)
	}
}

// Bounds of the pause between rounds.
const (
	pauseMost  = 30 * time.Second
	pauseLeast = time.Second
)

func (a *Archive) pause() time.Duration {
	if a.cfg.Every > 0 {
		return a.cfg.Every
	}
	if after := a.cfg.Settings().ColdAfter; after > 0 {
		return min(max(after/4, pauseLeast), pauseMost)
	}
	return pauseMost
}

// step is one round of Run.
func (a *Archive) step(ctx context.Context) {
	if !a.enter(ctx) {
		return
	}
	defer a.leave()
	s := a.cfg.Settings()
	if s.ColdAfter > 0 {
		if _, err := a.sealDue(ctx, a.cfg.Now().Add(-s.ColdAfter), s, true); err != nil && ctx.Err() == nil {
			a.cfg.Log.Warn("conversations could not be archived; they stay as they are", "err", err)
		}
	}
	if _, err := a.shipAll(ctx, s, false); err != nil && ctx.Err() == nil {
		a.cfg.Log.Warn("archived conversations could not be shipped; they are kept here and tried again", "err", err)
	}
}

// Sweep does a round now and returns what it did: seals what is due and ships
// what waits, a back-off notwithstanding.
func (a *Archive) Sweep(ctx context.Context) (sealed, shipped int, err error) {
	if !a.enter(ctx) {
		return 0, 0, ctx.Err()
	}
	defer a.leave()
	s := a.cfg.Settings()
	if s.ColdAfter > 0 {
		if sealed, err = a.sealDue(ctx, a.cfg.Now().Add(-s.ColdAfter), s, false); err != nil {
			return sealed, 0, err
		}
	}
	shipped, err = a.shipAll(ctx, s, true)
	return sealed, shipped, err
}

func (a *Archive) enter(ctx context.Context) bool {
	select {
	case a.round <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (a *Archive) leave() { <-a.round }

// Health is how the archive is.
type Health struct {
	Stats   Stats
	Backlog Backlog
	// Failures counts batches that failed since the last success.
	Failures int
	Reason   string    // of the latest failure; empty: none
	NextTry  time.Time // zero: at once
	LastShip time.Time // zero: not since the start
	Corrupt  int       // blobs that could not be read since the start
	// SealFault is why the last sealing failed; nil: it did not.
	SealFault error
}

// Health returns the figures of this moment.
func (a *Archive) Health(ctx context.Context) (Health, error) {
	var h Health
	var err error
	if h.Stats, err = a.store.Stats(ctx); err != nil {
		return h, err
	}
	if h.Backlog, err = a.store.Backlog(ctx); err != nil {
		return h, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	h.Failures, h.Reason, h.LastShip = a.ship.failures, a.ship.reason, a.ship.last
	if a.ship.until.After(a.cfg.Now()) {
		h.NextTry = a.ship.until
	}
	h.Corrupt, h.SealFault = len(a.corrupt), a.sealFail
	return h, nil
}

// corruptKept bounds the damaged blobs that are remembered by name.
const corruptKept = 10_000

// noteCorrupt remembers a blob that could not be read.
func (a *Archive) noteCorrupt(id chat.ConversationID, err error) {
	if !errors.Is(err, ErrCorrupt) {
		return
	}
	a.mu.Lock()
	_, known := a.corrupt[id]
	if len(a.corrupt) < corruptKept {
		a.corrupt[id] = err.Error()
	}
	a.mu.Unlock()
	if !known {
		a.cfg.Log.Error("an archived conversation is damaged; restore it from a backup", "conversation", id, "err", err)
	}
}

// apiMessage is a message as the admin API carries it. The bytes of a
// conversation in this form are what compression is measured against.
type apiMessage struct {
	Seq     int64          `json:"seq"`
	From    chat.From      `json:"from"`
	Text    string         `json:"text"`
	At      time.Time      `json:"at"`
	ID      string         `json:"id,omitempty"`
	Finish  chat.Finish    `json:"finish,omitempty"`
	Author  string         `json:"author,omitempty"`
	Sources []chat.Source  `json:"sources,omitempty"`
	Mark    string         `json:"mark,omitempty"`
	Turn    *chat.TurnInfo `json:"turn,omitempty"`
}

// RawJSON returns a conversation's messages as the API carries them.
func RawJSON(msgs []chat.Message) ([]byte, error) {
	out := make([]apiMessage, len(msgs))
	for i := range msgs {
		m := &msgs[i]
		out[i] = apiMessage{m.Seq, m.From, m.Text, m.At, m.ClientID, m.Finish, m.Author, m.Sources, m.Mark, m.Turn}
	}
	return json.Marshal(out)
}
