package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

// walFrame is a page of the WAL with its header, after the file's own header.
const (
	walHead  = 32
	walFrame = 24 + 4096
)

// powerCut copies an open database's files as a power failure leaves them: of
// what was never synced only upto bytes of the WAL have reached the disk, and
// what comes behind them is rubbish.
func powerCut(t *testing.T, db *DB, upto int64) string {
	t.Helper()
	settled(db)
	path := filepath.Join(t.TempDir(), "cut.db")
	for _, s := range []string{"", "-wal", ".mark", ".journal"} {
		must(t, copyFile(path+s, db.Path()+s))
	}
	if n := fileSize(path + "-wal"); n > upto {
		must(t, os.Truncate(path+"-wal", upto))
		patch(t, path+"-wal", upto, bytes.Repeat([]byte{0xa5}, int(min(n-upto, 3*walFrame))))
	}
	return path
}

// settled waits until the writer is through with what it does behind its answers.
func settled(db *DB) {
	_ = db.alone(context.Background(), func(*Tx) error { return nil }) // a read-only store is settled
}

// contents is everything that conversations consist of, to be compared.
func contents(t *testing.T, db *DB) string {
	t.Helper()
	var b strings.Builder
	for _, table := range []string{"conversations", "messages", "traces", "meta"} {
		rows, err := db.readers.Query("SELECT * FROM " + table + " ORDER BY 1")
		must(t, err)
		names, err := rows.Columns()
		must(t, err)
		err = eachRow(rows, nil, func(r *sql.Rows) error {
			row := make([]any, len(names))
			for i := range row {
				row[i] = new(any)
			}
			if err := r.Scan(row...); err != nil {
				return err
			}
			fmt.Fprint(&b, table)
			for i := range row {
				fmt.Fprintf(&b, " %s=%v", names[i], *row[i].(*any))
			}
			b.WriteByte('\n')
			return nil
		})
		must(t, err)
	}
	return b.String()
}

// sameAfter opens the copy of a database, which must be short of nothing.
func sameAfter(t *testing.T, db *DB, path, what string) {
	t.Helper()
	again, err := Open(context.Background(), Config{Path: path, Reserve: -1})
	must(t, err)
	defer again.Close()
	if got, want := contents(t, again), contents(t, db); got != want || again.Lost() != 0 {
		t.Errorf("%s: %d commits lost\n%s\nwant\n%s", what, again.Lost(), got, want)
	}
}

// someTalk makes every kind of change that a conversation knows.
func someTalk(t *testing.T, db *DB, seed uint64, turns int) {
	t.Helper()
	ctx := context.Background()
	m := session.New(session.Config{}, db.Conversations())
	r := rand.New(rand.NewPCG(seed, 1))
	ids := make([]chat.ConversationID, 5)
	for i := range ids {
		ids[i] = chat.NewConversationID()
	}
	for i := range turns {
		id := ids[r.IntN(len(ids))]
		a := session.Append{Create: &chat.Conversation{Site: "default", Visitor: chat.Visitor{Sub: "s1", Name: "小明", IP: "192.0.2.1"},
			Page: chat.Page{URL: "https://shop.example/茶", Title: `"tea" & <more>`}}}
		kind := r.IntN(4)
		if i < len(ids) {
			id, kind = ids[i], 0 // each begins with a question
		}
		switch kind {
		case 0:
			a.Messages = []chat.Message{visitorSays(strings.Repeat("Où est 我的包裹? \x00\xff", 1+r.IntN(40)), fmt.Sprint(i))}
			a.Update = func(h *chat.Conversation) { h.Unread++; h.Pending = h.LastSeq }
		case 1:
			a.Messages = []chat.Message{{From: chat.FromAI, Text: "On its way.", Finish: chat.FinishStop,
				Turn: &chat.TurnInfo{Provider: "main", Cost: 0.1, PromptTrace: strings.Repeat("trace ", r.IntN(50))}}}
			a.Update = func(h *chat.Conversation) { h.Pending = 0; h.Spend += 0.1; h.Tokens += 1000; h.Unanswered = true }
		case 2:
			a.Messages = []chat.Message{{From: chat.FromOperator, Author: "Ann", Text: "Hello"}, {From: chat.FromSystem, Text: "joined"}}
			a.Update = func(h *chat.Conversation) { h.Mode, h.Operator, h.Fence = chat.ModeHuman, "ann", h.LastSeq }
		default:
			a.Update = func(h *chat.Conversation) { h.Rating, h.Comment, h.Blocked = 5, "good 好", !h.Blocked }
		}
		if _, err := m.Append(ctx, id, a); err != nil {
			t.Fatal(err)
		}
	}
}

