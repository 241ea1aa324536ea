package sqlite

import (
	"context"
	"fmt"
	"os"
)

// SQLite drops a damaged end of its write-ahead log without a word, and a log
// that is missing altogether too: to it that is an unfinished transaction. So
// the number of the last commit is kept outside as well, in a small file
// beside the database. It is written after the commit is on disk and not
// flushed: it may be behind, never ahead, and when it is ahead of the database
// something that was acknowledged is gone. A restored backup looks the same,
// and needs the same: new epochs, so that widgets start their copy afresh.

const (
	markFormat = "haoke-mark 1 %32s %020d\n"
	markDigits = 20
)

// mark is the open mark file and what it is to say next.
type mark struct {
	file *os.File
	id   string // of the database
	n    int64  // commits so far
	lost int64
	text []byte // what the file says
}

// read reads what the database says of itself.
func (m *mark) read(tx *Tx) error {
	if err := tx.row("SELECT value FROM meta WHERE key = 'id'", nil, &m.id); err != nil {
		return fmt.Errorf("read the database's id: %w", err)
	}
	if err := tx.row("SELECT value FROM meta WHERE key = 'commits'", nil, &m.n); err != nil {
		return fmt.Errorf("read the number of commits: %w", err)
	}
	return nil
}

// openMark compares the database, which was read, with its mark. It runs before
// the writer.
func (db *DB) openMark(ctx context.Context) error {
	m := &db.mark
	f, err := os.OpenFile(db.cfg.Path+".mark", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open the commit mark: %w", err)
	}
	m.file = f
	var id string
	var n int64
	if _, err := fmt.Fscanf(f, markFormat, &id, &n); err != nil || id != m.id || n <= m.n {
		return m.write() // new, of another database, or in order
	}
	m.lost = n - m.n
	db.cfg.Log.Error("the database is older than its last confirmed commit: its log was damaged or removed, or a backup was restored",
		"commits_missing", m.lost)
	// The next commits must not carry the numbers of the lost ones.
	m.n = n
	if _, err := db.tx.exec("UPDATE meta SET value = ? WHERE key = 'commits'", n); err != nil {
		return fmt.Errorf("note lost commits: %w", err)
	}
	return db.renewEpochs(ctx)
}

// renewEpochs gives every conversation a new epoch.
func (db *DB) renewEpochs(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := db.tx.exec("UPDATE conversations SET epoch = lower(hex(randomblob(6))), version = version + 1"); err != nil {
		return fmt.Errorf("renew epochs: %w", err)
	}
	return nil
}

func (m *mark) write() error {
	if m.text == nil {
		m.text = fmt.Appendf(nil, markFormat, m.id, m.n)
	}
	// Only the number changes, and it has a fixed place.
	at := len(m.text) - 2
	for n := m.n; at >= len(m.text)-1-markDigits; at-- {
		m.text[at] = '0' + byte(n%10)
		n /= 10
	}
	_, err := m.file.WriteAt(m.text, 0)
	return err
}

// count numbers the transaction that is about to be committed.
func (m *mark) count(tx *Tx) error {
	s, err := tx.stmt("UPDATE meta SET value = ? WHERE key = 'commits'")
	if err != nil {
		return err
	}
	return tx.finish(s.int(m.n + 1))
}

// committed notes that the numbered transaction is on disk. That the mark
// cannot be written is no reason to refuse what is safe already.
func (m *mark) committed() {
	m.n++
	_ = m.write()
}

// Lost returns how many commits the database was short of when it was opened,
// 0 when nothing was missing: see the mark file. The owner should be told.
func (db *DB) Lost() int64 { return db.mark.lost }
