package sqlite

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"unsafe"
)

// A visitor waits for two things on the disk's account: SQLite's work on a
// dozen pages, and the sync behind it. The journal takes both off each other's
// shoulders: it holds what a batch of conversations' changes is to do, in one
// record that is written and synced while SQLite does it, in the WAL, without
// a sync. Both must be done before anybody is answered, so nothing is ever
// acknowledged that the tables do not show. After a power failure the WAL can
// be short of its last commits; Open then makes them from the journal.
//
// Each record carries the number of its commit (see mark), and only the record
// with the number that follows the database's is applied. What else changes the
// database, settings or a deletion, is committed with a sync as ever: that
// brings the WAL's earlier commits to the disk as well, and the journal starts
// again from its beginning.

const (
	// journalSize is allocated once, so that a record's way to the disk has no
	// metadata beside it.
	journalSize  = 1 << 20
	journalBlock = 4096 // records begin and end at multiples: see openSynced
	journalLine  = "haoke-journal 1 %32s\n"
	recordMagic  = 0x314a4b48 // "HKJ1"
	recordHeader = 20         // magic, length, number, checksum
	// keepJournal bounds what is kept of a record's memory for the next one.
	keepJournal = 256 << 10
	wipeStep    = 64 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// journal is the open journal file. The writer's goroutine alone uses it.
type journal struct {
	file *os.File
	at   int64  // where the next record goes
	end  int64  // of all that was written since it was wiped
	buf  []byte // the record that is written
	off  error  // why it is not used any more; nil: it is
}

// journalPath is the journal's place. SQLite has names of its own for what lies
// beside a database, "-journal" among them.
func journalPath(database string) string { return database + ".journal" }

// openJournal brings home what the journal has and the database has not, and
// makes the journal ready. It runs before the mark is looked at.
func (db *DB) openJournal(ctx context.Context) error {
	path, line := journalPath(db.cfg.Path), fmt.Appendf(nil, journalLine, db.mark.id)
	old, err := db.catchUp(ctx, path)
	if err != nil {
		return err
	}
	if err := db.journal.open(path, line, isClean(old, line)); err != nil {
		db.withoutJournal(err)
	}
	return nil
}

// withoutJournal goes on without the journal: commits are synced themselves.
func (db *DB) withoutJournal(err error) {
	db.journal.off = err
	db.cfg.Log.Error("the journal cannot be used: commits are slower from now on", "path", journalPath(db.cfg.Path), "error", err)
}

// catchUp applies what a journal of this database has and the database has not.
// The mark has been read. It returns what the file holds.
func (db *DB) catchUp(ctx context.Context, path string) ([]byte, error) {
	text, err := readJournal(path)
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	if bytes.HasPrefix(text, fmt.Appendf(nil, journalLine, db.mark.id)) && len(text) > journalBlock {
		if err := db.replay(ctx, text[journalBlock:]); err != nil {
			return nil, fmt.Errorf("bring the journal home: %w", err)
		}
	}
	return text, nil
}

// readJournal returns what the file holds, nothing when there is none.
func readJournal(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	text := make([]byte, min(fi.Size(), journalSize+1))
	n, err := io.ReadFull(f, text)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil // it was shortened meanwhile
	}
	return text[:n], err
}

// isClean reports whether a journal's text is the one of an empty journal.
func isClean(text, line []byte) bool {
	return len(text) == journalSize && bytes.HasPrefix(text, line) && len(bytes.TrimLeft(text[len(line):], "\x00")) == 0
}

// hasRecords reports whether the journal of a database holds anything.
func hasRecords(database string) bool {
	text, err := readJournal(journalPath(database))
	if err != nil || len(text) < journalBlock {
		return err != nil
	}
	_, _, some := nextRecord(text[journalBlock:])
	return some
}

// open makes the file ready and takes its room on the disk: it is to hold line
// and nothing else, and does already when ready is set. A disk without that room
// is no reason not to start.
func (j *journal) open(path string, line []byte, ready bool) (err error) {
	j.at, j.end = journalBlock, journalBlock
	if !ready {
		if err := replaceFile(path, append(line, make([]byte, journalSize-len(line))...)); err != nil {
			return err
		}
	}
	for _, direct := range []bool{true, false} {
		if j.file, err = openSynced(path, direct); err != nil {
			continue
		}
		first := j.room(journalBlock)
		clear(first)
		copy(first, line)
		if err = j.put(first, 0); err == nil {
			return nil
		}
		j.file.Close()
		j.file = nil
	}
	return err
}

