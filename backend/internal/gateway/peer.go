package gateway

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/engine"
	"haoke/backend/internal/phrases"
	"haoke/backend/internal/wire"
	"haoke/backend/internal/wsconn"
)

// maxBadFrames is how many frames that are not of the protocol a socket may
// send before it is closed with 4002.
const maxBadFrames = 10

// peer is one socket and what is known of the visitor behind it. All fields
// but conn and id belong to whoever reads the socket, one goroutine at a time.
type peer struct {
	g      *Gateway
	conn   *wsconn.Conn
	ip     string
	agent  string
	site   string
	locale string

	id      atomic.Pointer[chat.ConversationID]
	sub     *subscriber
	visitor chat.Visitor
	page    chat.Page
	hello   *time.Timer
	typing  int64 // when the visitor last said to be typing, in Unix ms; 0: not typing
	bad     int
	// stored: the conversation is on disk. Until then what was told of the
	// visitor waits in visitor.Facts for the first message.
	stored bool
}

func newPeer(g *Gateway, conn *wsconn.Conn, ip string, r *http.Request) *peer {
	site := strings.Clone(wire.Clip(r.URL.Query().Get("site"), 64))
	if site == "" {
		site = "default"
	}
	// Copies: a header's text would keep all of the request in memory.
	return &peer{g: g, conn: conn, ip: ip, site: site, agent: strings.Clone(wire.Clip(r.UserAgent(), 300))}
}

func (p *peer) is(id chat.ConversationID) bool {
	own := p.id.Load()
	return own != nil && *own == id
}

// start begins to read; the peer lives until Ended.
func (p *peer) start() {
	p.hello = time.AfterFunc(p.g.cfg.Helloing, func() { p.conn.Close(wire.CloseNoHello, "no hello in time") })
	p.conn.Serve(p)
}

// Ended implements wsconn.Handler: the socket has ended.
func (p *peer) Ended(error) {
	defer p.g.remove(p)
	if p.hello != nil {
		p.hello.Stop()
	}
	if p.sub == nil {
		return
	}
	id := *p.id.Load()
	p.g.hub.Leave(id, p.sub)
	if p.g.hub.Watching(id) == 0 {
		p.g.turns.Gone(id, func() bool { return p.g.hub.Watching(id) > 0 })
	}
}

// Frame implements wsconn.Handler: it deals with one frame; false ends the
// socket. What it begins is not cut short when the socket ends: nobody would
// notice that before it returns.
//
// A frame that makes us panic costs its sender the socket, and nobody else
// theirs: no handler of net/http stands behind this goroutine.
func (p *peer) Frame(data []byte) (on bool) {
	defer func() {
		if v := recover(); v != nil {
			p.g.log.Error("a visitor's frame made the gateway panic", "panic", v, "stack", string(debug.Stack()))
			p.conn.Close(wire.CloseGoingAway, "try again later")
			on = false
		}
	}()
	if string(data) == plainPing {
		p.pong(nil)
		return true
	}
	ctx := context.Background()
	f := frames.Get().(*wire.ClientFrame)
	defer func() {
		*f = wire.ClientFrame{}
		frames.Put(f)
	}()
	if err := wire.DecodeClient(data, f); err != nil {
		return p.badFrame(err.Error())
	}
	if f.Type == wire.TypePing {
		p.pong(f.T)
		return true
	}
	if p.sub == nil {
		if f.Type != wire.TypeHello {
			p.conn.Close(wire.CloseProtocol, "hello must come first")
			return false
		}
		return p.greet(ctx, f)
	}
	p.take(ctx, *p.id.Load(), f)
	return f.Type != wire.TypeHello || p.badFrame("bad frame: a second hello")
}

// frames recycles what visitors' frames are read into. Nobody keeps one; what
// is kept of it are its texts.
var frames = sync.Pool{New: func() any { return new(wire.ClientFrame) }}

// plainPing is the widget's heartbeat to the letter. Where sockets have a poller, it
// answers; elsewhere it comes here like any frame, and decoding it would cost
// more than all the rest. Any other ping goes the long way.
const plainPing = `{"type":"ping"}`

// pong answers the widget's heartbeat. Thousands of silent visitors send one
// every 45 seconds: no goroutine is woken for it and no buffer made.
func (p *peer) pong(t []byte) {
	frame := borrow()
	*frame = wire.AppendPong(*frame, t)
	p.conn.SendNow(*frame)
	giveBack(frame)
}

