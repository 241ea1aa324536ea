package archive

import (
	"context"
	"errors"
	"fmt"

	"haoke/backend/internal/chat"
)

// Thaw makes a cold conversation warm again. found is false when there is no
// such conversation in the archive. Two callers may thaw at once.
//
// Errors: ErrCorrupt when no readable copy is left, ErrNoRemote, or the
// store's and the server's own; nothing has changed then.
func (a *Archive) Thaw(ctx context.Context, id chat.ConversationID) (found bool, err error) {
	msgs, err := a.read(ctx, id)
	if errors.Is(err, chat.ErrNotFound) {
		// Another may have been quicker.
		cold, _, serr := a.store.State(ctx, id)
		return serr == nil && !cold, nil
	}
	if err != nil {
		return false, err
	}
	return true, a.store.Restore(ctx, id, msgs)
}

// Read returns a conversation's messages without thawing it. One that is warm
// is read where it is.
func (a *Archive) Read(ctx context.Context, id chat.ConversationID) ([]chat.Message, error) {
	msgs, err := a.read(ctx, id)
	if errors.Is(err, chat.ErrNotFound) {
		cold, _, serr := a.store.State(ctx, id)
		if serr == nil && !cold {
			return a.sessions.Messages(ctx, id, 0, 0)
		}
	}
	return msgs, err
}

// read finds the blob, here or on the server, and unpacks it.
func (a *Archive) read(ctx context.Context, id chat.ConversationID) ([]chat.Message, error) {
	b, err := a.store.Blob(ctx, id)
	if errors.Is(err, chat.ErrNotFound) {
		return nil, err
	}
	var msgs []chat.Message
	if err == nil && b.Data != nil {
		if msgs, err = a.open(ctx, &b); err == nil {
			return msgs, nil
		}
	}
	if err != nil && !errors.Is(err, ErrCorrupt) {
		return nil, err
	}
	a.noteCorrupt(id, err)
	// The server's copy stands in for one that was dropped here, and for one
	// that is damaged.
	remote := a.cfg.Remote()
	if remote == nil || b.Shipped.IsZero() {
		if err == nil {
			err = ErrNoRemote
		}
		return nil, fmt.Errorf("read archived conversation: %w", err)
	}
	far, ferr := remote.Fetch(ctx, id, b.Version)
	if ferr != nil {
		if errors.Is(ferr, chat.ErrNotFound) {
			// Known here and missing there is damage, not absence: nobody may
			// begin the conversation anew.
			ferr = fmt.Errorf("the server has no copy of version %d: %w", b.Version, ErrCorrupt)
		}
		a.noteCorrupt(id, ferr)
		return nil, fmt.Errorf("read archived conversation: %w", errors.Join(ferr, err))
	}
	far.Messages = b.Messages
	if msgs, err = a.open(ctx, &far); err != nil {
		a.noteCorrupt(id, err)
		return nil, fmt.Errorf("read archived conversation: %w", err)
	}
	return msgs, nil
}

// open expands and unpacks a blob.
func (a *Archive) open(ctx context.Context, b *Blob) ([]chat.Message, error) {
	record, err := a.codecs.Expand(ctx, b.Codec, b.Dict, b.Data)
	if err != nil {
		return nil, err
	}
	msgs, err := Unpack(record)
	if err != nil {
		return nil, err
	}
	if int64(len(msgs)) != b.Messages {
		return nil, fmt.Errorf("%d of %d messages: %w", len(msgs), b.Messages, ErrCorrupt)
	}
	return msgs, nil
}

// Purge notes durably that the server's copies of a conversation are to be
// deleted; the copies here go with the conversation's rows. The note waits in
// the outbox for a server that is down or not set up now.
func (a *Archive) Purge(ctx context.Context, id chat.ConversationID) error {
	_, far, err := a.store.State(ctx, id)
	if err != nil && !errors.Is(err, chat.ErrNotFound) {
		return err
	}
	if !far {
		return nil // it never left this machine
	}
	return a.store.EnqueueDelete(ctx, id)
}
