package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

// filled makes a database with some conversations, closed, and returns its path.
func filled(t *testing.T, conversations int) string {
	t.Helper()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "data dir", "haoke?#%1.db")
	db, err := Open(ctx, Config{Path: path, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	m := session.New(session.Config{}, db.Conversations())
	for range conversations {
		_, err := m.Append(ctx, chat.NewConversationID(), session.Append{Create: &chat.Conversation{Site: "default"},
			Messages: []chat.Message{visitorSays(strings.Repeat("Where is my parcel? ", 20), "1")}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// refused opens a file that must be refused, and checks that it was not touched.
func refused(t *testing.T, path string) error {
	t.Helper()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	db, err := Open(context.Background(), Config{Path: path, Reserve: -1})
	if err == nil {
		db.Close()
		t.Fatal("the file was accepted")
	}
	after, rerr := os.ReadFile(path)
	if rerr != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed (%v)", rerr)
	}
	return err
}

// patch writes bytes into a file.
func patch(t *testing.T, path string, at int64, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

func TestPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("access rights are lists there")
	}
	db := open(t)
	if err := db.write(context.Background(), func(tx *Tx) error { _, err := tx.exec("INSERT INTO meta VALUES ('x', 1)"); return err }); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm", ".mark", ".journal"} {
		fi, err := os.Stat(db.Path() + suffix)
		if err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", suffix, fi, err)
		}
	}
}

func TestDurabilitySettings(t *testing.T) {
	db := open(t)
	err := db.alone(context.Background(), func(tx *Tx) error {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000", "auto_vacuum": "2"} {
			var got string
			if err := tx.row("PRAGMA "+pragma, nil, &got); err != nil || got != want {
				t.Errorf("%s = %q, want %q (%v)", pragma, got, want, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.readers.Exec("INSERT INTO meta VALUES ('x', 1)"); err == nil {
		t.Error("a reader could write")
	}
	rows, err := db.readers.Query("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '%_fts%'")
	if err := eachRow(rows, err, func(r *sql.Rows) error {
		var name string
		err := r.Scan(&name)
		t.Errorf("table %s is not STRICT", name)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestNewerDatabaseIsRefusedUntouched(t *testing.T) {
	path := filled(t, 3)
	patch(t, path, 60, binary.BigEndian.AppendUint32(nil, 999))
	err := refused(t, path)
	var newer *NewerError
	if !errors.As(err, &newer) || newer.Found != 999 || newer.Known != len(migrationNames()) {
		t.Fatalf("%v", err)
	}
	for _, s := range []string{path + "-wal", path + "-shm"} {
		if _, err := os.Stat(s); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s was made", s)
		}
	}
}

func TestForeignDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.db")
	other, err := openPool(dsn(path), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Exec("CREATE TABLE t (x)"); err != nil {
		t.Fatal(err)
	}
	other.Close()
	var foreign *ForeignError
	db, err := Open(context.Background(), Config{Path: path, Reserve: -1})
	if !errors.As(err, &foreign) {
		if db != nil {
			db.Close()
		}
		t.Fatalf("tables without our mark: %v", err)
	}
	path = filled(t, 1)
	patch(t, path, 68, []byte("ABCD"))
	if err := refused(t, path); !errors.As(err, &foreign) {
		t.Errorf("another program's mark: %v", err)
	}
}

func TestDamageIsKeptAside(t *testing.T) {
	for name, harm := range map[string]func(*testing.T, string){
		"text":   func(t *testing.T, p string) { patch(t, p, 0, []byte("this is no database at all......")) },
		"short":  func(t *testing.T, p string) { must(t, os.Truncate(p, 50)) },
		"halved": func(t *testing.T, p string) { must(t, os.Truncate(p, fileSize(p)/2)) },
		"page": func(t *testing.T, p string) {
			// The page of the schema's b-tree; sparing the file's header.
			patch(t, p, 100, bytes.Repeat([]byte{0xff}, 3000))
		},
		"emptied with a log": func(t *testing.T, p string) {
			must(t, os.Truncate(p, 0))
			must(t, os.WriteFile(p+"-wal", bytes.Repeat([]byte{1}, 5000), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t, 200)
			harm(t, path)
			if name != "emptied with a log" {
				// As after a crash: a log is there, so the file is checked.
				must(t, os.WriteFile(path+"-wal", []byte("x"), 0o600))
			}
			for range 2 {
				var corrupt *CorruptError
				err := refused(t, path)
				if !errors.As(err, &corrupt) || corrupt.Kept == "" {
					t.Fatalf("%v", err)
				}
				if !strings.Contains(err.Error(), "haoked restore") || !strings.Contains(err.Error(), path) {
					t.Errorf("no instructions in: %v", err)
				}
				got, rerr := os.ReadFile(corrupt.Kept)
				want, _ := os.ReadFile(path)
				if rerr != nil || !bytes.Equal(got, want) {
					t.Errorf("the kept copy differs (%v)", rerr)
				}
			}
			copies, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*.damaged-*"))
			for _, c := range copies {
				if strings.HasSuffix(c, "-wal") {
					copies = copies[:len(copies)-1]
				}
			}
			if len(copies) != 1 {
				t.Errorf("%d copies after two starts: %v", len(copies), copies)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestUnwritableFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	_, err := Open(context.Background(), Config{Path: filepath.Join(file, "haoke.db")})
	if err == nil || !strings.Contains(err.Error(), "data folder") {
		t.Errorf("%v", err)
	}
}

func TestBackup(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	m := session.New(session.Config{}, db.Conversations())
	id := chat.NewConversationID()
	if _, err := m.Append(ctx, id, session.Append{Create: &chat.Conversation{}, Messages: []chat.Message{visitorSays("hello", "1")}}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := db.Backup(ctx, path); err != nil {
		t.Fatal(err)
	}
	if err := db.Backup(ctx, path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("backup over a file: %v", err)
	}
	if fi, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && fi.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", fi, err)
	}
	if err := Verify(ctx, path); err != nil {
		t.Fatal(err)
	}
	copied, err := Open(ctx, Config{Path: path, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	if h, err := session.New(session.Config{}, copied.Conversations()).Head(ctx, id); err != nil || h.LastSeq != 1 {
		t.Errorf("%+v %v", h, err)
	}
	// The reader that made the copy must be read-only again.
	for range 8 {
		if _, err := db.readers.Exec("INSERT INTO meta VALUES ('x', 1)"); err == nil {
			t.Fatal("a reader can write after the backup")
		}
	}
	junk := filepath.Join(t.TempDir(), "junk.db")
	must(t, os.WriteFile(junk, bytes.Repeat([]byte("junk"), 4096), 0o600))
	var corrupt *CorruptError
	if err := Verify(ctx, junk); !errors.As(err, &corrupt) {
		t.Errorf("junk: %v", err)
	}
}

// The log has grown; when nobody writes it is brought home and cut.
func TestWALIsCutWhenIdle(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	for i := range 100 {
		if err := db.write(ctx, func(tx *Tx) error { _, err := tx.exec("INSERT INTO meta VALUES (?, 1)", i); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if db.Stats().WALBytes == 0 {
		t.Fatal("no log to cut")
	}
	if err := db.maintain(ctx, false); err != nil || db.Stats().WALBytes == 0 {
		t.Errorf("cut although somebody writes (%v)", err)
	}
	if err := db.maintain(ctx, true); err != nil || db.Stats().WALBytes != 0 {
		t.Errorf("log of %d bytes when idle (%v)", db.Stats().WALBytes, err)
	}
}

// killed copies an open database's files as a kill -9 would leave them.
func killed(t *testing.T, db *DB) string {
	t.Helper()
	settled(db)
	path := filepath.Join(t.TempDir(), "killed.db")
	for _, s := range []string{"", "-wal", ".mark"} {
		must(t, copyFile(path+s, db.Path()+s))
	}
	return path
}

// A log whose end is damaged, or that is missing, is dropped by SQLite without
// a word. The mark notices, and epochs change.
func TestSilentLossIsNoticed(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	m := session.New(session.Config{}, db.Conversations())
	id := chat.NewConversationID()
	for i := range 5 {
		if _, err := m.Append(ctx, id, session.Append{Create: &chat.Conversation{}, Messages: []chat.Message{visitorSays("hello", string(rune('a'+i)))}}); err != nil {
			t.Fatal(err)
		}
	}
	head, err := m.Head(ctx, id)
	must(t, err)
	for name, harm := range map[string]func(path string){
		"none": func(string) {},
		"tail": func(path string) { patch(t, path+"-wal", fileSize(path+"-wal")-100, bytes.Repeat([]byte{7}, 50)) },
	} {
		path := killed(t, db)
		harm(path)
		again, err := Open(ctx, Config{Path: path, Reserve: -1})
		must(t, err)
		got, err := session.New(session.Config{}, again.Conversations()).Head(ctx, id)
		must(t, err)
		lost := again.Lost()
		must(t, again.Close())
		if name == "none" {
			if lost != 0 || got.LastSeq != 5 || got.Epoch != head.Epoch {
				t.Errorf("without harm: %d lost, %+v", lost, got)
			}
			continue
		}
		if lost != 1 || got.LastSeq != 4 || got.Epoch == head.Epoch {
			t.Errorf("%s: %d lost, %+v, epoch was %s", name, lost, got, head.Epoch)
		}
		third, err := Open(ctx, Config{Path: path, Reserve: -1})
		must(t, err)
		if third.Lost() != 0 {
			t.Errorf("the same loss is reported twice")
		}
		must(t, third.Close())
	}
}

// A check that takes too long for the start goes on in Run, and what it finds
// makes the store read-only for good.
func TestCheckGoesOnInBackground(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	m := session.New(session.Config{}, db.Conversations())
	for range 300 {
		if _, err := m.Append(ctx, chat.NewConversationID(), session.Append{Create: &chat.Conversation{},
			Messages: []chat.Message{visitorSays(strings.Repeat("Where is my parcel? ", 30), "1")}}); err != nil {
			t.Fatal(err)
		}
	}
	must(t, db.alone(ctx, checkpoint))
	must(t, db.write(ctx, func(tx *Tx) error { _, err := tx.exec("INSERT INTO meta VALUES ('x', 1)"); return err }))
	for _, harm := range []bool{false, true} {
		path := killed(t, db)
		if harm {
			// A leaf in the middle of the file: the start does not touch it.
			patch(t, path, 4096*(fileSize(path)/4096-20), bytes.Repeat([]byte{0xee}, 4096))
		}
		again, err := Open(ctx, Config{Path: path, Reserve: -1, CheckBudget: 1})
		must(t, err)
		if again.checked.Load() {
			t.Error("the check fitted into a nanosecond")
		}
		again.checkInBackground(ctx)
		if err := again.ReadOnly(); harm != errors.Is(err, chat.ErrReadOnly) {
			t.Errorf("damage %v: %v", harm, err)
		}
		var corrupt *CorruptError
		if err := again.ReadOnly(); harm && (!errors.As(err, &corrupt) || corrupt.Kept == "") {
			t.Errorf("%v", err)
		}
		again.Close()
	}
}
