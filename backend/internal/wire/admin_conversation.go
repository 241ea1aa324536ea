package wire

import (
	"time"

	"haoke/backend/internal/chat"
)

// ConversationQuery filters the list, newest activity first.
type ConversationQuery struct {
	Query string `json:"query"` // full text over messages, names, pages and ids, archive included
	// State: "" or "open" (everything not archived), "ai", "human", "waiting",
	// "offline", "unread", "archived", "blocked", "all".
	State      string `json:"state"`
	Rating     int    `json:"rating"`     // 1-5: at most this score; 0: any
	Unanswered bool   `json:"unanswered"` // only those whose last answer was a fallback
	From       string `json:"from"`       // RFC 3339: active since
	To         string `json:"to"`         // RFC 3339: active before
	Limit      int    `json:"limit"`      // 1-200; 0: 50
	Cursor     string `json:"cursor"`
}

// ConversationList is one page of conversations.
type ConversationList struct {
	Items []Conversation `json:"items"`
	Next  string         `json:"next,omitempty"` // empty: this was the last page
	// Counts for the tabs, of the whole store: by state, keys as in
	// ConversationQuery.State. Only on the first page.
	Counts map[string]int `json:"counts,omitempty"`
}

// Conversation is the head of a conversation as the page sees it.
type Conversation struct {
	ID        string       `json:"id"`
	Site      string       `json:"site"`
	Mode      chat.Mode    `json:"mode"`
	Version   int64        `json:"version"`
	LastSeq   int64        `json:"last_seq"`
	CreatedAt time.Time    `json:"created_at"`
	UpdatedAt time.Time    `json:"updated_at"`
	Visitor   chat.Visitor `json:"visitor"`
	Page      chat.Page    `json:"page"`
	// Label is what to call the visitor: the name, else "" and the page writes
	// "Visitor" with the first four digits of the id.
	Label      string    `json:"label,omitempty"`
	Online     bool      `json:"online"`    // a socket is open now
	Answering  bool      `json:"answering"` // an answer is being made
	Operator   string    `json:"operator,omitempty"`
	Unread     int64     `json:"unread"`
	Rating     int       `json:"rating,omitempty"`
	Comment    string    `json:"comment,omitempty"`
	Spend      float64   `json:"spend"`
	Tokens     int64     `json:"tokens"`
	LastText   string    `json:"last_text"`
	LastFrom   chat.From `json:"last_from"`
	Blocked    bool      `json:"blocked"`
	Unanswered bool      `json:"unanswered"`
	Archived   bool      `json:"archived"` // cold: opening it thaws nothing, writing to it does
	Shipped    bool      `json:"shipped"`  // a copy is in ClickHouse
}

// ConversationDetail is a conversation with its latest messages.
type ConversationDetail struct {
	Conversation Conversation `json:"conversation"`
	Messages     []Message    `json:"messages"` // seq ascending, the latest 200
	Earlier      bool         `json:"earlier"`  // there are older ones: see listMessages
	// Draft is the answer under way, as far as it was shown; nil: none.
	Draft *Draft `json:"draft,omitempty"`
}

// Draft is a half answer.
type Draft struct {
	Seq  int64  `json:"seq"`  // the seq that it will become
	Part int    `json:"part"` // the last part that Text contains
	Text string `json:"text"`
}

// MessageQuery pages through messages.
type MessageQuery struct {
	After  int64 `json:"after"`  // seq greater than this, ascending
	Before int64 `json:"before"` // seq smaller than this: the latest Limit of them, ascending; wins over After
	Limit  int   `json:"limit"`  // 1-500; 0: 200
}

// MessageList is a stretch of messages.
type MessageList struct {
	Items   []Message `json:"items"`
	Earlier bool      `json:"earlier"` // there are older ones
}

