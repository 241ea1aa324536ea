package session

import (
	"context"

	"haoke/backend/internal/chat"
)

// Record is a conversation as the store holds it.
type Record struct {
	// Ref is the store's own handle of the conversation. The Manager carries
	// it back in Change and Delete without looking at it; 0 means unknown.
	Ref  int64
	Head chat.Conversation
	// Cold: the head is kept, the messages live in the archive.
	Cold bool
	// Tail holds the newest messages, ascending by seq without gaps and ending
	// at Head.LastSeq. It is empty when Cold.
	Tail []chat.Message
}

// Change is one atomic write: the new head and the messages that go with it.
type Change struct {
	// Ref is Record.Ref of the conversation, 0 when it is to be created.
	Ref int64
	// Was is the head that the change was computed from; its Version is what
	// the stored version is compared with. Version 0 creates the conversation.
	Was chat.Conversation
	// Head is the head to store. Head.Version is Was.Version + 1.
	Head chat.Conversation
	// Messages are the new messages with their final seq, ascending.
	Messages []chat.Message
	// Handed, when not nil, is called by Commit once nothing is left to do but
	// to wait for the disk. It must neither block nor change c.
	Handed func()
}

// Reader is the reading half of a Store.
type Reader interface {
	// Load returns a conversation with at most tail of its newest messages,
	// chat.ErrNotFound when there is none.
	Load(ctx context.Context, id chat.ConversationID, tail int) (Record, error)
	// Messages returns messages with seq > after, ascending, at most limit
	// (limit <= 0: all).
	Messages(ctx context.Context, id chat.ConversationID, after int64, limit int) ([]chat.Message, error)
	// Find returns the visitor's message with that ClientID,
	// chat.ErrNotFound when there is none.
	Find(ctx context.Context, id chat.ConversationID, clientID string) (chat.Message, error)
}

// Writer is the writing half of a Store.
type Writer interface {
	// Commit makes the change durable before it returns, and gives the Ref to
	// use from now on. It returns chat.ErrConflict, and writes nothing, when
	// the stored version is not Was.Version (on creation: when the id exists).
	// Any other error also means that nothing was written. c is not kept.
	Commit(ctx context.Context, c *Change) (ref int64, err error)
	// Delete removes the conversation, its messages and its blob.
	// chat.ErrNotFound when there is none.
	Delete(ctx context.Context, id chat.ConversationID) error
}

// Store is what a Manager needs. It must be safe for concurrent use.
type Store interface {
	Reader
	Writer
	// Pending lists the conversations with an open turn, oldest change first.
	Pending(ctx context.Context) ([]chat.ConversationID, error)
}

// Thawer brings a cold conversation's messages back into the store.
type Thawer interface {
	// Thaw restores the rows of id. found is false when the archive has no
	// blob for it. It must be idempotent: two callers may thaw at once.
	Thaw(ctx context.Context, id chat.ConversationID) (found bool, err error)
}

// Purger removes a conversation from the archive behind the store.
type Purger interface {
	// Purge deletes the conversation's archived copies, or notes durably that
	// they are to be deleted. It returns nil when there are none.
	Purge(ctx context.Context, id chat.ConversationID) error
}
