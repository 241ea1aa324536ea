package adminapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/wire"
	"haoke/backend/internal/wsconn"
)

// page is an open live socket.
type page struct {
	t *testing.T
	c *wsconn.Client
}

func (d *door) page() *page {
	d.h.t.Helper()
	ticket := decode[wire.LiveTicket](d.h.t, d.send("POST", "/live/ticket", nil))
	c, status, err := wsconn.Dial(context.Background(), ticket.URL, wsconn.DialConfig{Origin: d.h.at.URL})
	if err != nil {
		d.h.t.Fatalf("open the live socket: %d %v", status, err)
	}
	d.h.t.Cleanup(func() { c.Cut() })
	return &page{d.h.t, c}
}

func (p *page) say(c wire.LiveCommand) {
	p.t.Helper()
	data, err := json.Marshal(c)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.c.Write(context.Background(), data); err != nil {
		p.t.Fatal(err)
	}
}

// until reads events up to the first that want takes.
func (p *page) until(what string, want func(wire.LiveEvent) bool) wire.LiveEvent {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	for {
		data, err := p.c.Read(ctx)
		if err != nil {
			p.t.Fatalf("waiting for %s: %v", what, err)
		}
		var e wire.LiveEvent
		if err := json.Unmarshal(data, &e); err != nil {
			p.t.Fatalf("%v: %s", err, data)
		}
		if want(e) {
			return e
		}
	}
}

func (p *page) of(typ wire.LiveType) wire.LiveEvent {
	p.t.Helper()
	return p.until(string(typ), func(e wire.LiveEvent) bool { return e.Type == typ })
}

func TestLiveSocket(t *testing.T) {
	h := open(t, options{})
	owner := h.script()
	id := h.conversation("Hello?")
	p := owner.page()
	if e := p.of(wire.LiveHello); e.Gap {
		t.Errorf("hello: %+v", e)
	}
	p.say(wire.LiveCommand{Type: "ping"})
	p.of(wire.LivePong)

	m := decode[wire.Message](t, owner.send("POST", "/conversations/"+string(id)+"/messages", wire.MessageNew{ID: "m", Text: "Here I am."}))
	e := p.until("the message", func(e wire.LiveEvent) bool { return e.Type == wire.LiveMessage && e.Message.Seq == m.Seq })
	if e.N == 0 || e.ID != string(id) || e.Message.Text != "Here I am." {
		t.Errorf("message: %+v", e)
	}
	if e := p.of(wire.LiveConversation); e.Conversation.Mode != chat.ModeHuman {
		t.Errorf("conversation: %+v", e.Conversation)
	}

	// drafts reach those who watch the conversation
	p.say(wire.LiveCommand{Type: "watch", Conversation: string(id)})
	p.say(wire.LiveCommand{Type: "ping"})
	p.of(wire.LivePong)
	h.presence.write(id, 0, "Good ")
	h.api.Live().Delta(id, []byte(`"Good "`))
	h.presence.write(id, 1, "Good day")
	h.api.Live().Delta(id, []byte(`"day"`))
	if e := p.of(wire.LiveDraft); e.N != 0 || e.Draft.Part != 0 || e.Draft.Text != "Good " {
		t.Errorf("first piece: %+v", e.Draft)
	}
	if e := p.of(wire.LiveDraft); e.Draft.Part != 1 || e.Draft.Text != "day" {
		t.Errorf("second piece: %+v", e.Draft)
	}
	late := owner.page()
	late.say(wire.LiveCommand{Type: "watch", Conversation: string(id)})
	if e := late.of(wire.LiveDraft); e.Draft.Part != 0 || e.Draft.Text != "Good day" {
		t.Errorf("who comes late gets %+v", e.Draft)
	}
	h.api.Live().Typing(id)
	if e := p.of(wire.LiveTyping); e.ID != string(id) || e.From != chat.FromVisitor {
		t.Errorf("typing: %+v", e)
	}

	decode[wire.SettingsChange](t, owner.send("PATCH", "/settings", wire.SettingPatch{Path: "site.name", Value: json.RawMessage(`"Tea"`), Revision: -1}))
	if e := p.of(wire.LiveSettings); len(e.Paths) != 1 || e.Paths[0] != "site.name" {
		t.Errorf("settings: %+v", e)
	}
	decode[wire.FAQEntry](t, owner.send("POST", "/faq", wire.FAQWrite{Question: "Open?", Answer: "Yes."}))
	p.of(wire.LiveFAQ)
	decode[wire.FilterPattern](t, owner.send("POST", "/filters/patterns", wire.FilterPatternWrite{Name: "x", Expr: "x+"}))
	p.of(wire.LiveFilters)
	if got := owner.send("DELETE", "/conversations/"+string(id), nil); got.status != 204 {
		t.Fatalf("delete: %d %s", got.status, got.body)
	}
	last := p.of(wire.LiveGone)

	// whoever was away gets exactly what was missed
	back := owner.page()
	back.of(wire.LiveHello)
	back.say(wire.LiveCommand{Type: "after", After: e.N})
	if hello := back.of(wire.LiveHello); hello.Gap || hello.N < last.N {
		t.Errorf("the replay's hello: %+v", hello)
	}
	back.until("the replayed end", func(x wire.LiveEvent) bool { return x.N == last.N && x.Type == wire.LiveGone })
	back.say(wire.LiveCommand{Type: "after", After: last.N + 1_000_000})
	if hello := back.of(wire.LiveHello); !hello.Gap {
		t.Errorf("a number of another life is no gap: %+v", hello)
	}
}

