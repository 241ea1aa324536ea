package chat

import "time"

// Role is the author of a prompt message as the upstream names it.
type Role string

const (
	RoleSystem    Role = "system"
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
)

// PromptMessage is one entry of an assembled prompt.
type PromptMessage struct {
	Role    Role   `json:"role"`
	Content string `json:"content"`
}

// Call is everything that shapes an answer. Two calls that are equal in all
// fields may share one upstream call (merging).
type Call struct {
	Messages    []PromptMessage
	Model       string   // empty: the model of the settings
	MaxTokens   int      // bound on the answer's tokens; 0: the setting's
	Temperature *float64 // nil: the provider's default
}

// Caller is on whose behalf a call is made; it never shapes the answer.
type Caller struct {
	Conversation ConversationID
	Visitor      string // stable name for budgets: identity sub, else conversation id
	VIP          bool
	IP           string
	// Deadline is when the visitor gets an apology instead; zero: the
	// upstream's timeout alone decides.
	Deadline time.Time
	// Queued is told the visitor's place in the queue, 1 first, when it
	// changes. It must not block. May be nil.
	Queued func(position int)
}

// Usage is what a call consumed, in tokens of its model.
type Usage struct {
	Prompt     int
	Completion int
	Cached     int  // part of Prompt that the provider served from its cache
	Estimated  bool // counted locally because the upstream did not say
}

// Result is how a call ended. A call that failed after pieces had been
// delivered still has a Result beside its error.
type Result struct {
	Finish   Finish
	Usage    Usage
	Cost     float64
	Provider string
	Key      string
	Model    string
	Merged   bool
	Cached   bool
	Attempts int

	Queue      time.Duration // until the lease was granted
	FirstToken time.Duration // from the start of the successful attempt
	Upstream   time.Duration // the upstream's own time: successful attempt, request to last byte
}

// Sink receives the pieces of an answer in order, from one goroutine at a
// time. raw is a complete JSON string token, quotes and escapes included,
// exactly as the upstream sent it; it is valid only during the call. An error
// from the sink ends this subscriber's part in the call.
type Sink func(raw []byte) error
