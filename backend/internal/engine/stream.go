package engine

import (
	"bytes"
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
func (t *turn) sinks(call *chat.Call) (sink chat.Sink, flush func() error) {
	t.emit = t.emits
	if t.e.guard != nil {
		if restore := t.e.guard.Mask(t.r.id, call); restore != nil {
			t.emit, t.end = restore(t.emits)
		}
	}
	review := &t.review
	if !review.on {
		return t.pushes, t.flushes
	}
	if review.hold {
		held := &holding{}
		return held.keep, func() error {
			if review.judge(t, held.text()); review.withheld() {
				return ErrWithheld
			}
			if err := held.release(t.push); err != nil {
				return err
			}
			return t.flush()
		}
	}
	return t.pushes, func() error {
		err := t.flush()
		if review.judge(t, t.text()); review.withheld() {
			return ErrWithheld
		}
		return err
	}
}

// push brings one piece into the filter.
func (t *turn) push(raw []byte) error { return t.stream.Push(raw, t.emit) }

// flush ends the filter, and what lies behind it.
func (t *turn) flush() error {
	if err := t.stream.Close(t.emit); err != nil || t.end == nil {
		return err
	}
	return t.end()
}

// show shows one piece to the visitor. The clean path neither decodes for the
// frame nor allocates: the text is kept in one growing buffer for the durable
// message.
func (t *turn) show(raw []byte) error {
	if len(raw) <= 2 {
		return nil // an empty string: providers open their streams with one
	}
	if t.first.IsZero() {
		if err := t.begin(); err != nil {
			return err
		}
	}
	if err := t.life.Err(); err != nil {
		return err
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

// begin marks the answer as begun: from now on further messages of the visitor
// wait for the next turn.
func (t *turn) begin() error {
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	if err := t.life.Err(); err != nil {
		return err
	}
	t.r.shown = true
	t.first = t.e.cfg.Now()
	t.e.feed.Begin(t.r.id, t.r.lastSeq+1)
	return nil
}

// text is what was shown so far. What was said only grows, so that a text of
// the same length is the same text.
func (t *turn) text() string {
	if said := bytes.TrimSpace(t.said); len(said) != len(t.words) {
		t.words = string(said)
	}
	return t.words
}

// recite streams a text that is known as a whole, at the pace of a quick
// reader, so that it reads like any other answer.
func (t *turn) recite(text string) {
	// An error here is the end of the turn's context or of the sink; closeTurn
	// looks at the cause.
	_ = offline.Stream(&t.life, text, t.emits, t.e.cfg.Pace)
}

// review is the third filter layer around one answer.
type review struct {
	on, hold bool
	question chan chat.Verdict
	verdict  chat.Verdict
}

// startReview has the question judged while the answer is prepared.
func (t *turn) startReview(question string) {
	if t.e.guard == nil {
		return
	}
	v := &t.review
	if v.on, v.hold = t.e.guard.ReviewMode(); !v.on {
		return
	}
	judged := make(chan chat.Verdict, 1)
	v.question = judged
	go func() { judged <- t.e.guard.Review(&t.life, chat.Inbound, question, t.caller()) }()
}

// judge collects the question's verdict and, if that is clean, has the answer
// judged.
func (v *review) judge(t *turn, answer string) {
	v.verdict = <-v.question
	if v.withheld() || answer == "" || t.life.Err() != nil {
		return
	}
	after := t.e.guard.Review(&t.life, chat.Outbound, answer, t.caller())
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
