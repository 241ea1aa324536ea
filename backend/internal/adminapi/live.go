package adminapi

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
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

	mu    sync.Mutex
	ring  []wire.LiveEvent // the newest last
	last  uint64
	conns map[*liveConn]struct{}
	stats *wire.StatsTick
	state string            // of the last status event
	keys  map[string]string // state of each key in its last event
	ended bool
}

// liveConn is one page.
type liveConn struct {
	conn  *wsconn.Conn
	watch chat.ConversationID
	log   slog.Level
	logs  bool
	owner bool   // may read the log
	from  uint64 // newest event when it began
}

func newLive(a *API) *Live {
	return &Live{
		a: a, conns: map[*liveConn]struct{}{}, work: make(chan func(context.Context), 4096),
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
			l.checkStatus(ctx)
			l.checkKeys(ctx)
		}
	}
}

// later hands work to Run; when it is full the work is dropped and every page
// is told that there is a gap.
func (l *Live) later(f func(context.Context)) {
	select {
	case l.work <- f:
	default:
		l.mu.Lock()
		l.last++ // a number without an event: pages see the gap and reload
		l.mu.Unlock()
	}
}

// idle reports whether nobody looks, so that drafts need not be encoded.
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
	l.later(func(ctx context.Context) {
		item, err := l.a.item(ctx, id)
		if err != nil {
			return // deleted meanwhile
		}
		c := l.a.conversation(item)
		l.keep(wire.LiveEvent{Type: wire.LiveConversation, ID: string(id), Conversation: &c})
	})
}

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
	mark, err := json.Marshal([]any{s.State, s.Problems, s.Waiting, s.Unread, s.LeftMessages, s.UnansweredN, s.Restart})
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

func (a *API) getLiveTicket(c *call) (any, error) {
	ticket, until := a.Guard.Tickets().Issue(auth.ForLive, c.who)
	_, admin := a.Host.Addresses()
	base := "ws" + strings.TrimPrefix(admin, "http")
	if c.who.Door != auth.DoorWindow && c.r.Host != "" {
		scheme := "ws://"
		if c.r.TLS != nil {
			scheme = "wss://"
		}
		base = scheme + c.r.Host
	}
	return wire.LiveTicket{Ticket: ticket, URL: base + wire.AdminPrefix + "/live?ticket=" + url.QueryEscape(ticket), ExpiresAt: until.UTC()}, nil
}

// windowOrigins are the origins of the native window's page on the three
// systems, and of its development server.
var windowOrigins = []string{"wails://wails", "http://wails.localhost", "wails://wails.localhost"}

func (a *API) pollLive(c *call) (any, error) {
	q, err := query[wire.LiveQuery](c)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(c.r.Header.Get("Upgrade"), "websocket") {
		if c.who.Name == "" {
			return nil, &fault{Type: wire.ProblemSignedOut, Title: "Signed out", Status: 401, Detail: "Sign in first."}
		}
		return a.live.poll(q, c.who.Role == auth.RoleOwner), nil
	}
	who, ok := a.Guard.Tickets().Take(auth.ForLive, q.Ticket)
	if !ok {
		return nil, &fault{Type: wire.ProblemSignedOut, Title: "Spent", Status: 401, Detail: "This ticket was used already or is too old."}
	}
	if o := c.r.Header.Get("Origin"); o != "" && !liveOrigin(o, c.r) {
		return nil, &fault{Type: wire.ProblemForbidden, Title: "Foreign page", Status: 403, Detail: "This page may not open the live socket."}
	}
	c.done = true
	conn, err := a.live.acceptor.Accept(c.w, c.r)
	if err != nil {
		return nil, nil // the answer has been written
	}
	go a.live.serve(conn, who.Role == auth.RoleOwner)
	return nil, nil
}

