package engine

import (
	"sync"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/span"
)

// room is what the engine remembers of a conversation while something goes on
// in it. Its lock is held across each append and the publication of what was
// appended: that keeps the feed in the order of seq.
type room struct {
	id   chat.ConversationID
	uses int // guarded by Engine.mu

	mu       sync.Mutex
	lastSeq  int64
	queued   []int64       // open messages that came after the turn under way took its own
	checked  time.Duration // time in the filter of the messages that no turn has answered yet
	running  bool          // a turn goroutine exists
	now      *span.Span    // the turn under way; nil between turns
	shown    bool          // the visitor has seen a piece of the answer under way
	typing   time.Time     // the visitor was last seen typing; zero: not typing
	wake     chan struct{} // closed when a burst may be over or has grown
	patience *time.Timer   // runs while the visitor waits for a person
}

// hold returns the conversation's room and keeps it until drop.
func (e *Engine) hold(id chat.ConversationID) *room {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.rooms[id]
	if r == nil {
		if n := len(e.spare); n > 0 {
			r, e.spare = e.spare[n-1], e.spare[:n-1]
		} else {
			r = &room{}
		}
		r.id = id
		e.rooms[id] = r
	}
	r.uses++
	return r
}

// maxSpare bounds the rooms that are kept for the next conversations.
const maxSpare = 256

func (e *Engine) drop(r *room) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.uses--; r.uses > 0 {
		return
	}
	delete(e.rooms, r.id)
	if len(e.spare) < maxSpare {
		*r = room{}
		e.spare = append(e.spare, r)
	}
}

// peek returns the room only if something goes on in it.
func (e *Engine) peek(id chat.ConversationID) *room {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.rooms[id]
	if r != nil {
		r.uses++
	}
	return r
}
