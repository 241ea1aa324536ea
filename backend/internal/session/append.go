package session

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"haoke/backend/internal/chat"
)

// Append is one durable addition to a conversation.
type Append struct {
	// Create is the head to start with when the conversation does not exist
	// yet (a conversation is stored with its first message); nil: that is
	// chat.ErrNotFound. ID, Version, LastSeq and the times are set here, and
	// Epoch and Mode when empty.
	Create *chat.Conversation
	// Messages are added in order. Seq is assigned; At is filled when zero and
	// kept in UTC at millisecond resolution. The slice may be used again after
	// Append; what its messages point to belongs to the session from then on.
	// Turn.PromptTrace is read until Append returns and then emptied: the store
	// alone keeps it.
	Messages []chat.Message
	// IfVersion makes the append conditional: chat.ErrConflict when the head's
	// version differs. 0: any.
	IfVersion int64
	// Update changes the head in the same commit. It runs under the
	// conversation's lock on a copy of the head that already has the new
	// LastSeq, UpdatedAt, LastText and LastFrom. It may run again when the
	// version had changed, so it must only touch its argument. ID, Version,
	// LastSeq and CreatedAt are not its to change.
	Update func(*chat.Conversation)
	// Ahead, when not nil, is called before Append returns, while the commit is
	// on its way to the disk, with what the conversation will be: whoever uses
	// the time must undo it when Append fails. It may be called again when the
	// version had changed, and is not called for conversations that are not
	// whole in memory. head is valid during the call, msgs are shared.
	Ahead func(head *chat.Conversation, msgs []chat.Message)
}

// Appended is what came of an Append.
type Appended struct {
	Head chat.Conversation
	// Messages are shared and must not be changed.
	Messages []chat.Message
	// Duplicate: a visitor message with this ClientID exists already; Messages
	// holds the stored one, nothing was written.
	Duplicate bool
}

// Append writes messages and head in one commit and returns only after it is
// on disk. Writers of one conversation take turns; writers of different ones
// share a commit. When ctx ends before the write was begun, nothing is
// written; when it ends later, Append still waits for the outcome.
//
// Errors: chat.ErrNotFound, chat.ErrConflict, chat.ErrReadOnly, ErrTooLong, or
// the store's own.
func (m *Manager) Append(ctx context.Context, id chat.ConversationID, a Append) (Appended, error) {
	e := m.cache.pin(id)
	defer m.cache.unpin(e)
	if err := e.lock(ctx); err != nil {
		return Appended{}, fmt.Errorf("append: %w", err)
	}
	defer e.unlock()
	for range maxAttempts {
		out, err := m.tryAppend(ctx, e, a)
		if err == nil {
			return out, nil
		}
		// Whatever went wrong, the store knows better than our copy.
		var lost *lostRace
		if !errors.As(err, &lost) {
			return Appended{}, fmt.Errorf("append: %w", err)
		}
	}
	return Appended{}, fmt.Errorf("append: after %d attempts: %w", maxAttempts, chat.ErrConflict)
}

// Update changes the head of a conversation durably. change may run more than
// once and must only touch its argument. UpdatedAt stays: it says when the
// conversation last had a message. A cold conversation is not thawed for it.
func (m *Manager) Update(ctx context.Context, id chat.ConversationID, change func(*chat.Conversation)) (chat.Conversation, error) {
	out, err := m.Append(ctx, id, Append{Update: change})
	return out.Head, err
}

// lostRace says that the stored version was not the expected one and that the
// append may be tried again on fresh state.
type lostRace struct{ err error }

func (l *lostRace) Error() string { return l.err.Error() }
func (l *lostRace) Unwrap() error { return l.err }

func (m *Manager) tryAppend(ctx context.Context, e *entry, a Append) (Appended, error) {
	s, err := m.current(ctx, e, len(a.Messages) > 0)
	if errors.Is(err, chat.ErrNotFound) && a.Create != nil && e.snap.Load() == nil {
		if len(a.Messages) == 0 {
			return Appended{}, errors.New("a conversation starts with a message")
		}
		s, err = m.blank(e.id, *a.Create), nil
	}
	if err != nil {
		return Appended{}, err
	}
	if dup, err := m.duplicate(ctx, e, s, a.Messages); err != nil || dup != nil {
		if err != nil {
			return Appended{}, err
		}
		return Appended{Head: s.head, Messages: []chat.Message{*dup}, Duplicate: true}, nil
	}
	if a.IfVersion != 0 && a.IfVersion != s.head.Version {
		return Appended{}, chat.ErrConflict
	}
	c := m.changes.Get().(*change)
	defer m.giveBack(c)
	if err := m.plan(c, s, a); err != nil {
		return Appended{}, err
	}
	if a.Ahead != nil && s.first <= 1 {
		c.ahead, c.Handed = a.Ahead, c.hands
	}
	ref, err := m.store.Commit(ctx, &c.Change)
	if err != nil {
		e.snap.Store(nil)
		if errors.Is(err, chat.ErrConflict) {
			return Appended{}, &lostRace{err}
		}
		return Appended{}, err
	}
	m.commit(e, s, ref, c)
	return Appended{Head: c.Head, Messages: c.Messages}, nil
}