func liveOrigin(origin string, r *http.Request) bool {
	for _, o := range windowOrigins {
		if origin == o || strings.HasPrefix(origin, o+":") {
			return true
		}
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host
}

// poll answers what happened after a number. When that is more than one poll
// carries, Last is that of the last event in it, so that the next goes on there.
func (l *Live) poll(q wire.LiveQuery, owner bool) wire.LivePoll {
	lines := l.pollLog(q.Logs, owner)
	l.mu.Lock()
	defer l.mu.Unlock()
	out := wire.LivePoll{Events: []wire.LiveEvent{}, Last: l.last}
	if q.After > 0 {
		out.Events, out.Gap = l.sinceLocked(q.After)
		if n := len(out.Events); n == maxPoll {
			out.Last = out.Events[n-1].N
		}
	}
	out.Events = append(out.Events, lines...)
	if l.stats != nil {
		out.Events = append(out.Events, wire.LiveEvent{Type: wire.LiveStats, At: l.a.Now().UTC(), Stats: l.stats})
	}
	if id := chat.ConversationID(q.Watch); id.Valid() {
		if seq, part, text, ok := l.a.Presence.Draft(id); ok {
			out.Events = append(out.Events, wire.LiveEvent{Type: wire.LiveDraft, ID: q.Watch, Draft: &wire.Draft{Seq: seq, Part: part, Text: text}})
		}
	}
	return out
}

// pollLines is how many of the latest lines of the log a poll carries. Pages
// know lines that they have by their numbers.
const pollLines = 50

func (l *Live) pollLog(level string, owner bool) []wire.LiveEvent {
	least, ok := logs.ParseLevel(level)
	if level == "" || !ok || !owner {
		return nil
	}
	lines, _ := l.a.Logs.Tail(logs.Query{Level: least, Limit: pollLines})
	out := make([]wire.LiveEvent, 0, len(lines))
	for _, x := range lines {
		out = append(out, wire.LiveEvent{Type: wire.LiveLog, At: x.At.UTC(), Log: logLine(x)})
	}
	return out
}

// maxPoll bounds the events of one poll.
const maxPoll = 500

func (l *Live) sinceLocked(after uint64) (events []wire.LiveEvent, gap bool) {
	events = []wire.LiveEvent{}
	next := after + 1
	for _, e := range l.ring {
		if e.N <= after {
			continue
		}
		if e.N != next {
			gap = true
		}
		next = e.N + 1
		if len(events) < maxPoll {
			events = append(events, e)
		}
	}
	return events, gap || next <= l.last && len(events) < maxPoll || after > l.last
}

// serve is the reader of one page's socket.
func (l *Live) serve(conn *wsconn.Conn, owner bool) {
	c := &liveConn{conn: conn, owner: owner}
	l.mu.Lock()
	if l.ended {
		l.mu.Unlock()
		conn.Close(1001, "going away")
		return
	}
	c.from = l.last
	l.conns[c] = struct{}{}
	hello, err := json.Marshal(wire.LiveEvent{N: l.last, Type: wire.LiveHello, At: l.a.Now().UTC()})
	l.mu.Unlock()
	if err == nil {
		conn.Send(hello)
	}
	conn.Loop(func(frame []byte) bool { return l.command(c, frame) })
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
}

func (l *Live) command(c *liveConn, frame []byte) bool {
	var cmd wire.LiveCommand
	if err := json.Unmarshal(frame, &cmd); err != nil {
		c.conn.Close(1003, "not a command")
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch cmd.Type {
	case "watch":
		c.watch = chat.ConversationID(cmd.Conversation)
		if seq, _, text, ok := l.a.Presence.Draft(c.watch); ok {
			l.oneLocked(c, wire.LiveEvent{Type: wire.LiveDraft, ID: cmd.Conversation, Draft: &wire.Draft{Seq: seq, Part: 0, Text: text}})
		}
	case "logs":
		var ok bool
		c.log, ok = logs.ParseLevel(cmd.Level)
		c.logs = ok && cmd.Level != "" && c.owner
	case "after":
		events, gap := l.sinceLocked(cmd.After)
		// A page that has seen a new event on this socket before the replay
		// takes what is older for known: it has to look anew.
		gap = gap || cmd.After < c.from && l.last > c.from || len(events) == maxPoll
		l.oneLocked(c, wire.LiveEvent{N: l.last, Type: wire.LiveHello, Gap: gap})
		for _, e := range events {
			l.oneLocked(c, e)
		}
	case "ping":
		l.oneLocked(c, wire.LiveEvent{Type: wire.LivePong})
	default:
		c.conn.Close(1003, "not a command")
		return false
	}
	return true
}

func (l *Live) oneLocked(c *liveConn, e wire.LiveEvent) {
	if e.At.IsZero() {
		e.At = l.a.Now().UTC()
	}
	if data, err := json.Marshal(e); err == nil {
		c.conn.Send(data)
	}
}
