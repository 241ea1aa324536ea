package archive_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"haoke/backend/internal/archive"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
	"haoke/backend/internal/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// store gives the database the archive's types.
type store struct{ *sqlite.Cold }

func (s store) Seal(ctx context.Context, b archive.Blob, ship bool) error {
	return s.Cold.Seal(ctx, sqlite.Blob(b), ship)
}

func (s store) Blob(ctx context.Context, id chat.ConversationID) (archive.Blob, error) {
	b, err := s.Cold.Blob(ctx, id)
	if errors.Is(err, sqlite.ErrBadBlob) {
		err = fmt.Errorf("%w: %w", archive.ErrCorrupt, err)
	}
	return archive.Blob(b), err
}

func (s store) Stats(ctx context.Context) (archive.Stats, error) {
	v, err := s.Cold.Stats(ctx)
	return archive.Stats(v), err
}

func (s store) Outbox(ctx context.Context, limit int) ([]archive.Shipment, error) {
	rows, err := s.Cold.Outbox(ctx, limit)
	out := make([]archive.Shipment, len(rows))
	for i, r := range rows {
		out[i] = archive.Shipment(r)
	}
	return out, err
}

func (s store) Backlog(ctx context.Context) (archive.Backlog, error) {
	b, err := s.Cold.Backlog(ctx)
	return archive.Backlog(b), err
}

func (s store) Done(ctx context.Context, done []archive.Shipment, drop bool) error {
	rows := make([]sqlite.Shipment, len(done))
	for i, d := range done {
		rows[i] = sqlite.Shipment(d)
	}
	return s.Cold.Done(ctx, rows, drop)
}

var errCrash = errors.New("the program was killed here")

// failing is a store that fails from the n-th call of a kind on, before or
// after the call has had its effect: what a kill at that step looks like to
// the next start.
type failing struct {
	archive.Store
	mu     sync.Mutex
	step   string
	after  bool // the call had its effect, the answer was lost
	broken bool
	noDict bool // the dictionaries are lost
}

func (f *failing) Dict(ctx context.Context, id int64) (string, []byte, error) {
	if f.noDict {
		return "", nil, fmt.Errorf("read dictionary: %w", chat.ErrNotFound)
	}
	return f.Store.Dict(ctx, id)
}

func (f *failing) arm(step string, after bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.step, f.after, f.broken = step, after, false
}

func (f *failing) hit(step string, do func() error) error {
	f.mu.Lock()
	now, after, broken := f.step == step, f.after, f.broken
	f.broken = f.broken || now
	f.mu.Unlock()
	if broken || now && !after {
		return errCrash
	}
	if err := do(); err != nil || !now {
		return err
	}
	return errCrash
}

func (f *failing) Seal(ctx context.Context, b archive.Blob, ship bool) error {
	return f.hit("seal", func() error { return f.Store.Seal(ctx, b, ship) })
}

func (f *failing) Restore(ctx context.Context, id chat.ConversationID, msgs []chat.Message) error {
	return f.hit("restore", func() error { return f.Store.Restore(ctx, id, msgs) })
}

func (f *failing) Stamp(ctx context.Context, batch string, ids []int64) error {
	return f.hit("stamp", func() error { return f.Store.Stamp(ctx, batch, ids) })
}

func (f *failing) Fail(ctx context.Context, ids []int64, next time.Time, reason string) error {
	return f.hit("fail", func() error { return f.Store.Fail(ctx, ids, next, reason) })
}

func (f *failing) Done(ctx context.Context, done []archive.Shipment, drop bool) error {
	return f.hit("done", func() error { return f.Store.Done(ctx, done, drop) })
}

func (f *failing) AddDict(ctx context.Context, codec string, data []byte) (id int64, err error) {
	err = f.hit("dict", func() error { id, err = f.Store.AddDict(ctx, codec, data); return err })
	return id, err
}

// bench is an appliance's store, sessions and archive.
type bench struct {
	t        *testing.T
	ctx      context.Context
	db       *sqlite.DB
	fail     *failing
	sessions *session.Manager
	archive  *archive.Archive
	remote   archive.Remote
	settings archive.Settings
	now      time.Time
	busy     map[chat.ConversationID]bool
	r        *rand.Rand
}

func setUp(t *testing.T) *bench {
	t.Helper()
	b := &bench{
		t: t, ctx: context.Background(), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		settings: archive.Settings{ColdAfter: time.Hour}, busy: map[chat.ConversationID]bool{}, r: rand.New(rand.NewPCG(1, 2)),
	}
	b.open(filepath.Join(t.TempDir(), "haoke.db"))
	t.Cleanup(func() { b.db.Close() })
	return b
}

// open starts the appliance over a database, as after a kill.
func (b *bench) open(path string) {
	b.t.Helper()
	db, err := sqlite.Open(b.ctx, sqlite.Config{Path: path, Now: func() time.Time { return b.now }})
	if err != nil {
		b.t.Fatal(err)
	}
	b.db = db
	b.fail = &failing{Store: store{db.Cold()}}
	b.restart()
}

