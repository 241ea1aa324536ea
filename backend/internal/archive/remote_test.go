package archive_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"haoke/backend/internal/archive"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/clickhouse"
	"haoke/backend/internal/session"
	"haoke/backend/internal/testkit/clickhousetest"
)

// house gives a real ClickHouse the archive's types, and can lose answers.
type house struct {
	s    *clickhouse.Server
	lose int // so many answers of Ship get lost after the work was done
}

func (h *house) Ship(ctx context.Context, batch string, again bool, rows []archive.Sealed) error {
	out := make([]clickhouse.Session, len(rows))
	for i, r := range rows {
		out[i] = clickhouse.Session{Head: r.Head, Blob: clickhouse.Blob(r.Blob), Messages: r.Messages, Dict: r.Dict}
	}
	err := h.s.Ship(ctx, batch, again, out)
	if err == nil && h.lose > 0 {
		h.lose--
		return errors.New("the answer was lost")
	}
	return err
}

func (h *house) Fetch(ctx context.Context, id chat.ConversationID, version int64) (archive.Blob, error) {
	b, err := h.s.Fetch(ctx, id, version)
	return archive.Blob(b), err
}

func (h *house) Delete(ctx context.Context, ids []chat.ConversationID) error {
	err := h.s.Delete(ctx, ids)
	if errors.Is(err, clickhouse.ErrUnderWay) {
		err = archive.ErrUnderWay
	}
	return err
}

// A day with a real ClickHouse: shipped and dropped, read and continued, an
// answer lost, the server down for long and back, everything there once.
func TestRealClickHouse(t *testing.T) {
	srv := clickhousetest.Start(t, clickhousetest.Options{})
	server, err := clickhouse.New(clickhouse.Config{DSN: srv.DSN("", "haoke")})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	far := &house{s: server}
	b := setUp(t)
	b.remote = far
	want := map[chat.ConversationID][]chat.Message{}
	add := func(n int) {
		for range n {
			id := b.talk(4)
			want[id] = b.messages(id)
		}
		b.now = b.now.Add(2 * time.Hour)
	}
	add(70)
	if sealed, shipped := b.sweep(); sealed != 70 || shipped != 70 {
		t.Fatalf("sealed %d shipped %d", sealed, shipped)
	}
	h, err := b.archive.Health(b.ctx)
	if err != nil || h.Stats.Local != 0 || h.Backlog.Entries != 0 {
		t.Fatalf("%+v %v", h, err)
	}
	readAll := func(when string) {
		t.Helper()
		for id, msgs := range want {
			got, err := b.archive.Read(b.ctx, id)
			if err != nil {
				t.Fatalf("%s: %v", when, err)
			}
			same(t, got, msgs)
		}
	}
	readAll("shipped")

	// An answer is lost after the work was done: the batch is repeated.
	far.lose = 1
	add(5)
	if _, _, err := b.archive.Sweep(b.ctx); err == nil {
		t.Fatal("the lost answer went unnoticed")
	}
	b.now = b.now.Add(time.Hour)
	if _, shipped := b.sweep(); shipped != 5 {
		t.Fatalf("shipped %d again", shipped)
	}

	// Down for a day, with appliances going on, and somebody wants to be
	// forgotten just then.
	srv.Kill()
	var gone chat.ConversationID
	for gone = range want {
		break
	}
	was, err := b.db.Cold().Blob(b.ctx, gone)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.sessions.Delete(b.ctx, gone); err != nil {
		t.Fatal(err)
	}
	delete(want, gone)
	for range 24 {
		add(1)
		b.archive.Sweep(b.ctx)
	}
	if h, err = b.archive.Health(b.ctx); err != nil || h.Failures == 0 || h.Reason == "" || h.Backlog.Entries != 25 || h.NextTry.IsZero() {
		t.Fatalf("%+v %v", h, err)
	}
	if err := srv.Up(); err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(time.Hour)
	if _, shipped := b.sweep(); shipped != 24 {
		t.Fatalf("shipped %d after the outage", shipped)
	}
	readAll("after the outage")
	for range 50 { // the server deletes in its own time
		b.now = b.now.Add(time.Hour)
		if h, err = b.archive.Health(b.ctx); err != nil || h.Backlog.Entries == 0 {
			break
		}
		b.sweep()
	}
	if _, err := far.Fetch(b.ctx, gone, was.Version); h.Backlog.Entries != 0 || !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("the deletion wished for during the outage: %d entries wait, %v", h.Backlog.Entries, err)
	}

	// One returns, and goes on at the next seq; sealed and shipped again it is
	// still there once.
	var back chat.ConversationID
	for back = range want {
		break
	}
	out, err := b.sessions.Append(b.ctx, back, session.Append{Messages: []chat.Message{{From: chat.FromVisitor, Text: "me again", ClientID: "z"}}})
	if err != nil || out.Head.LastSeq != 9 {
		t.Fatalf("%+v %v", out, err)
	}
	want[back] = b.messages(back)
	b.now = b.now.Add(2 * time.Hour)
	b.sweep()
	readAll("continued")

	// Deletion reaches the server.
	if err := b.sessions.Delete(b.ctx, back); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		b.now = b.now.Add(time.Hour)
		b.sweep()
		if h, _ = b.archive.Health(b.ctx); h.Backlog.Entries == 0 {
			break
		}
	}
	delete(want, back)
	readAll("after a deletion")
	if _, err := b.archive.Read(b.ctx, back); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("the deleted one: %v", err)
	}
	if h.Backlog.Entries != 0 {
		t.Errorf("the deletion still waits: %+v", h)
	}
}

