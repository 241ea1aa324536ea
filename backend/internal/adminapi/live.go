package adminapi

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"haoke/backend/internal/auth"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/codec"
	"haoke/backend/internal/logs"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/wire"
	"haoke/backend/internal/wsconn"
)

// ringSize is how many kept events a page that was cut off can catch up on.
const ringSize = 4096

// Live is the feed of events behind the live socket and the poll. It is told
// by the engine (it is an engine.Feed), the settings, the metrics and the log,
// never blocks them, and works in its own goroutine.
type Live struct {
	a        *API
	acceptor *wsconn.Acceptor
	work     chan func(context.Context)

	mu     sync.Mutex
	ring   []wire.LiveEvent // the newest last
	last   uint64
	conns  map[*liveConn]struct{}
	stats  *wire.StatsTick
	polled time.Time         // a page last polled
	state  string            // of the last status event
	keys   map[string]string // state of each key in its last event
	ended  bool
}

// liveConn is one page.
type liveConn struct {
	conn  *wsconn.Conn
	who   auth.Person
	watch chat.ConversationID
	log   slog.Level
	logs  bool
	owner bool   // may read the log
	from  uint64 // newest event when it began
}

func newLive(a *API) *Live {
	return &Live{
		// The numbers go on from the clock, so that those of an earlier run are
		// told from these: a page that was connected then sees a gap.
		last: uint64(max(0, a.Now().UnixMilli())),
		a:    a, conns: map[*liveConn]struct{}{}, work: make(chan func(context.Context), 4096),
		acceptor: wsconn.NewAcceptor(wsconn.Config{MaxFrame: 8 << 10, QueueBytes: 4 << 20, CloseSlow: 1013, CloseBinary: 1003}),
	}
}

func (a *API) liveHandlers() map[string]func(*call) (any, error) {
	return map[string]func(*call) (any, error){
		"getLiveTicket": a.getLiveTicket,
		"pollLive":      a.pollLive,
	}
}

// Run does what the feed caused until ctx ends, then closes the sockets.
func (l *Live) Run(ctx context.Context) error {
	stopSettings := l.a.Settings.Subscribe(l.settingsChanged)
	defer stopSettings()
	stopLogs := l.a.Logs.Subscribe(l.logLine)
	defer stopLogs()
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			l.mu.Lock()
			defer l.mu.Unlock()
			l.ended = true
			for c := range l.conns {
				c.conn.Close(1001, "going away")
			}
			return nil
		case f := <-l.work:
			f(ctx)
		case <-tick.C:
			l.checkPeople(ctx)
			l.checkStatus(ctx)
			l.checkKeys(ctx)
		}
	}
}

// checkPeople closes the sockets of those who have signed out, were removed, or
// may less than when they came: their page asks anew, and sees what it may.
func (l *Live) checkPeople(ctx context.Context) {
	l.mu.Lock()
	conns := make([]*liveConn, 0, len(l.conns))
	for c := range l.conns {
		conns = append(conns, c)
	}
	l.mu.Unlock()
	for _, c := range conns {
		if !l.a.Guard.Still(ctx, c.who) {
			c.conn.Close(1008, "signed out")
		}
	}
}

// later hands work to Run; when it is full the work is dropped and every page
// is told that there is a gap.
func (l *Live) later(f func(context.Context)) {
	if l.unseen() {
		return
	}
	select {
	case l.work <- f:
	default:
		l.mu.Lock()
		l.last++ // a number without an event: pages see the gap and reload
		l.mu.Unlock()
	}
}

// pollMemory is how long a page that polled counts as looking.
const pollMemory = time.Minute

// unseen reports that no page looks. What happens then is not worth the work
// of an event; its number is used up, so that a page that comes back sees a
// gap and reloads.
func (l *Live) unseen() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.conns) > 0 || l.a.Now().Sub(l.polled) < pollMemory {
		return false
	}
	l.last++
	return true
}

// watched reports whether a page wants the drafts of a conversation.
func (l *Live) watched(id chat.ConversationID) bool {
	for c := range l.conns {
		if c.watch == id {
			return true
		}
	}
	return false
}

// keep numbers an event, remembers it and sends it to every page.
func (l *Live) keep(e wire.LiveEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	e.N, e.At = l.last, l.a.Now().UTC()
	if len(l.ring) >= ringSize {
		l.ring = append(l.ring[:0], l.ring[len(l.ring)-ringSize/2:]...)
	}
	l.ring = append(l.ring, e)
	l.sendLocked(e, func(*liveConn) bool { return true })
}

// pass sends an event that is not kept to the pages that want it.
func (l *Live) pass(e wire.LiveEvent, want func(*liveConn) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.At = l.a.Now().UTC()
	l.sendLocked(e, want)
}

func (l *Live) sendLocked(e wire.LiveEvent, want func(*liveConn) bool) {
	if len(l.conns) == 0 {
		return
	}
	data, err := json.Marshal(e)
	if err != nil {
		l.a.Log.Error("a live event could not be encoded", "type", e.Type, "err", err)
		return
	}
	for c := range l.conns {
		if want(c) {
			c.conn.Send(data) // a slow page is closed and catches up by the ring
		}
	}
}

// changed tells every page that a conversation's head changed.
func (l *Live) changed(id chat.ConversationID) {
	if l.unseen() {
		return
	}
	l.later(func(ctx context.Context) {
		item, err := l.a.item(ctx, id)
		if err != nil {
			return // deleted meanwhile
		}
		c := l.a.conversation(item)
		l.keep(wire.LiveEvent{Type: wire.LiveConversation, ID: string(id), Conversation: &c})
	})
}

