package upstream

import (
	"context"
	"crypto/tls"
	"log/slog"
	"math/rand/v2"
	"time"

	"haoke/backend/internal/chat"
)

// Config directs a Client. Zero values mean the defaults named at the fields.
type Config struct {
	// Realm names the providers that calls may go to (base URLs in order). It
	// is part of a call's identity: after a change nothing merges with, or is
	// answered from the cache of, what went to other providers.
	Realm string
	// Model is asked for when a call names none.
	Model string
	// MaxTokens bounds answers when a call names no bound; 0: 1000.
	MaxTokens int
	// Timeout is the whole life of a call that is not streamed, its retries
	// included; of a streamed call the time to the first token, retries
	// included, and the longest silence between tokens; 0: 15 s. Waiting for a
	// lease does not count: Caller.Deadline bounds that.
	Timeout time.Duration
	// StreamLife bounds a whole stream; then the answer ends as too long; 0: 5 min.
	StreamLife time.Duration
	// Attempts is how often one call is tried at most; 0: 3.
	Attempts int
	// AnswerBytes bounds an answer's raw bytes; then it ends as too long; 0: 256 KiB.
	AnswerBytes int
	// MaxIdleConns and MaxIdleConnsPerHost bound the kept connections; 0: 500.
	MaxIdleConns, MaxIdleConnsPerHost int
	// IdleConnTimeout closes connections that were not used; 0: 90 s.
	IdleConnTimeout time.Duration
	// Merge lets identical calls in flight share one upstream call.
	Merge bool
	// CacheTTL keeps complete answers for identical later calls; 0: no cache.
	CacheTTL time.Duration
	// CacheBytes bounds the cached answers, the oldest go first; 0: 16 MiB.
	CacheBytes int
	// Coalesce joins the pieces that arrive within this time after the first
	// one was delivered; 20 to 30 ms save most of the cost of a stream; 0: off.
	Coalesce time.Duration
	// AllowLocal lets names in public form resolve to private addresses, and
	// plain http go to other machines than those named as local.
	AllowLocal bool
	// TLS is used for connections, for a company's own authorities; nil: the
	// system's. It is not changed.
	TLS *tls.Config
	// Log is told of faults of the program that cost a call; nil: nobody.
	Log *slog.Logger
	// Count counts the tokens of a text for model; nil: an estimate. It is
	// asked only when an upstream does not tell the usage.
	Count func(model, text string) int
	// Now is the clock of durations and expiry; nil: time.Now.
	Now func() time.Time
	// Rand gives numbers in [0,1) for jitter; nil: math/rand/v2. It must be
	// safe for concurrent use.
	Rand func() float64
}

func (c Config) withDefaults() *Config {
	set(&c.MaxTokens, 1000)
	set(&c.Timeout, 15*time.Second)
	set(&c.StreamLife, 5*time.Minute)
	set(&c.Attempts, 3)
	set(&c.AnswerBytes, 256<<10)
	set(&c.MaxIdleConns, 500)
	set(&c.MaxIdleConnsPerHost, 500)
	set(&c.IdleConnTimeout, 90*time.Second)
	set(&c.CacheBytes, 16<<20)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Count == nil {
		c.Count = func(_, text string) int { return estimate(text) }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	return &c
}

func set[T int | time.Duration](v *T, value T) {
	if *v <= 0 {
		*v = value
	}
}

// Admitter grants the right to make calls and chooses where they go. When
// every key is among Ask.NotKeys it fails with chat.FaultNoKey.
type Admitter interface {
	Acquire(context.Context, chat.Ask) (chat.Lease, error)
}

// Observer is told what happens, for metrics. Its methods must not block and
// are called from many goroutines.
type Observer interface {
	// Attempt is told of each try at a call, after its end.
	Attempt(Attempt)
	// Dialed is told of each new connection to host (name and port).
	Dialed(host string)
	// Saved is told of each answer that took no call of its own: "merged" or
	// "cached".
	Saved(how string)
}

// Attempt is one try at a call.
type Attempt struct {
	Provider, Key, Model string
	// Code is the HTTP status, or the fault's name when there was none, or
	// "cancelled".
	Code       string
	Fault      chat.Fault // "" when it succeeded or was cancelled: Code tells
	Reason     string     // for the owner; "" when it succeeded
	FirstToken time.Duration
	Total      time.Duration
	Usage      chat.Usage
	Cost       float64
}

// silent is the observer of those who want none.
type silent struct{}

func (silent) Attempt(Attempt) {}
func (silent) Dialed(string)   {}
func (silent) Saved(string)    {}
