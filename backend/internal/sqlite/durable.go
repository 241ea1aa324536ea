package sqlite

import (
	"errors"
	"fmt"
)

// store makes a batch durable and visible: in the journal and, meanwhile, in
// the tables where it can, with a sync of the WAL where it cannot.
func (db *DB) store(live []*op, errs []error) error {
	j := &db.journal
	if !j.hold(db.mark.n+1, live) {
		return db.flush(live, errs)
	}
	db.beside <- work{live, errs}
	werr := j.write()
	err := <-db.applied
	switch {
	case err == nil && werr == nil:
		j.keep()
		return nil
	case err == nil:
		db.withoutJournal(werr)
		return db.flush(nil, nil) // what stands in the WAL and was to be in the journal
	}
	if verr := j.void(); verr != nil {
		db.withoutJournal(verr)
	}
	return err
}

// flush commits a batch with a sync, which brings everything before it to the
// disk too.
func (db *DB) flush(live []*op, errs []error) error {
	if err := db.synced(true); err != nil {
		return db.failed(err)
	}
	if err := db.attempt(live, errs); err != nil {
		return err
	}
	db.journal.restart()
	return nil
}

// work is what the applier does.
type work struct {
	live []*op
	errs []error
}

// applier does in the tables what the writer writes into the journal meanwhile.
func (db *DB) applier() {
	for b := range db.beside {
		err := db.synced(false)
		if err != nil {
			err = db.failed(err)
		} else {
			err = db.attempt(b.live, b.errs)
		}
		db.applied <- err
	}
}

// synced says whether the commits that follow wait for the disk themselves.
func (db *DB) synced(yes bool) error {
	if db.tx.lazy == !yes {
		return nil
	}
	setup := "PRAGMA synchronous = NORMAL"
	if yes {
		setup = "PRAGMA synchronous = FULL"
	}
	if err := db.tx.conn.script(setup); err != nil {
		return fmt.Errorf("choose how commits are synced: %w", err)
	}
	db.tx.lazy = !yes
	return nil
}

// attempt runs the operations in one transaction, twice if need be.
func (db *DB) attempt(live []*op, errs []error) error {
	err := db.transact(live, errs, false)
	if errors.Is(err, errAgain) {
		err = db.transact(live, errs, true)
	}
	return err
}
