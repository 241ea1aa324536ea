// Package review is the third filter layer: a model judges a text, by the
// provider's moderation endpoint or by a short prompt.
//
// The text under review is data, whatever it says. It is quoted as one JSON
// string, and the two possible answers are words drawn at random for each
// call, so that a text cannot ask for the one it would like.
package review

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"haoke/backend/internal/chat"
)

// Model makes a chat call that a turn waits for. The call stands in the same
// queue and costs the same money as any other.
type Model interface {
	Judge(ctx context.Context, call chat.Call, caller chat.Caller) (string, chat.Result, error)
}

// Moderator asks a moderation endpoint. An error with chat.FaultRequest means
// that the provider has none.
type Moderator interface {
	Moderate(ctx context.Context, text string, caller chat.Caller) (flagged bool, categories []string, err error)
}

// Failure is what happens to a text when no review can be had.
type Failure string

// The three choices.
const (
	FailAllow Failure = "allow" // let it through, with a note for the owner
	FailHold  Failure = "hold"  // a person is asked to take over
	FailBlock Failure = "block" // withhold it
)

// Limits of a review.
const (
	// pieceBytes is how much text one call judges; longer texts are judged
	// piece by piece, with an overlap.
	pieceBytes   = 12_000
	overlapBytes = 300
	// maxPieces bounds the calls for one text; a longer text counts as one
	// that could not be reviewed.
	maxPieces = 6
	// unsupportedFor is how long a provider without moderation is not asked
	// again.
	unsupportedFor = 10 * time.Minute
)