// commit brings memory to where the store is.
func (m *Manager) commit(e *entry, s *state, ref int64, c *change) {
	was := s.head.Version
	s.advance(ref, &c.Head, c.msgs)
	first := s.first
	s.trim(m.maxSession)
	if s.first != first {
		e.ids = nil
	}
	e.learn(s, was, c.Messages)
	m.cache.publish(e, s)
}

// change is a Change with what becomes of the messages in memory. It is used
// again and again: the store does not keep it.
type change struct {
	Change
	msgs  []chat.Message // those in memory, the new ones behind them
	ahead func(*chat.Conversation, []chat.Message)
	hands func() // handed, bound once
}

func newChange() any {
	c := &change{}
	c.hands = c.handed
	return c
}

// handed tells of the conversation as it will be.
func (c *change) handed() { c.ahead(&c.Head, c.msgs[:len(c.msgs):len(c.msgs)]) }

func (m *Manager) giveBack(c *change) {
	*c = change{hands: c.hands}
	m.changes.Put(c)
}

// blank is the state of a conversation that does not exist yet.
func (m *Manager) blank(id chat.ConversationID, head chat.Conversation) *state {
	head.ID = id
	head.Version, head.LastSeq = 0, 0
	if head.Mode == "" {
		head.Mode = chat.ModeAI
	}
	if head.Epoch == "" {
		head.Epoch = newEpoch()
	}
	head.CreatedAt = m.time()
	head.UpdatedAt = head.CreatedAt
	return &state{head: head, first: 1}
}

// duplicate finds the stored message that one of msgs repeats.
func (m *Manager) duplicate(ctx context.Context, e *entry, s *state, msgs []chat.Message) (*chat.Message, error) {
	for i := range msgs {
		id := msgs[i].ClientID
		if id == "" || msgs[i].From != chat.FromVisitor {
			continue
		}
		for j := 0; j < i; j++ {
			if msgs[j].From == chat.FromVisitor && msgs[j].ClientID == id {
				return nil, fmt.Errorf("two messages with the id %q in one append", id)
			}
		}
		if found := e.find(s, id); found != nil {
			return found, nil
		}
		if s.first <= 1 {
			continue
		}
		found, err := m.store.Find(ctx, s.head.ID, id)
		if err == nil {
			return &found, nil
		}
		if !errors.Is(err, chat.ErrNotFound) {
			return nil, err
		}
	}
	return nil, nil
}

// plan numbers the messages and computes the new head.
func (m *Manager) plan(c *change, s *state, a Append) error {
	if s.head.LastSeq+int64(len(a.Messages)) > MaxMessages {
		return ErrTooLong
	}
	c.Ref, c.Was, c.Head, c.msgs = s.ref, s.head, s.head, s.msgs
	h := &c.Head
	now := m.time()
	if len(a.Messages) > 0 {
		c.msgs = s.extended(a.Messages)
		c.Messages = c.msgs[len(s.msgs):len(c.msgs):len(c.msgs)]
		for i := range c.Messages {
			msg := &c.Messages[i]
			h.LastSeq++
			msg.Seq = h.LastSeq
			if msg.At.IsZero() {
				msg.At = now
			}
			msg.At = msg.At.UTC().Truncate(time.Millisecond)
		}
		last := &c.Messages[len(c.Messages)-1]
		h.LastText, h.LastFrom = clip(last.Text, lastTextRunes), last.From
		// A clock that was set back must not move the conversation down the
		// list or make it look idle.
		if now.After(h.UpdatedAt) {
			h.UpdatedAt = now
		}
	}
	keep := *h
	if a.Update != nil {
		a.Update(h)
	}
	h.ID, h.LastSeq, h.CreatedAt = keep.ID, keep.LastSeq, keep.CreatedAt
	h.Version = s.head.Version + 1
	h.LastText = clip(h.LastText, lastTextRunes)
	return nil
}

// time is the clock at the resolution of the store.
func (m *Manager) time() time.Time { return m.now().UTC().Truncate(time.Millisecond) }

// clip cuts s after n runes.
func clip(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// newEpoch returns 48 random bits: it only has to differ from earlier epochs
// of the same conversation.
func newEpoch() string {
	var b [6]byte
	rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return hex.EncodeToString(b[:])
}
