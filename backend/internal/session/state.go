package session

import (
	"sync"
	"unsafe"

	"haoke/backend/internal/chat"
)

// state is a session in memory. The holder of the entry's lock alone changes
// it, in place and under mu, so that a turn copies nothing; others copy what
// they need under mu. Messages that were handed out stay as they are: the array
// behind them only grows, or another takes its place.
type state struct {
	cold bool // never changes: sealing and thawing make another state

	mu    sync.Mutex
	ref   int64
	head  chat.Conversation
	msgs  []chat.Message // the newest, ending at head.LastSeq
	first int64          // seq of msgs[0]; LastSeq+1 when there are none in memory
	bytes int64
}

const (
	headSize    = int64(unsafe.Sizeof(state{})) + int64(unsafe.Sizeof(entry{})) + 256
	messageSize = int64(unsafe.Sizeof(chat.Message{})) + 48 // with its place in the index of ids
	// firstMessages is the room that a new conversation begins with: three
	// questions and their answers.
	firstMessages = 6
)

func newState(r Record) *state {
	s := &state{ref: r.Ref, head: r.Head, msgs: r.Tail, cold: r.Cold}
	s.first = r.Head.LastSeq + 1 - int64(len(r.Tail))
	s.bytes = sizeOfHead(&s.head)
	for i := range s.msgs {
		s.bytes += sizeOf(&s.msgs[i])
	}
	return s
}

// extended returns the messages with more behind them. Where there is room they
// lie in the array that readers see, behind its length; only the holder of the
// entry's lock calls it, so that nobody else writes there.
func (s *state) extended(more []chat.Message) []chat.Message {
	msgs := s.msgs
	if n := len(msgs) + len(more); n > cap(msgs) {
		msgs = make([]chat.Message, len(msgs), max(n, 2*cap(msgs), firstMessages))
		copy(msgs, s.msgs)
	}
	return append(msgs, more...)
}

// advance brings the state from before a commit to after it. msgs are the
// extended messages.
func (s *state) advance(ref int64, head *chat.Conversation, msgs []chat.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ref != 0 { // a blank state was never counted
		s.bytes -= sizeOfHead(&s.head)
	}
	s.bytes += sizeOfHead(head)
	for i := len(s.msgs); i < len(msgs); i++ {
		m := &msgs[i]
		if m.Turn != nil && m.Turn.PromptTrace != "" {
			// The assembled prompt can be larger than the conversation and is
			// looked at rarely: the store keeps it, memory does not.
			m.Turn.PromptTrace = ""
		}
		s.bytes += sizeOf(m)
	}
	s.ref, s.head, s.msgs = ref, *head, msgs
}

// trim drops the older part of a session above limit bytes: down to half, so
// that the next trim is far away.
func (s *state) trim(limit int64) {
	if s.bytes <= limit || len(s.msgs) < 2 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	cut := 0
	for cut < len(s.msgs)-1 && s.bytes > limit/2 {
		s.bytes -= sizeOf(&s.msgs[cut])
		cut++
	}
	s.msgs = append([]chat.Message(nil), s.msgs[cut:]...) // let go of the old array
	s.first += int64(cut)
}

// after returns the messages in memory with seq > after, at most limit. The
// caller holds mu.
func (s *state) after(after int64, limit int) []chat.Message {
	from := max(after+1-s.first, 0)
	if from >= int64(len(s.msgs)) {
		return nil
	}
	out := s.msgs[from:]
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	return out[:len(out):len(out)]
}

// fewMessages is up to how many messages looking through them is cheaper than
// keeping an index of their ids.
const fewMessages = 64

// find returns the visitor message with that client id. The caller holds the
// entry's lock.
func (e *entry) find(s *state, clientID string) *chat.Message {
	if len(s.msgs) <= fewMessages {
		for i := len(s.msgs) - 1; i >= 0; i-- {
			if s.msgs[i].ClientID == clientID && s.msgs[i].From == chat.FromVisitor {
				return &s.msgs[i]
			}
		}
		return nil
	}
	if e.ids == nil || e.idsOf != s.head.Version {
		e.ids, e.idsOf = make(map[string]int64, len(s.msgs)), s.head.Version
		e.index(s.msgs)
	}
	if at := e.ids[clientID] - s.first; at >= 0 && at < int64(len(s.msgs)) && s.msgs[at].ClientID == clientID {
		return &s.msgs[at]
	}
	return nil
}

// learn adds messages to the index of ids when it was right for the state with
// version was. The caller holds the entry's lock.
func (e *entry) learn(s *state, was int64, msgs []chat.Message) {
	if e.ids == nil || e.idsOf != was {
		e.ids = nil
		return
	}
	e.index(msgs)
	e.idsOf = s.head.Version
}

func (e *entry) index(msgs []chat.Message) {
	for i := range msgs {
		if m := &msgs[i]; m.ClientID != "" && m.From == chat.FromVisitor {
			e.ids[m.ClientID] = m.Seq
		}
	}
}

func sizeOfHead(h *chat.Conversation) int64 {
	return headSize + int64(len(h.ID)+len(h.LastText)+len(h.Comment)+len(h.Operator)+
		len(h.Visitor.Sub)+len(h.Visitor.Name)+len(h.Visitor.Email)+len(h.Visitor.IP)+len(h.Visitor.Agent)+len(h.Visitor.Facts)+
		len(h.Page.URL)+len(h.Page.Title)+len(h.Page.Referrer))
}

func sizeOf(m *chat.Message) int64 {
	n := messageSize + int64(len(m.Text)+len(m.ClientID)+len(m.Author)+len(m.Mark))
	for _, s := range m.Sources {
		n += int64(len(s.Title) + len(s.URL) + 32)
	}
	if t := m.Turn; t != nil {
		n += int64(unsafe.Sizeof(*t)) + int64(len(t.Reason)+len(t.Provider)+len(t.Key)+len(t.Model))
		for i := range t.Hits {
			n += int64(unsafe.Sizeof(t.Hits[i])) + int64(len(t.Hits[i].Match)+len(t.Hits[i].Rule))
		}
	}
	return n
}
