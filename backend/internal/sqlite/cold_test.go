package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

// blobOf seals the conversation's present state in a made-up form.
func blobOf(t testing.TB, c *Conversations, id chat.ConversationID) Blob {
	t.Helper()
	r, err := c.Load(context.Background(), id, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return Blob{ID: id, Version: r.Head.Version, Codec: "test", Messages: r.Head.LastSeq, RawSize: 1000, Data: []byte("packed " + id)}
}

func TestSealShipRestore(t *testing.T) {
	ctx := context.Background()
	now := newClock()
	db := open(t, func(c *Config) { c.Now = now.Now })
	m := session.New(session.Config{Now: now.Now}, db.Conversations())
	c, cold := db.Conversations(), db.Cold()
	id := start(t, m, chat.Conversation{}, "first parcel", "second")
	busy := start(t, m, chat.Conversation{}, "open turn")
	if _, err := m.Update(ctx, busy, func(h *chat.Conversation) { h.Pending = 1 }); err != nil {
		t.Fatal(err)
	}
	now.Add(time.Hour)
	young := start(t, m, chat.Conversation{}, "just now")
	if due, err := cold.Due(ctx, now.Now().Add(-time.Minute), 10); err != nil || !slices.Equal(due, []chat.ConversationID{id}) {
		t.Fatalf("due: %v %v", due, err)
	}
	warmRecord, err := c.Load(ctx, id, 10)
	if err != nil {
		t.Fatal(err)
	}

	b := blobOf(t, c, id)
	stale := b
	stale.Version--
	if err := cold.Seal(ctx, stale, true); !errors.Is(err, chat.ErrConflict) {
		t.Errorf("seal of an old version: %v", err)
	}
	short := b
	short.Messages--
	if err := cold.Seal(ctx, short, true); err == nil {
		t.Error("a blob that lacks a message was accepted")
	}
	if err := cold.Seal(ctx, b, true); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, "SELECT count(*) FROM messages WHERE mid >> 20 = (SELECT n FROM conversations WHERE id = ?)", string(id)); n != 0 {
		t.Errorf("%d rows after sealing", n)
	}
	if err := cold.Seal(ctx, b, true); !errors.Is(err, chat.ErrConflict) {
		t.Errorf("second seal: %v", err)
	}
	got, err := cold.Blob(ctx, id)
	if err != nil || string(got.Data) != string(b.Data) || got.Version != b.Version || !got.Shipped.IsZero() {
		t.Fatalf("%+v %v", got, err)
	}
	r, err := c.Load(ctx, id, 10)
	if err != nil || !r.Cold || len(r.Tail) != 0 || r.Head.LastSeq != 2 {
		t.Fatalf("%+v %v", r, err)
	}
	if p := list(t, c, Query{Text: "parcel"}); !slices.Equal(ids(p), []chat.ConversationID{id}) || !p.Items[0].Cold {
		t.Errorf("archive search: %+v", p)
	}
	if p := list(t, c, Query{}); !slices.Equal(ids(p), []chat.ConversationID{young, busy, id}) {
		t.Errorf("list with a cold one: %v", ids(p))
	}
	if p := list(t, c, Query{Where: OnlyWarm}); len(p.Items) != 2 {
		t.Errorf("warm list: %v", ids(p))
	}

	box, err := cold.Outbox(ctx, 10)
	if err != nil || len(box) != 1 || box[0].Conv != id || box[0].Version != b.Version || box[0].Kind != "ship" {
		t.Fatalf("outbox: %+v %v", box, err)
	}
	if err := cold.Stamp(ctx, "batch-1", []int64{box[0].ID}); err != nil {
		t.Fatal(err)
	}
	if err := cold.Stamp(ctx, "batch-2", []int64{box[0].ID}); err != nil {
		t.Fatal(err)
	}
	if err := cold.Fail(ctx, []int64{box[0].ID}, now.Now().Add(time.Minute), "refused"); err != nil {
		t.Fatal(err)
	}
	if box, err := cold.Outbox(ctx, 10); err != nil || len(box) != 0 {
		t.Errorf("not yet due: %+v %v", box, err)
	}
	now.Add(time.Minute)
	box, err = cold.Outbox(ctx, 10)
	if err != nil || len(box) != 1 || box[0].Batch != "batch-1" || box[0].Attempts != 1 || box[0].Error != "refused" {
		t.Fatalf("outbox again: %+v %v", box, err)
	}
	if bl, err := cold.Backlog(ctx); err != nil || bl.Entries != 1 || bl.Bytes != int64(len(b.Data)) || bl.Oldest.IsZero() {
		t.Errorf("backlog %+v %v", bl, err)
	}
	if err := cold.Done(ctx, box, true); err != nil {
		t.Fatal(err)
	}
	got, err = cold.Blob(ctx, id)
	if err != nil || got.Data != nil || got.Shipped.IsZero() {
		t.Fatalf("after shipping: %+v %v", got, err)
	}
	if s, err := cold.Stats(ctx); err != nil || s.Sealed != 1 || s.Shipped != 1 || s.Local != 0 || s.Size != int64(len(b.Data)) || s.RawSize != 1000 || s.Messages != 2 {
		t.Errorf("stats %+v %v", s, err)
	}
	if p := list(t, c, Query{Where: OnlyCold}); len(p.Items) != 1 || !p.Items[0].Shipped {
		t.Errorf("cold list: %+v", p)
	}

	if err := cold.Restore(ctx, id, warmRecord.Tail[:1]); err == nil {
		t.Error("half a conversation was restored")
	}
	for range 2 {
		if err := cold.Restore(ctx, id, warmRecord.Tail); err != nil {
			t.Fatal(err)
		}
	}
	r, err = c.Load(ctx, id, 10)
	if err != nil || r.Cold || len(r.Tail) != 2 || r.Tail[1].Text != "second" || r.Tail[1].ClientID != "1" {
		t.Fatalf("%+v %v", r, err)
	}
	if _, err := cold.Blob(ctx, id); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("blob of a warm conversation: %v", err)
	}
}

