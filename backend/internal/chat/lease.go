package chat

import (
	"net/http"
	"time"
)

// Target is where one upstream call goes. The secret in it is only for the
// Authorization header: it must never be printed, logged or serialised.
type Target struct {
	Provider string // name of the provider's entry in the settings
	Preset   string // "openai", "azure", "deepseek", ...: header style and quirks
	BaseURL  string // ends in /v1 or what the preset wants, without a trailing slash
	Key      string // name of the key
	Secret   string `json:"-"`
	Model    string // the model to ask for at this provider, after mapping
	// AuthHeader is the header's name, "Authorization" (with "Bearer ") or for
	// example "api-key" (bare).
	AuthHeader string
	// MaxTokensField is "max_tokens" or "max_completion_tokens".
	MaxTokensField string
	// StreamUsage: ask for usage in the stream by stream_options.
	StreamUsage bool
	// Query is added to the URL, for example "api-version=2024-10-21".
	Query string
}

// Ask is a request for a lease.
type Ask struct {
	Caller
	// Tokens is the estimate of what the call will take from the
	// tokens-a-minute allowance: prompt plus the answer's bound.
	Tokens int
	// PromptTokens is the prompt's part of Tokens, for the price estimate.
	PromptTokens int
	Model        string
	// NotKeys are keys that already failed in this turn.
	NotKeys []string
	// Background calls (summaries, reviews) wait behind every visitor.
	Background bool
}

// Outcome is what a call under a lease came to; admission and the key pool
// learn from it.
type Outcome struct {
	Status     int           // HTTP status, 0: no answer
	Header     http.Header   // the answer's headers (x-ratelimit-*, Retry-After), valid during Done; may be nil
	RetryAfter time.Duration // parsed already where known
	Usage      Usage
	Err        error // nil: the call succeeded
	Fault      Fault // kind of Err
	FirstToken time.Duration
	Total      time.Duration
}

// Lease is the right to make one upstream call at one target. Done must be
// called exactly once; further calls do nothing. It is safe for concurrent use.
type Lease interface {
	// Target is where the call goes; behind Done there is none.
	Target() Target
	// Done returns the lease and reports what came of it. It returns the
	// call's price in the currency of the price table.
	Done(Outcome) float64
}
