package engine

import (
	"context"
	"fmt"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/phrases"
	"haoke/backend/internal/session"
)

// Human records that the visitor asks for a person, also in a conversation
// that holds no message yet. The AI falls silent; if nobody takes over within
// Config.HandoffAfter, the visitor is told so and the AI answers again.
func (e *Engine) Human(ctx context.Context, id chat.ConversationID, who Who) error {
	r := e.hold(id)
	defer e.drop(r)
	r.mu.Lock()
	defer r.mu.Unlock()
	if head, err := e.sessions.Head(ctx, id); err == nil && (head.Mode == chat.ModeWaiting || head.Mode == chat.ModeHuman) {
		return nil // asked already
	}
	return e.waitForPersonLocked(ctx, r, &chat.Conversation{
		ID: id, Site: who.Site, Mode: e.cfg.DefaultMode(), Epoch: e.cfg.Epoch(), Visitor: who.Visitor, Page: who.Page,
	}, who.Visitor.Locale)
}

// handOverLocked is Human by a filter's decision.
func (e *Engine) handOverLocked(r *room, head *chat.Conversation) {
	if head.Mode == chat.ModeHuman {
		return
	}
	// The error is logged where it happened; the visitor's message is safe.
	_ = e.waitForPersonLocked(context.Background(), r, nil, head.Visitor.Locale)
}

func (e *Engine) waitForPersonLocked(ctx context.Context, r *room, create *chat.Conversation, locale string) error {
	r.endLocked(errHuman)
	out, err := e.appendLocked(ctx, r, session.Append{
		Create:   create,
		Messages: []chat.Message{{From: chat.FromSystem, Text: phrases.For(locale).HandedOver}},
		Update:   func(c *chat.Conversation) { c.Mode, c.Pending = chat.ModeWaiting, 0 },
	}, false)
	if err != nil {
		return err
	}
	e.feed.Status(r.id, "idle", 0, chat.ModeWaiting)
	e.owner.NeedsPerson(out.Head)
	if e.cfg.HandoffAfter > 0 {
		id := r.id
		r.patience = time.AfterFunc(e.cfg.HandoffAfter, func() { e.nobodyCame(id) })
	}
	return nil
}

// nobodyCame gives a visitor who waited in vain back to the AI.
func (e *Engine) nobodyCame(id chat.ConversationID) {
	if e.isClosing() {
		return
	}
	ctx := context.Background()
	r := e.hold(id)
	defer e.drop(r)
	r.mu.Lock()
	defer r.mu.Unlock()
	head, err := e.sessions.Head(ctx, id)
	if err != nil || head.Mode != chat.ModeWaiting {
		return
	}
	if _, err := e.appendLocked(ctx, r, session.Append{
		Messages: []chat.Message{{From: chat.FromSystem, Text: phrases.For(head.Visitor.Locale).NobodyFree}},
		Update:   func(c *chat.Conversation) { c.Mode, c.Unanswered = chat.ModeAI, true },
	}, false); err == nil {
		e.feed.Status(id, "idle", 0, chat.ModeAI)
	}
}

// Say adds an operator's message. It takes the conversation over if the AI had
// it; one that another operator holds is chat.ErrConflict. The same clientID
// (may be empty) again gives the same message and writes nothing.
func (e *Engine) Say(ctx context.Context, id chat.ConversationID, operator, text, clientID string) (chat.Message, error) {
	r := e.hold(id)
	defer e.drop(r)
	r.mu.Lock()
	defer r.mu.Unlock()
	head, err := e.sessions.Head(ctx, id)
	if err != nil {
		return chat.Message{}, fmt.Errorf("operator's message: %w", err)
	}
	if said, ok, err := e.saidBefore(ctx, id, clientID); ok || err != nil {
		return said, err
	}
	if head.Mode == chat.ModeHuman && head.Operator != "" && head.Operator != operator {
		return chat.Message{}, fmt.Errorf("%s holds this conversation: %w", head.Operator, chat.ErrConflict)
	}
	r.endLocked(errHuman)
	out, err := e.appendLocked(ctx, r, session.Append{
		Messages: []chat.Message{{From: chat.FromOperator, Text: text, Author: operator, ClientID: clientID}},
		Update: func(c *chat.Conversation) {
			c.Mode, c.Operator, c.Pending, c.Unread, c.Unanswered = chat.ModeHuman, operator, 0, 0, false
		},
	}, false)
	if err != nil {
		return chat.Message{}, err
	}
	e.feed.Status(id, "idle", 0, chat.ModeHuman)
	return out.Messages[0], nil
}

// saidBefore finds an operator's message by the id that its writer chose,
// among the latest hundred.
func (e *Engine) saidBefore(ctx context.Context, id chat.ConversationID, clientID string) (chat.Message, bool, error) {
	if clientID == "" {
		return chat.Message{}, false, nil
	}
	msgs, err := e.sessions.Messages(ctx, id, 0, 0)
	if err != nil {
		return chat.Message{}, false, fmt.Errorf("operator's message: %w", err)
	}
	for i := len(msgs) - 1; i >= max(0, len(msgs)-100); i-- {
		if msgs[i].From == chat.FromOperator && msgs[i].ClientID == clientID {
			return msgs[i], true, nil
		}
	}
	return chat.Message{}, false, nil
}

// SetMode moves a conversation between the AI and a person; operator is who
// does it. The visitor is told in words. A conversation that another operator
// holds is not taken away: chat.ErrConflict.
func (e *Engine) SetMode(ctx context.Context, id chat.ConversationID, mode chat.Mode, operator string) (chat.Conversation, error) {
	r := e.hold(id)
	defer e.drop(r)
	r.mu.Lock()
	defer r.mu.Unlock()
	head, err := e.sessions.Head(ctx, id)
	if err != nil {
		return head, fmt.Errorf("set mode: %w", err)
	}
	if head.Mode == chat.ModeHuman && head.Operator != "" && head.Operator != operator && mode == chat.ModeHuman {
		return head, fmt.Errorf("%s holds this conversation: %w", head.Operator, chat.ErrConflict)
	}
	if head.Mode == mode {
		return head, nil
	}
	words, text := phrases.For(head.Visitor.Locale), ""
	switch mode {
	case chat.ModeHuman:
		text = fmt.Sprintf(words.Joined, operator)
		r.endLocked(errHuman)
	case chat.ModeAI:
		text = words.BackToAI
	case chat.ModeWaiting:
		text = words.HandedOver
	}
	a := session.Append{Update: func(c *chat.Conversation) {
		fenceFor(c, mode)
		c.Mode, c.Pending, c.Operator = mode, 0, ""
		if mode == chat.ModeHuman {
			c.Operator, c.Unread = operator, 0
		}
	}}
	if text != "" {
		a.Messages = []chat.Message{{From: chat.FromSystem, Text: text}}
	}
	out, err := e.appendLocked(ctx, r, a, false)
	if err != nil {
		return head, err
	}
	e.feed.Status(id, "idle", 0, mode)
	return out.Head, nil
}

// fenceFor cuts the context where a person gives the conversation back: what
// the person settled is not the AI's to reopen.
func fenceFor(c *chat.Conversation, mode chat.Mode) {
	if c.Mode == chat.ModeHuman && mode == chat.ModeAI {
		c.Fence = c.LastSeq
	}
}

// OperatorTyping shows the visitor that an operator writes.
func (e *Engine) OperatorTyping(id chat.ConversationID, on bool) {
	state := "idle"
	if on {
		state = "typing"
	}
	e.feed.Status(id, state, 0, "")
}
