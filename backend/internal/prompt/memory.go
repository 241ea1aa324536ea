package prompt

import (
	"container/list"
	"sync"

	"haoke/backend/internal/chat"
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
	m.used -= mem.size
}

// memory is what is kept of one conversation.
type memory struct {
	id   chat.ConversationID
	mu   sync.Mutex
	size int64
}
