package archive

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"haoke/backend/internal/chat"
)

// shipState is how shipping goes.
type shipState struct {
	failures int
	reason   string
	until    time.Time // no try before
	last     time.Time // last success
}

// Back-off after a failure: doubling from the first to the last, with up to a
// quarter of chance added so that appliances do not return in step.
const (
	backoffFirst = 5 * time.Second
	backoffLast  = 15 * time.Minute
	// poisonAfter is after how many failures an entry is tried alone, so that
	// one that the server cannot take does not hold up the rest.
	poisonAfter = 3
	// outboxAtOnce is how many entries are looked at together.
	outboxAtOnce = batchRows
	// shipTimeout bounds one batch with its read-back.
	shipTimeout = 2 * time.Minute
	// badBlobPause is the pause before a damaged blob is looked at again: a
	// backup may have been restored meanwhile.
	badBlobPause = 24 * time.Hour
)

func backoff(failures int, chance byte) time.Duration {
	d := backoffLast
	if failures < 9 {
		d = min(d, backoffFirst<<max(failures-1, 0))
	}
	return d + d*time.Duration(chance)/1024
}

// shipAll ships and deletes until nothing is due. now: a back-off is ignored.
func (a *Archive) shipAll(ctx context.Context, s Settings, now bool) (shipped int, err error) {
	remote := a.cfg.Remote()
	if remote == nil {
		return 0, nil
	}
	a.mu.Lock()
	wait := a.ship.until.After(a.cfg.Now())
	a.mu.Unlock()
	if wait && !now {
		return 0, nil
	}
	if err := a.fillOutbox(ctx); err != nil {
		return 0, err
	}
	for ctx.Err() == nil {
		due, err := a.store.Outbox(ctx, outboxAtOnce)
		if err != nil || len(due) == 0 {
			return shipped, err
		}
		n, err := a.shipSome(ctx, remote, due, s)
		shipped += n
		if err != nil {
			return shipped, err
		}
	}
	return shipped, ctx.Err()
}

// fillOutbox takes up what was sealed while there was no server.
func (a *Archive) fillOutbox(ctx context.Context) error {
	if a.enqueued.Load() {
		return nil
	}
	for {
		n, err := a.store.EnqueueAll(ctx, enqueueAtOnce)
		if err != nil {
			return err
		}
		if n == 0 {
			a.enqueued.Store(true)
			return nil
		}
	}
}

// shipSome handles the due entries batch by batch.
func (a *Archive) shipSome(ctx context.Context, remote Remote, due []Shipment, s Settings) (shipped int, err error) {
	for len(due) > 0 {
		group, rest := nextGroup(due)
		due = rest
		if group[0].Kind == KindDelete {
			err = a.deleteGroup(ctx, remote, group)
		} else {
			var n int
			n, err = a.shipGroup(ctx, remote, group, s)
			shipped += n
		}
		if err != nil {
			return shipped, err
		}
	}
	return shipped, nil
}

// nextGroup cuts off what goes together: deletions; a batch that was stamped
// before; fresh entries; one that has failed often, alone.
func nextGroup(due []Shipment) (group, rest []Shipment) {
	first := due[0]
	for _, s := range due {
		same := s.Kind == first.Kind && s.Batch == first.Batch && s.Attempts < poisonAfter
		if len(group) == 0 || same && first.Attempts < poisonAfter {
			group = append(group, s)
		} else {
			rest = append(rest, s)
		}
	}
	return group, rest
}

func idsOf(group []Shipment) []int64 {
	ids := make([]int64, len(group))
	for i := range group {
		ids[i] = group[i].ID
	}
	return ids
}

// shipGroup ships entries of one batch, as many as fit into one insert. What
// does not fit stays as it is for the next round.
func (a *Archive) shipGroup(ctx context.Context, remote Remote, group []Shipment, s Settings) (int, error) {
	batch, again := group[0].Batch, group[0].Batch != ""
	rows, taken, err := a.load(ctx, group, s)
	if err != nil || len(taken) == 0 {
		return 0, err
	}
	if !again {
		batch = newBatch()
		if err := a.store.Stamp(ctx, batch, idsOf(taken)); err != nil {
			return 0, err
		}
	}
	if len(rows) > 0 {
		sctx, cancel := context.WithTimeout(ctx, shipTimeout)
		err = remote.Ship(sctx, batch, again, rows)
		cancel()
	}
	if err != nil {
		return 0, a.failed(ctx, taken, err)
	}
	if err := a.store.Done(ctx, taken, !s.KeepLocal); err != nil {
		return 0, err
	}
	a.succeeded()
	a.cfg.Shipped(len(rows))
	return len(rows), nil
}

