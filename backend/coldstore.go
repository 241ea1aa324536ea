package backend

import (
	"context"
	"errors"
	"fmt"
	"time"

	"haoke/backend/internal/archive"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/sqlite"
)

// coldStore is the archive's view of the database. What has the same form on
// both sides passes through by embedding.
type coldStore struct{ *sqlite.Cold }

var _ archive.Store = coldStore{}

// Seal implements archive.Tiers.
func (c coldStore) Seal(ctx context.Context, b archive.Blob, ship bool) error {
	return c.Cold.Seal(ctx, sqlite.Blob(b), ship)
}

// Blob implements archive.Blobs.
func (c coldStore) Blob(ctx context.Context, id chat.ConversationID) (archive.Blob, error) {
	b, err := c.Cold.Blob(ctx, id)
	if errors.Is(err, sqlite.ErrBadBlob) {
		err = fmt.Errorf("%w: %w", archive.ErrCorrupt, err)
	}
	return archive.Blob(b), err
}

// Stats implements archive.Blobs.
func (c coldStore) Stats(ctx context.Context) (archive.Stats, error) {
	s, err := c.Cold.Stats(ctx)
	return archive.Stats(s), err
}

// Outbox implements archive.OutboxReader.
func (c coldStore) Outbox(ctx context.Context, limit int) ([]archive.Shipment, error) {
	rows, err := c.Cold.Outbox(ctx, limit)
	out := make([]archive.Shipment, len(rows))
	for i, r := range rows {
		out[i] = archive.Shipment(r)
	}
	return out, err
}

// Backlog implements archive.OutboxReader.
func (c coldStore) Backlog(ctx context.Context) (archive.Backlog, error) {
	b, err := c.Cold.Backlog(ctx)
	return archive.Backlog(b), err
}

// Done implements archive.OutboxWriter.
func (c coldStore) Done(ctx context.Context, done []archive.Shipment, drop bool) error {
	rows := make([]sqlite.Shipment, len(done))
	for i, d := range done {
		rows[i] = sqlite.Shipment(d)
	}
	return c.Cold.Done(ctx, rows, drop)
}

// zeroTime is nil for a time that is not set.
func zeroTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