// take deals with a frame that belongs to the conversation.
func (p *peer) take(ctx context.Context, id chat.ConversationID, f *wire.ClientFrame) {
	switch f.Type {
	case wire.TypeMessage:
		p.message(ctx, id, f)
	case wire.TypeTyping:
		p.typing = 0
		if f.On {
			p.typing = p.g.cfg.Now().UnixMilli()
		}
		p.g.turns.Typing(id, f.On)
	case wire.TypeStop:
		p.g.turns.Stop(id)
	case wire.TypeHuman:
		if ok, wait := p.heard(id); !ok {
			p.error(wire.CodeRateLimited, p.texts().TooFast, wait, "")
			return
		}
		err := p.g.turns.Human(ctx, id, p.who())
		if err == nil && !p.stored {
			p.kept()
		}
		p.report(err, "")
	case wire.TypeRate:
		if ok, wait := p.g.allow("rate "+string(id), ratingsAMinute); !ok {
			p.error(wire.CodeRateLimited, p.texts().TooFast, wait, "")
			return
		}
		p.report(p.g.turns.Rate(ctx, id, f.Seq, f.Score, f.Note), "")
	case wire.TypeRead:
		p.g.hub.Read(id, f.Seq)
	case wire.TypeContext:
		p.context(ctx, id, f)
	case wire.TypeHello: // told by the caller
	default:
		p.error(wire.CodeUnknownType, "unknown type", 0, "")
	}
}

func (p *peer) badFrame(why string) bool {
	p.error(wire.CodeBadFrame, why, 0, "")
	if p.bad++; p.bad >= maxBadFrames {
		p.conn.Close(wire.CloseProtocol, "too many bad frames")
		return false
	}
	return true
}

func (p *peer) error(code, text string, retry time.Duration, id string) {
	p.conn.Send(wire.AppendError(nil, code, text, retry, id))
}

func (p *peer) texts() *phrases.Set { return phrases.For(p.locale) }

// greet answers hello: it finds or makes the conversation, says welcome and
// replays what the visitor missed.
func (p *peer) greet(ctx context.Context, f *wire.ClientFrame) bool {
	live := p.g.cfg.Live()
	p.locale = wire.Clip(f.Locale, 35)
	p.visitor = identify(live.IdentitySecret, f.User, p.g.cfg.Now())
	if p.visitor.Sub == "" && f.HMAC != nil {
		p.visitor = identifyHMAC(live.IdentitySecret, f.HMAC.ID, f.HMAC.Hash)
	}
	name, email := f.Typed() // what was signed wins over what was typed
	p.visitor.Name, p.visitor.Email = cmp.Or(p.visitor.Name, name), cmp.Or(p.visitor.Email, email)
	if live.Limits.RequireIdentity && p.visitor.Sub == "" {
		p.error(wire.CodeBadToken, p.texts().BadToken, 0, "")
		p.conn.Close(wire.ClosePolicy, "sign-in needed")
		return false
	}
	p.visitor.Locale, p.visitor.IP, p.visitor.Agent = p.locale, p.g.cfg.KeepIP(p.ip), p.agent
	if f.Page != nil {
		p.page = *f.Page
	}
	id := chat.NewConversationID()
	if f.Token != "" {
		opened, err := p.g.tokens.open(f.Token, p.site)
		if err != nil {
			// The client forgets the token and says hello once more.
			p.error(wire.CodeBadToken, p.texts().BadToken, 0, "")
			return p.countBad()
		}
		id = opened
	}
	head, after, err := p.resume(ctx, id, f, live)
	if errors.Is(err, chat.ErrUnreadable) {
		// Archived, and the copy is damaged or out of reach: trying again and
		// again would help nobody, so the client is sent to a new conversation.
		p.g.log.Error("a visitor's archived conversation cannot be read, a new one begins", "conversation", id, "err", err)
		p.error(wire.CodeBadToken, p.texts().BadToken, 0, "")
		return p.countBad()
	}
	if err != nil {
		p.g.log.Error("a visitor could not resume", "conversation", id, "err", err)
		p.error(wire.CodeUnavailable, p.texts().Unavailable, 5*time.Second, "")
		p.conn.Close(wire.CloseGoingAway, "try again later")
		return false
	}
	if head.Blocked {
		p.conn.Close(wire.ClosePolicy, "blocked")
		return false
	}
	if own := head.Visitor.Sub; own != "" && p.visitor.Sub != "" && own != p.visitor.Sub {
		// A shared machine: the page has the token of whoever was there before.
		p.error(wire.CodeBadToken, p.texts().BadToken, 0, "")
		return p.countBad()
	}
	p.hello.Stop()
	p.hello = nil
	p.stored = head.LastSeq > 0
	p.conn.SendWait(wire.AppendWelcome(nil, wire.Welcome{
		Conversation: id, Token: p.g.tokens.issue(id, p.site), Epoch: head.Epoch,
		Seq: head.LastSeq, Mode: modeNow(head.Mode, live.DefaultMode), Settings: live.Settings,
	}))
	sub, err := p.g.hub.Join(ctx, id, after, p.conn)
	if err != nil {
		if !errors.Is(err, wsconn.ErrClosed) {
			p.g.log.Error("a conversation could not be replayed", "conversation", id, "err", err)
		}
		p.conn.Close(wire.CloseGoingAway, "try again later")
		return false
	}
	p.sub = sub
	p.id.Store(&id)
	if head.Pending > 0 {
		p.g.turns.Wake(id)
	}
	p.arrived(ctx, &head, f) // after the replay: nobody waits for it
	return true
}