// load reads the blobs of a group up to the byte bound. Entries whose
// conversation was thawed or deleted meanwhile need no shipping; they are taken
// and finished with the rest.
func (a *Archive) load(ctx context.Context, group []Shipment, s Settings) (rows []Sealed, taken []Shipment, err error) {
	var size int64
	dicts := map[int64][]byte{}
	for _, e := range group {
		if size > 0 && size >= a.cfg.BatchBytes {
			break
		}
		row, err := a.loadOne(ctx, e, s)
		if err == nil && row.Blob.Dict > 0 {
			if dicts[row.Blob.Dict] == nil {
				dicts[row.Blob.Dict], err = a.codecs.dictFor(ctx, row.Blob.Codec, row.Blob.Dict)
			}
			row.Dict = dicts[row.Blob.Dict]
		}
		switch {
		case errors.Is(err, chat.ErrNotFound):
			taken = append(taken, e)
			continue
		case errors.Is(err, ErrCorrupt):
			a.noteCorrupt(e.Conv, err)
			if ferr := a.store.Fail(ctx, []int64{e.ID}, a.cfg.Now().Add(badBlobPause), err.Error()); ferr != nil {
				return nil, nil, ferr
			}
			continue
		case err != nil:
			return nil, nil, err
		}
		if size > 0 && size+row.Blob.RawSize > a.cfg.BatchBytes {
			break
		}
		size += row.Blob.RawSize
		rows, taken = append(rows, row), append(taken, e)
	}
	return rows, taken, nil
}

// loadOne reads one sealed conversation; chat.ErrNotFound when the entry's
// version is no longer here.
func (a *Archive) loadOne(ctx context.Context, e Shipment, s Settings) (Sealed, error) {
	b, err := a.store.Blob(ctx, e.Conv)
	if err != nil {
		return Sealed{}, err
	}
	if b.Version != e.Version || b.Data == nil {
		return Sealed{}, chat.ErrNotFound
	}
	msgs, err := a.open(ctx, &b)
	if err != nil {
		return Sealed{}, err
	}
	head, err := a.sessions.Head(ctx, e.Conv)
	if err != nil {
		return Sealed{}, err
	}
	// Memory is for those who are talking.
	if err := a.sessions.Forget(ctx, e.Conv); err != nil {
		return Sealed{}, err
	}
	if err := a.recode(ctx, &b, msgs, s); err != nil {
		return Sealed{}, err
	}
	return Sealed{Head: head, Blob: b, Messages: msgs}, nil
}

// recode packs what was sealed the fast way with the dictionary that there is
// by now. What the server keeps is kept for long.
func (a *Archive) recode(ctx context.Context, b *Blob, msgs []chat.Message, s Settings) error {
	if b.Codec != Snappy {
		return nil
	}
	record, err := Pack(nil, msgs)
	if err != nil {
		return err
	}
	codec, dict, err := a.choose(ctx, s.Codec, msgs, record)
	if err != nil || codec == Snappy {
		return err
	}
	data, err := a.codecs.Compress(ctx, codec, dict, record)
	if err == nil && len(data) < len(b.Data) {
		b.Codec, b.Dict, b.Data = codec, dict, data
	}
	return err
}

func (a *Archive) deleteGroup(ctx context.Context, remote Remote, group []Shipment) error {
	ids := make([]chat.ConversationID, len(group))
	for i := range group {
		ids[i] = group[i].Conv
	}
	sctx, cancel := context.WithTimeout(ctx, shipTimeout)
	err := remote.Delete(sctx, ids)
	cancel()
	if errors.Is(err, ErrUnderWay) {
		return a.store.Fail(ctx, idsOf(group), a.cfg.Now().Add(backoffFirst), err.Error())
	}
	if err != nil {
		return a.failed(ctx, group, err)
	}
	if err := a.store.Done(ctx, group, false); err != nil {
		return err
	}
	a.succeeded()
	return nil
}

func (a *Archive) succeeded() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ship = shipState{last: a.cfg.Now()}
}

// failed notes a failure, its entries' next try and everybody's.
func (a *Archive) failed(ctx context.Context, group []Shipment, cause error) error {
	if ctx.Err() != nil {
		return ctx.Err() // the program stops: nothing is the server's fault
	}
	var chance [1]byte
	rand.Read(chance[:])
	a.mu.Lock()
	a.ship.failures++
	a.ship.reason = cause.Error()
	a.ship.until = a.cfg.Now().Add(backoff(a.ship.failures, chance[0]))
	until := a.ship.until
	a.mu.Unlock()
	if err := a.store.Fail(ctx, idsOf(group), until, cause.Error()); err != nil {
		return errors.Join(fmt.Errorf("ship conversations: %w", cause), err)
	}
	return fmt.Errorf("ship conversations: %w", cause)
}

// newBatch names a batch.
func newBatch() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return hex.EncodeToString(b[:])
}