// Config is the owner's choice. The zero value reviews nothing.
type Config struct {
	Questions bool          // judge what visitors write
	Answers   bool          // judge answers
	Hold      bool          // show nothing before the verdict
	Model     string        // empty: moderation where there is one, else the main model
	Timeout   time.Duration // of one review with all its calls; 0: 5 s
	OnFailure Failure       // empty: allow
	Action    chat.Action   // for what is flagged; empty: block
	Policy    string        // what is forbidden, in the owner's words; empty: DefaultPolicy
	Shadow    bool          // only note

	// Mask, when set, takes personal data out before a text leaves. Optional.
	Mask func(text string) string
	// Word draws an answer word; nil: at random. For tests.
	Word func() string
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Reviewer judges texts. It is safe for concurrent use.
type Reviewer struct {
	cfg   Config
	model Model
	mod   Moderator
	// noModeration is the time, in Unix nanoseconds, until which the provider
	// is known to have no moderation endpoint.
	noModeration atomic.Int64
}

// New returns a reviewer; mod may be nil. An unknown failure choice or action
// is an error.
func New(cfg Config, model Model, mod Moderator) (*Reviewer, error) {
	switch cfg.OnFailure {
	case "":
		cfg.OnFailure = FailAllow
	case FailAllow, FailHold, FailBlock:
	default:
		return nil, fmt.Errorf("review: when no review can be had: %q, must be allow, hold or block", cfg.OnFailure)
	}
	if cfg.Action == "" {
		cfg.Action = chat.ActionBlock
	}
	switch cfg.Action {
	case chat.ActionBlock, chat.ActionHandover, chat.ActionNote:
	default:
		return nil, fmt.Errorf("review: action %q, must be block, handover or note", cfg.Action)
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 5 * time.Second
	}
	if cfg.Policy == "" {
		cfg.Policy = DefaultPolicy
	}
	if cfg.Word == nil {
		cfg.Word = func() string { return rand.Text()[:8] }
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Reviewer{cfg: cfg, model: model, mod: mod}, nil
}

// Mode tells whether texts of that direction are judged and whether nothing
// may be shown before the verdict.
func (r *Reviewer) Mode(dir chat.Direction) (on, hold bool) {
	if dir == chat.Inbound {
		return r.cfg.Questions, r.cfg.Hold
	}
	return r.cfg.Answers, r.cfg.Hold
}

// Opinion is the outcome of one review.
type Opinion struct {
	Verdict chat.Verdict
	Via     string        // "moderation" or "model"; empty: none was asked
	Took    time.Duration //
	Cost    float64       // of the model's calls, in the price table's currency
	Err     error         // why no review could be had; the verdict is then the owner's choice
}

// ErrAnswer: the model did not answer in the form that was asked of it.
var ErrAnswer = errors.New("the model's answer is neither of the two words")

// errLength: the text is too long to be judged.
var errLength = errors.New("the text is too long to be reviewed")

// Review judges text. It always has a verdict: when no review can be had in
// time that is the owner's choice for the case, and Err says why. When ctx
// itself ends, the verdict is that choice too.
func (r *Reviewer) Review(ctx context.Context, dir chat.Direction, text string, caller chat.Caller) Opinion {
	op := Opinion{Verdict: chat.Verdict{Text: text}}
	if on, _ := r.Mode(dir); !on || text == "" {
		return op
	}
	start := r.cfg.Now()
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	sent := text
	if r.cfg.Mask != nil {
		sent = r.cfg.Mask(text)
	}
	category, err := r.judge(ctx, dir, sent, caller, &op)
	op.Took = r.cfg.Now().Sub(start)
	switch {
	case err != nil:
		op.Err = fmt.Errorf("review: %w", err)
		r.failed(&op)
	case category != "":
		r.flag(&op, category, r.cfg.Action)
	}
	return op
}

// judge returns the category that text falls under, "" when it is fine.
func (r *Reviewer) judge(ctx context.Context, dir chat.Direction, text string, caller chat.Caller, op *Opinion) (string, error) {
	pieces, err := split(text)
	if err != nil {
		return "", err
	}
	for _, p := range pieces {
		category, err := r.piece(ctx, dir, p, caller, op)
		if err != nil || category != "" {
			return category, err
		}
	}
	return "", nil
}

func (r *Reviewer) piece(ctx context.Context, dir chat.Direction, text string, caller chat.Caller, op *Opinion) (string, error) {
	if r.mod != nil && r.cfg.Model == "" && r.cfg.Policy == DefaultPolicy && r.cfg.Now().UnixNano() >= r.noModeration.Load() {
		flagged, categories, err := r.mod.Moderate(ctx, text, caller)
		switch {
		case err == nil && flagged:
			op.Via = "moderation"
			if len(categories) > 0 {
				return categories[0], nil
			}
			return "other", nil
		case err == nil:
			op.Via = "moderation"
			return "", nil
		case chat.FaultOf(err) != chat.FaultRequest:
			return "", err
		}
		r.noModeration.Store(r.cfg.Now().Add(unsupportedFor).UnixNano())
	}
	op.Via = "model"
	q := r.question(dir, text)
	answer, res, err := r.model.Judge(ctx, q.call, caller)
	op.Cost += res.Cost
	if err != nil {
		return "", err
	}
	return q.parse(answer)
}

func (r *Reviewer) failed(op *Opinion) {
	switch r.cfg.OnFailure {
	case FailHold:
		r.flag(op, "unavailable", chat.ActionHandover)
	case FailBlock:
		r.flag(op, "unavailable", chat.ActionBlock)
	default:
		r.flag(op, "unavailable", chat.ActionNote)
	}
}

func (r *Reviewer) flag(op *Opinion, category string, action chat.Action) {
	if r.cfg.Shadow {
		action = chat.ActionNote
	}
	op.Verdict.Action = action
	op.Verdict.Hits = append(op.Verdict.Hits, chat.Hit{Layer: chat.LayerReview, Rule: "review: " + category, Category: category, Action: action})
}

// split cuts text into pieces that one call can judge.
func split(text string) ([]string, error) {
	var out []string
	for len(text) > pieceBytes {
		if len(out) == maxPieces-1 {
			return nil, errLength
		}
		end := pieceBytes
		for !utf8.RuneStart(text[end]) {
			end--
		}
		out = append(out, text[:end])
		next := end - overlapBytes
		for !utf8.RuneStart(text[next]) {
			next--
		}
		text = text[next:]
	}
	return append(out, text), nil
}
