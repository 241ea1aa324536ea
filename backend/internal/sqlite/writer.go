package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"haoke/backend/internal/chat"
)

const (
	// queueLen bounds the operations that wait for the writer. Beyond it,
	// callers wait at the door until their context ends.
	queueLen = 4096
	// batchLen bounds one group commit, so that the first of a group does not
	// wait for ever.
	batchLen = 512
	// idleAfter is after how many commits in a row one idle operation gets its
	// turn although others wait.
	idleAfter = 16
	// gatherFor bounds how long a batch waits for company.
	gatherFor = 100 * time.Microsecond
)

// States of an operation. Only a queued one can be withdrawn by its caller;
// once the writer has begun it, its outcome is always awaited, so that nobody
// has to guess whether a write happened.
const (
	opQueued int32 = iota
	opBegun
	opWithdrawn
)

type op struct {
	fn    func(*Tx) error
	state atomic.Int32
	done  chan error
	over  bool // the writer has let go of it; set for the one who waits
	// record is what the operation does, for the journal; nil: it has no place
	// there, and its commit is synced.
	record []byte
	// handed is called once the operation is in the queue; nil: nobody asks.
	handed func()
	// solo runs outside any transaction, alone (checkpoint, vacuum).
	solo bool
	// force runs even while the store is read-only (the recovery probe).
	force bool
}

func newOp(fn func(*Tx) error) *op { return &op{fn: fn, done: make(chan error, 1)} }

// again makes an operation that is over ready to be queued once more.
func (o *op) again() {
	o.state.Store(opQueued)
	o.over = false
}

// write runs fn in the next group commit and returns after that commit is on
// disk, or with fn's error and none of its effects. fn may run more than once
// (on a fresh transaction) and must only touch tx and variables that it sets
// anew each time. When ctx ends before fn was begun, nothing happens.
func (db *DB) write(ctx context.Context, fn func(*Tx) error) error {
	o, ok := db.spareOps.Get().(*op)
	if !ok {
		o = newOp(nil)
	}
	o.fn = fn
	err := db.enqueue(ctx, db.queue, o)
	if o.over {
		o.fn = nil
		o.again()
		db.spareOps.Put(o)
	}
	return err
}

// writeIdle is write for work that can wait: it runs when no visitor's write
// is queued, or after idleAfter commits.
func (db *DB) writeIdle(ctx context.Context, fn func(*Tx) error) error {
	return db.enqueue(ctx, db.idle, newOp(fn))
}

// alone runs fn on the writer's connection outside a transaction.
func (db *DB) alone(ctx context.Context, fn func(*Tx) error) error {
	return db.enqueue(ctx, db.idle, &op{fn: fn, done: make(chan error, 1), solo: true})
}

func (db *DB) enqueue(ctx context.Context, queue chan *op, o *op) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if !o.force {
		if err := db.readOnlyErr(); err != nil {
			return err
		}
	}
	select {
	case queue <- o:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-db.closing:
		return errClosed
	}
	if o.handed != nil {
		o.handed()
	}
	select {
	case err := <-o.done:
		o.over = true
		return err
	case <-ctx.Done():
		if o.state.CompareAndSwap(opQueued, opWithdrawn) {
			return context.Cause(ctx)
		}
		err := <-o.done
		o.over = true
		return err
	case <-db.stopped:
		// The writer has gone; it answers everything it took, but an
		// operation can have slipped into the queue behind it.
		select {
		case err := <-o.done:
			return err
		default:
			return errClosed
		}
	}
}

// writer is the goroutine that owns the writing connection.
func (db *DB) writer() {
	defer close(db.stopped)
	defer close(db.beside)
	batch := make([]*op, 0, batchLen)
	for busy := 0; ; busy++ {
		var o *op
		if busy >= idleAfter {
			// Visitors come first, but what can wait must not wait for ever.
			busy = 0
			select {
			case o = <-db.idle:
				db.commit(append(batch[:0], o))
			default:
			}
		}
		select {
		case o = <-db.queue:
		default:
			select {
			case o = <-db.queue:
			case o = <-db.idle:
				busy = 0
			case <-db.closing:
				db.drain()
				return
			}
		}
		batch = db.collect(append(batch[:0], o))
		db.commit(batch)
		clear(batch)
	}
}

// collect adds to the batch whatever waits in the queue. Right after a commit
// many of those who were answered are about to write again: a batch that is
// smaller than the one before lets them run first, for a moment that is short
// beside the fsync it saves (64 writers: 32 rows a commit without it, about 50 with).
func (db *DB) collect(batch []*op) []*op {
	if batch[0].solo {
		return batch
	}
	var since time.Time
	for len(batch) < batchLen {
		select {
		case o := <-db.queue:
			batch = append(batch, o)
			continue
		default:
		}
		if len(batch) >= db.before {
			break
		}
		if since.IsZero() {
			since = time.Now()
		} else if time.Since(since) > gatherFor {
			break
		}
		runtime.Gosched()
	}
	db.before = len(batch)
	return batch
}

