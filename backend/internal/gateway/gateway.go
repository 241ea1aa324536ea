// Package gateway speaks the visitors' protocol on sockets: hello and resume,
// limits, frames, close codes, and the hub that brings a conversation's events
// to everybody who watches it.
package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"
	"golang.org/x/time/rate"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/engine"
	"haoke/backend/internal/wire"
	"haoke/backend/internal/wsconn"
)

// Turns is what the gateway asks of the engine.
type Turns interface {
	Take(ctx context.Context, in engine.Incoming) error
	Typing(id chat.ConversationID, on bool)
	Stop(id chat.ConversationID)
	Human(ctx context.Context, id chat.ConversationID, who engine.Who) error
	Rate(ctx context.Context, id chat.ConversationID, seq int64, score int, comment string) error
	Wake(id chat.ConversationID)
	Gone(id chat.ConversationID, watching func() bool)
}

// Sessions is what the gateway reads and mends of the stored conversations.
type Sessions interface {
	History
	Head(ctx context.Context, id chat.ConversationID) (chat.Conversation, error)
	Update(ctx context.Context, id chat.ConversationID, change func(*chat.Conversation)) (chat.Conversation, error)
}

// Meter counts what the gateway sees. Methods are called on hot paths and must
// be cheap and safe for concurrent use.
type Meter interface {
	Connections(delta int)
	Refused(reason string)
}

// Limits bound what visitors may do. Zero values mean no limit where the
// comment says so.
type Limits struct {
	Connections     int // sockets at once; 0: none
	PerIP           int // sockets of one address (IPv6: /64) at once; 0: none
	MessagesAMinute int // of one visitor; PerIP times as many of one address; 0: none
	MessageChars    int // characters of one message
	RequireIdentity bool
}

// Live is the configuration that may change while sockets are open. The
// gateway reads it anew at each use.
type Live struct {
	Limits         Limits
	Policy         *wsconn.Policy
	Settings       []byte // the widget's cosmetics as a JSON object
	IdentitySecret []byte // empty: no signed identities
	DefaultMode    chat.Mode
	Epoch          string // of conversations that are not stored yet
}

// Config wires a gateway. Secret, Live and ClientIP are required.
type Config struct {
	Secret   []byte                     // at least 32 bytes; signs visitors' tokens
	TokenTTL time.Duration              // default 180 days
	Live     func() *Live               // current configuration; must be cheap
	ClientIP func(*http.Request) string // the visitor's address behind trusted proxies
	Now      func() time.Time           // default time.Now
	Helloing time.Duration              // time until hello; default 10 s
	KeepIP   func(ip string) string     // what is kept of an address; default all of it
	Line     func(ip string) string     // what limits count an address as; default the address itself
	Told     func(chat.ConversationID)  // what is known of a visitor has changed; must not block; may be nil
}

// Gateway serves visitors' sockets. It is safe for concurrent use.
type Gateway struct {
	cfg      Config
	hub      *Hub
	turns    Turns
	sessions Sessions
	meter    Meter
	log      *slog.Logger
	tokens   tokens
	acceptor *wsconn.Acceptor

	mu      sync.Mutex
	peers   map[*peer]struct{}
	perIP   map[string]int
	closing bool
	done    sync.WaitGroup

	count  atomic.Int64
	limits *expirable.LRU[string, *rate.Limiter]
}

