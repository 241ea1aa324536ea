package sqlite

import "context"

// LeaveUnsought has what is stored so far count as indexed without putting it
// into the full-text index: nobody can search for it. The load test makes up
// conversations by the hundred thousand and measures what happens beside them,
// not their indexing, which takes minutes.
func (db *DB) LeaveUnsought(ctx context.Context) error {
	return wrap("leave out of the index", db.write(ctx, func(tx *Tx) error {
		_, err := tx.exec("UPDATE conversations SET indexed_seq = last_seq, indexed_who = 1")
		return err
	}))
}
