package sqlite

import (
	"errors"

	lib "modernc.org/sqlite/lib"
)

const (
	// arenaMin is the first size of an arena, enough for most statements.
	arenaMin = 16 << 10
	// arenaKeep bounds what an arena keeps from one statement to the next.
	arenaKeep = 1 << 20
	// arenaMax bounds one text. SQLite's own limit is a little below it.
	arenaMax = 1 << 30
)

var (
	errNoMemory = errors.New("no memory left for the store")
	errTooBig   = errors.New("a value is too large for the store")
)

// arena is where the texts of a statement lie while it runs: memory of
// SQLite's allocator, since SQLite must not hold addresses of Go's. It grows to
// what the largest statement took, at most arenaKeep from one to the next.
type arena struct {
	p          uintptr
	size, used int
	full       []uintptr // outgrown while a statement was being bound
}

// take returns room for n bytes, valid until release.
func (a *arena) take(c *conn, n int) (uintptr, []byte, error) {
	if n > arenaMax {
		return 0, nil, errTooBig
	}
	if a.p == 0 || a.size-a.used < n {
		size := max(arenaMin, min(2*a.size, arenaKeep), n+1)
		p := lib.Xsqlite3_malloc(c.tls, int32(size))
		if p == 0 {
			return 0, nil, errNoMemory
		}
		if a.p != 0 {
			a.full = append(a.full, a.p)
		}
		a.p, a.size, a.used = p, size, 0
	}
	// An empty text needs an address too: without one it would be NULL.
	p := a.p + uintptr(a.used)
	a.used += n
	return p, bytesAt(p, n), nil
}

// cstring returns s with a zero behind it.
func (a *arena) cstring(c *conn, s string) (uintptr, error) {
	p, room, err := a.take(c, len(s)+1)
	if err == nil {
		room[copy(room, s)] = 0
	}
	return p, err
}

// release forgets what was taken.
func (a *arena) release(c *conn) {
	a.used = 0
	for _, p := range a.full {
		lib.Xsqlite3_free(c.tls, p)
	}
	a.full = a.full[:0]
	if a.size > arenaKeep {
		a.free(c)
	}
}

// free gives all of it back.
func (a *arena) free(c *conn) {
	for _, p := range a.full {
		lib.Xsqlite3_free(c.tls, p)
	}
	lib.Xsqlite3_free(c.tls, a.p)
	*a = arena{}
}
