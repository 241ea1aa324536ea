package session

import (
	"unsafe"

	"haoke/backend/internal/chat"
)

// snapshot is one immutable state of a session. Later states may share its
// message array and write behind its length, never within it.
type snapshot struct {
	ref   int64
	head  chat.Conversation
	msgs  []chat.Message // the newest, ending at head.LastSeq
	first int64          // seq of msgs[0]; LastSeq+1 when there are none in memory
	cold  bool
	bytes int64
}

const (
	headSize    = int64(unsafe.Sizeof(chat.Conversation{})) + int64(unsafe.Sizeof(snapshot{})) + int64(unsafe.Sizeof(entry{})) + 256
	messageSize = int64(unsafe.Sizeof(chat.Message{})) + 48 // with its place in the index of ids
)

func newSnapshot(r Record) *snapshot {
	s := &snapshot{ref: r.Ref, head: r.Head, msgs: r.Tail, cold: r.Cold}
	s.first = r.Head.LastSeq + 1 - int64(len(r.Tail))
	s.bytes = sizeOfHead(&s.head)
	for i := range s.msgs {
		s.bytes += sizeOf(&s.msgs[i])
	}
	return s
}

// with returns the state after a commit. Only the holder of the entry's lock
// calls it, so that two states never write to the same place of the array.
func (s *snapshot) with(ref int64, head chat.Conversation, msgs []chat.Message) *snapshot {
	next := &snapshot{ref: ref, head: head, first: s.first, cold: s.cold}
	next.msgs = append(s.msgs, msgs...)
	next.bytes = s.bytes - sizeOfHead(&s.head) + sizeOfHead(&head)
	if s.ref == 0 {
		next.bytes += sizeOfHead(&s.head) // a blank state was never counted
	}
	for i := len(s.msgs); i < len(next.msgs); i++ {
		m := &next.msgs[i]
		if m.Turn != nil && m.Turn.PromptTrace != "" {
			// The assembled prompt can be larger than the conversation and is
			// looked at rarely: the store keeps it, memory does not.
			turn := *m.Turn
			turn.PromptTrace = ""
			m.Turn = &turn
		}
		next.bytes += sizeOf(m)
	}
	return next
}

// trim drops the older part of a session above limit bytes: down to half, so
// that the next trim is far away. It must run before the state is published.
func (s *snapshot) trim(limit int64) {
	if s.bytes <= limit || len(s.msgs) < 2 {
		return
	}
	cut := 0
	for cut < len(s.msgs)-1 && s.bytes > limit/2 {
		s.bytes -= sizeOf(&s.msgs[cut])
		cut++
	}
	s.msgs = append([]chat.Message(nil), s.msgs[cut:]...) // let go of the old array
	s.first += int64(cut)
}

// after returns the messages in memory with seq > after, at most limit.
func (s *snapshot) after(after int64, limit int) []chat.Message {
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
func (e *entry) find(s *snapshot, clientID string) *chat.Message {
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

// learn brings the index of ids from one state to the next.
func (e *entry) learn(s, next *snapshot) {
	if e.ids == nil || e.idsOf != s.head.Version || next.first != s.first {
		e.ids = nil
		return
	}
	e.index(next.msgs[len(s.msgs):])
	e.idsOf = next.head.Version
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
