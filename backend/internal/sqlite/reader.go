package sqlite

import (
	"context"
	"errors"
	"sync"
)

// readerSetup is that of a connection that reads what a turn needs.
const readerSetup = `PRAGMA busy_timeout = 5000; PRAGMA cache_size = -2048; PRAGMA temp_store = memory; PRAGMA query_only = 1`

// bareReaders are the connections for the reads that a visitor's turn may wait
// for, beside the pool of database/sql that serves all others. Each is opened
// when it is first needed; who finds all of them in use waits.
type bareReaders struct {
	free chan *conn // nil: not open
	path string
	end  sync.Once
}

func newBareReaders(path string, n int) *bareReaders {
	r := &bareReaders{free: make(chan *conn, n), path: path}
	for range n {
		r.free <- nil
	}
	return r
}

// borrow returns a connection for one read. errClosed after Close.
func (db *DB) borrow(ctx context.Context) (*conn, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var c *conn
	select {
	case c = <-db.bare.free:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-db.stopped:
		return nil, errClosed
	}
	if c != nil {
		return c, nil
	}
	c, err := openConn(dsn(db.bare.path), readerSetup)
	if err != nil {
		db.bare.free <- nil
		return nil, err
	}
	return c, nil
}

// giveBack ends a read. After an error of SQLite the next one begins with a
// fresh connection.
func (db *DB) giveBack(c *conn, err error) {
	if code(err) != 0 {
		c.close()
		c = nil
	}
	db.bare.free <- c
}

// close waits for the reads under way and closes their connections.
func (r *bareReaders) close() {
	r.end.Do(func() {
		for range cap(r.free) {
			if c := <-r.free; c != nil {
				c.close()
			}
		}
	})
}

// read runs a query on one of the readers, as conn.read does.
func (db *DB) read(ctx context.Context, query string, bind func(*stmt), f func(*stmt) error) error {
	c, err := db.borrow(ctx)
	if err != nil {
		return err
	}
	err = c.read(query, bind, f)
	db.giveBack(c, err)
	return err
}

// read runs a query and calls f at each row until it returns errEnough.
func (c *conn) read(query string, bind func(*stmt), f func(*stmt) error) error {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	defer s.done()
	bind(s)
	for {
		more, err := s.step()
		if err != nil || !more {
			return err
		}
		if err := f(s); err != nil {
			if errors.Is(err, errEnough) {
				return nil
			}
			return err
		}
	}
}
