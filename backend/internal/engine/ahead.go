package engine

import (
	"sync"

	"haoke/backend/internal/chat"
)

// A question goes to the upstream while it is on its way to the disk: the
// visitor does not wait for one and then for the other. Nothing of such a turn
// is seen before the question is durable, because Take holds the room's lock
// until then and the first piece wants it (turn.begin), as does the turn's end.
// What a turn does without that lock waits in ahead.

// ahead is a turn's part of that.
type ahead struct {
	on bool // the turn was begun by taking.begin

	mu      sync.Mutex
	durable bool
	place   int // in the queue, not told yet
}

func (a *ahead) reset() { a.on, a.durable, a.place = false, false, 0 }

// begin is called while the message is on its way to the disk and begins its
// turn, if it begins one at all. It leaves to afterTakeLocked whatever is not
// a plain question. The room is locked.
func (k *taking) begin(head *chat.Conversation, msgs []chat.Message) {
	e, r := k.e, k.r
	if k.turn != nil {
		k.undo() // the conversation is not what the turn believes
		return
	}
	if r.running || k.action == chat.ActionBlock || k.action == chat.ActionHandover || !e.typesOn(k.in.Typing).IsZero() ||
		head.Pending == 0 || head.Mode != chat.ModeAI || head.Blocked {
		return
	}
	t := e.newTurn(r)
	t.head, t.msgs, t.ahead.on = *head, msgs, true
	if !t.pickOpen() || !e.enter(r) {
		t.release()
		return
	}
	r.running, r.queued, r.now, r.shown = true, nil, &t.life, false
	k.turn = t
	go e.serve(r, t)
}

// undo has the turn that was begun ahead begin anew with what is stored, which
// may be nothing. The room is locked.
func (k *taking) undo() {
	if k.turn != nil {
		k.turn.life.Cancel(errRestart)
	}
}

// stored says that the question is durable, and tells the visitor what the
// turn had to keep to itself. The room is locked.
func (a *ahead) stored(t *turn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.durable = true
	t.e.feed.Status(t.r.id, "thinking", 0, "")
	if a.place > 0 {
		t.e.feed.Status(t.r.id, "queued", a.place, "")
	}
}

// queued tells the visitor the place in the queue.
func (t *turn) queued(place int) {
	a := &t.ahead
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.on && !a.durable {
		a.place = place
		return
	}
	t.e.feed.Status(t.r.id, "queued", place, "")
}

// onDisk waits until the turn's question is durable. False: it never will be,
// or the turn has ended.
func (t *turn) onDisk() bool {
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	return t.life.Err() == nil
}
