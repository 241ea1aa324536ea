package chat

import (
	"errors"
	"fmt"
	"time"
)

// Errors that code branches on.
var (
	// ErrNotFound: no such conversation, hot, warm or cold.
	ErrNotFound = errors.New("conversation not found")
	// ErrConflict: the conversation changed since it was read.
	ErrConflict = errors.New("conversation changed meanwhile")
	// ErrReadOnly: the store refuses writes after damage or a full disk.
	ErrReadOnly = errors.New("store is read-only")
	// ErrUnreadable: the conversation is archived, and no readable copy of it can
	// be had now: it is damaged, or its server is away or not set up.
	ErrUnreadable = errors.New("the archived conversation cannot be read")
	// ErrStopped: the visitor or an operator stopped the answer.
	ErrStopped = errors.New("stopped")
)

// Fault is the kind of a failed upstream call. It decides about retries and
// about the sentence that the visitor reads.
type Fault string

const (
	FaultAuth        Fault = "auth"        // 401, 403: the key was refused
	FaultRate        Fault = "rate"        // 429 or our own queue's limit
	FaultQuota       Fault = "quota"       // the account has no money left
	FaultBudget      Fault = "budget"      // our own money limit
	FaultRequest     Fault = "request"     // 400, 404, 422: wrong model, prompt too long
	FaultUnavailable Fault = "unavailable" // 5xx, refused, DNS, TLS, reset
	FaultTimeout     Fault = "timeout"     // too slow
	FaultBadAnswer   Fault = "bad_answer"  // not an OpenAI-compatible answer
	FaultContent     Fault = "content"     // the provider's content filter
	FaultCut         Fault = "cut"         // the stream broke after the first token
	FaultNoKey       Fault = "no_key"      // no usable key is configured
)

// UpstreamError is a failed upstream call. Its text is for the owner and the
// log; visitors never read it.
type UpstreamError struct {
	Fault      Fault
	Status     int           // HTTP status, 0: none
	Provider   string        //
	Key        string        // name of the key
	Reason     string        // what happened and what to do, in plain words
	RetryAfter time.Duration // what the upstream asked for, 0: nothing
	Err        error         // cause, may be nil
}

// Error implements error.
func (e *UpstreamError) Error() string {
	where := e.Provider
	if e.Key != "" {
		where += " key " + e.Key
	}
	if e.Status != 0 {
		return fmt.Sprintf("upstream %s: %d: %s", where, e.Status, e.Reason)
	}
	return fmt.Sprintf("upstream %s: %s", where, e.Reason)
}

// Unwrap gives the cause.
func (e *UpstreamError) Unwrap() error { return e.Err }

// FaultOf returns the fault of err, or "" when it is not an UpstreamError.
func FaultOf(err error) Fault {
	var ue *UpstreamError
	if errors.As(err, &ue) {
		return ue.Fault
	}
	return ""
}