// A shipment that is confirmed after its conversation was thawed and sealed
// again must not take the new blob away.
func TestLateConfirmation(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	m := session.New(session.Config{}, db.Conversations())
	c, cold := db.Conversations(), db.Cold()
	id := start(t, m, chat.Conversation{}, "one")
	r, _ := c.Load(ctx, id, 10)
	must(t, cold.Seal(ctx, blobOf(t, c, id), true))
	old, err := cold.Outbox(ctx, 10)
	must(t, err)
	must(t, cold.Restore(ctx, id, r.Tail))
	if box, _ := cold.Outbox(ctx, 10); len(box) != 0 {
		t.Errorf("a thawed conversation is still to be shipped: %+v", box)
	}
	must(t, cold.Seal(ctx, blobOf(t, c, id), true))
	must(t, cold.Done(ctx, old, true))
	if b, err := cold.Blob(ctx, id); err != nil || b.Data == nil || !b.Shipped.IsZero() {
		t.Errorf("the new blob: %+v %v", b, err)
	}
	if box, _ := cold.Outbox(ctx, 10); len(box) != 1 {
		t.Errorf("the new shipment is gone")
	}
}

func TestLongConversationIsSealedAndDeletedInSteps(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	m := session.New(session.Config{}, db.Conversations())
	c, cold := db.Conversations(), db.Cold()
	id := chat.NewConversationID()
	var batch []chat.Message
	for i := range 3*purgeStep + 7 {
		batch = append(batch, chat.Message{From: chat.FromVisitor, Text: fmt.Sprintf("number %d", i), ClientID: fmt.Sprint(i)})
	}
	if _, err := m.Append(ctx, id, session.Append{Create: &chat.Conversation{}, Messages: batch}); err != nil {
		t.Fatal(err)
	}
	r, _ := c.Load(ctx, id, 1<<20)
	rows := func() int { return count(t, db, "SELECT count(*) FROM messages") }
	must(t, cold.Seal(ctx, blobOf(t, c, id), false))
	if n := rows(); n != 2*purgeStep+7 {
		t.Errorf("%d rows left after the first step", n)
	}
	// Restored while the rest is still to be deleted.
	must(t, cold.Restore(ctx, id, r.Tail))
	must(t, db.Settle(ctx))
	if n := rows(); n != len(batch) {
		t.Fatalf("%d rows after restoring, want %d", n, len(batch))
	}
	must(t, cold.Seal(ctx, blobOf(t, c, id), false))
	must(t, db.Settle(ctx))
	if n := rows(); n != 0 {
		t.Errorf("%d rows after sealing and tidying", n)
	}
	if p := list(t, c, Query{Text: "number 1500"}); len(p.Items) != 1 {
		t.Errorf("sealed text is not found")
	}
	must(t, c.Delete(ctx, id))
	must(t, db.Settle(ctx))
	for _, table := range []string{"messages", "conversations", "blobs", "purge", "message_fts WHERE rowid > 0"} {
		if n := count(t, db, "SELECT count(*) FROM "+table); n != 0 {
			t.Errorf("%d rows left in %s", n, table)
		}
	}
}

func TestDamagedBlobIsNoticed(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	m := session.New(session.Config{}, db.Conversations())
	id := start(t, m, chat.Conversation{}, "one")
	must(t, db.Cold().Seal(ctx, blobOf(t, db.Conversations(), id), false))
	must(t, db.write(ctx, func(tx *Tx) error { _, err := tx.exec("UPDATE blobs SET data = x'00'"); return err }))
	if _, err := db.Cold().Blob(ctx, id); !errors.Is(err, ErrBadBlob) {
		t.Errorf("%v", err)
	}
}

func TestOutboxFilledLater(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	m := session.New(session.Config{}, db.Conversations())
	for range 5 {
		id := start(t, m, chat.Conversation{}, "one")
		must(t, db.Cold().Seal(ctx, blobOf(t, db.Conversations(), id), false))
	}
	total := int64(0)
	for {
		n, err := db.Cold().EnqueueAll(ctx, 2)
		must(t, err)
		if n == 0 {
			break
		}
		total += n
	}
	if total != 5 {
		t.Errorf("%d enqueued", total)
	}
	must(t, db.Cold().EnqueueDelete(ctx, chat.NewConversationID()))
	if box, err := db.Cold().Outbox(ctx, 100); err != nil || len(box) != 6 {
		t.Errorf("%d entries %v", len(box), err)
	}
}