// restart makes sessions and archive anew over the open database.
func (b *bench) restart() {
	b.fail.arm("", false)
	b.archive = archive.New(archive.Config{
		Settings: func() archive.Settings { return b.settings },
		Busy:     func(id chat.ConversationID) bool { return b.busy[id] },
		Remote:   func() archive.Remote { return b.remote },
		Now:      func() time.Time { return b.now },
	}, b.fail)
	b.sessions = session.New(session.Config{Now: func() time.Time { return b.now }}, b.db.Conversations(),
		session.WithThawer(b.archive), session.WithPurger(b.archive))
	b.archive.SetSessions(b.sessions)
}

// talk writes a conversation of n exchanges.
func (b *bench) talk(n int) chat.ConversationID {
	b.t.Helper()
	id := chat.NewConversationID()
	for i := range n {
		msgs := []chat.Message{
			{From: chat.FromVisitor, Text: fmt.Sprintf("Where is my order %d? 我的订单在哪里", b.r.IntN(1e6)), ClientID: fmt.Sprintf("%032x", b.r.Uint64())},
			{From: chat.FromAI, Text: fmt.Sprintf("Your order left on the %d. of May.", b.r.IntN(28)), Finish: chat.FinishStop,
				Turn: &chat.TurnInfo{Provider: "openai", Key: "main", Model: "gpt-4o-mini", Prompt: 300 + i, Completion: 20, Cost: 0.000123, FirstTokenUS: 400_000, TotalUS: 900_000}},
		}
		if _, err := b.sessions.Append(b.ctx, id, session.Append{Create: &chat.Conversation{Site: "default"}, Messages: msgs}); err != nil {
			b.t.Fatal(err)
		}
	}
	return id
}

func (b *bench) messages(id chat.ConversationID) []chat.Message {
	b.t.Helper()
	msgs, err := b.sessions.Messages(b.ctx, id, 0, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	return append([]chat.Message(nil), msgs...)
}

func (b *bench) cold(id chat.ConversationID) bool {
	b.t.Helper()
	cold, _, err := b.fail.State(b.ctx, id)
	if err != nil {
		b.t.Fatal(err)
	}
	return cold
}

func (b *bench) sweep() (sealed, shipped int) {
	b.t.Helper()
	sealed, shipped, err := b.archive.Sweep(b.ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	return sealed, shipped
}

func same(t *testing.T, got, want []chat.Message) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("messages differ:\n got %+v\nwant %+v", got, want)
	}
}

// A silent conversation is sealed, read without being thawed, and goes on at
// the next seq when its visitor returns.
func TestSealReadThawContinue(t *testing.T) {
	b := setUp(t)
	id, fresh := b.talk(20), chat.ConversationID("")
	want := b.messages(id)
	b.now = b.now.Add(2 * time.Hour)
	fresh = b.talk(1)
	if sealed, _ := b.sweep(); sealed != 1 || !b.cold(id) || b.cold(fresh) {
		t.Fatalf("sealed %d, cold %v, fresh cold %v", sealed, b.cold(id), b.cold(fresh))
	}
	got, err := b.archive.Read(b.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, want)
	if !b.cold(id) {
		t.Error("reading thawed it")
	}
	out, err := b.sessions.Append(b.ctx, id, session.Append{Messages: []chat.Message{{From: chat.FromVisitor, Text: "me again", ClientID: "x1"}}})
	if err != nil || out.Head.LastSeq != 41 || b.cold(id) {
		t.Fatalf("append: %+v %v", out.Head, err)
	}
	same(t, b.messages(id)[:40], want)
	// An id from before it was sealed is still known.
	again, err := b.sessions.Append(b.ctx, id, session.Append{Messages: []chat.Message{{From: chat.FromVisitor, Text: "?", ClientID: want[0].ClientID}}})
	if err != nil || !again.Duplicate || again.Messages[0].Seq != 1 {
		t.Errorf("repeated id: %+v %v", again, err)
	}
	b.now = b.now.Add(2 * time.Hour)
	if sealed, _ := b.sweep(); sealed != 2 {
		t.Errorf("sealed %d the second time", sealed)
	}
	same(t, b.messages(id)[:40], want)
}

func TestBusyAndPendingStayWarm(t *testing.T) {
	b := setUp(t)
	busy, open, idle := b.talk(1), b.talk(1), b.talk(1)
	b.busy[busy] = true
	if _, err := b.sessions.Update(b.ctx, open, func(c *chat.Conversation) { c.Pending = 1 }); err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(2 * time.Hour)
	if sealed, _ := b.sweep(); sealed != 1 || b.cold(busy) || b.cold(open) || !b.cold(idle) {
		t.Errorf("sealed %d: busy %v open %v idle %v", sealed, b.cold(busy), b.cold(open), b.cold(idle))
	}
	if err := b.archive.Seal(b.ctx, busy); !errors.Is(err, archive.ErrBusy) {
		t.Errorf("seal of a busy one: %v", err)
	}
	if err := b.archive.Seal(b.ctx, idle); err != nil {
		t.Errorf("seal of a cold one: %v", err)
	}
	if err := b.archive.Seal(b.ctx, "0"); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("seal of none: %v", err)
	}
}