// Changed tells every page that a conversation's head changed elsewhere.
func (l *Live) Changed(id chat.ConversationID) { l.changed(id) }

func (l *Live) gone(id chat.ConversationID) {
	l.keep(wire.LiveEvent{Type: wire.LiveGone, ID: string(id)})
}

func (l *Live) status(s wire.Status) {
	l.keep(wire.LiveEvent{Type: wire.LiveStatus, Status: &s})
}

// Begin implements engine.Feed.
func (l *Live) Begin(id chat.ConversationID, _ int64) { l.changed(id) }

// Delta implements engine.Feed. The visitors' hub knows seq and part by now.
func (l *Live) Delta(id chat.ConversationID, raw []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.watched(id) {
		return
	}
	text, err := codec.Unquote(raw)
	if err != nil {
		return
	}
	seq, part, _, ok := l.a.Presence.Draft(id)
	if !ok {
		return
	}
	e := wire.LiveEvent{Type: wire.LiveDraft, ID: string(id), At: l.a.Now().UTC(), Draft: &wire.Draft{Seq: seq, Part: part, Text: text}}
	l.sendLocked(e, func(c *liveConn) bool { return c.watch == id })
}

// Message implements engine.Feed.
func (l *Live) Message(id chat.ConversationID, m *chat.Message, _ bool) {
	if l.unseen() {
		return // before anything is made of it: every turn comes here
	}
	msg := message(m)
	l.later(func(context.Context) {
		l.keep(wire.LiveEvent{Type: wire.LiveMessage, ID: string(id), Message: &msg})
	})
	l.changed(id)
}

// Abandon implements engine.Feed.
func (l *Live) Abandon(id chat.ConversationID) { l.changed(id) }

// Status implements engine.Feed.
func (l *Live) Status(id chat.ConversationID, _ string, _ int, mode chat.Mode) {
	if mode != "" {
		l.changed(id)
	}
}

// Typing tells the pages that watch a conversation that its visitor types.
func (l *Live) Typing(id chat.ConversationID) {
	l.pass(wire.LiveEvent{Type: wire.LiveTyping, ID: string(id), From: chat.FromVisitor}, func(c *liveConn) bool { return c.watch == id })
}

// FAQChanged and FiltersChanged tell the pages to look again.
func (l *Live) FAQChanged() { l.keep(wire.LiveEvent{Type: wire.LiveFAQ}) }

// FiltersChanged tells the pages to look at the filters again.
func (l *Live) FiltersChanged() { l.keep(wire.LiveEvent{Type: wire.LiveFilters}) }

func (l *Live) settingsChanged(old, now *settings.Settings) {
	paths := settings.Differs(old, now)
	l.later(func(context.Context) {
		l.keep(wire.LiveEvent{Type: wire.LiveSettings, Paths: paths, Revision: l.a.Settings.Revision()})
	})
}

func (l *Live) logLine(line logs.Line) {
	l.pass(wire.LiveEvent{Type: wire.LiveLog, Log: logLine(line)}, func(c *liveConn) bool { return c.logs && line.Level >= c.log })
}

// Tick sends the values of the second that ended.
func (l *Live) Tick(at time.Time, values map[string]float64) {
	t := &wire.StatsTick{T: at.Unix(), Values: make(map[string]*float64, len(values))}
	for k, v := range values {
		t.Values[k] = number(v)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats = t
	l.sendLocked(wire.LiveEvent{Type: wire.LiveStats, At: at.UTC(), Stats: t}, func(*liveConn) bool { return true })
}

// checkStatus sends a status event when something about it changed.
func (l *Live) checkStatus(ctx context.Context) {
	l.mu.Lock()
	nobody := len(l.conns) == 0
	l.mu.Unlock()
	if nobody {
		return
	}
	s, err := l.a.Status(ctx)
	if err != nil {
		return
	}
	mark, err := json.Marshal([]any{s.State, s.Problems, s.Waiting, s.Unread, s.LeftMessages, s.UnansweredN, s.Restart, s.PublicURL, s.AdminURL})
	if err != nil {
		return
	}
	l.mu.Lock()
	same := l.state == string(mark)
	l.state = string(mark)
	l.mu.Unlock()
	if !same {
		l.status(s)
	}
}

// checkKeys sends an event for each key whose state or limits changed.
func (l *Live) checkKeys(ctx context.Context) {
	l.mu.Lock()
	nobody := len(l.conns) == 0
	l.mu.Unlock()
	if nobody {
		return
	}
	ring, err := l.a.keyRing(ctx)
	if err != nil {
		return
	}
	now := map[string]string{}
	for _, p := range ring.Providers {
		for i := range p.Keys {
			k := &p.Keys[i]
			mark := fmt.Sprint(k.State, k.Reason, k.Until != nil, k.Enabled, k.Requests.Configured, k.Requests.Learned, k.Tokens.Configured, k.Tokens.Learned)
			now[k.Name] = mark
			l.mu.Lock()
			old, known := l.keys[k.Name]
			l.mu.Unlock()
			if known && old != mark {
				l.keep(wire.LiveEvent{Type: wire.LiveKey, Key: k})
			}
		}
	}
	l.mu.Lock()
	l.keys = now
	l.mu.Unlock()
}
