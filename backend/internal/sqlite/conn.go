package sqlite

import (
	"fmt"
	"strings"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// conn is a connection that speaks to SQLite's own interface, without
// database/sql in between: there every value of every row is boxed, copied and
// looked up by name, which was most of what a visitor's turn took from the
// heap. Here a statement that runs again takes nothing. zombiezen.com/go/sqlite
// works the same way on the same library; see https://www.sqlite.org/cintro.html.
//
// A conn belongs to one goroutine at a time.
type conn struct {
	tls   *libc.TLS
	db    uintptr
	out   uintptr          // room for one pointer that SQLite hands back
	stmts map[string]*stmt // by their text: queries should be constants
	texts arena            // of the statements that are being run
	runs  int              // how many they are: a row may call for another read
}

// failure is what SQLite said.
type failure struct {
	code int // extended result code
	text string
}

// Error implements error.
func (f *failure) Error() string { return f.text }

// openConn opens the database that name, a URI, stands for and runs setup, the
// PRAGMAs of the connection.
func openConn(name, setup string) (*conn, error) {
	c := &conn{tls: libc.NewTLS(), stmts: make(map[string]*stmt)}
	if c.out = lib.Xsqlite3_malloc(c.tls, int32(unsafe.Sizeof(c.db))); c.out == 0 {
		c.tls.Close()
		return nil, errNoMemory
	}
	err := c.open(name)
	if err == nil {
		err = c.script(setup)
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *conn) open(name string) error {
	file, err := c.texts.cstring(c, name)
	if err != nil {
		return err
	}
	defer c.release()
	rc := lib.Xsqlite3_open_v2(c.tls, file, c.out,
		lib.SQLITE_OPEN_READWRITE|lib.SQLITE_OPEN_CREATE|lib.SQLITE_OPEN_FULLMUTEX|lib.SQLITE_OPEN_URI, 0)
	c.db = *(*uintptr)(memory(c.out)) // set on most failures too: it carries the words
	if rc != lib.SQLITE_OK {
		return c.failed(rc)
	}
	lib.Xsqlite3_extended_result_codes(c.tls, c.db, 1)
	return nil
}

// close finalizes the statements and closes the database.
func (c *conn) close() {
	for _, s := range c.stmts {
		lib.Xsqlite3_finalize(c.tls, s.p)
	}
	clear(c.stmts)
	if c.db != 0 {
		lib.Xsqlite3_close_v2(c.tls, c.db)
	}
	c.texts.free(c)
	lib.Xsqlite3_free(c.tls, c.out)
	c.tls.Close()
	c.db, c.out = 0, 0
}

// release ends the use of the arena when nobody has anything in it.
func (c *conn) release() {
	if c.runs == 0 {
		c.texts.release(c)
	}
}

// failed makes an error of a result code and the connection's words.
func (c *conn) failed(rc int32) error {
	text := libc.GoString(lib.Xsqlite3_errstr(c.tls, rc))
	if c.db != 0 {
		if more := libc.GoString(lib.Xsqlite3_errmsg(c.tls, c.db)); more != text {
			text += ": " + more
		}
	}
	return &failure{code: int(rc), text: fmt.Sprintf("%s (%d)", text, rc)}
}

// script runs statements without parameters and without results.
func (c *conn) script(text string) error {
	p, err := c.texts.cstring(c, text)
	if err != nil {
		return err
	}
	defer c.release()
	if rc := lib.Xsqlite3_exec(c.tls, c.db, p, 0, 0, 0); rc != lib.SQLITE_OK {
		return c.failed(rc)
	}
	return nil
}

// prepare returns the statement of query, kept from the last time.
func (c *conn) prepare(query string) (*stmt, error) {
	if s := c.stmts[query]; s != nil {
		if s.runs {
			return nil, fmt.Errorf("%q is being run already", query)
		}
		return s, nil
	}
	text, err := c.texts.cstring(c, query)
	if err != nil {
		return nil, err
	}
	defer c.release()
	if rc := lib.Xsqlite3_prepare_v3(c.tls, c.db, text, -1, lib.SQLITE_PREPARE_PERSISTENT, c.out, 0); rc != lib.SQLITE_OK {
		return nil, fmt.Errorf("prepare: %w", c.failed(rc))
	}
	s := &stmt{c: c, p: *(*uintptr)(memory(c.out))}
	if s.p == 0 {
		return nil, fmt.Errorf("prepare: %q is no statement", strings.TrimSpace(query))
	}
	s.params = int(lib.Xsqlite3_bind_parameter_count(c.tls, s.p))
	c.stmts[query] = s
	return s, nil
}

// changes is the number of rows that the last INSERT, UPDATE or DELETE changed.
func (c *conn) changes() int64 { return int64(lib.Xsqlite3_changes(c.tls, c.db)) }

// lastID is the row id of the last INSERT.
func (c *conn) lastID() int64 { return int64(lib.Xsqlite3_last_insert_rowid(c.tls, c.db)) }

// stmt is a prepared statement. Its values are bound in order, then it is run
// or stepped through; done makes it ready for its next use.
type stmt struct {
	c      *conn
	p      uintptr
	params int
	runs   bool  // from the first value to done
	at     int   // values bound so far
	err    error // of a binding
}

func (s *stmt) bound(rc int32) *stmt {
	if rc != lib.SQLITE_OK && s.err == nil {
		s.err = s.c.failed(rc)
	}
	return s
}

func (s *stmt) begin() {
	if !s.runs {
		s.runs = true
		s.c.runs++
	}
}

// next is the number of the parameter that is bound now.
func (s *stmt) next() int32 {
	s.begin()
	s.at++
	return int32(s.at)
}

func (s *stmt) null() *stmt { return s.bound(lib.Xsqlite3_bind_null(s.c.tls, s.p, s.next())) }

func (s *stmt) int(v int64) *stmt {
	return s.bound(lib.Xsqlite3_bind_int64(s.c.tls, s.p, s.next(), v))
}

func (s *stmt) float(v float64) *stmt {
	return s.bound(lib.Xsqlite3_bind_double(s.c.tls, s.p, s.next(), v))
}

func (s *stmt) bool(v bool) *stmt {
	if v {
		return s.int(1)
	}
	return s.int(0)
}

// text binds a copy of v that lives until done.
func (s *stmt) text(v string) *stmt {
	p, room := s.room(len(v))
	copy(room, v)
	return s.bound(lib.Xsqlite3_bind_text(s.c.tls, s.p, s.next(), p, int32(len(v)), 0))
}

// textBytes is text of bytes.
func (s *stmt) textBytes(v []byte) *stmt {
	p, room := s.room(len(v))
	copy(room, v)
	return s.bound(lib.Xsqlite3_bind_text(s.c.tls, s.p, s.next(), p, int32(len(v)), 0))
}

// blob binds a copy of v that lives until done; nil is NULL.
func (s *stmt) blob(v []byte) *stmt {
	if v == nil {
		return s.null()
	}
	p, room := s.room(len(v))
	copy(room, v)
	return s.bound(lib.Xsqlite3_bind_blob(s.c.tls, s.p, s.next(), p, int32(len(v)), 0))
}

func (s *stmt) room(n int) (uintptr, []byte) {
	s.begin()
	p, room, err := s.c.texts.take(s.c, n)
	if err != nil && s.err == nil {
		s.err = err
	}
	return p, room
}

// step runs the statement to its next row and reports whether there is one.
func (s *stmt) step() (bool, error) {
	s.begin()
	switch {
	case s.err != nil:
		return false, s.err
	case s.at != s.params:
		return false, fmt.Errorf("%d values for %d parameters", s.at, s.params)
	}
	switch rc := lib.Xsqlite3_step(s.c.tls, s.p); rc {
	case lib.SQLITE_ROW:
		return true, nil
	case lib.SQLITE_DONE:
		return false, nil
	default:
		return false, s.c.failed(rc)
	}
}

// done ends a run. The values stay bound to memory that the next run fills
// anew; SQLite reads them in step only, and step wants all of them bound again.
func (s *stmt) done() {
	lib.Xsqlite3_reset(s.c.tls, s.p)
	if s.at, s.err = 0, nil; s.runs {
		s.runs = false
		s.c.runs--
	}
	s.c.release()
}

// run steps to the end. Rows, if any, are dropped.
func (s *stmt) run() error {
	defer s.done()
	for {
		if more, err := s.step(); err != nil || !more {
			return err
		}
	}
}

// The columns of the present row, from 0. What is NULL reads as zero or "".

func (s *stmt) isNull(i int) bool {
	return lib.Xsqlite3_column_type(s.c.tls, s.p, int32(i)) == lib.SQLITE_NULL
}

func (s *stmt) getInt(i int) int64 {
	return int64(lib.Xsqlite3_column_int64(s.c.tls, s.p, int32(i)))
}

func (s *stmt) getFloat(i int) float64 {
	return lib.Xsqlite3_column_double(s.c.tls, s.p, int32(i))
}

// view is a column's bytes, valid until the next step.
func (s *stmt) view(i int) []byte {
	p := lib.Xsqlite3_column_blob(s.c.tls, s.p, int32(i))
	n := lib.Xsqlite3_column_bytes(s.c.tls, s.p, int32(i))
	return bytesAt(p, int(n))
}

func (s *stmt) getText(i int) string { return string(s.view(i)) }

// memory turns an address of SQLite's memory, which Go's collector knows
// nothing of, into a pointer.
func memory(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

func bytesAt(p uintptr, n int) []byte {
	if p == 0 || n <= 0 {
		return nil
	}
	return unsafe.Slice((*byte)(memory(p)), n)
}