// drain finishes what was queued before Close.
func (db *DB) drain() {
	for {
		select {
		case o := <-db.queue:
			db.commit(db.collect([]*op{o}))
		case o := <-db.idle:
			db.commit([]*op{o})
		default:
			return
		}
	}
}

// commit runs a batch in one transaction and answers every operation.
func (db *DB) commit(batch []*op) {
	live := batch[:0]
	for _, o := range batch {
		if o.state.CompareAndSwap(opQueued, opBegun) {
			live = append(live, o)
		}
	}
	if len(live) == 0 {
		return
	}
	force := false
	for _, o := range live {
		force = force || o.force
	}
	if err := db.readOnlyErr(); err != nil && !force {
		answer(live, nil, err)
		return
	}
	if err := db.connect(); err != nil {
		answer(live, nil, db.failed(fmt.Errorf("open writer: %w", err)))
		return
	}
	if live[0].solo {
		err := db.synced(true)
		if err == nil {
			err = live[0].fn(db.tx)
		}
		if err != nil {
			err = db.failed(err)
		}
		live[0].done <- err
		return
	}
	if cap(db.errs) < len(live) {
		db.errs = make([]error, len(live))
	}
	errs := db.errs[:len(live)]
	clear(errs)
	err := db.store(live, errs)
	if err == nil {
		if db.commits.Add(1)%homeCommits == 0 {
			select {
			case db.grown <- struct{}{}:
			default: // bringHome has yet to come to the commits before
			}
		}
		db.ops.Add(uint64(len(live)))
	}
	answer(live, errs, err)
	if err == nil {
		runtime.Gosched() // those who were answered go first: nobody waits for the mark
		db.mark.committed()
	}
}

// errAgain: an operation failed after it had written, so the batch must run
// again with a savepoint around each.
var errAgain = errors.New("run again with savepoints")

// transact runs the operations in one transaction. Without savepoints it is
// faster by two statements an operation; an operation that fails before its
// first write (a conflict, a duplicate) needs none, and one that fails later
// makes it return errAgain with nothing committed.
func (db *DB) transact(live []*op, errs []error, savepoints bool) error {
	tx := db.tx
	if err := tx.run("BEGIN IMMEDIATE"); err != nil {
		return db.failed(fmt.Errorf("begin: %w", err))
	}
	for i, o := range live {
		err := db.one(tx, o, savepoints)
		errs[i] = err
		if err == nil {
			continue
		}
		if poisons(err) {
			db.rollback()
			return db.failed(err)
		}
		if !savepoints && tx.wrote {
			db.rollback()
			return errAgain
		}
	}
	if err := db.mark.count(tx); err != nil {
		db.rollback()
		return db.failed(fmt.Errorf("number the commit: %w", err))
	}
	if err := tx.run("COMMIT"); err != nil {
		db.rollback()
		return db.failed(fmt.Errorf("commit: %w", err))
	}
	return nil
}

// one runs one operation, within a savepoint when asked to.
func (db *DB) one(tx *Tx, o *op, savepoint bool) error {
	tx.wrote = false
	if !savepoint {
		return o.fn(tx)
	}
	if err := tx.run("SAVEPOINT op"); err != nil {
		return err
	}
	err := o.fn(tx)
	if err != nil && poisons(err) {
		return err
	}
	if err != nil {
		if rerr := tx.run("ROLLBACK TO op"); rerr != nil {
			return fmt.Errorf("roll back to savepoint: %w", rerr)
		}
	}
	if rerr := tx.run("RELEASE op"); rerr != nil {
		return fmt.Errorf("release savepoint: %w", rerr)
	}
	return err
}

// rollback ends a failed transaction. SQLite may have done so itself; a
// connection that cannot be brought back is closed and opened again by the
// next batch.
func (db *DB) rollback() {
	if err := db.tx.run("ROLLBACK"); err != nil {
		var n int
		// "no transaction is active" is fine: the connection works.
		if db.tx.row("SELECT 1", nil, &n) != nil {
			db.disconnect()
		}
	}
}

// failed notes an error of the whole batch, and makes the store read-only when
// it is of the kind that would come again.
func (db *DB) failed(err error) error {
	if degrades(err) {
		db.degrade(err)
		return fmt.Errorf("%w: %w", chat.ErrReadOnly, err)
	}
	return err
}

// answer gives every operation its own error, or err when the whole batch
// failed.
func answer(live []*op, errs []error, err error) {
	for i, o := range live {
		if err != nil {
			o.done <- err
			continue
		}
		o.done <- errs[i]
	}
}