// New returns a gateway on the given hub and engine.
func New(cfg Config, hub *Hub, turns Turns, sessions Sessions, meter Meter, log *slog.Logger) (*Gateway, error) {
	if len(cfg.Secret) < 32 {
		return nil, fmt.Errorf("gateway: the secret for visitors' tokens has %d bytes, 32 are needed", len(cfg.Secret))
	}
	if cfg.TokenTTL == 0 {
		cfg.TokenTTL = 180 * 24 * time.Hour
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.KeepIP == nil {
		cfg.KeepIP = func(ip string) string { return ip }
	}
	if cfg.Line == nil {
		cfg.Line = func(ip string) string { return ip }
	}
	if cfg.Helloing == 0 {
		cfg.Helloing = 10 * time.Second
	}
	g := &Gateway{
		cfg: cfg, hub: hub, turns: turns, sessions: sessions, meter: meter, log: log,
		tokens:   tokens{secret: cfg.Secret, ttl: cfg.TokenTTL, now: cfg.Now},
		acceptor: wsconn.NewAcceptor(wsconn.Config{Subprotocol: wire.Subprotocol, MaxFrame: wire.MaxFrame, QueueBytes: 512 << 10, CloseSlow: wire.CloseTooSlow, CloseBinary: wire.CloseProtocol, Beat: plainPing, BeatAnswer: string(wire.AppendPong(nil, nil))}),
		peers:    map[*peer]struct{}{},
		perIP:    map[string]int{},
		// A visitor's bucket is full again after a minute; remembering it for
		// five is enough, and 50,000 visitors bound the memory.
		limits: expirable.NewLRU[string, *rate.Limiter](50_000, nil, 5*time.Minute),
	}
	return g, nil
}

// Connections is how many sockets are open.
func (g *Gateway) Connections() int { return int(g.count.Load()) }

// ServeHTTP upgrades GET /v1/chat. Foreign Host: 421; foreign Origin: 403;
// shutting down: 503. Limits are told by a close code after the upgrade, so
// that a browser's script can read them.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	live := g.cfg.Live()
	if status := live.Policy.Check(r); status != 0 {
		g.meter.Refused(fmt.Sprint(status))
		http.Error(w, refusal(status), status)
		return
	}
	ip := g.cfg.ClientIP(r)
	over, far, down := g.admit(ip, live.Limits)
	if down {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "going away", http.StatusServiceUnavailable)
		return
	}
	if far {
		// Far beyond the limit even the polite refusal costs too much, and takes
		// the places of others.
		g.leave(ip)
		g.meter.Refused("too_many")
		w.Header().Set("Retry-After", "30")
		http.Error(w, "too many connections", http.StatusServiceUnavailable)
		return
	}
	conn, err := g.acceptor.Accept(w, r)
	if err != nil {
		g.leave(ip)
		g.meter.Refused("handshake")
		return
	}
	p := newPeer(g, conn, ip, r)
	if over {
		g.meter.Refused("too_many")
		conn.Close(wire.CloseTooMany, "too many connections")
		go func() { conn.Loop(func([]byte) bool { return false }); g.leave(ip) }()
		return
	}
	if !g.add(p) {
		g.leave(ip)
		conn.Close(wire.CloseGoingAway, "going away")
		go conn.Loop(func([]byte) bool { return false })
		return
	}
	// Detached from the handler: net/http's buffers and its grown stack go
	// back at once, which halves an idle visitor's memory.
	p.start()
}

func refusal(status int) string {
	if status == http.StatusMisdirectedRequest {
		return "this server is not known by that name; set server.public_url"
	}
	return "this page is not allowed to open a chat; add its origin to server.allowed_origins"
}

// admit counts a socket in. over says that it is one too many, far that there
// are so many too many that it is not worth a close code.
func (g *Gateway) admit(ip string, l Limits) (over, far, closing bool) {
	line := g.cfg.Line(ip)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closing {
		return false, false, true
	}
	all, own := int(g.count.Add(1)), g.perIP[line]+1
	g.perIP[line] = own
	g.meter.Connections(1)
	over = l.Connections > 0 && all > l.Connections || l.PerIP > 0 && own > l.PerIP
	far = l.Connections > 0 && all > l.Connections+1000 || l.PerIP > 0 && own > 2*l.PerIP
	return over, far, false
}

func (g *Gateway) leave(ip string) {
	line := g.cfg.Line(ip)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.count.Add(-1)
	g.meter.Connections(-1)
	if g.perIP[line]--; g.perIP[line] <= 0 {
		delete(g.perIP, line)
	}
}

func (g *Gateway) add(p *peer) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closing {
		return false
	}
	g.peers[p] = struct{}{}
	g.done.Add(1)
	return true
}

func (g *Gateway) remove(p *peer) {
	g.mu.Lock()
	delete(g.peers, p)
	g.mu.Unlock()
	g.leave(p.ip)
	g.done.Done()
}

// CloseAll tells every widget to come back later (1001) and refuses new ones.
// It returns when all sockets have ended or ctx is over.
func (g *Gateway) CloseAll(ctx context.Context) {
	g.mu.Lock()
	g.closing = true
	peers := make([]*peer, 0, len(g.peers))
	for p := range g.peers {
		peers = append(peers, p)
	}
	g.mu.Unlock()
	for _, p := range peers {
		p.conn.Close(wire.CloseGoingAway, "going away")
	}
	done := make(chan struct{})
	go func() { g.done.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// CloseIdle is the first step of the end: nobody new comes in, and widgets
// without an answer under way are told to come back later.
func (g *Gateway) CloseIdle(busy func(chat.ConversationID) bool) {
	g.mu.Lock()
	g.closing = true
	peers := make([]*peer, 0, len(g.peers))
	for p := range g.peers {
		peers = append(peers, p)
	}
	g.mu.Unlock()
	for _, p := range peers {
		if id := p.id.Load(); id == nil || !busy(*id) {
			p.conn.Close(wire.CloseGoingAway, "going away")
		}
	}
}

// Replace ends every socket of one conversation, for example after the owner
// blocked the visitor or deleted the conversation.
func (g *Gateway) Replace(id chat.ConversationID) {
	g.mu.Lock()
	var hit []*peer
	for p := range g.peers {
		if p.is(id) {
			hit = append(hit, p)
		}
	}
	g.mu.Unlock()
	for _, p := range hit {
		p.conn.Close(wire.ClosePolicy, "conversation closed")
	}
}