func TestLiveRefuses(t *testing.T) {
	h := open(t, options{})
	owner := h.script()
	ticket := decode[wire.LiveTicket](t, owner.send("POST", "/live/ticket", nil))
	dial := func(url, origin string) int {
		c, status, err := wsconn.Dial(context.Background(), url, wsconn.DialConfig{Origin: origin})
		if err == nil {
			c.Cut()
			return http.StatusSwitchingProtocols
		}
		return status
	}
	if got := dial(ticket.URL, h.at.URL); got != 101 {
		t.Fatalf("a good ticket: %d", got)
	}
	if got := dial(ticket.URL, h.at.URL); got != 401 {
		t.Errorf("a spent ticket: %d", got)
	}
	if got := dial(strings.Split(ticket.URL, "?")[0], h.at.URL); got != 401 {
		t.Errorf("no ticket: %d", got)
	}
	next := decode[wire.LiveTicket](t, owner.send("POST", "/live/ticket", nil))
	if got := dial(next.URL, "https://evil.example"); got != 403 {
		t.Errorf("a foreign page: %d", got)
	}
	link := decode[wire.BrowserLink](t, owner.send("POST", "/session/browser", nil))
	_, other, _ := strings.Cut(link.URL, "ticket=")
	if got := dial(strings.Split(ticket.URL, "?")[0]+"?ticket="+other, h.at.URL); got != 401 {
		t.Errorf("a ticket for something else: %d", got)
	}
	p := owner.page()
	p.say(wire.LiveCommand{Type: "dance"})
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		_, err := p.c.Read(ctx)
		cancel()
		if err != nil {
			if code := wsconn.CloseCode(err); code != 1003 {
				t.Errorf("an unknown command closes with %d: %v", code, err)
			}
			break
		}
	}
}

// TestLogOnlyForOwners: an operator who answers visitors does not read the log,
// by no door.
func TestLogOnlyForOwners(t *testing.T) {
	h := open(t, options{})
	operator, owner := h.signedIn("lin", operatorPassword), h.script()
	po, pp := owner.page(), operator.page()
	for _, p := range []*page{po, pp} {
		p.say(wire.LiveCommand{Type: "logs", Level: "info"})
		p.say(wire.LiveCommand{Type: "ping"})
		p.of(wire.LivePong)
	}
	h.logs.Logger().Info("the kettle boils")
	po.until("the line", func(e wire.LiveEvent) bool { return e.Type == wire.LiveLog && e.Log.Text == "the kettle boils" })
	h.api.Live().FAQChanged() // comes after the line on either socket
	if e := pp.until("the next event", func(e wire.LiveEvent) bool { return e.Type == wire.LiveLog || e.Type == wire.LiveFAQ }); e.Type == wire.LiveLog {
		t.Errorf("an operator reads the log: %+v", e.Log)
	}
	lines := func(d *door) (n int) {
		for _, e := range decode[wire.LivePoll](t, d.send("GET", "/live?logs=info", nil)).Events {
			if e.Type == wire.LiveLog {
				n++
			}
		}
		return n
	}
	if lines(owner) == 0 || lines(operator) != 0 {
		t.Errorf("lines by poll: %d for the owner, %d for the operator", lines(owner), lines(operator))
	}
}

func TestLivePoll(t *testing.T) {
	h := open(t, options{})
	owner := h.script()
	if got := h.nobody().send("GET", "/live", nil); got.status != 401 {
		t.Errorf("without a session: %d", got.status)
	}
	h.api.Live().FAQChanged()
	start := decode[wire.LivePoll](t, owner.send("GET", "/live", nil))
	if start.Last == 0 || start.Gap {
		t.Fatalf("first: %+v", start)
	}
	for range 700 {
		h.api.Live().FiltersChanged()
	}
	var got []uint64
	after := start.Last
	for range 5 {
		p := decode[wire.LivePoll](t, owner.send("GET", fmt.Sprintf("/live?after=%d", after), nil))
		if p.Gap {
			t.Fatalf("a gap after %d", after)
		}
		for _, e := range p.Events {
			if e.N > 0 {
				got = append(got, e.N)
			}
		}
		after = p.Last
	}
	if len(got) != 700 {
		t.Fatalf("%d events of 700", len(got))
	}
	for i, n := range got {
		if n != start.Last+uint64(i)+1 {
			t.Fatalf("event %d has the number %d", i, n)
		}
	}
	for range 5000 {
		h.api.Live().FAQChanged()
	}
	if p := decode[wire.LivePoll](t, owner.send("GET", fmt.Sprintf("/live?after=%d", after), nil)); !p.Gap {
		t.Error("events that left the ring are no gap")
	}
	id := h.conversation("Hello?")
	h.presence.write(id, 3, "half an ans")
	p := decode[wire.LivePoll](t, owner.send("GET", "/live?watch="+string(id), nil))
	if e := p.Events[len(p.Events)-1]; e.Type != wire.LiveDraft || e.Draft.Text != "half an ans" {
		t.Errorf("the draft by poll: %+v", p.Events)
	}
}
