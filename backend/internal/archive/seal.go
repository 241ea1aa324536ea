package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"haoke/backend/internal/archive/mix"
	"haoke/backend/internal/chat"
)

// sealTries bounds how often sealing one conversation starts again because
// something was written to it meanwhile.
const sealTries = 3

// Seal makes a conversation cold now, whenever its last message was. A cold
// one stays as it is. Errors: ErrBusy, chat.ErrNotFound, chat.ErrConflict when
// it keeps changing, chat.ErrReadOnly.
func (a *Archive) Seal(ctx context.Context, id chat.ConversationID) error {
	return a.sealOne(ctx, id, time.Time{}, a.cfg.Settings())
}

// sealDue seals what has been silent since before, the longest silent first,
// one transaction a conversation.
// gentle leaves the processor to the visitors half of the time.
func (a *Archive) sealDue(ctx context.Context, before time.Time, s Settings, gentle bool) (sealed int, err error) {
	defer func() {
		a.mu.Lock()
		a.sealFail = err
		a.mu.Unlock()
	}()
	skip := 0 // those at the head of the list that cannot be sealed now
	for ctx.Err() == nil {
		ids, err := a.store.Due(ctx, before, dueAtOnce+skip)
		if err != nil {
			return sealed, err
		}
		if len(ids) <= skip {
			return sealed, nil
		}
		if err := a.learn(ctx, ids, s); err != nil {
			a.cfg.Log.Warn("no dictionary could be trained; conversations are archived without one", "err", err)
		}
		skip = 0
		for _, id := range ids {
			start := time.Now()
			err := a.sealOne(ctx, id, before, s)
			if gentle {
				rest(ctx, min(time.Since(start), restMost))
			}
			switch {
			case err == nil:
				sealed++
			case ctx.Err() != nil:
				return sealed, ctx.Err()
			case errors.Is(err, chat.ErrReadOnly):
				return sealed, err // nothing can be written now
			default:
				skip++
				if !errors.Is(err, ErrBusy) && !errors.Is(err, chat.ErrConflict) && !errors.Is(err, chat.ErrNotFound) {
					a.cfg.Log.Warn("a conversation could not be archived", "conversation", id, "err", err)
				}
			}
		}
		if skip > dueAtOnce {
			return sealed, fmt.Errorf("archive conversations: %d of the oldest cannot be archived, see the log", skip)
		}
	}
	return sealed, ctx.Err()
}

// restMost bounds the rest after one conversation.
const restMost = 50 * time.Millisecond

func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// sealOne seals one conversation. before is the time since when it must have
// been silent; zero: any.
func (a *Archive) sealOne(ctx context.Context, id chat.ConversationID, before time.Time, s Settings) error {
	var err error
	for range sealTries {
		if err = a.trySeal(ctx, id, before, s); !errors.Is(err, chat.ErrConflict) {
			return err
		}
		// Somebody wrote meanwhile, or memory is behind the store: look again.
		if ferr := a.sessions.Forget(ctx, id); ferr != nil {
			return ferr
		}
	}
	return err
}

func (a *Archive) trySeal(ctx context.Context, id chat.ConversationID, before time.Time, s Settings) error {
	if a.cfg.Busy(id) {
		return ErrBusy
	}
	cold, _, err := a.store.State(ctx, id)
	if err != nil || cold {
		return err
	}
	head, err := a.sessions.Head(ctx, id)
	if err != nil {
		return err
	}
	if head.Pending > 0 || !before.IsZero() && !head.UpdatedAt.Before(before) {
		return ErrBusy
	}
	msgs, err := a.sessions.Messages(ctx, id, 0, 0)
	if err != nil {
		return err
	}
	b, record, err := a.pack(ctx, msgs, s)
	if err != nil {
		return err
	}
	b.ID, b.Version = id, head.Version
	if err := a.store.Seal(ctx, b, a.cfg.Remote() != nil); err != nil {
		return err
	}
	a.trainer.add(record, len(b.Data))
	// From here on the conversation is cold. Memory that is behind notices by
	// the version, so a Forget that fails costs a reload and nothing else.
	return a.sessions.Forget(ctx, id)
}

// pack makes the blob of messages and proves that it can be read: the rows are
// about to be deleted.
func (a *Archive) pack(ctx context.Context, msgs []chat.Message, s Settings) (Blob, []byte, error) {
	raw, err := RawJSON(msgs)
	if err != nil {
		return Blob{}, nil, fmt.Errorf("pack conversation: %w", err)
	}
	record, err := Pack(nil, msgs)
	if err != nil {
		return Blob{}, nil, err
	}
	b := Blob{Messages: int64(len(msgs)), RawSize: int64(len(raw))}
	if b.Codec, b.Dict, err = a.choose(ctx, s.Codec, msgs, record); err != nil {
		return Blob{}, nil, err
	}
	if b.Data, err = a.codecs.Compress(ctx, b.Codec, b.Dict, record); err != nil {
		return Blob{}, nil, err
	}
	again, err := a.codecs.Expand(ctx, b.Codec, b.Dict, b.Data)
	if err == nil && !bytes.Equal(again, record) {
		err = ErrCorrupt
	}
	if err == nil {
		var read []chat.Message
		if read, err = Unpack(again); err == nil {
			if again, err = Pack(again[:0:0], read); err == nil && !bytes.Equal(again, record) {
				err = ErrCorrupt
			}
		}
	}
	if err != nil {
		return Blob{}, nil, fmt.Errorf("check the packed conversation before its rows go: %w", err)
	}
	return b, record, nil
}

// choose turns the setting into a codec for a record. auto: snappy
// until there is a dictionary, then context mixing primed with it, which
// measured smallest (archive/measure); plain zstd for the few large records.
func (a *Archive) choose(ctx context.Context, setting string, msgs []chat.Message, record []byte) (codec string, dict int64, err error) {
	if setting == Snappy || setting == S2 {
		return setting, 0, nil
	}
	best := dictFormat(setting)
	if best == Mix && (len(record) > mix.MaxText || len(msgs) > mix.MaxMessages) {
		return Zstd, 0, nil
	}
	if dict, err = a.store.LatestDict(ctx, best); err != nil {
		return "", 0, err
	}
	switch {
	case dict > 0:
		return best, dict, nil
	case setting == Zstd:
		return Zstd, 0, nil
	}
	return Snappy, 0, nil
}

// dictFormat is the codec with a dictionary that a setting leads to.
func dictFormat(setting string) string {
	if setting == Zstd {
		return ZstdDict
	}
	return Mix
}