// After a power failure the WAL may be short of anything that was never synced.
// The journal makes up for it, whatever is missing, and exactly.
func TestPowerCutLosesNothing(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	someTalk(t, db, 1, 20)
	must(t, db.write(ctx, func(tx *Tx) error { _, err := tx.exec("INSERT INTO meta VALUES ('synced', 1)"); return err }))
	synced := fileSize(db.Path() + "-wal")
	var wg sync.WaitGroup // together, so that some share a commit
	for i := range 4 {
		wg.Go(func() { someTalk(t, db, uint64(i), 25) })
	}
	wg.Wait()
	all := fileSize(db.Path() + "-wal")
	if db.journal.at == journalBlock || all <= synced {
		t.Fatalf("journal at %d, WAL %d of %d: nothing was tested", db.journal.at, synced, all)
	}
	cuts := int64(16)
	if testing.Short() {
		cuts = 3
	}
	step := max((all-synced)/cuts/walFrame, 1) * walFrame
	for upto := synced; upto < all+step; upto += step + 100 {
		path := powerCut(t, db, upto)
		backup := filepath.Join(t.TempDir(), "backup.db") // before anything else
		must(t, BackupFile(ctx, path, backup))
		sameAfter(t, db, backup, fmt.Sprintf("the backup, WAL cut at %d of %d", upto, all))
		for range 2 { // the second time there is nothing left to do
			sameAfter(t, db, path, fmt.Sprintf("WAL cut at %d of %d", upto, all))
		}
	}
}

// A disk that breaks its word: what was synced is gone from the WAL as well.
// The journal does not fill in what does not follow.
func TestJournalDoesNotFillGaps(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	someTalk(t, db, 1, 10)
	before := fileSize(db.Path() + "-wal")
	must(t, db.write(ctx, func(tx *Tx) error { _, err := tx.exec("DELETE FROM conversations WHERE n = 1"); return err }))
	someTalk(t, db, 2, 10)
	again, err := Open(ctx, Config{Path: powerCut(t, db, before), Reserve: -1})
	must(t, err)
	defer again.Close()
	if again.Lost() != 11 || count(t, again, "SELECT count(*) FROM conversations WHERE n = 1") != 1 {
		t.Errorf("%d commits lost, want 11", again.Lost())
	}
}

// The end of the journal is damaged: that commit is lost, and this is noticed.
func TestTornRecord(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	must(t, db.write(ctx, func(tx *Tx) error { _, err := tx.exec("INSERT INTO meta VALUES ('synced', 1)"); return err }))
	synced := fileSize(db.Path() + "-wal")
	someTalk(t, db, 3, 10)
	path := powerCut(t, db, synced)
	patch(t, path+".journal", db.journal.at-journalBlock+40, []byte{0xff, 0xfe, 0xfd})
	again, err := Open(ctx, Config{Path: path, Reserve: -1})
	must(t, err)
	defer again.Close()
	if n, want := count(t, again, "SELECT sum(version) FROM conversations"), 9; again.Lost() != 1 ||
		n-count(t, again, "SELECT count(*) FROM conversations") != want { // new epochs count too
		t.Errorf("%d lost, %d changes, want 1 and %d", again.Lost(), n, want)
	}
}

// What an earlier opening has left in the journal is gone with the next, and
// another database's is not applied.
func TestForeignRecordsDoNotFollow(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "haoke.db")
	db, err := Open(ctx, Config{Path: path, Reserve: -1})
	must(t, err)
	someTalk(t, db, 1, 5)
	old := filepath.Join(t.TempDir(), "journal")
	must(t, copyFile(old, path+".journal"))
	settled(db)
	number := db.mark.n
	must(t, db.Close())
	if b, err := os.ReadFile(path + ".journal"); err != nil || bytes.Count(b[journalBlock:], []byte{0}) != len(b)-journalBlock {
		t.Errorf("the journal is not empty after Close (%v)", err)
	}
	// As after an unclean stop.
	must(t, copyFile(path+".journal", old))
	db, err = Open(ctx, Config{Path: path, Reserve: -1})
	must(t, err)
	defer db.Close()
	if db.mark.n != number || db.journal.at != journalBlock {
		t.Errorf("%d commits, were %d; journal at %d", db.mark.n, number, db.journal.at)
	}
	b, err := os.ReadFile(path + ".journal")
	if _, _, ok := nextRecord(b[journalBlock:]); ok || err != nil {
		t.Errorf("the journal was not wiped (%v)", err)
	}

	other := open(t)
	must(t, copyFile(powerCut(t, other, 1<<40)+".journal", old)) // a place of its own
	someTalk(t, other, 2, 3)
	cut := powerCut(t, other, 1<<40)
	must(t, copyFile(cut+".journal", old))
	sameAfter(t, other, cut, "with another database's journal")
}

// A change that SQLite could not make is not made at the next start either.
func TestRefusedChangeIsTakenBack(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	someTalk(t, db, 1, 5)
	must(t, db.alone(ctx, func(tx *Tx) error {
		return tx.row(fmt.Sprintf("PRAGMA max_page_count = %d", count(t, db, "PRAGMA page_count")+4), nil, new(int))
	}))
	m := session.New(session.Config{}, db.Conversations())
	var err error
	for i := 0; err == nil && i < 1000; i++ {
		_, err = m.Append(ctx, chat.NewConversationID(), session.Append{Create: &chat.Conversation{}, Messages: []chat.Message{visitorSays(strings.Repeat("x", 3000), "1")}})
	}
	if !errors.Is(err, chat.ErrReadOnly) {
		t.Fatalf("the disk is not full: %v", err)
	}
	sameAfter(t, db, powerCut(t, db, 1<<40), "after the restart")
}