// replaceFile writes a whole file and brings it to the disk, with its name.
func replaceFile(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(text); err == nil {
		err = f.Truncate(int64(len(text)))
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if dir, derr := os.Open(filepath.Dir(path)); derr == nil {
		_ = dir.Sync() // Windows cannot, and need not
		dir.Close()
	}
	return err
}

// wipe overwrites all records: the words of a visitor who was deleted must not
// lie in them for years. What cannot be wiped now is at the next start.
func (j *journal) wipe() error {
	for at := int64(journalBlock); at < j.end && j.off == nil; at += wipeStep {
		blank := j.room(int(min(j.end-at, wipeStep)))
		clear(blank)
		if err := j.put(blank, at); err != nil {
			return fmt.Errorf("wipe the journal: %w", err)
		}
	}
	j.at, j.end = journalBlock, journalBlock
	return nil
}

// room returns n bytes that begin at a multiple of journalBlock in memory, as
// writing past the system's cache asks for.
func (j *journal) room(n int) []byte {
	if cap(j.buf) < n {
		b := make([]byte, n+journalBlock)
		skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (journalBlock - 1)
		j.buf = b[skip : skip+n : skip+n]
	}
	j.buf = j.buf[:n]
	return j.buf
}

// put brings bytes to the disk.
func (j *journal) put(b []byte, at int64) error {
	if _, err := j.file.WriteAt(b, at); err != nil {
		return err
	}
	return syncWritten(j.file)
}

// hold makes the record of a batch, false when the batch must be synced itself.
func (j *journal) hold(number int64, live []*op) bool {
	if j.off != nil {
		return false
	}
	n := recordHeader
	for _, o := range live {
		if o.record == nil {
			return false
		}
		n += len(o.record)
	}
	padded := (n + journalBlock - 1) &^ (journalBlock - 1)
	if j.at+int64(padded) > journalSize {
		return false
	}
	b := j.room(padded)
	at := recordHeader
	for _, o := range live {
		at += copy(b[at:], o.record)
	}
	clear(b[at:])
	le := binary.LittleEndian
	le.PutUint32(b, recordMagic)
	le.PutUint32(b[4:], uint32(n-recordHeader))
	le.PutUint64(b[8:], uint64(number))
	le.PutUint32(b[16:], recordSum(b[:n]))
	return true
}

// recordSum is the checksum of a record, without the place where it stands.
func recordSum(b []byte) uint32 {
	sum := crc32.Update(0, castagnoli, b[:16])
	return crc32.Update(sum, castagnoli, b[recordHeader:])
}

// write brings the held record to the disk.
func (j *journal) write() error {
	j.end = max(j.end, j.at+int64(len(j.buf)))
	if err := j.put(j.buf, j.at); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}

// keep goes on behind the record that was written.
func (j *journal) keep() {
	j.at += int64(len(j.buf))
	j.letGo()
}

// void takes back the record that was written: SQLite could not do it, and
// those who asked are about to hear so.
func (j *journal) void() error {
	blank := j.room(journalBlock)
	clear(blank)
	if err := j.put(blank, j.at); err != nil {
		return fmt.Errorf("take back a record of the journal: %w", err)
	}
	return nil
}

func (j *journal) letGo() {
	if cap(j.buf) > keepJournal {
		j.buf = nil
	}
}

// restart begins the journal anew: every commit so far is on the disk in the
// WAL. What is written from here on has higher numbers than what lies behind it.
func (j *journal) restart() { j.at = journalBlock }

// close ends the use of the journal. home says that the database has everything:
// what the journal says is of no more use then, and must not meet another
// database that is put in this one's place.
func (j *journal) close(home bool) {
	if j.file == nil {
		return
	}
	if home {
		_ = j.wipe()
	}
	j.file.Close()
	j.file = nil
}

// replay applies the records that follow the database's last commit.
func (db *DB) replay(ctx context.Context, records []byte) error {
	m, done := &db.mark, 0
	for {
		r, rest, ok := nextRecord(records)
		if !ok {
			break
		}
		if records = rest; r.number <= m.n {
			continue // made already; or of an earlier round, behind the present one
		}
		if r.number != m.n+1 {
			break // commits between are missing: see mark
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := db.redo(r.ops); err != nil {
			return fmt.Errorf("commit %d: %w", r.number, err)
		}
		m.n++
		done++
	}
	if done > 0 { // after a power failure
		db.cfg.Log.Info("the last commits were made again from the journal", "commits", done)
	}
	return nil
}

// record is a record of the journal as read.
type record struct {
	number int64
	ops    []byte
}

// nextRecord returns the first record of b and what follows it; ok is false
// when there is none.
func nextRecord(b []byte) (r record, rest []byte, ok bool) {
	le := binary.LittleEndian
	if len(b) < recordHeader || le.Uint32(b) != recordMagic {
		return r, nil, false
	}
	n := recordHeader + int64(le.Uint32(b[4:]))
	if n > int64(len(b)) || le.Uint32(b[16:]) != recordSum(b[:n]) {
		return r, nil, false
	}
	r = record{number: int64(le.Uint64(b[8:])), ops: b[recordHeader:n]}
	return r, b[min((n+journalBlock-1)&^(journalBlock-1), int64(len(b))):], true
}

// redo makes one commit of a record, as it was made before: what failed then,
// by itself, fails again.
func (db *DB) redo(ops []byte) error {
	var live []*op
	for len(ops) > 0 {
		w := &commit{op: newOp(nil)}
		var err error
		if ops, err = w.decode(ops); err != nil {
			return err
		}
		w.op.fn = w.redo
		live = append(live, w.op)
	}
	return db.transact(live, make([]error, len(live)), true)
}
