package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/phrases"
	"haoke/backend/internal/session"
)

// Who is the visitor behind a frame.
type Who struct {
	Site    string
	Visitor chat.Visitor
	Page    chat.Page
}

// Incoming is a visitor's message on its way in.
type Incoming struct {
	Conversation chat.ConversationID
	ClientID     string
	Text         string
	Who          Who
	// Typing is when the visitor was last known to be writing; a time long
	// past: not writing.
	Typing time.Time
	// Stored is called once the message is on disk, before anybody else
	// learns of it; for a repeated message, with the seq of the first one.
	Stored func(seq int64)
}

// Refused says that something was not accepted; nothing was stored. Text is
// fit for the visitor.
type Refused struct {
	Code       string
	Text       string
	RetryAfter time.Duration
}

// Error implements error.
func (r *Refused) Error() string { return "refused: " + r.Code }

// MarkBlocked is the mark of a visitor's message that a filter withheld from
// the upstream.
const MarkBlocked = "blocked"

// Take accepts a visitor's message: it is checked, made durable, acknowledged
// and published; then its turn starts or joins the one under way. The same
// ClientID again only repeats the acknowledgement. It returns after the commit,
// not after the answer.
func (e *Engine) Take(ctx context.Context, in Incoming) error {
	words := phrases.For(in.Who.Visitor.Locale)
	if e.isClosing() {
		return &Refused{Code: "unavailable", Text: words.Unavailable, RetryAfter: 5 * time.Second}
	}
	begun := e.cfg.Now()
	verdict := e.filter.Check(chat.Inbound, in.Text)
	checked := e.cfg.Now().Sub(begun)

	r := e.hold(in.Conversation)
	defer e.drop(r)
	r.mu.Lock()
	defer r.mu.Unlock()

	k := e.takings.Get().(*taking)
	defer k.release()
	k.r = r
	a := e.incoming(k, &in, verdict, words, begun)
	if verdict.Action != chat.ActionBlock && e.closedFor(ctx, in.Conversation) {
		a.Messages = append(a.Messages, chat.Message{From: chat.FromSystem, Text: words.NobodyFree})
	}
	if e.cfg.Paused != nil && e.cfg.Paused() {
		a.Create = nil // running conversations go on, new ones do not begin
	}
	out, err := e.sessions.Append(ctx, in.Conversation, a)
	if err != nil {
		k.undo()
	}
	switch {
	case errors.Is(err, chat.ErrNotFound):
		return &Refused{Code: "unavailable", Text: words.NobodyFree, RetryAfter: time.Minute}
	case errors.Is(err, chat.ErrReadOnly):
		e.owner.Trouble(in.Conversation, chat.FaultUnavailable, "messages cannot be stored: "+err.Error())
		return &Refused{Code: "unavailable", Text: words.Unavailable, RetryAfter: 10 * time.Second}
	case err != nil:
		return fmt.Errorf("store a visitor's message: %w", err)
	}
	in.Stored(out.Messages[0].Seq)
	if out.Duplicate {
		return nil
	}
	e.meter.FilterHits(in.Conversation, chat.Inbound, verdict.Hits)
	r.lastSeq = out.Head.LastSeq
	r.checked += checked
	e.publishLocked(r, out.Messages, false)
	r.typing = e.typesOn(in.Typing)
	r.wakeLocked()
	if k.turn != nil {
		k.turn.ahead.stored(k.turn)
		return nil
	}
	e.afterTakeLocked(r, verdict, &out.Head)
	return nil
}

// afterTakeLocked does what a new message calls for beside storing it.
func (e *Engine) afterTakeLocked(r *room, verdict chat.Verdict, head *chat.Conversation) {
	switch {
	case verdict.Action == chat.ActionHandover:
		e.handOverLocked(r, head)
	case verdict.Action == chat.ActionBlock:
		// Answered in the same commit.
	case head.Mode != chat.ModeAI:
		// A person answers, is asked for, or nobody can.
	default:
		if r.running {
			r.queued = append(r.queued, head.LastSeq)
		}
		e.startLocked(r)
	}
}

// nextOpen is the first message that waits for the next turn, 0 if none.
func (r *room) nextOpen() int64 {
	if len(r.queued) == 0 {
		return 0
	}
	return r.queued[0]
}

// taking is what it takes to store a visitor's message. Its memory is used
// again.
type taking struct {
	e      *Engine
	r      *room
	turn   *turn // the one that was begun ahead; the room's lock keeps it from ending
	in     Incoming
	action chat.Action
	msgs   []chat.Message
	create chat.Conversation

	// The taking's own methods, bound once.
	updates func(*chat.Conversation)
	begins  func(*chat.Conversation, []chat.Message)
}

func newTaking() any {
	k := &taking{}
	k.updates, k.begins = k.update, k.begin
	return k
}

func (k *taking) release() {
	e := k.e
	for i := range k.msgs {
		k.msgs[i] = chat.Message{}
	}
	k.e, k.r, k.turn = nil, nil, nil
	k.in, k.action, k.msgs, k.create = Incoming{}, "", k.msgs[:0], chat.Conversation{}
	e.takings.Put(k)
}

// update brings the conversation's head up to date with the message.
func (k *taking) update(c *chat.Conversation) {
	c.Visitor = merged(c.Visitor, k.in.Who.Visitor)
	if k.in.Who.Page.URL != "" {
		c.Page = k.in.Who.Page
	}
	c.Unread++
	if c.Mode == chat.ModeAI || c.Mode == chat.ModeOffline {
		c.Mode = k.e.cfg.DefaultMode() // business hours begin and end
	}
	if c.Pending == 0 && k.action != chat.ActionBlock && k.action != chat.ActionHandover && c.Mode == chat.ModeAI {
		c.Pending = c.LastSeq - int64(len(k.msgs)) + 1
	}
}

