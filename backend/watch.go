package backend

import (
	"log/slog"
	"sync"
	"time"

	"haoke/backend/internal/admit"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/engine"
	"haoke/backend/internal/upstream"
)

// meter is the engine's and the gateway's view of the metrics.
type meter struct{ p *parts }

// Message implements engine.Meter.
func (m meter) Message(from chat.From) { m.p.metrics.Message(string(from)) }

// Turn implements engine.Meter.
func (m meter) Turn(info *chat.TurnInfo, finish chat.Finish, upstreamTime time.Duration) {
	total := time.Duration(info.TotalUS) * time.Microsecond
	m.p.metrics.Reply(total)
	if info.FirstTokenUS > 0 {
		m.p.metrics.FirstToken(time.Duration(info.FirstTokenUS) * time.Microsecond)
	}
	if upstreamTime > 0 && finish == chat.FinishStop {
		m.p.metrics.Added(total - upstreamTime - time.Duration(info.QueueUS)*time.Microsecond)
	}
}

// FilterHits implements engine.Meter.
func (m meter) FilterHits(id chat.ConversationID, dir chat.Direction, hits []chat.Hit) {
	for _, h := range hits {
		m.p.metrics.FilterHit(string(h.Layer), string(h.Action))
	}
	m.p.hits.add(id, dir, hits)
}

// Connections implements gateway.Meter.
func (m meter) Connections(delta int) {
	if delta > 0 {
		m.p.metrics.ConnOpened()
	} else {
		m.p.metrics.ConnClosed()
	}
}

// Refused implements gateway.Meter.
func (m meter) Refused(string) {}

// owner is the engine's view of the person who runs the shop.
type owner struct{ p *parts }

// NeedsPerson implements engine.Owner.
func (o owner) NeedsPerson(head chat.Conversation) { o.p.troubles.waiting(head) }

// Trouble implements engine.Owner.
func (o owner) Trouble(id chat.ConversationID, fault chat.Fault, reason string) {
	o.p.log.Warn("an answer failed", "conversation", id, "fault", fault, "reason", reason)
}

// Unanswered implements engine.Owner.
func (o owner) Unanswered(id chat.ConversationID, text, locale string) {
	o.p.faqNotes.unanswered(id, text, locale)
}

// troubles writes down what needs the owner's attention. What is wrong now is
// told by the parts themselves, in the status.
type troubles struct{ log *slog.Logger }

// key notes a failed try at a call.
func (t troubles) key(a upstream.Attempt) {
	t.log.Warn("upstream call failed", "provider", a.Provider, "key", a.Key, "fault", a.Fault, "reason", a.Reason)
}

// waiting notes a visitor who waits for a person.
func (t troubles) waiting(head chat.Conversation) {
	t.log.Info("a visitor waits for a person", "conversation", head.ID)
}

// money notes that a cap is near or reached.
func (t troubles) money(w admit.Warning) {
	t.log.Warn("money", "scope", w.Scope, "percent", w.Percent, "spent", w.Spent, "cap", w.Cap, "period", w.Period)
}

// left notes a message that a visitor left when nobody could answer.
func (t troubles) left() { t.log.Info("a visitor left a message") }

// fanout brings the feed of conversations to visitors and to the window.
type fanout struct {
	visitors feedTarget
	mu       sync.RWMutex
	others   []feedTarget
}

// feedTarget is engine.Feed.
type feedTarget interface {
	Begin(id chat.ConversationID, seq int64)
	Delta(id chat.ConversationID, raw []byte)
	Message(id chat.ConversationID, m *chat.Message, answer bool)
	Abandon(id chat.ConversationID)
	Status(id chat.ConversationID, state string, position int, mode chat.Mode)
}

func (f *fanout) add(t feedTarget) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.others = append(f.others, t)
}

func (f *fanout) each(tell func(feedTarget)) {
	f.mu.RLock()
	others := f.others
	f.mu.RUnlock()
	for _, t := range others {
		tell(t)
	}
}

// Begin implements engine.Feed.
func (f *fanout) Begin(id chat.ConversationID, seq int64) {
	f.visitors.Begin(id, seq)
	f.each(func(t feedTarget) { t.Begin(id, seq) })
}

// Delta implements engine.Feed.
func (f *fanout) Delta(id chat.ConversationID, raw []byte) {
	f.visitors.Delta(id, raw)
	f.each(func(t feedTarget) { t.Delta(id, raw) })
}

// Message implements engine.Feed.
func (f *fanout) Message(id chat.ConversationID, m *chat.Message, answer bool) {
	f.visitors.Message(id, m, answer)
	f.each(func(t feedTarget) { t.Message(id, m, answer) })
}

// Abandon implements engine.Feed.
func (f *fanout) Abandon(id chat.ConversationID) {
	f.visitors.Abandon(id)
	f.each(func(t feedTarget) { t.Abandon(id) })
}

// Status implements engine.Feed.
func (f *fanout) Status(id chat.ConversationID, state string, position int, mode chat.Mode) {
	f.visitors.Status(id, state, position, mode)
	f.each(func(t feedTarget) { t.Status(id, state, position, mode) })
}

// turns is the gateway's view of the engine; who watches a conversation learns
// that its visitor types.
type turns struct {
	*engine.Engine
	p *parts
}

// Typing implements gateway.Turns.
func (t turns) Typing(id chat.ConversationID, on bool) {
	t.Engine.Typing(id, on)
	if on {
		t.p.api.Live().Typing(id)
	}
}
