package wire

import (
	"time"

	"haoke/backend/internal/chat"
)

// LiveTicket opens the live socket once.
type LiveTicket struct {
	Ticket string `json:"ticket"`
	// URL is the whole address, ticket included: ws://127.0.0.1:PORT/api/admin/v1/live?ticket=...
	// In a browser it has the host that the page came from.
	URL       string    `json:"url"`
	ExpiresAt time.Time `json:"expires_at"` // 30 s
}

// LiveQuery is the query of GET /live. With an Upgrade header it is a WebSocket
// (only Ticket counts); without one it is a poll that answers at once.
type LiveQuery struct {
	Ticket string `json:"ticket"`
	After  uint64 `json:"after"` // events with N greater than this; 0: none, only Last
	// Watch is the conversation whose drafts the poll wants.
	Watch string `json:"watch"`
	// Logs is the least level of log lines that the poll wants; empty: none.
	Logs string `json:"logs"`
}

// LiveCommand is what the page sends over the live socket, as a text frame.
// Anything else is answered by closing with 1003.
type LiveCommand struct {
	// Type: "watch" (a conversation's drafts; empty Conversation: none), "logs"
	// (Level empty: none), "after" (replay events with N greater than After) or
	// "ping" (answered by an event of type "pong").
	Type         string `json:"type"`
	Conversation string `json:"conversation,omitempty"`
	Level        string `json:"level,omitempty"`
	After        uint64 `json:"after,omitempty"`
}

// LivePoll is the answer to a poll.
type LivePoll struct {
	Events []LiveEvent `json:"events"` // at most 500, N ascending
	Last   uint64      `json:"last"`   // N of the newest event that exists
	// Gap: events after After were dropped from the ring (4096 entries): the
	// page reloads what it shows.
	Gap bool `json:"gap"`
}

// LiveType names what a live event carries.
type LiveType string

const (
	LiveHello        LiveType = "hello"        // first on a socket: N is the newest event; Gap
	LiveStats        LiveType = "stats"        // each second: Stats
	LiveStatus       LiveType = "status"       // Status changed in state, problems, waiting or unread
	LiveConversation LiveType = "conversation" // a head changed: Conversation
	LiveGone         LiveType = "gone"         // a conversation was deleted: ID
	LiveMessage      LiveType = "message"      // ID, Message
	LiveDraft        LiveType = "draft"        // only for the watched conversation: ID, Draft; Text is the new piece
	LiveTyping       LiveType = "typing"       // only for the watched conversation: ID; expires after 6 s
	LiveKey          LiveType = "key"          // Key: its state, limits or spend changed
	LiveSettings     LiveType = "settings"     // Paths changed; Revision
	LiveLog          LiveType = "log"          // Log
	LiveFilters      LiveType = "filters"      // lists, patterns or exceptions changed
	LiveFAQ          LiveType = "faq"          // entries or unanswered questions changed
	LivePong         LiveType = "pong"         //
)

// LiveEvent is one thing that happened. Durable kinds (everything but stats,
// draft, typing, log and pong) are kept in a ring so that a page that was cut
// off can catch up.
type LiveEvent struct {
	N            uint64        `json:"n"` // 0 on events that are not kept
	Type         LiveType      `json:"type"`
	At           time.Time     `json:"at"`
	ID           string        `json:"id,omitempty"` // a conversation's
	Stats        *StatsTick    `json:"stats,omitempty"`
	Status       *Status       `json:"status,omitempty"`
	Conversation *Conversation `json:"conversation,omitempty"`
	Message      *Message      `json:"message,omitempty"`
	// Draft carries the whole text at part 0 (also when the watch begins) and
	// only the new piece afterwards.
	Draft    *Draft   `json:"draft,omitempty"`
	Key      *Key     `json:"key,omitempty"`
	Log      *LogLine `json:"log,omitempty"`
	Paths    []string `json:"paths,omitempty"`
	Revision int64    `json:"revision,omitempty"`
	Gap      bool     `json:"gap,omitempty"`
	// Mode of a "typing" event's writer: "visitor".
	From chat.From `json:"from,omitempty"`
}

// StatsTick is the second that just ended. A series without a value in this
// second is null.
type StatsTick struct {
	T      int64               `json:"t"` // Unix seconds
	Values map[string]*float64 `json:"values"`
}
