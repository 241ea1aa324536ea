package sqlite

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

// childEnv makes the test binary act as the process that is killed: its value
// is what to do, then the database's path.
const childEnv = "HAOKE_TEST_CHILD"

func TestMain(m *testing.M) {
	if what, path, ok := strings.Cut(os.Getenv(childEnv), " "); ok {
		os.Exit(child(what, path))
	}
	os.Exit(m.Run())
}

// child runs until it is killed.
func child(what, path string) int {
	ctx := context.Background()
	db, err := Open(ctx, Config{Path: path, Reserve: -1, CheckBudget: time.Minute})
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	go db.Run(ctx)
	if what == "migrate" {
		return migrateForever(db)
	}
	m := session.New(session.Config{HotCapacity: 10}, db.Conversations())
	var out sync.Mutex
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for {
				id := chat.NewConversationID()
				for i := range 20 {
					// A message that is sent again, as after a lost ack, and an
					// answer that comes with it.
					a := session.Append{Create: &chat.Conversation{Site: "default"}, Messages: []chat.Message{
						visitorSays(fmt.Sprintf("question %d", i), fmt.Sprint(i)), {From: chat.FromAI, Text: "answer", Finish: chat.FinishStop}}}
					for range 2 {
						if _, err := m.Append(ctx, id, a); err != nil {
							fmt.Println("error", err)
							os.Exit(1)
						}
					}
					out.Lock()
					fmt.Println("ack", id, i)
					out.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return 0
}

// spawn starts a child and returns its lines.
func spawn(t *testing.T, what, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+what+" "+path)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd, bufio.NewScanner(pipe)
}

// forgetUnsynced makes a power failure of a kill: the WAL loses as much as it
// may, that is everything behind the commit that the journal's first record
// follows, but for the pages that were being brought home: those were synced
// before. See "WAL-Index Format" in https://www.sqlite.org/walformat.html.
func forgetUnsynced(t *testing.T, path string) {
	t.Helper()
	text, err := readJournal(journalPath(path))
	must(t, err)
	first, _, ok := nextRecord(text[journalBlock:])
	if !ok {
		t.Error("the journal is empty: nothing was tested")
		return
	}
	commits := func(frames int64) int64 {
		copied := filepath.Join(t.TempDir(), "copy.db")
		must(t, copyFile(copied, path))
		must(t, copyFile(copied+"-wal", path+"-wal"))
		must(t, os.Truncate(copied+"-wal", walHead+frames*walFrame))
		pool, err := openPool(dsn(copied), 1)
		must(t, err)
		defer pool.Close()
		var n int64
		must(t, pool.QueryRow("SELECT value FROM meta WHERE key = 'commits'").Scan(&n))
		return n
	}
	shm, err := os.ReadFile(path + "-shm")
	must(t, err)
	all, home := int64(binary.NativeEndian.Uint32(shm[16:])), int64(binary.NativeEndian.Uint32(shm[128:])) // mxFrame, nBackfillAttempted
	keep := home + int64(sort.Search(int(all-home), func(frames int) bool { return commits(home+int64(frames)) >= first.number-1 }))
	t.Logf("%d of the WAL's %d pages reached the disk", keep, all)
	must(t, os.Truncate(path+"-wal", walHead+keep*walFrame))
}

// What was acknowledged before kill -9, or before the power failed, is there
// afterwards, once and in order.
func TestKillLosesNothingAcknowledged(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "haoke.db")
	acked := make(map[chat.ConversationID]int) // messages acknowledged
	for round := range 4 {
		cmd, lines := spawn(t, "append", path)
		for n := 0; lines.Scan(); n++ {
			var id chat.ConversationID
			var i int
			if _, err := fmt.Sscanf(lines.Text(), "ack %s %d", &id, &i); err != nil {
				t.Fatalf("child says %q", lines.Text())
			}
			acked[id] = max(acked[id], 2*(i+1))
			if n == 400+300*round {
				cmd.Process.Kill()
			}
		}
		cmd.Wait()
		if fileSize(path+"-wal") == 0 {
			t.Error("the kill left no log behind: nothing was tested")
		}
		if round > 0 {
			forgetUnsynced(t, path)
		}
		verifyAcked(t, ctx, path, acked)
	}
	if len(acked) < 30 {
		t.Errorf("only %d conversations", len(acked))
	}
}