// Without a server, what is sealed stays here; one that is set up later takes
// it all; taken away again, what is only there says so.
func TestServerComesAndGoes(t *testing.T) {
	b := setUp(t)
	id, kept := b.talk(3), b.talk(3)
	want := b.messages(id)
	b.now = b.now.Add(2 * time.Hour)
	if sealed, shipped := b.sweep(); sealed != 2 || shipped != 0 {
		t.Fatalf("sealed %d shipped %d", sealed, shipped)
	}
	far := newShelf()
	b.remote = far
	b.archive.Kick()
	if _, shipped := b.sweep(); shipped != 2 {
		t.Fatalf("shipped %d", shipped)
	}
	b.remote = nil
	if _, err := b.archive.Read(b.ctx, id); !errors.Is(err, archive.ErrNoRemote) {
		t.Errorf("read without the server: %v", err)
	}
	if _, err := b.sessions.Append(b.ctx, id, session.Append{Create: &chat.Conversation{}, Messages: []chat.Message{{From: chat.FromVisitor, Text: "x"}}}); err == nil {
		t.Error("a conversation was begun anew over the one on the server")
	}
	// A deletion meanwhile waits for the server.
	if err := b.sessions.Delete(b.ctx, kept); err != nil {
		t.Fatal(err)
	}
	b.remote = far
	b.sweep()
	for k := range far.blobs {
		if k[:32] == string(kept) {
			t.Error("the deletion has not reached the server")
		}
	}
	same(t, b.messages(id), want)
}

// A server that cannot take one conversation takes the others.
func TestPoison(t *testing.T) {
	b := setUp(t)
	bad := b.talk(1)
	for range 9 {
		b.talk(1)
	}
	b.now = b.now.Add(2 * time.Hour)
	far := newShelf()
	b.remote = &refusing{far, bad}
	for range 12 {
		b.archive.Sweep(b.ctx)
		b.now = b.now.Add(time.Hour)
	}
	if len(far.blobs) != 9 {
		t.Errorf("%d of 9 were shipped beside the one that cannot be", len(far.blobs))
	}
	if h, err := b.archive.Health(b.ctx); err != nil || h.Backlog.Entries != 1 {
		t.Errorf("%+v %v", h, err)
	}
}

type refusing struct {
	*shelf
	id chat.ConversationID
}

func (r *refusing) Ship(ctx context.Context, batch string, again bool, rows []archive.Sealed) error {
	for _, row := range rows {
		if row.Blob.ID == r.id {
			return fmt.Errorf("not this one")
		}
	}
	return r.shelf.Ship(ctx, batch, again, rows)
}

// A disk that is full while sealing: nothing is lost, the work goes on later.
func TestFullDisk(t *testing.T) {
	b := setUp(t)
	id := b.talk(3)
	want := b.messages(id)
	b.now = b.now.Add(2 * time.Hour)
	full := &fullDisk{Store: b.fail.Store, full: true}
	b.fail.Store = full
	if _, _, err := b.archive.Sweep(b.ctx); !errors.Is(err, chat.ErrReadOnly) {
		t.Fatalf("sweep: %v", err)
	}
	if h, err := b.archive.Health(b.ctx); err != nil || h.SealFault == nil {
		t.Errorf("%+v %v", h, err)
	}
	same(t, b.messages(id), want)
	full.full = false
	if sealed, _ := b.sweep(); sealed != 1 {
		t.Errorf("sealed %d after there was room", sealed)
	}
	if h, _ := b.archive.Health(b.ctx); h.SealFault != nil {
		t.Errorf("still: %v", h.SealFault)
	}
}

type fullDisk struct {
	archive.Store
	full bool
}

func (f *fullDisk) Seal(ctx context.Context, b archive.Blob, ship bool) error {
	if f.full {
		return fmt.Errorf("seal conversation: %w", chat.ErrReadOnly)
	}
	return f.Store.Seal(ctx, b, ship)
}

// Local copies stay where the owner wants them, and stand in for a server that
// is away.
func TestKeepLocal(t *testing.T) {
	b := setUp(t)
	b.settings.KeepLocal = true
	far := newShelf()
	b.remote = far
	id := b.talk(3)
	want := b.messages(id)
	b.now = b.now.Add(2 * time.Hour)
	if _, shipped := b.sweep(); shipped != 1 {
		t.Fatalf("shipped %d", shipped)
	}
	far.down = errors.New("away")
	got, err := b.archive.Read(b.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, want)
}