// A journal that cannot be written is done without: commits are synced.
func TestJournalFails(t *testing.T) {
	ctx := context.Background()
	var log bytes.Buffer
	db := open(t, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	someTalk(t, db, 1, 5)
	must(t, db.alone(ctx, func(*Tx) error { return db.journal.file.Close() }))
	for seed := range uint64(3) {
		someTalk(t, db, seed, 5)
		path := powerCut(t, db, 1<<40)
		must(t, os.Remove(path+".journal"))
		sameAfter(t, db, path, "without the journal")
	}
	if err := db.ReadOnly(); err != nil {
		t.Errorf("the store is read-only: %v", err)
	}
	if n := strings.Count(log.String(), "the journal cannot be used"); n != 1 {
		t.Errorf("said %d times: %s", n, log.String())
	}
}

// The journal has an end: from there it starts anew, with a synced commit.
func TestJournalGoesRound(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	m := session.New(session.Config{}, db.Conversations())
	rounds, last := 0, int64(0)
	for i := range 60 {
		_, err := m.Append(ctx, chat.NewConversationID(), session.Append{Create: &chat.Conversation{},
			Messages: []chat.Message{visitorSays(strings.Repeat("y", journalSize/20), fmt.Sprint(i))}})
		must(t, err)
		must(t, db.alone(ctx, func(*Tx) error { // the writer's own goroutine may look
			if db.journal.at < last {
				rounds++
			}
			last = db.journal.at
			return nil
		}))
	}
	if rounds < 2 {
		t.Errorf("%d rounds", rounds)
	}
	// Longer than the journal: committed all the same.
	_, err := m.Append(ctx, chat.NewConversationID(), session.Append{Create: &chat.Conversation{},
		Messages: []chat.Message{visitorSays(strings.Repeat("z", journalSize), "1")}})
	must(t, err)
	again, err := Open(ctx, Config{Path: powerCut(t, db, 1<<40), Reserve: -1})
	must(t, err)
	defer again.Close()
	if got := count(t, again, "SELECT count(*) FROM messages"); got != 61 || again.Lost() != 0 {
		t.Errorf("%d messages, %d commits lost", got, again.Lost())
	}
}

// BenchmarkRecord is what the journal costs a commit beside the disk: the record
// of an answer, as the writer puts it together.
func BenchmarkRecord(b *testing.B) {
	w, answerText := &commit{}, strings.Repeat(" arriving", 100)
	ch := &session.Change{Ref: 7, Was: chat.Conversation{Version: 3}, Head: chat.Conversation{ID: chat.NewConversationID(), Version: 4, LastText: answerText[:200]},
		Messages: []chat.Message{{Seq: 9, From: chat.FromAI, Text: answerText, Turn: &chat.TurnInfo{Provider: "main", Model: "gpt-4o-mini", PromptTrace: answerText}}}}
	if err := w.encode(ch); err != nil {
		b.Fatal(err)
	}
	var j journal
	o := newOp(nil)
	b.ReportAllocs()
	for b.Loop() {
		w.record = w.appendRecord(w.record[:0])
		o.record, j.at = w.record, journalBlock
		if !j.hold(1, []*op{o}) {
			b.Fatal("no room")
		}
	}
	b.SetBytes(int64(len(j.buf)))
}

// FuzzRecord: no bytes in the journal's place of a change make the program
// fail, and what is read as a change is written the same.
func FuzzRecord(f *testing.F) {
	w := &commit{}
	ch := &session.Change{Ref: 7, Was: chat.Conversation{Version: 3}, Head: chat.Conversation{ID: "c", Version: 4, Spend: 0.5, LastText: "hi"},
		Messages: []chat.Message{{Seq: 9, From: chat.FromAI, Text: "hi", Turn: &chat.TurnInfo{Model: "m", PromptTrace: "t"}}}}
	if err := w.encode(ch); err != nil {
		f.Fatal(err)
	}
	f.Add(w.appendRecord(nil))
	f.Add([]byte{1, 0, 0, 0, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		var r commit
		rest, err := r.decode(b)
		if err != nil {
			return
		}
		if len(rest) > len(b)-4 {
			t.Fatalf("%d bytes left of %d", len(rest), len(b))
		}
		for i := range r.rows.msgs { // senders that do not exist are written as none
			if senderCode(r.rows.msgs[i].From) == 0 {
				return
			}
		}
		one := r.appendRecord(nil)
		var again commit
		if _, err := again.decode(one); err != nil {
			t.Fatal(err)
		}
		if two := again.appendRecord(nil); !bytes.Equal(one, two) {
			t.Fatalf("%q is read as %q", one, two)
		}
	})
}
