package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/codec"
	"haoke/backend/internal/offline"
)

// errTooLong ends an answer that outgrows Config.AnswerChars.
var errTooLong = errors.New("the answer is too long")

// sinks builds the way of a piece: upstream, filter, (personal data put back),
// visitor. flush must be called once at the end of the stream; it lets go of
// what was held back, or says why not.
func (t *turn) sinks(call *chat.Call, review *review) (sink chat.Sink, flush func() error) {
	emit, end := chat.Sink(t.emit), func() error { return nil }
	if t.e.guard != nil {
		if restore := t.e.guard.Mask(t.r.id, call); restore != nil {
			emit, end = restore(t.emit)
		}
	}
	push := func(raw []byte) error { return t.stream.Push(raw, emit) }
	finish := func() error {
		if err := t.stream.Close(emit); err != nil {
			return err
		}
		return end()
	}
	if !review.on {
		return push, finish
	}
	if review.hold {
		held := &holding{}
		return held.keep, func() error {
			if review.judge(t, held.text()); review.withheld() {
				return ErrWithheld
			}
			if err := held.release(push); err != nil {
				return err
			}
			return finish()
		}
	}
	return push, func() error {
		err := finish()
		if review.judge(t, t.text()); review.withheld() {
			return ErrWithheld
		}
		return err
	}
}

// emit shows one piece to the visitor. The clean path neither decodes for the
// frame nor allocates: the text is kept in one growing buffer for the durable
// message.
func (t *turn) emit(raw []byte) error {
	if len(raw) <= 2 {
		return nil // an empty string: providers open their streams with one
	}
	if t.first.IsZero() {
		if err := t.show(); err != nil {
			return err
		}
	}
	if t.ctx.Err() != nil {
		return context.Cause(t.ctx)
	}
	var err error
	if t.said, err = codec.AppendUnquote(t.said, raw); err != nil {
		return fmt.Errorf("a piece of the answer: %w", err)
	}
	t.e.feed.Delta(t.r.id, raw)
	if len(t.said) > 4*t.e.cfg.AnswerChars {
		return errTooLong
	}
	return nil
}

// show marks the answer as begun: from now on further messages of the visitor
// wait for the next turn.
func (t *turn) show() error {
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	if t.ctx.Err() != nil {
		return context.Cause(t.ctx)
	}
	t.r.shown = true
	t.first = t.e.cfg.Now()
	t.e.feed.Begin(t.r.id, t.r.lastSeq+1)
	return nil
}

// text is what was shown so far.
func (t *turn) text() string { return string(bytes.TrimSpace(t.said)) }

// recite streams a text that is known as a whole, at the pace of a quick
// reader, so that it reads like any other answer.
func (t *turn) recite(text string) {
	// An error here is the end of the turn's context or of the sink; closeTurn
	// looks at the cause.
	_ = offline.Stream(t.ctx, text, t.emit, t.e.cfg.Pace)
}

// review is the third filter layer around one answer.
type review struct {
	on, hold bool
	question chan chat.Verdict
	verdict  chat.Verdict
}

// startReview has the question judged while the answer is prepared.
func (t *turn) startReview(question string) *review {
	v := &review{}
	if t.e.guard == nil {
		return v
	}
	if v.on, v.hold = t.e.guard.ReviewMode(); !v.on {
		return v
	}
	v.question = make(chan chat.Verdict, 1)
	go func() { v.question <- t.e.guard.Review(t.ctx, chat.Inbound, question, t.caller()) }()
	return v
}

// judge collects the question's verdict and, if that is clean, has the answer
// judged.
func (v *review) judge(t *turn, answer string) {
	v.verdict = <-v.question
	if v.withheld() || answer == "" || t.ctx.Err() != nil {
		return
	}
	after := t.e.guard.Review(t.ctx, chat.Outbound, answer, t.caller())
	after.Hits = append(v.verdict.Hits, after.Hits...)
	v.verdict = after
}

func (v *review) withheld() bool { return v.verdict.Action.Rank() >= chat.ActionHandover.Rank() }

// holding keeps an answer back until it was judged. Its size is bounded by the
// upstream's bound on an answer.
type holding struct {
	tokens [][]byte
}

func (h *holding) keep(raw []byte) error {
	h.tokens = append(h.tokens, bytes.Clone(raw))
	return nil
}

func (h *holding) text() string {
	var b []byte
	for _, raw := range h.tokens {
		// A token that does not decode is refused by emit; for the review its
		// readable part is enough.
		b, _ = codec.AppendUnquote(b, raw)
	}
	return string(b)
}

func (h *holding) release(push chat.Sink) error {
	for _, raw := range h.tokens {
		if err := push(raw); err != nil {
			return err
		}
	}
	return nil
}
