package gateway

import (
	"context"
	"errors"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/wire"
)

// factsAMinute is how many times a minute what a page tells of one visitor is
// written to the disk. What comes faster waits for the next message or for the
// next frame that is written.
const factsAMinute = 30

// arrived takes what hello tells of the visitor. In a conversation that is
// stored already, what is new is written at once, so that operators see where
// the visitor is now.
func (p *peer) arrived(ctx context.Context, head *chat.Conversation, f *wire.ClientFrame) {
	c := f.Told(p.g.cfg.Now())
	if c.Empty() && (p.page.URL == "" || p.page.URL == head.Page.URL) {
		return
	}
	p.told(ctx, head.ID, c, p.page)
}

// context takes a context frame: the page that the visitor went to, and what
// the page says of the visit.
func (p *peer) context(ctx context.Context, id chat.ConversationID, f *wire.ClientFrame) {
	if f.Page != nil && f.Page.URL != "" {
		f.Page.Referrer = p.page.Referrer
		p.page = *f.Page
	}
	p.told(ctx, id, f.Told(p.g.cfg.Now()), p.page)
}

// told remembers a change. It is not durable before the conversation is: a
// page that tells of visitors who never write costs no disk.
func (p *peer) told(ctx context.Context, id chat.ConversationID, c chat.FactChange, page chat.Page) {
	if p.stored && p.write(ctx, id, c, page) {
		return
	}
	p.visitor.Facts = p.visitor.Facts.With(c)
}

// write makes a change durable; false: it must wait.
func (p *peer) write(ctx context.Context, id chat.ConversationID, c chat.FactChange, page chat.Page) bool {
	head, err := p.g.sessions.Head(ctx, id)
	if err != nil {
		return false // the next message says what is wrong
	}
	waiting := p.visitor.Facts
	now := p.g.cfg.Now()
	apply := func(h *chat.Conversation) {
		h.Visitor.Facts = h.Visitor.Facts.Merge(waiting)
		if page.URL != "" && page.URL != h.Page.URL {
			if h.Page.URL != "" && len(h.Visitor.Facts.Sheet().Pages) == 0 {
				h.Visitor.Facts = h.Visitor.Facts.With(chat.FactChange{Page: &chat.FactPage{At: h.CreatedAt, URL: h.Page.URL, Title: h.Page.Title}})
			}
			h.Visitor.Facts = h.Visitor.Facts.With(chat.FactChange{Page: &chat.FactPage{At: now, URL: page.URL, Title: page.Title}})
			h.Page = page
		}
		h.Visitor.Facts = h.Visitor.Facts.With(c)
	}
	next := head
	if apply(&next); next.Visitor == head.Visitor && next.Page == head.Page {
		p.visitor.Facts = ""
		return true
	}
	if ok, _ := p.g.allow("facts "+string(id), factsAMinute); !ok {
		return false
	}
	if _, err := p.g.sessions.Update(ctx, id, apply); err != nil {
		if !errors.Is(err, chat.ErrNotFound) {
			p.g.log.Warn("what a page tells of a visitor could not be stored", "conversation", id, "err", err)
		}
		return false
	}
	p.visitor.Facts = ""
	if p.g.cfg.Told != nil {
		p.g.cfg.Told(id)
	}
	return true
}

// kept notes that what waited was stored with a message.
func (p *peer) kept() { p.stored, p.visitor.Facts = true, "" }
