package adminapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"haoke/backend/internal/auth"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/logs"
	"haoke/backend/internal/wire"
	"haoke/backend/internal/wsconn"
)

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
	if !ok || !a.Guard.Still(c.ctx(), who) {
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
	go a.live.serve(conn, who)
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
	l.polled = l.a.Now()
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
func (l *Live) serve(conn *wsconn.Conn, who auth.Person) {
	c := &liveConn{conn: conn, who: who, owner: who.Role == auth.RoleOwner}
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