// incoming is the append of a visitor's message. What a filter blocks is kept,
// marked, and closed by a system message in the same commit.
func (e *Engine) incoming(k *taking, in *Incoming, v chat.Verdict, words *phrases.Set, at time.Time) session.Append {
	k.e, k.in, k.action = e, *in, v.Action
	m := chat.Message{From: chat.FromVisitor, Text: v.Text, ClientID: in.ClientID, At: at.UTC().Truncate(time.Millisecond)}
	if len(v.Hits) > 0 {
		m.Turn = &chat.TurnInfo{Hits: v.Hits}
	}
	k.msgs = append(k.msgs[:0], m)
	first := &k.msgs[0]
	switch v.Action {
	case chat.ActionBlock:
		first.Text, first.Mark = in.Text, MarkBlocked
		text := words.Blocked
		if e.cfg.BlockedText != nil {
			text = cmp.Or(e.cfg.BlockedText(), text)
		}
		k.msgs = append(k.msgs, chat.Message{From: chat.FromSystem, Text: text, Finish: chat.FinishBlocked})
	case chat.ActionNote:
		first.Mark = "noted"
	case chat.ActionMask, chat.ActionReplace:
		first.Mark = "masked"
	}
	if e.guard != nil {
		e.guard.Keep(in.Conversation, &k.msgs[0])
	}
	k.create = chat.Conversation{
		ID: in.Conversation, Site: in.Who.Site, Mode: e.cfg.DefaultMode(), Epoch: e.cfg.Epoch(),
		Visitor: in.Who.Visitor, Page: in.Who.Page,
	}
	return session.Append{Create: &k.create, Messages: k.msgs, Update: k.updates, Ahead: k.begins}
}

// closedFor reports whether the shop is closed and nobody holds the
// conversation: the message is kept, and the visitor told so.
func (e *Engine) closedFor(ctx context.Context, id chat.ConversationID) bool {
	if e.cfg.DefaultMode() != chat.ModeOffline {
		return false
	}
	head, err := e.sessions.Head(ctx, id)
	return err != nil || head.Mode == chat.ModeAI || head.Mode == chat.ModeOffline
}

// merged keeps what an anonymous visit does not know about a visitor who once
// had a signed identity.
func merged(old, now chat.Visitor) chat.Visitor {
	if now.Sub == "" {
		now.Sub, now.VIP = old.Sub, old.VIP
		now.Name, now.Email = cmp.Or(now.Name, old.Name), cmp.Or(now.Email, old.Email)
	}
	now.Facts = old.Facts.Merge(now.Facts)
	return now
}

func (e *Engine) isClosing() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closing
}

// appendLocked appends under the room's lock and publishes. The context of a
// finished turn must not lose what it had to say: ctx is the caller's choice.
func (e *Engine) appendLocked(ctx context.Context, r *room, a session.Append, answer bool) (session.Appended, error) {
	out, err := e.sessions.Append(ctx, r.id, a)
	if err != nil {
		e.log.Error("a message could not be stored", "conversation", r.id, "err", err)
		return out, fmt.Errorf("store a message: %w", err)
	}
	r.lastSeq = out.Head.LastSeq
	e.publishLocked(r, out.Messages, answer)
	return out, nil
}

func (e *Engine) publishLocked(r *room, msgs []chat.Message, answer bool) {
	for i := range msgs {
		e.feed.Message(r.id, &msgs[i], answer)
		e.meter.Message(msgs[i].From)
	}
}

// Typing says whether the visitor is writing. While on, a turn that has not
// begun to show its answer waits, for at most Config.BurstWait.
func (e *Engine) Typing(id chat.ConversationID, on bool) {
	r := e.peek(id)
	if r == nil {
		return // nothing waits for it: the first message starts at once
	}
	defer e.drop(r)
	r.mu.Lock()
	defer r.mu.Unlock()
	if on {
		r.typing = e.cfg.Now()
	} else {
		r.typing = time.Time{}
	}
	r.wakeLocked()
}

// typesOn is the signal that holds after a message. A visitor who was writing
// may go on, but many programs do not say that the writing ended with the
// message: they are answered after TypingGap.
func (e *Engine) typesOn(signal time.Time) time.Time {
	now := e.cfg.Now()
	if !now.Before(signal.Add(e.cfg.TypingLapse)) {
		return time.Time{}
	}
	if ends := now.Add(e.cfg.TypingGap - e.cfg.TypingLapse); ends.Before(signal) {
		return ends
	}
	return signal
}

func (r *room) wakeLocked() {
	if r.wake != nil {
		close(r.wake)
		r.wake = nil
	}
}

// Stop ends the answer under way; what was shown is kept.
func (e *Engine) Stop(id chat.ConversationID) {
	if r := e.peek(id); r != nil {
		defer e.drop(r)
		r.interrupt(chat.ErrStopped)
	}
}

// Rate records a visitor's score of a message, 1 to 5.
func (e *Engine) Rate(ctx context.Context, id chat.ConversationID, seq int64, score int, comment string) error {
	said := chat.Message{From: chat.FromVisitor, Text: comment}
	if e.guard != nil && comment != "" {
		e.guard.Keep(id, &said)
	}
	_, err := e.sessions.Update(ctx, id, func(c *chat.Conversation) {
		if seq >= 0 && seq <= c.LastSeq {
			c.Rating, c.Comment = score, said.Text
		}
	})
	if err != nil {
		return fmt.Errorf("rate: %w", err)
	}
	return nil
}
