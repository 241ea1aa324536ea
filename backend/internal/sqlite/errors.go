package sqlite

import (
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// NewerError is returned by Open for a database that a newer version of the
// appliance has written. The file was not touched.
type NewerError struct {
	Path  string
	Found int // schema version of the file
	Known int // newest schema version that this program knows
}

// Error implements error.
func (e *NewerError) Error() string {
	return fmt.Sprintf("the database %s was written by a newer version of Haoke (schema %d, this program knows %d): "+
		"install that version again, or restore a backup made with this one; the file was not changed", e.Path, e.Found, e.Known)
}

// ForeignError is returned by Open for an SQLite file that is not Haoke's. The
// file was not touched.
type ForeignError struct{ Path string }

// Error implements error.
func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s is a database of another program: choose another data folder; the file was not changed", e.Path)
}

// CorruptError is returned by Open for a damaged database. The damaged file
// stays where it is and a copy is kept aside; nothing is ever overwritten.
type CorruptError struct {
	Path   string
	Kept   string // copy of the damaged file, empty when it could not be made
	Detail string // what SQLite said
}

// Error implements error.
func (e *CorruptError) Error() string {
	kept := "a copy could not be made (is the disk full?)"
	if e.Kept != "" {
		kept = "a copy is kept at " + e.Kept
	}
	return fmt.Sprintf("the database %s is damaged (%s): %s; restore the latest backup with \"haoked restore FILE\", "+
		"or move the file away to start empty; it was not changed", e.Path, e.Detail, kept)
}

// errClosed is returned for writes after Close.
var errClosed = errors.New("store is closed")

// code returns SQLite's extended result code of err, 0 when it has none.
func code(err error) int {
	var f *failure
	if errors.As(err, &f) {
		return f.code
	}
	var e *driver.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// poisons reports whether err ends the whole transaction rather than one
// statement: disk, memory, lock and damage.
func poisons(err error) bool {
	switch code(err) & 0xff {
	case lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_NOMEM, lib.SQLITE_BUSY, lib.SQLITE_INTERRUPT,
		lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB, lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_PROTOCOL:
		return true
	}
	return false
}

// degrades reports whether the store must refuse writes after err until a
// probe has succeeded.
func degrades(err error) bool {
	switch code(err) & 0xff {
	case lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB,
		lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN:
		return true
	}
	return false
}

// damaged reports whether err says that the file's content is wrong.
func damaged(err error) bool {
	c := code(err) & 0xff
	return c == lib.SQLITE_CORRUPT || c == lib.SQLITE_NOTADB
}

// diskFull reports whether err says that there is no room.
func diskFull(err error) bool { return code(err)&0xff == lib.SQLITE_FULL }
