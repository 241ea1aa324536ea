package gateway

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/codec"
	"haoke/backend/internal/wire"
)

// History reads the durable messages of a conversation, seq > after, ascending.
type History interface {
	Messages(ctx context.Context, id chat.ConversationID, after int64, limit int) ([]chat.Message, error)
}

// outlet is where a subscriber's frames go; *wsconn.Conn is one.
type outlet interface {
	Send(frame []byte) error
	SendNow(frame []byte) error // for a frame that comes alone
	SendWait(frame []byte) error
	Close(code int, reason string)
}

// maxSubscribers is how many sockets may watch one conversation; one more
// replaces the oldest (close code 4000).
const maxSubscribers = 16

// hubShards spreads the lock over conversations.
const hubShards = 64

// Hub brings what happens in a conversation to every socket that watches it,
// in order, and gives a late socket exactly what it missed. It is safe for
// concurrent use; publishing never blocks on a slow socket.
type Hub struct {
	history History
	shards  [hubShards]struct {
		sync.Mutex
		topics map[chat.ConversationID]*topic
	}
}

// NewHub returns a hub that replays from history.
func NewHub(history History) *Hub {
	h := &Hub{history: history}
	for i := range h.shards {
		h.shards[i].topics = map[chat.ConversationID]*topic{}
	}
	return h
}

// topic is one conversation with somebody watching or an answer under way.
type topic struct {
	mu    sync.Mutex
	subs  []*subscriber
	live  liveAnswer
	state string // last status, "" for idle
	place int    // position in the queue, with state queued
	read  int64  // highest seq that the visitor has read
	uses  int    // guarded by the shard's lock
}

// buffers recycles what frames are built in and what the pieces of an answer
// under way are kept in: a silent visitor holds neither.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}

func borrow() *[]byte { return buffers.Get().(*[]byte) }

// giveBack recycles a buffer; large ones are left to the collector.
func giveBack(b *[]byte) {
	if b != nil && cap(*b) <= 64<<10 {
		*b = (*b)[:0]
		buffers.Put(b)
	}
}

// liveAnswer is the streamed part of an answer that is not durable yet.
type liveAnswer struct {
	active bool
	seq    int64
	parts  int
	tokens *[]byte // the raw tokens, each behind its length in four bytes; nil: none
}

// all is the tokens so far.
func (l *liveAnswer) all() []byte {
	if l.tokens == nil {
		return nil
	}
	return *l.tokens
}

func (l *liveAnswer) add(raw []byte) {
	if l.tokens == nil {
		l.tokens = borrow()
	}
	*l.tokens = append(binary.LittleEndian.AppendUint32(*l.tokens, uint32(len(raw))), raw...)
}

// end forgets the answer under way.
func (l *liveAnswer) end() {
	giveBack(l.tokens)
	*l = liveAnswer{}
}

// subscriber is one socket watching one conversation.
type subscriber struct {
	out  outlet
	sent int64 // highest durable seq that went out; guarded by the topic's lock
}

func (h *Hub) shard(id chat.ConversationID) *struct {
	sync.Mutex
	topics map[chat.ConversationID]*topic
} {
	var x uint32 = 2166136261
	for i := 0; i < len(id); i++ {
		x = (x ^ uint32(id[i])) * 16777619
	}
	return &h.shards[x%hubShards]
}

// hold returns the topic, made if need be, and keeps it until drop.
func (h *Hub) hold(id chat.ConversationID) *topic {
	s := h.shard(id)
	s.Lock()
	defer s.Unlock()
	t := s.topics[id]
	if t == nil {
		t = &topic{}
		s.topics[id] = t
	}
	t.uses++
	return t
}

// peek returns the topic if somebody watches or an answer is under way. The
// caller must drop what it got.
func (h *Hub) peek(id chat.ConversationID) *topic {
	s := h.shard(id)
	s.Lock()
	defer s.Unlock()
	t := s.topics[id]
	if t != nil {
		t.uses++
	}
	return t
}

func (h *Hub) drop(id chat.ConversationID, t *topic) {
	s := h.shard(id)
	s.Lock()
	defer s.Unlock()
	if t.uses--; t.uses == 0 {
		delete(s.topics, id)
	}
}