// Background work begins by itself and ends with its context.
func TestRun(t *testing.T) {
	b := setUp(t)
	id := b.talk(2)
	b.now = b.now.Add(2 * time.Hour)
	ctx, cancel := context.WithCancel(b.ctx)
	ended := make(chan error, 1)
	go func() { ended <- b.archive.Run(ctx) }()
	for limit := time.Now().Add(20 * time.Second); !b.cold(id); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("nothing was sealed")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A conversation of 50 MB is sealed and thawed like any other.
func TestHuge(t *testing.T) {
	if testing.Short() {
		t.Skip("50 MB through the database")
	}
	b := setUp(t)
	id := chat.NewConversationID()
	for i := range 50 {
		text := make([]byte, 1<<20)
		for j := range text {
			text[j] = "abcdefghij klmnop"[b.r.IntN(17)]
		}
		m := chat.Message{From: chat.FromVisitor, Text: string(text), ClientID: fmt.Sprint(i)}
		if _, err := b.sessions.Append(b.ctx, id, session.Append{Create: &chat.Conversation{}, Messages: []chat.Message{m}}); err != nil {
			t.Fatal(err)
		}
	}
	want := b.messages(id)
	if err := b.archive.Seal(b.ctx, id); err != nil {
		t.Fatal(err)
	}
	same(t, b.messages(id), want)
	if filepath.Base(b.db.Path()) != "haoke.db" || b.cold(id) {
		t.Error("not thawed")
	}
}

// A deletion reaches a server that was not set up when it was wished for,
// whatever the conversation had been through; one that never left this machine
// leaves no note.
func TestDeletionWaitsForAnUnsetServer(t *testing.T) {
	b := setUp(t)
	far := newShelf()
	b.remote = far
	shipped, thawed, unsure := b.talk(2), b.talk(2), b.talk(2)
	b.now = b.now.Add(2 * time.Hour)
	if _, n := b.sweep(); n != 3 {
		t.Fatalf("%d shipped", n)
	}
	b.more(thawed) // warm again; nothing here tells that it was shipped
	b.more(unsure)
	b.now = b.now.Add(2 * time.Hour)
	far.lost = 1 // stored there, but not confirmed
	if _, _, err := b.archive.Sweep(b.ctx); err == nil {
		t.Fatal("the lost answer went unnoticed")
	}
	b.more(unsure)
	b.remote = nil
	path := b.db.Path()
	if err := b.db.Close(); err != nil {
		t.Fatal(err)
	}
	b.open(path) // a restart lies between
	never := b.talk(1)
	for _, id := range []chat.ConversationID{shipped, thawed, unsure, never} {
		if err := b.sessions.Delete(b.ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	if h, err := b.archive.Health(b.ctx); err != nil || h.Backlog.Entries != 3 {
		t.Fatalf("%+v %v", h.Backlog, err)
	}
	b.remote = far
	b.now = b.now.Add(time.Hour)
	b.sweep()
	if h, err := b.archive.Health(b.ctx); err != nil || h.Backlog.Entries != 0 || len(far.blobs) != 0 {
		t.Errorf("%+v %v, the server still has %d", h.Backlog, err, len(far.blobs))
	}
}

// more goes on with a conversation.
func (b *bench) more(id chat.ConversationID) {
	b.t.Helper()
	m := chat.Message{From: chat.FromVisitor, Text: "One thing more", ClientID: fmt.Sprint(b.now.UnixNano())}
	if _, err := b.sessions.Append(b.ctx, id, session.Append{Messages: []chat.Message{m}}); err != nil {
		b.t.Fatal(err)
	}
}

// A dictionary that is missing is damage, not absence: nothing is taken for
// shipped, nothing dropped, and nobody begins such a conversation anew.
func TestMissingDictionary(t *testing.T) {
	b := setUp(t)
	var ids []chat.ConversationID
	for range 70 {
		ids = append(ids, b.talk(2))
	}
	want := b.messages(ids[0])
	b.now = b.now.Add(2 * time.Hour)
	if sealed, _ := b.sweep(); sealed != 70 {
		t.Fatalf("sealed %d", sealed)
	}
	b.fail.noDict = true
	b.restart()
	far := newShelf()
	b.remote = far
	if _, shipped := b.sweep(); shipped != 0 || len(far.blobs) != 0 {
		t.Errorf("%d shipped", shipped)
	}
	if _, err := b.archive.Read(b.ctx, ids[0]); !errors.Is(err, archive.ErrCorrupt) || errors.Is(err, chat.ErrNotFound) {
		t.Errorf("read: %v", err)
	}
	if _, err := b.sessions.Messages(b.ctx, ids[0], 0, 0); !errors.Is(err, chat.ErrUnreadable) || errors.Is(err, chat.ErrNotFound) {
		t.Errorf("thaw: %v", err)
	}
	b.fail.noDict = false // a backup is restored
	b.restart()
	b.now = b.now.Add(25 * time.Hour)
	if _, shipped := b.sweep(); shipped != 70 {
		t.Errorf("%d shipped afterwards", shipped)
	}
	same(t, b.messages(ids[0]), want)
}
