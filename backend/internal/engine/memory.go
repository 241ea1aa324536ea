package engine

// turnMemory makes the memory of a turn, which later ones use again.
func turnMemory() any {
	t := &turn{}
	t.emits, t.pushes, t.flushes, t.queues, t.settles = t.show, t.push, t.flush, t.queued, t.settleHead
	return t
}

// newTurn is a turn of the room.
func (e *Engine) newTurn(r *room) *turn {
	t := e.memory.Get().(*turn)
	t.e, t.r = e, r
	return t
}

// keptSaid bounds the memory for a turn's words that is used again.
const keptSaid = 64 << 10

// release gives the turn's memory back. Nobody ends it any more.
func (t *turn) release() {
	if t.broken {
		return // who knows what still holds it, or its prompt
	}
	if t.prompt.Release != nil {
		t.prompt.Release()
	}
	e := t.e
	clear(t.open)
	t.open, t.said = t.open[:0], t.said[:0]
	t.e, t.r, t.of, t.review = nil, nil, of{}, review{}
	t.ahead.reset()
	if t.life.Reset() && cap(t.said) <= keptSaid && cap(t.open) <= 64 {
		e.memory.Put(t)
	}
}