// enter is peek with the topic locked; exit undoes both. Publishing uses them
// in place of a closure, which would cost an allocation a piece.
func (h *Hub) enter(id chat.ConversationID) *topic {
	t := h.peek(id)
	if t != nil {
		t.mu.Lock()
	}
	return t
}

func (h *Hub) exit(id chat.ConversationID, t *topic) {
	t.mu.Unlock()
	h.drop(id, t)
}

// Join replays every durable message after the given seq to sub and then
// subscribes it, without a gap and without a repetition. An answer under way
// follows from its part 0. It runs in the socket's own reader goroutine.
func (h *Hub) Join(ctx context.Context, id chat.ConversationID, after int64, out outlet) (*subscriber, error) {
	sub := &subscriber{out: out, sent: after}
	// The bulk goes out without the lock and as slowly as the socket likes.
	for {
		msgs, err := h.stored(ctx, id, sub.sent, 200)
		if err != nil {
			return nil, err
		}
		var frame []byte
		for i := range msgs {
			frame = wire.AppendMessage(frame[:0], &msgs[i])
			if err := out.SendWait(frame); err != nil {
				return nil, err
			}
			sub.sent = msgs[i].Seq
		}
		if len(msgs) < 200 {
			break
		}
	}
	t := h.hold(id)
	t.mu.Lock()
	defer t.mu.Unlock()
	msgs, err := h.stored(ctx, id, sub.sent, 0)
	if err != nil {
		h.drop(id, t)
		return nil, err
	}
	frame := borrow()
	defer giveBack(frame)
	for i := range msgs {
		*frame = wire.AppendMessage((*frame)[:0], &msgs[i])
		out.Send(*frame)
		sub.sent = msgs[i].Seq
	}
	t.replayLive(out)
	t.subs = append(t.subs, sub)
	for _, old := range t.subs[:max(0, len(t.subs)-maxSubscribers)] { // some may be on their way out already
		old.out.Close(wire.CloseReplaced, "opened elsewhere")
	}
	return sub, nil
}

// stored reads the history; a conversation that is not stored yet has none.
func (h *Hub) stored(ctx context.Context, id chat.ConversationID, after int64, limit int) ([]chat.Message, error) {
	msgs, err := h.history.Messages(ctx, id, after, limit)
	if errors.Is(err, chat.ErrNotFound) {
		return nil, nil
	}
	return msgs, err
}

// Leave ends a subscription.
func (h *Hub) Leave(id chat.ConversationID, sub *subscriber) {
	t := h.enter(id)
	if t == nil {
		return
	}
	defer h.exit(id, t)
	for i, s := range t.subs {
		if s == sub {
			t.subs = append(t.subs[:i], t.subs[i+1:]...)
			h.drop(id, t) // the hold of Join
			return
		}
	}
}

// Watching says how many sockets watch the conversation.
func (h *Hub) Watching(id chat.ConversationID) int {
	t := h.enter(id)
	if t == nil {
		return 0
	}
	defer h.exit(id, t)
	return len(t.subs)
}

// replayLive brings a late socket up to date with the answer under way. The
// parts are numbered as everybody else's, so that what follows fits.
func (t *topic) replayLive(out outlet) {
	t.replayPieces(out)
	if t.state != "" && t.state != wire.StateIdle {
		frame := borrow()
		defer giveBack(frame)
		*frame = wire.AppendStatus(*frame, t.state, t.place, "")
		out.Send(*frame)
	}
}

// replayPieces sends the pieces so far, from part 0.
func (t *topic) replayPieces(out outlet) {
	if !t.live.active {
		return
	}
	frame := borrow()
	defer giveBack(frame)
	part := 0
	for rest := t.live.all(); len(rest) > 0; part++ {
		n := int(binary.LittleEndian.Uint32(rest))
		*frame = wire.AppendAI((*frame)[:0], t.live.seq, part, rest[4:4+n])
		out.Send(*frame)
		rest = rest[4+n:]
	}
}

func (t *topic) broadcast(frame []byte) {
	for _, s := range t.subs {
		s.out.Send(frame) // a slow or closed socket is its own affair
	}
}