// A dictionary is trained before a large first round, so that the round itself
// profits, and everything sealed before and after stays readable.
func TestDictionaryIsTrained(t *testing.T) {
	b := setUp(t)
	early := b.talk(10)
	wantEarly := b.messages(early)
	if err := b.archive.Seal(b.ctx, early); err != nil {
		t.Fatal(err)
	}
	if blob, _ := b.fail.Blob(b.ctx, early); blob.Codec != archive.Snappy {
		t.Errorf("before there is a dictionary: %s", blob.Codec)
	}
	want := map[chat.ConversationID][]chat.Message{early: wantEarly}
	for range 80 {
		id := b.talk(10)
		want[id] = b.messages(id)
	}
	b.now = b.now.Add(2 * time.Hour)
	if sealed, _ := b.sweep(); sealed != 80 {
		t.Fatalf("sealed %d", sealed)
	}
	b.restart() // the dictionary comes from the store
	for id, msgs := range want {
		blob, err := b.fail.Blob(b.ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if id != early && (blob.Codec != archive.Mix || blob.Dict == 0) {
			t.Fatalf("sealed with %s %d", blob.Codec, blob.Dict)
		}
		got, err := b.archive.Read(b.ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		same(t, got, msgs)
	}
	h, err := b.archive.Health(b.ctx)
	if err != nil || h.Stats.Sealed != 81 {
		t.Fatalf("%+v %v", h, err)
	}
	if ratio := float64(h.Stats.RawSize) / float64(h.Stats.Size); ratio < 8 {
		t.Errorf("ratio %.1f", ratio)
	}
}

// A kill at any step leaves a conversation whole, and the next start finishes
// the work.
func TestKilledAtEachStep(t *testing.T) {
	for _, step := range []string{"dict", "seal", "stamp", "done", "restore"} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s after=%v", step, after), func(t *testing.T) {
				b := setUp(t)
				if step != "dict" { // trained dictionaries have their own steps
					b.settings.Codec = archive.Snappy
				}
				far := newShelf()
				b.remote = far
				want := map[chat.ConversationID][]chat.Message{}
				for range 70 {
					id := b.talk(2)
					want[id] = b.messages(id)
				}
				b.now = b.now.Add(2 * time.Hour)
				b.fail.arm(step, after)
				b.archive.Sweep(b.ctx)
				for id := range want { // thaw one in two
					if b.r.IntN(2) == 0 {
						b.sessions.Messages(b.ctx, id, 0, 0)
					}
				}
				b.restart()
				for id, msgs := range want {
					same(t, b.messages(id), msgs)
				}
				if _, _, err := b.archive.Sweep(b.ctx); err != nil {
					t.Fatal(err)
				}
				h, err := b.archive.Health(b.ctx)
				if err != nil || h.Backlog.Entries != 0 || h.Stats.Sealed != 70 || h.Stats.Shipped != 70 {
					t.Fatalf("%+v %v", h, err)
				}
				for id, msgs := range want {
					got, err := b.archive.Read(b.ctx, id)
					if err != nil {
						t.Fatal(err)
					}
					same(t, got, msgs)
				}
			})
		}
	}
}

// A damaged blob is reported; all others are read, and a shipped copy stands
// in for it.
func TestCorruptBlob(t *testing.T) {
	b := setUp(t)
	bad, good := b.talk(5), b.talk(5)
	want := b.messages(good)
	b.now = b.now.Add(2 * time.Hour)
	b.sweep()
	path := b.db.Path()
	blob, err := b.fail.Blob(b.ctx, bad)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.db.Settle(b.ctx); err != nil { // WAL into the file
		t.Fatal(err)
	}
	b.db.Close()
	scratch(t, path, blob.Data)
	b.open(path)
	if _, err := b.archive.Read(b.ctx, bad); !errors.Is(err, archive.ErrCorrupt) {
		t.Errorf("read: %v", err)
	}
	if _, err := b.sessions.Messages(b.ctx, bad, 0, 0); !errors.Is(err, archive.ErrCorrupt) {
		t.Errorf("thaw: %v", err)
	}
	if !b.cold(bad) {
		t.Error("a damaged conversation was thawed")
	}
	same(t, b.messages(good), want)
	h, err := b.archive.Health(b.ctx)
	if err != nil || h.Corrupt != 1 {
		t.Errorf("%+v %v", h, err)
	}
	// Shipping goes on around it.
	far := newShelf()
	b.remote = far
	next := b.talk(5)
	if err := b.archive.Seal(b.ctx, next); err != nil {
		t.Fatal(err)
	}
	if _, shipped := b.sweep(); shipped != 2 { // good was thawed above and is sealed again
		t.Errorf("shipped %d", shipped)
	}
}

// scratch turns one byte of data over where it stands in the file.
func scratch(t *testing.T, path string, data []byte) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := min(len(data), 64)
	at := strings.Index(string(file), string(data[:n]))
	if at < 0 {
		t.Fatal("the blob is not found in the file")
	}
	file[at+n/2] ^= 0x10
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
}
