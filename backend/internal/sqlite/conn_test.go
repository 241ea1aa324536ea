package sqlite

import (
	"bytes"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	lib "modernc.org/sqlite/lib"
)

func openBare(t *testing.T) *Tx {
	c, err := openConn(dsn(filepath.Join(t.TempDir(), "x.db")), writerSetup)
	must(t, err)
	t.Cleanup(c.close)
	must(t, c.script("CREATE TABLE x (i INTEGER PRIMARY KEY, t TEXT, f REAL, b BLOB); CREATE TABLE y (t TEXT NOT NULL UNIQUE)"))
	return &Tx{conn: c}
}

// What goes in comes out, also where a value is empty, missing, long or full of
// zeroes.
func TestConnKeepsValues(t *testing.T) {
	tx := openBare(t)
	type kind string
	long := strings.Repeat("退货\x00", 1<<20)
	for i, want := range []struct {
		t any
		b []byte
	}{{"", nil}, {"x", []byte{}}, {nil, []byte{0, 1, 2}}, {long, bytes.Repeat([]byte{7, 0}, 3<<20)}, {kind("named"), []byte(long)}, {"after", nil}} {
		id, err := tx.insert("INSERT INTO x (t, f, b) VALUES (?,?,?)", want.t, float64(i)/3, want.b)
		must(t, err)
		var text string
		var f float64
		var b []byte
		if want.t == nil {
			if err := tx.row("SELECT t FROM x WHERE i = ?", []any{id}, &text); err == nil {
				t.Error("NULL was read as a text")
			}
			want.t = ""
		}
		must(t, tx.row("SELECT coalesce(t, ''), f, b FROM x WHERE i = ?", []any{id}, &text, &f, &b))
		if text != fmt.Sprint(want.t) || f != float64(i)/3 || !bytes.Equal(b, want.b) || (b == nil) != (want.b == nil) {
			t.Errorf("row %d: text of %d bytes, %v, blob of %d bytes (nil: %v)", i, len(text), f, len(b), b == nil)
		}
	}
	if a := &tx.conn.texts; a.size > arenaKeep || len(a.full) > 0 {
		t.Errorf("the arena keeps %d bytes and %d more pieces", a.size, len(a.full))
	}
	if err := tx.row("SELECT 1 FROM x WHERE i = -1", nil, new(int)); err != sql.ErrNoRows {
		t.Errorf("no row: %v", err)
	}
}

// A read inside a read leaves the outer one's values alone.
func TestConnReadsInsideReads(t *testing.T) {
	tx := openBare(t)
	outer := strings.Repeat("o", 100)
	for range 5 {
		_, err := tx.insert("INSERT INTO x (t) VALUES (?)", outer)
		must(t, err)
	}
	rows := 0
	err := tx.conn.read("SELECT i FROM x WHERE t = ? AND length(t) = 100", func(s *stmt) { s.text(outer) }, func(s *stmt) error {
		rows++
		_, err := tx.exec("INSERT INTO y (t) VALUES (?)", strings.Repeat("i", rows*arenaMin))
		return err
	})
	if err != nil || rows != 5 {
		t.Errorf("%d rows: %v", rows, err)
	}
	err = tx.conn.read("SELECT i FROM x", func(*stmt) {}, func(*stmt) error {
		return tx.conn.read("SELECT i FROM x", func(*stmt) {}, func(*stmt) error { return nil })
	})
	if err == nil {
		t.Error("a statement ran inside itself")
	}
	if tx.conn.runs != 0 {
		t.Errorf("%d statements are left open", tx.conn.runs)
	}
}

func TestConnErrors(t *testing.T) {
	tx := openBare(t)
	_, err := tx.insert("INSERT INTO y (t) VALUES (?)", "once")
	must(t, err)
	if _, err = tx.insert("INSERT INTO y (t) VALUES (?)", "once"); code(err) != lib.SQLITE_CONSTRAINT_UNIQUE || poisons(err) {
		t.Errorf("the same again: %v (code %d)", err, code(err))
	}
	if _, err = tx.insert("INSERT INTO y (t) VALUES (?)", "twice"); err != nil {
		t.Errorf("after an error: %v", err)
	}
	for name, try := range map[string]func() error{
		"too few values":  func() error { return tx.run("INSERT INTO y (t) VALUES (?)") },
		"too many values": func() error { return tx.run("INSERT INTO y (t) VALUES (?)", 1, 2) },
		"no such kind":    func() error { return tx.run("INSERT INTO y (t) VALUES (?)", struct{}{}) },
		"no such table":   func() error { return tx.run("INSERT INTO z VALUES (1)") },
		"no statement":    func() error { return tx.run(" -- nothing") },
		"bad script":      func() error { return tx.conn.script("CREATE TABLE a (x); CREATE NONSENSE") },
	} {
		if err := try(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := openConn(dsn(filepath.Join(t.TempDir(), "no", "folder", "x.db")), ""); code(err)&0xff != lib.SQLITE_CANTOPEN {
		t.Errorf("a folder that is not there: %v", err)
	}
	var n int
	must(t, tx.row("SELECT count(*) FROM y", nil, &n))
	if n != 2 || tx.conn.runs != 0 {
		t.Errorf("%d rows, %d statements are left open", n, tx.conn.runs)
	}
}