// Message is one durable entry with what only the owner may see.
type Message struct {
	Seq     int64          `json:"seq"`
	From    chat.From      `json:"from"`
	Text    string         `json:"text"`
	At      time.Time      `json:"at"`
	ID      string         `json:"id,omitempty"` // the writer's own id
	Finish  chat.Finish    `json:"finish,omitempty"`
	Author  string         `json:"author,omitempty"` // operator's display name
	Sources []chat.Source  `json:"sources,omitempty"`
	Mark    string         `json:"mark,omitempty"` // filter mark, for example "blocked"
	Turn    *chat.TurnInfo `json:"turn,omitempty"` // on answers; without the prompt trace
}

// MessageNew is an operator's message. The same ID again gives the same
// message and writes nothing.
type MessageNew struct {
	ID   string `json:"id"`   // chosen by the page, 1-64 characters; required
	Text string `json:"text"` // 1-8000 characters
	// Take: take the conversation over first when nobody of us holds it.
	Take bool `json:"take"`
}

// FileQuery names a file.
type FileQuery struct {
	Name string `json:"name"`
}

// StoredFile is a file that can be sent.
type StoredFile struct {
	ID   string `json:"id"`
	URL  string `json:"url"`  // for the message's link; the visitors' side serves it
	Name string `json:"name"` // cleaned, without brackets
	Type string `json:"type"` // media type by its content
	Size int64  `json:"size"` // bytes as stored
}

// ModeChange says who answers. "human" takes over (409 when another operator
// holds it, unless Force), "ai" gives back.
type ModeChange struct {
	Mode  chat.Mode `json:"mode"` // "ai", "human" or "waiting"
	Force bool      `json:"force,omitempty"`
}

// BlockChange blocks or unblocks the visitor of a conversation.
type BlockChange struct {
	Blocked bool `json:"blocked"`
}

// ReadMark says up to where an operator has read.
type ReadMark struct {
	Seq int64 `json:"seq"`
}

// TypingMark shows the visitor that an operator types; it expires after 6 s.
type TypingMark struct {
	On bool `json:"on"`
}

// ExportQuery chooses the form of an export.
type ExportQuery struct {
	Format string `json:"format"` // "json" (default), "text" or "csv"
}

// TurnTrace says how an answer was made.
type TurnTrace struct {
	Seq  int64         `json:"seq"`
	Turn chat.TurnInfo `json:"turn"`
	// Prompt is what was sent upstream; empty when it was not kept or when no
	// call was made.
	Prompt []chat.PromptMessage `json:"prompt"`
	// Passages were recalled from the conversation or the knowledge.
	Passages []Passage `json:"passages"`
	// Tokens of each part of the prompt, in order, for example "instructions".
	Parts []PromptPart `json:"parts"`
}

// Passage is a recalled piece of text.
type Passage struct {
	Kind  string  `json:"kind"` // "message", "faq", "summary" or "fact"
	Title string  `json:"title,omitempty"`
	Text  string  `json:"text"`
	Score float64 `json:"score"`
	Seq   int64   `json:"seq,omitempty"` // of a message of this conversation
}

// PromptPart is what a part of the prompt weighs.
type PromptPart struct {
	Name   string `json:"name"`
	Tokens int    `json:"tokens"`
}

// LeftMessageQuery filters messages of the offline form.
type LeftMessageQuery struct {
	Done   bool   `json:"done"` // true: those done; false: those open
	Limit  int    `json:"limit"`
	Cursor string `json:"cursor"`
}

// LeftMessage is what a visitor left in the offline form.
type LeftMessage struct {
	ID      int64     `json:"id"`
	At      time.Time `json:"at"`
	Name    string    `json:"name"`
	Email   string    `json:"email"`
	Text    string    `json:"text"`
	PageURL string    `json:"page_url,omitempty"`
	Done    bool      `json:"done"`
}

// LeftMessageList is one page of left messages, newest first.
type LeftMessageList struct {
	Items []LeftMessage `json:"items"`
	Next  string        `json:"next,omitempty"`
}

// LeftMessagePatch marks a left message.
type LeftMessagePatch struct {
	Done bool `json:"done"`
}
