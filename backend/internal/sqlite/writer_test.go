package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

// count reads one number.
func count(t testing.TB, db *DB, query string, args ...any) int {
	t.Helper()
	var n int
	if err := db.readers.QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// One operation that fails after writing must not take its neighbours along,
// and must leave nothing behind itself.
func TestFailedOperationsAreAlone(t *testing.T) {
	db := open(t)
	boom := errors.New("boom")
	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() {
			err := db.write(context.Background(), func(tx *Tx) error {
				if _, err := tx.exec("INSERT INTO meta (key, value) VALUES (?, 1)", fmt.Sprint(i)); err != nil {
					return err
				}
				if i%3 == 0 {
					return boom
				}
				return nil
			})
			if (i%3 == 0) != errors.Is(err, boom) {
				t.Errorf("operation %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if n := count(t, db, "SELECT count(*) FROM meta WHERE key GLOB '[0-9x]*'"); n != 200 {
		t.Errorf("%d rows, want 200", n)
	}
	if n := count(t, db, "SELECT count(*) FROM meta WHERE key GLOB '[0-9]*' AND CAST(key AS INTEGER) % 3 = 0"); n != 0 {
		t.Errorf("%d rows of failed operations", n)
	}
	if s := db.Stats(); s.Commits >= 300 {
		t.Errorf("%d commits for 300 operations: nothing was grouped", s.Commits)
	}
}

func TestStatementErrorsDoNotDegrade(t *testing.T) {
	db := open(t)
	err := db.write(context.Background(), func(tx *Tx) error {
		_, err := tx.exec("INSERT INTO meta (key, value) VALUES (NULL, 1)")
		return err
	})
	if err == nil || errors.Is(err, chat.ErrReadOnly) {
		t.Fatalf("constraint: %v", err)
	}
	if db.ReadOnly() != nil {
		t.Errorf("store is read-only: %v", db.ReadOnly())
	}
}

func TestWithdrawnOperationDoesNothing(t *testing.T) {
	db := open(t)
	busy, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := db.write(context.Background(), func(*Tx) error { close(busy); <-release; return nil })
		if err != nil {
			t.Error(err)
		}
	})
	<-busy
	ctx, cancel := context.WithCancel(context.Background())
	wg.Go(func() {
		err := db.write(ctx, func(tx *Tx) error { _, err := tx.exec("INSERT INTO meta VALUES ('x', 1)"); return err })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("withdrawn write: %v", err)
		}
		close(release)
	})
	cancel()
	wg.Wait()
	if n := count(t, db, "SELECT count(*) FROM meta WHERE key GLOB '[0-9x]*'"); n != 0 {
		t.Errorf("the withdrawn write happened")
	}
}

func TestIdleWorkIsNotStarved(t *testing.T) {
	db := open(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := db.write(context.Background(), func(tx *Tx) error {
					_, err := tx.exec("INSERT OR REPLACE INTO meta VALUES (?, ?)", fmt.Sprint(w), i)
					return err
				}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 5 {
		if err := db.writeIdle(context.Background(), func(*Tx) error { return nil }); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
}

func TestWritesAfterCloseFail(t *testing.T) {
	db := open(t)
	var wg sync.WaitGroup
	results := make(chan error, 64)
	for i := range 64 {
		wg.Go(func() {
			results <- db.write(context.Background(), func(tx *Tx) error {
				_, err := tx.exec("INSERT INTO meta VALUES (?, 1)", fmt.Sprint(i))
				return err
			})
		})
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	close(results)
	done := 0
	for err := range results {
		switch {
		case err == nil:
			done++
		case !errors.Is(err, errClosed):
			t.Errorf("write during Close: %v", err)
		}
	}
	again, err := Open(context.Background(), db.cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if n := count(t, again, "SELECT count(*) FROM meta WHERE key GLOB '[0-9x]*'"); n != done {
		t.Errorf("%d rows, %d writes were acknowledged", n, done)
	}
}

// A full disk makes the store read-only at once; it recovers by itself when
// there is room, and nothing that was acknowledged is missing. The limit on
// pages stands for the disk: SQLite reports it with the same code.
func TestFullDisk(t *testing.T) {
	ctx := context.Background()
	now := newClock()
	db := open(t, func(c *Config) { c.Now = now.Now; c.Reserve = 64 << 10 })
	if fileSize(db.cfg.Path+".reserve") != 64<<10 {
		t.Error("no reserve was set aside")
	}
	limit := func(pages int) {
		// "alone" is refused while read-only, so the probe's door is used.
		err := db.enqueue(ctx, db.idle, &op{done: make(chan error, 1), solo: true, force: true, fn: func(tx *Tx) error {
			return tx.row(fmt.Sprintf("PRAGMA max_page_count = %d", pages), nil, new(int))
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	limit(count(t, db, "PRAGMA page_count") + 8)
	m := session.New(session.Config{}, db.Conversations())
	acked := 0
	var err error
	for range 1000 {
		if _, err = m.Append(ctx, chat.NewConversationID(), session.Append{Create: &chat.Conversation{},
			Messages: []chat.Message{visitorSays(string(make([]byte, 2000)), "1")}}); err != nil {
			break
		}
		acked++
	}
	if !errors.Is(err, chat.ErrReadOnly) || !diskFull(err) {
		t.Fatalf("after %d appends: %v", acked, err)
	}
	if n := count(t, db, "SELECT count(*) FROM conversations"); n != acked {
		t.Errorf("%d conversations, %d acknowledged", n, acked)
	}
	if db.ReadOnly() == nil || db.Stats().ReadOnly == "" {
		t.Fatal("store does not say that it is read-only")
	}
	if fileSize(db.cfg.Path+".reserve") != 0 {
		t.Error("the reserve was not given up")
	}
	if err := db.write(ctx, func(*Tx) error { t.Error("a write ran while read-only"); return nil }); !errors.Is(err, chat.ErrReadOnly) {
		t.Errorf("write while read-only: %v", err)
	}
	db.probe(ctx) // too early
	if db.ReadOnly() == nil {
		t.Error("recovered before the time of the probe")
	}
	now.Add(probeEvery)
	db.probe(ctx) // a new connection has no limit: the disk has room again
	if err := db.ReadOnly(); err != nil {
		t.Fatalf("after the probe: %v", err)
	}
	if fileSize(db.cfg.Path+".reserve") != 64<<10 {
		t.Error("the reserve was not set aside again")
	}
	if _, err := m.Append(ctx, chat.NewConversationID(), session.Append{Create: &chat.Conversation{}, Messages: []chat.Message{visitorSays("x", "1")}}); err != nil {
		t.Errorf("append after recovery: %v", err)
	}
}