// Begin announces that the pieces of an answer follow; it will become message
// seq unless another message comes first. It must be paired with Message (the
// answer) or Abandon.
func (h *Hub) Begin(id chat.ConversationID, seq int64) {
	t := h.hold(id)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live.active { // a restarted answer keeps the first hold
		defer h.drop(id, t)
	}
	t.live.end()
	t.live.active, t.live.seq = true, seq
}

// Delta brings one piece of the answer under way to everybody. raw is a
// complete JSON string token.
func (h *Hub) Delta(id chat.ConversationID, raw []byte) {
	t := h.enter(id)
	if t == nil {
		return
	}
	defer h.exit(id, t)
	if !t.live.active {
		return
	}
	t.live.add(raw)
	frame := borrow()
	defer giveBack(frame)
	*frame = wire.AppendAI(*frame, t.live.seq, t.live.parts, raw)
	t.live.parts++
	for _, s := range t.subs {
		s.out.SendNow(*frame)
	}
}

// Message brings a durable message to everybody. answer says that it is what
// the pieces under way became; any other message that takes their seq moves
// them to the next one, from part 0.
func (h *Hub) Message(id chat.ConversationID, m *chat.Message, answer bool) {
	t := h.enter(id)
	if t == nil {
		return
	}
	defer h.exit(id, t)
	ended := answer && t.live.active
	if ended {
		t.live.end()
		defer h.drop(id, t) // the hold of Begin
	}
	frame := borrow()
	defer giveBack(frame)
	*frame = wire.AppendMessage(*frame, m)
	for _, s := range t.subs {
		if m.Seq > s.sent {
			s.sent = m.Seq
			if ended {
				s.out.SendNow(*frame) // the visitor waits for it
			} else {
				s.out.Send(*frame)
			}
		}
	}
	if t.live.active && m.Seq >= t.live.seq {
		t.live.seq = m.Seq + 1
		for _, s := range t.subs {
			t.replayPieces(s.out)
		}
	}
}

// Abandon forgets the pieces under way: the answer is made anew, or ends in a
// message of another kind. Pieces already shown are taken back by an empty
// part 0.
func (h *Hub) Abandon(id chat.ConversationID) {
	t := h.enter(id)
	if t == nil {
		return
	}
	defer h.exit(id, t)
	if !t.live.active {
		return
	}
	if t.live.parts > 0 {
		t.broadcast(wire.AppendAI(nil, t.live.seq, 0, []byte(`""`)))
	}
	t.live.end()
	h.drop(id, t) // the hold of Begin
}

// Status brings a passing state to everybody; it is kept for late sockets.
func (h *Hub) Status(id chat.ConversationID, state string, position int, mode chat.Mode) {
	t := h.enter(id)
	if t == nil {
		return
	}
	defer h.exit(id, t)
	t.state, t.place = state, position
	if state == wire.StateTyping { // an operator's typing is not replayed: it would get stuck
		t.state = ""
	}
	frame := borrow()
	defer giveBack(frame)
	*frame = wire.AppendStatus(*frame, state, position, mode)
	t.broadcast(*frame)
}

// Read records how far the visitor has read, while somebody watches.
func (h *Hub) Read(id chat.ConversationID, seq int64) {
	t := h.enter(id)
	if t == nil {
		return
	}
	defer h.exit(id, t)
	t.read = max(t.read, seq)
}

// Seen says how far the visitor has read, 0 when that is not known.
func (h *Hub) Seen(id chat.ConversationID) int64 {
	t := h.enter(id)
	if t == nil {
		return 0
	}
	defer h.exit(id, t)
	return t.read
}

// Draft is the answer under way as far as it was shown: the seq that it will
// become, the number of its last part and its text so far.
func (h *Hub) Draft(id chat.ConversationID) (seq int64, part int, text string, ok bool) {
	t := h.enter(id)
	if t == nil {
		return 0, 0, "", false
	}
	defer h.exit(id, t)
	if !t.live.active || t.live.parts == 0 {
		return 0, 0, "", false
	}
	var said []byte
	for rest := t.live.all(); len(rest) > 0; {
		n := int(binary.LittleEndian.Uint32(rest))
		// Tokens were checked before they came here.
		said, _ = codec.AppendUnquote(said, rest[4:4+n])
		rest = rest[4+n:]
	}
	return t.live.seq, t.live.parts - 1, string(said), true
}