func TestDictionaries(t *testing.T) {
	ctx := context.Background()
	cold := open(t).Cold()
	if id, err := cold.LatestDict(ctx, "zstd"); err != nil || id != 0 {
		t.Errorf("%d %v", id, err)
	}
	a, err := cold.AddDict(ctx, "zstd", []byte("one"))
	must(t, err)
	b, err := cold.AddDict(ctx, "zstd", []byte("two"))
	must(t, err)
	if id, err := cold.LatestDict(ctx, "zstd"); err != nil || id != b || a == b {
		t.Errorf("%d %d %d %v", a, b, id, err)
	}
	if codec, data, err := cold.Dict(ctx, a); err != nil || codec != "zstd" || string(data) != "one" {
		t.Errorf("%s %s %v", codec, data, err)
	}
	if _, _, err := cold.Dict(ctx, 99); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

func TestNotes(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	c := db.Conversations()
	id := start(t, session.New(session.Config{}, c), chat.Conversation{}, "one")
	must(t, c.PutNote(ctx, id, "summary", Note{UptoSeq: 8, Value: "newer"}))
	must(t, c.PutNote(ctx, id, "summary", Note{UptoSeq: 4, Value: "older, finished late"}))
	if n, err := c.Note(ctx, id, "summary"); err != nil || n.Value != "newer" || n.UptoSeq != 8 {
		t.Errorf("%+v %v", n, err)
	}
	if n, err := c.Note(ctx, id, "facts"); err != nil || n != (Note{}) {
		t.Errorf("%+v %v", n, err)
	}
	if err := c.PutNote(ctx, chat.NewConversationID(), "summary", Note{}); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// What the archive or a deletion frees goes back to the disk.
func TestFileShrinks(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	m := session.New(session.Config{}, db.Conversations())
	var all []chat.ConversationID
	for range 10 {
		id := chat.NewConversationID()
		batch := make([]chat.Message, 300)
		for i := range batch {
			batch[i] = chat.Message{From: chat.FromAI, Text: string(make([]byte, 4000)), Finish: chat.FinishStop}
		}
		if _, err := m.Append(ctx, id, session.Append{Create: &chat.Conversation{}, Messages: batch}); err != nil {
			t.Fatal(err)
		}
		all = append(all, id)
	}
	must(t, db.Settle(ctx))
	full := fileSize(db.Path())
	for _, id := range all {
		must(t, m.Delete(ctx, id))
	}
	for range 6 {
		must(t, db.Settle(ctx))
	}
	must(t, db.alone(ctx, checkpoint))
	if left := fileSize(db.Path()); left > full/2 {
		t.Errorf("%d KB of %d KB left after deleting everything", left>>10, full>>10)
	}
}

// Sealing a long conversation indexes it in small commits beforehand, deleting
// it takes the entries away in small commits afterwards, and another who
// indexes at the same time harms neither.
func TestLongConversationsInSmallCommits(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	m := session.New(session.Config{}, db.Conversations())
	c, cold := db.Conversations(), db.Cold()
	id := start(t, m, chat.Conversation{}, "the beginning is amber")
	msgs := make([]chat.Message, 3*purgeStep)
	for i := range msgs {
		msgs[i] = chat.Message{From: chat.FromVisitor, Text: fmt.Sprintf("number %d is zinc", i)}
	}
	if _, err := m.Append(ctx, id, session.Append{Messages: msgs}); err != nil {
		t.Fatal(err)
	}
	before := db.commits.Load()
	stop := make(chan struct{})
	other := make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				other <- nil
				return
			default:
			}
			if _, err := db.indexStep(ctx); err != nil {
				other <- err
				return
			}
		}
	}()
	must(t, cold.Seal(ctx, blobOf(t, c, id), false))
	close(stop)
	must(t, <-other)
	if n := db.commits.Load() - before; n < 3*purgeStep/indexBatch {
		t.Errorf("%d commits: the whole index was written at once", n)
	}
	entries := func() int { return count(t, db, "SELECT count(*) FROM message_fts_docsize") }
	if n := entries(); n != 3*purgeStep+2 { // messages and who it was
		t.Errorf("%d entries", n)
	}
	for _, word := range []string{"amber", "zinc"} {
		page, err := c.List(ctx, Query{Text: word, Limit: 5})
		if err != nil || len(page.Items) != 1 {
			t.Errorf("%s: %d conversations, %v", word, len(page.Items), err)
		}
	}
	must(t, c.Delete(ctx, id))
	if n := entries(); n < purgeStep {
		t.Errorf("%d entries are left: all went at once", n)
	}
	must(t, db.Settle(ctx))
	if n := entries(); n != 0 {
		t.Errorf("%d entries are left", n)
	}
}