// modeNow is the mode that a visitor who comes back finds: unless a person has
// the conversation or was asked for, the hours decide, not those of last time.
func modeNow(stored, usual chat.Mode) chat.Mode {
	if stored == chat.ModeHuman || stored == chat.ModeWaiting {
		return stored
	}
	return usual
}

func (p *peer) countBad() bool {
	if p.bad++; p.bad >= maxBadFrames {
		p.conn.Close(wire.CloseProtocol, "too many bad frames")
		return false
	}
	return true
}

// resume finds the conversation's head and where the replay starts. A client
// that knows more than the disk does, or knows another epoch, has a history
// that was cut or restored: it starts again from the beginning.
func (p *peer) resume(ctx context.Context, id chat.ConversationID, f *wire.ClientFrame, live *Live) (chat.Conversation, int64, error) {
	fresh := chat.Conversation{ID: id, Site: p.site, Mode: live.DefaultMode, Epoch: live.Epoch}
	if f.Token == "" {
		return fresh, 0, nil
	}
	head, err := p.g.sessions.Head(ctx, id)
	if errors.Is(err, chat.ErrNotFound) {
		return fresh, 0, nil
	}
	if err != nil {
		return head, 0, err
	}
	if head.LastSeq > 0 { // thaws it when it is archived; costs nothing when it is in memory
		if _, err := p.g.sessions.Messages(ctx, id, head.LastSeq-1, 1); err != nil {
			return head, 0, err
		}
	}
	after := f.After
	if f.Epoch != "" && f.Epoch != head.Epoch {
		after = 0
	}
	if after > head.LastSeq {
		head, err = p.g.sessions.Update(ctx, id, func(c *chat.Conversation) { c.Epoch = NewEpoch() })
		after = 0
	}
	return head, after, err
}

func (p *peer) who() engine.Who {
	return engine.Who{Site: p.site, Visitor: p.visitor, Page: p.page}
}

// message takes a visitor's message: limits, then the engine, which answers
// through the hub.
func (p *peer) message(ctx context.Context, id chat.ConversationID, f *wire.ClientFrame) {
	limits := p.g.cfg.Live().Limits
	texts := p.texts()
	n := utf8.RuneCountInString(f.Text)
	if n == 0 || isBlank(f.Text) {
		p.error(wire.CodeBadFrame, "bad frame: message without text", 0, f.ID)
		return
	}
	if limits.MessageChars > 0 && n > limits.MessageChars {
		p.error(wire.CodeTooLong, texts.TooLong, 0, f.ID)
		return
	}
	if ok, wait := p.heard(id); !ok {
		p.error(wire.CodeRateLimited, texts.TooFast, wait, f.ID)
		return
	}
	err := p.g.turns.Take(ctx, engine.Incoming{
		Conversation: id, ClientID: f.ID, Text: f.Text, Who: p.who(), Typing: time.UnixMilli(p.typing),
		Stored: func(seq int64) { p.acknowledge(f.ID, seq) },
	})
	if err == nil {
		p.kept()
	}
	p.report(err, f.ID)
}

func (p *peer) acknowledge(id string, seq int64) {
	frame := borrow()
	defer giveBack(frame)
	*frame = wire.AppendAck(*frame, id, seq)
	p.conn.Send(*frame)
}

// report tells the visitor of a refusal; the reason is for the log alone.
func (p *peer) report(err error, id string) {
	if err == nil {
		return
	}
	texts := p.texts()
	var refused *engine.Refused
	switch {
	case errors.As(err, &refused):
		p.error(refused.Code, refused.Text, refused.RetryAfter, id)
	case errors.Is(err, chat.ErrUnreadable): // archived while the page lay open
		p.error(wire.CodeBadToken, texts.BadToken, 0, id)
	case errors.Is(err, chat.ErrNotFound):
		// Rating or reading in a conversation that was never stored: nothing
		// to do and nothing to say.
	default:
		p.g.log.Error("a visitor's frame could not be taken", "conversation", *p.id.Load(), "err", err)
		p.error(wire.CodeUnavailable, texts.Unavailable, 5*time.Second, id)
	}
}

func isBlank(s string) bool {
	for _, r := range s {
		switch r {
		case ' ', '\t', '\n', '\r', '\u00a0', '\u3000', '\u200b':
		default:
			return false
		}
	}
	return true
}
