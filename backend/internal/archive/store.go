package archive

import (
	"context"
	"errors"
	"time"

	"haoke/backend/internal/chat"
)

// Blob is a sealed conversation.
type Blob struct {
	ID       chat.ConversationID
	Version  int64  // of the conversation when it was sealed; counts up from seal to seal
	Codec    string // how Data is packed
	Dict     int64  // dictionary that Data needs; 0: none
	Messages int64  // number of messages in it
	RawSize  int64  // bytes of the messages as the API carries them
	Data     []byte // nil: dropped here after shipping
	Sealed   time.Time
	Shipped  time.Time // zero: not yet
}

// Shipment is an entry of the outbox. It stays until it is done.
type Shipment struct {
	ID       int64
	Kind     string // KindShip or KindDelete
	Conv     chat.ConversationID
	Version  int64 // of the blob to ship
	Batch    string
	Attempts int
	Created  time.Time
	Error    string // of the latest attempt
}

// Kinds of shipments.
const (
	KindShip   = "ship"
	KindDelete = "delete"
)

// Stats are sums over the sealed conversations, in the store's words.
type Stats struct {
	Sealed   int64 // conversations sealed
	Shipped  int64 // of them confirmed by the remote archive
	Messages int64
	RawSize  int64 // bytes as the API carries them
	Size     int64 // bytes of the blobs, here or shipped
	Local    int64 // bytes of the blobs that are not shipped
}

// Backlog is what waits in the outbox.
type Backlog struct {
	Entries int64
	Bytes   int64     // of the blobs to ship
	Oldest  time.Time // zero: nothing waits
}

// Tiers moves conversations between warm and cold. Seal and Restore are one
// transaction each.
type Tiers interface {
	// Due lists warm conversations without a message since before and without
	// an open turn, the longest silent first.
	Due(ctx context.Context, before time.Time, limit int) ([]chat.ConversationID, error)
	// Seal stores the blob and removes the rows; chat.ErrConflict when the
	// conversation is not at b.Version. ship puts it into the outbox too.
	Seal(ctx context.Context, b Blob, ship bool) error
	// Restore is the reverse; it does nothing to a warm conversation.
	Restore(ctx context.Context, id chat.ConversationID, msgs []chat.Message) error
}

// Blobs reads sealed conversations.
type Blobs interface {
	// Blob returns the sealed form; chat.ErrNotFound when it is not sealed,
	// ErrCorrupt when its bytes have changed on disk.
	Blob(ctx context.Context, id chat.ConversationID) (Blob, error)
	// State tells the tier, and whether the remote archive has or may have a
	// copy; chat.ErrNotFound when there is no conversation.
	State(ctx context.Context, id chat.ConversationID) (cold, far bool, err error)
	Stats(ctx context.Context) (Stats, error)
}

// Dicts keeps dictionaries for ever.
type Dicts interface {
	DictReader
	AddDict(ctx context.Context, codec string, data []byte) (int64, error)
	LatestDict(ctx context.Context, codec string) (int64, error)
}

// OutboxReader is the reading half of the outbox.
type OutboxReader interface {
	// Outbox lists entries that are due, oldest first.
	Outbox(ctx context.Context, limit int) ([]Shipment, error)
	Backlog(ctx context.Context) (Backlog, error)
}

// OutboxWriter is the writing half of the outbox.
type OutboxWriter interface {
	// EnqueueDelete notes that the remote copies are to be deleted.
	EnqueueDelete(ctx context.Context, id chat.ConversationID) error
	// EnqueueAll adds sealed conversations that were never shipped.
	EnqueueAll(ctx context.Context, limit int) (int64, error)
	// Stamp names the batch of entries that have none.
	Stamp(ctx context.Context, batch string, ids []int64) error
	Fail(ctx context.Context, ids []int64, next time.Time, reason string) error
	// Done removes entries and, when drop is set, the bytes of their blobs.
	Done(ctx context.Context, done []Shipment, drop bool) error
}

// Store is the local side of the archive. It must be safe for concurrent use.
type Store interface {
	Tiers
	Blobs
	Dicts
	OutboxReader
	OutboxWriter
}

// Sessions is where warm conversations are read.
type Sessions interface {
	Head(ctx context.Context, id chat.ConversationID) (chat.Conversation, error)
	Messages(ctx context.Context, id chat.ConversationID, after int64, limit int) ([]chat.Message, error)
	// Forget drops a conversation from memory.
	Forget(ctx context.Context, id chat.ConversationID) error
}

// Sealed is a conversation on its way to the remote archive.
type Sealed struct {
	Head     chat.Conversation
	Blob     Blob
	Messages []chat.Message
	Dict     []byte // dictionary that the blob needs, shared by many; nil: none
}

// Remote is a server that keeps copies. It must be safe for concurrent use.
type Remote interface {
	// Ship stores a batch and returns nil only when all of it has been read
	// back and matched. again: the batch may be there already, in part or
	// whole. Repeating a batch must leave one copy to readers.
	Ship(ctx context.Context, batch string, again bool, rows []Sealed) error
	// Fetch returns the blob of that version; chat.ErrNotFound when the server
	// has none, ErrCorrupt when its bytes have changed.
	Fetch(ctx context.Context, id chat.ConversationID, version int64) (Blob, error)
	// Delete removes all copies of conversations. ErrUnderWay: the server has
	// accepted it and is not through.
	Delete(ctx context.Context, ids []chat.ConversationID) error
}

// Errors that code branches on.
var (
	// ErrUnderWay: the remote archive is still deleting.
	ErrUnderWay = errors.New("the server is still deleting")
	// ErrBusy: an answer is being made in the conversation.
	ErrBusy = errors.New("an answer is being made in this conversation")
	// ErrNoRemote: the only copy is on a server that is not configured now.
	ErrNoRemote = errors.New("the conversation was shipped to a ClickHouse that is not set up now: set archive.clickhouse again to read it")
)
