package engine

import (
	"context"
	"errors"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/phrases"
	"haoke/backend/internal/session"
)

// closeTurn makes the outcome durable. A turn that was interrupted by more
// words of the visitor, or by our own end, leaves its messages open instead.
func (e *Engine) closeTurn(t *turn, out outcome) (more bool) {
	r := t.r
	r.mu.Lock()
	defer r.mu.Unlock()
	cause := t.life.Err()
	words := phrases.For(t.head.Visitor.Locale)
	switch {
	case errors.Is(cause, errRestart):
		e.feed.Abandon(r.id)
		return true
	case errors.Is(cause, errShutdown), errors.Is(cause, errGone), errors.Is(cause, errHuman) && t.text() == "":
		e.feed.Abandon(r.id)
		r.running, r.now = false, nil
		return false
	case errors.Is(cause, chat.ErrStopped), errors.Is(cause, errHuman):
		if out.from = chat.FromAI; t.text() == "" {
			out = outcome{from: chat.FromSystem, text: words.Stopped}
		} else {
			out.text = t.text()
		}
		out.finish = chat.FinishStopped
	}
	r.now, r.shown = nil, false
	now := e.cfg.Now()
	t.info.FilterUS, r.checked = r.checked.Microseconds(), 0
	t.info.TotalUS = now.Sub(t.begun).Microseconds()
	if !t.first.IsZero() {
		t.info.FirstTokenUS = t.first.Sub(t.begun).Microseconds()
	}
	t.info.Hits = append(t.info.Hits, t.stream.Verdict().Hits...)
	if out.from == chat.FromSystem {
		e.feed.Abandon(r.id) // pieces that were shown are taken back
	}
	info := t.info
	t.out, t.last[0] = out, chat.Message{From: out.from, Text: out.text, Finish: out.finish, Sources: out.sources, Turn: &info}
	if e.guard != nil {
		e.guard.Keep(r.id, &t.last[0])
	}
	done, err := e.appendLocked(context.Background(), r, session.Append{Messages: t.last[:], Update: t.settles}, true)
	if err != nil {
		// The visitor's messages stay open on disk; they are taken up when the
		// store works again, at the latest at the next start.
		e.feed.Abandon(r.id)
		e.owner.Trouble(r.id, chat.FaultUnavailable, err.Error())
		r.running = false
		e.feed.Status(r.id, "idle", 0, "")
		return false
	}
	e.meter.Turn(&info, out.finish, out.upstream)
	e.meter.FilterHits(r.id, chat.Outbound, info.Hits)
	e.feed.Status(r.id, "idle", 0, "")
	if out.handover {
		e.handOverLocked(r, &done.Head)
	}
	return true
}

// settleHead closes the messages that the turn answered and opens the next
// one, if the visitor wrote on meanwhile.
func (t *turn) settleHead(c *chat.Conversation) {
	c.Pending = t.r.nextOpen()
	if c.Mode != chat.ModeAI {
		c.Pending = 0 // a person has it now
	}
	c.Unanswered = t.out.failed
	c.Spend += t.info.Cost
	c.Tokens += int64(t.info.Prompt + t.info.Completion)
}
