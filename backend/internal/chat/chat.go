// Package chat is the domain of Haoke: conversations, messages, turns, deltas,
// usage, verdicts and the kinds of error that a turn can end in.
//
// It knows no other package of the project and nothing but the standard
// library, so that every package may import it. Values are plain data; those
// that travel between goroutines are copied, never shared, unless a comment
// says otherwise.
package chat

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

// ConversationID names a conversation: 128 random bits as 32 hexadecimal
// digits. It is unguessable but not a secret: what opens a conversation is the
// visitor's token or an operator's session.
type ConversationID string

// NewConversationID returns a fresh random id.
func NewConversationID() ConversationID {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return ConversationID(hex.EncodeToString(b[:]))
}

// Valid reports whether id has the form that NewConversationID makes.
func (id ConversationID) Valid() bool {
	if len(id) != 32 {
		return false
	}
	for i := 0; i < len(id); i++ {
		c := id[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// From says who wrote a message.
type From string

// The four authors of the contract.
const (
	FromVisitor  From = "visitor"
	FromAI       From = "ai"
	FromOperator From = "operator"
	FromSystem   From = "system"
)

// Mode says who answers a conversation.
type Mode string

const (
	ModeAI      Mode = "ai"      // the upstream (or the offline answerer) answers
	ModeHuman   Mode = "human"   // an operator holds it; the AI is silent
	ModeWaiting Mode = "waiting" // the visitor asked for a person and none has taken it yet
	ModeOffline Mode = "offline" // nobody can answer now; messages are stored and shown to the owner
)

// Finish says how an answer ended. It is empty on what was not an answer.
type Finish string

const (
	FinishStop    Finish = "stop"    // complete
	FinishLength  Finish = "length"  // cut by the limit on its length
	FinishBlocked Finish = "blocked" // a filter, ours or the provider's, withheld it
	FinishStopped Finish = "stopped" // the visitor or an operator stopped it
	FinishError   Finish = "error"   // it could not be made or was cut off
)

// Message is one durable entry of a conversation.
type Message struct {
	Seq      int64     // 1, 2, 3, ... without gaps within the conversation
	From     From      //
	Text     string    // valid UTF-8
	At       time.Time // UTC, millisecond resolution
	ClientID string    // visitor messages: the id that the client chose, at most 64 characters
	Finish   Finish    // answers and the system's closing sentences
	Author   string    // operator messages: the operator's display name
	Sources  []Source  // answers: what they rest on
	Mark     string    // filter mark, for example "blocked" or "noted"; empty: clean
	Turn     *TurnInfo // answers: how they were made; nil elsewhere
}

// Source is a thing an answer rests on, for example an FAQ entry.
type Source struct {
	Title string `json:"title"`
	URL   string `json:"url,omitempty"`
}

// TurnInfo records how an answer was made, for the owner ("how this answer was
// made"). It is stored with the answer and never sent to visitors. Durations
// are in microseconds so that the record is compact in JSON.
type TurnInfo struct {
	Provider     string  `json:"provider,omitempty"`   // name of the provider, or "offline"
	Key          string  `json:"key,omitempty"`        // name of the key, never its value
	Model        string  `json:"model,omitempty"`      //
	Prompt       int     `json:"prompt,omitempty"`     // prompt tokens
	Completion   int     `json:"completion,omitempty"` // completion tokens
	Estimated    bool    `json:"estimated,omitempty"`  // tokens were counted locally
	Cost         float64 `json:"cost,omitempty"`       // in the currency of the price table
	FilterUS     int64   `json:"filter_us,omitempty"`  // time in the filter, question and answer
	PromptUS     int64   `json:"prompt_us,omitempty"`  // time to assemble the prompt, recall included
	QueueUS      int64   `json:"queue_us,omitempty"`   // time until a lease was granted
	FirstTokenUS int64   `json:"first_us,omitempty"`   // from the start of the turn
	TotalUS      int64   `json:"total_us,omitempty"`   // from the start of the turn
	Merged       bool    `json:"merged,omitempty"`     // shared another visitor's call
	Cached       bool    `json:"cached,omitempty"`     // came from the answer cache
	Reason       string  `json:"reason,omitempty"`     // why it failed or fell back, for the owner
	Hits         []Hit   `json:"hits,omitempty"`       // filter hits in question and answer
	PromptTrace  string  `json:"trace,omitempty"`      // the assembled prompt as JSON, where kept
}

// Conversation is the head of a conversation: everything but its messages.
type Conversation struct {
	ID        ConversationID
	Site      string
	Mode      Mode
	Version   int64 // counts appends; the compare-and-set of session relies on it
	Epoch     string
	LastSeq   int64
	CreatedAt time.Time
	UpdatedAt time.Time

	Visitor Visitor
	Page    Page

	// Pending is the seq of the oldest visitor message whose turn has not
	// ended in a durable message yet; 0 when there is none. At start, turns
	// with Pending > 0 are taken up again.
	Pending int64
	// Operator is who holds the conversation in ModeHuman.
	Operator string
	// Unread counts visitor messages that no operator has seen.
	Unread int64
	// Rating is the latest score (1-5), 0: none.
	Rating  int
	Comment string
	// Spend is what its calls have cost so far, in the price table's currency.
	Spend float64
	// Tokens is the sum of prompt and completion tokens so far.
	Tokens int64
	// LastText and LastFrom repeat the last message for lists, at most 200 characters.
	LastText string
	LastFrom From
	// Blocked: the owner has blocked this visitor; nothing is answered.
	Blocked bool
	// Unanswered: the last answer was a fallback or an apology.
	Unanswered bool
	// Fence is the seq below which messages are no longer context for the
	// prompt (a resolved topic, the end of a handed-over stretch).
	Fence int64
}

// Visitor is what is known of the person in the widget. Sub and VIP come from
// the signed identity and are empty for anonymous visitors; Name and Email too,
// unless the visitor typed them into the form before the chat.
type Visitor struct {
	Sub    string `json:"sub,omitempty"`
	Name   string `json:"name,omitempty"`
	Email  string `json:"email,omitempty"`
	VIP    bool   `json:"vip,omitempty"`
	Locale string `json:"locale,omitempty"`
	IP     string `json:"ip,omitempty"`
	Agent  string `json:"agent,omitempty"` // User-Agent, at most 300 characters
	Facts  Facts  `json:"facts,omitempty"` // told by the form before the chat and by the page
}

// Page is where the visitor opened the widget.
type Page struct {
	URL      string `json:"url,omitempty"`
	Title    string `json:"title,omitempty"`
	Referrer string `json:"referrer,omitempty"`
}
