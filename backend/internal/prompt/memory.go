package prompt

import (
	"container/list"
	"sync"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/tokens/terms"
)

// memories keeps the indexes of the conversations used last, bounded by number
// and by estimated bytes; the one unused for longest goes first.
type memories struct {
	count int
	bytes int64

	mu    sync.Mutex
	used  int64
	order *list.List // of *memory, most recent first
	byID  map[chat.ConversationID]*list.Element
}

func newMemories(count int, bytes int64) *memories {
	return &memories{count: count, bytes: bytes, order: list.New(), byID: make(map[chat.ConversationID]*list.Element)}
}

// get returns the memory of a conversation, making it when there is none. A
// conversation without an id gets one that is not kept.
func (m *memories) get(id chat.ConversationID) *memory {
	if id == "" {
		return newMemory(id)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if el, ok := m.byID[id]; ok {
		m.order.MoveToFront(el)
		return el.Value.(*memory)
	}
	mem := newMemory(id)
	m.byID[id] = m.order.PushFront(mem)
	m.shrink()
	return mem
}

// resized tells that a memory now takes size bytes.
func (m *memories) resized(mem *memory, size int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if el, ok := m.byID[mem.id]; !ok || el.Value.(*memory) != mem {
		return // dropped meanwhile, or never kept
	}
	m.used += size - mem.booked
	mem.booked = size
	m.shrink()
}

// shrink enforces both bounds; the caller holds mu. The memory in use now is
// at the front and stays, even if it alone is over the bound.
func (m *memories) shrink() {
	for m.order.Len() > 1 && (m.order.Len() > m.count || m.used > m.bytes) {
		m.drop(m.order.Back())
	}
}

func (m *memories) forget(id chat.ConversationID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if el, ok := m.byID[id]; ok {
		m.drop(el)
	}
}

// drop removes an element; the caller holds mu.
func (m *memories) drop(el *list.Element) {
	mem := m.order.Remove(el).(*memory)
	delete(m.byID, mem.id)
	m.used -= mem.booked
}

// doc is one message of the conversation as recall sees it.
type doc struct {
	entry
	length int  // terms
	kinds  kind // facts that it states
	fixed  []int32
}

// posting says that a term occurs in a doc.
type posting struct {
	doc int32
	n   uint16
}

// memory is what is kept of one conversation: an inverted index over its
// messages and the facts stated in them. It grows with the conversation and
// starts anew when the history was cut or restored.
type memory struct {
	id     chat.ConversationID
	booked int64 // guarded by memories.mu

	mu    sync.Mutex
	epoch string
	fence int64
	docs  []doc
	terms map[string][]posting
	total int // sum of lengths
	facts []fact
	size  int64
	buf   []string
}

func newMemory(id chat.ConversationID) *memory {
	return &memory{id: id, terms: make(map[string][]posting)}
}

// update brings the memory up to the given entries. The caller holds mu.
func (m *memory) update(head chat.Conversation, entries []entry) {
	if m.epoch != head.Epoch || m.fence != head.Fence || !m.continues(entries) {
		m.epoch, m.fence = head.Epoch, head.Fence
		m.docs, m.facts, m.total, m.size = nil, nil, 0, 0
		m.terms = make(map[string][]posting)
	}
	for _, e := range entries[len(m.docs):] {
		m.add(e)
	}
}

// continues reports whether what is indexed is a beginning of entries. Messages
// never change their text, so the last one stands for all.
func (m *memory) continues(entries []entry) bool {
	n := len(m.docs)
	if n == 0 {
		return true
	}
	return n <= len(entries) && entries[n-1].seq == m.docs[n-1].seq && entries[n-1].text == m.docs[n-1].text &&
		entries[0].seq == m.docs[0].seq
}

// indexTerms gives the search terms of a text and, for words with spaces
// between them, each pair of neighbours: "navy backpack" finds the right one of
// many navy things and many backpacks.
func indexTerms(dst []string, text string) []string {
	dst = terms.Append(dst, text)
	for i := len(dst) - 1; i > 0; i-- {
		if a, b := dst[i-1], dst[i]; a[0] < 0x80 && b[0] < 0x80 {
			dst = append(dst, a+" "+b)
		}
	}
	return dst
}

func (m *memory) add(e entry) {
	id := int32(len(m.docs))
	m.buf = indexTerms(m.buf[:0], e.text)
	d := doc{entry: e, length: len(m.buf)}
	for _, t := range m.buf {
		list := m.terms[t]
		if n := len(list); n > 0 && list[n-1].doc == id {
			list[n-1].n++
			continue
		}
		if list == nil {
			m.size += int64(len(t)) + 64
		}
		m.terms[t] = append(list, posting{id, 1})
		m.size += 8
	}
	m.total += d.length
	m.size += int64(len(e.text)) + 120
	m.docs = append(m.docs, d)
	m.learn(int(id))
}