func verifyAcked(t *testing.T, ctx context.Context, path string, acked map[chat.ConversationID]int) {
	t.Helper()
	db, err := Open(ctx, Config{Path: path, Reserve: -1, CheckBudget: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if !db.unclean || !db.checked.Load() {
		t.Error("the file was not checked after the kill")
	}
	var verdict string
	if err := db.readers.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity: %s %v", verdict, err)
	}
	c := db.Conversations()
	for id, want := range acked {
		r, err := c.Load(ctx, id, 1000)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		if len(r.Tail) < want || int64(len(r.Tail)) != r.Head.LastSeq {
			t.Errorf("%s: %d messages, %d acknowledged, head says %d", id, len(r.Tail), want, r.Head.LastSeq)
		}
		for i, m := range r.Tail {
			if m.Seq != int64(i)+1 || i%2 == 0 && m.Text != fmt.Sprintf("question %d", i/2) {
				t.Fatalf("%s: message %d is %+v", id, i, m)
			}
		}
	}
}

// migrateForever applies a migration again and again, as one would be cut off
// at any point of it, and shows each as it is done.
func migrateForever(db *DB) int {
	for i := 1; ; i++ {
		err := db.alone(context.Background(), func(tx *Tx) error {
			var script strings.Builder
			for k := range 30 {
				fmt.Fprintf(&script, "CREATE TABLE m%d_%d (x INTEGER) STRICT; INSERT INTO m%d_%d VALUES (1);\n", i, k, i, k)
			}
			return tx.conn.script(migration(script.String(), i))
		})
		if err != nil {
			fmt.Println("error", err)
			return 1
		}
		fmt.Println("applied", i)
	}
}

// A kill in the middle of a migration leaves the schema before it or after it.
func TestKillDuringMigration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "haoke.db")
	for round := range 3 {
		must(t, removeAll(path))
		cmd, lines := spawn(t, "migrate", path)
		applied := 0
		for lines.Scan() {
			if _, err := fmt.Sscanf(lines.Text(), "applied %d", &applied); err != nil {
				t.Fatalf("child says %q", lines.Text())
			}
			if applied == 5+3*round {
				cmd.Process.Kill()
			}
		}
		cmd.Wait()
		pool, err := openPool(dsn(path), 1)
		if err != nil {
			t.Fatal(err)
		}
		var version, tables int
		if err := errors.Join(pool.QueryRow("PRAGMA user_version").Scan(&version),
			pool.QueryRow("SELECT count(*) FROM sqlite_schema WHERE name GLOB 'm[0-9]*'").Scan(&tables)); err != nil {
			t.Fatal(err)
		}
		pool.Close()
		if version < applied || tables != 30*version {
			t.Errorf("round %d: schema %d with %d of %d tables; %d were reported done", round, version, tables, 30*version, applied)
		}
	}
}

func removeAll(path string) error {
	for _, s := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + s); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// An existing database is copied before its schema changes, and a migration
// that was cut off is made up for at the next start.
func TestUpgradeFromFirstSchema(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "haoke.db")
	must(t, prepareFile(path))
	old := &DB{cfg: Config{Path: path}.withDefaults()}
	must(t, old.connect())
	must(t, old.apply(migrationNames()[0], 1))
	old.disconnect()
	db, err := Open(ctx, Config{Path: path, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if n := count(t, db, "PRAGMA user_version"); n != len(migrationNames()) {
		t.Errorf("schema %d", n)
	}
	if err := Verify(ctx, path+".schema1.bak"); err != nil {
		t.Errorf("copy from before: %v", err)
	}
}
