package engine

import (
	"context"
	"errors"
	"runtime/debug"
	"strings"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/phrases"
	"haoke/backend/internal/span"
	"haoke/backend/internal/stack"
)

// startLocked makes sure that the open messages of the conversation get a
// turn: it starts one, or makes the one under way begin anew when nothing of
// its answer was shown yet. Otherwise that one starts the next when it ends.
func (e *Engine) startLocked(r *room) {
	if r.running {
		if !r.shown {
			r.endLocked(errRestart)
		}
		return
	}
	if !e.enter(r) {
		return
	}
	r.running = true
	go e.serve(r, e.newTurn(r))
}

// enter notes a goroutine that is about to serve the room. False: the engine
// is closing, and the turn stays open on disk until the next start.
func (e *Engine) enter(r *room) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closing {
		return false
	}
	e.turns.Add(1)
	r.uses++
	return true
}

// serve runs the turns of a conversation one after the other, as long as there
// are any, beginning with t.
func (e *Engine) serve(r *room, t *turn) {
	stack.Grow16()
	defer e.turns.Done()
	defer e.drop(r)
	for {
		more := e.turn(t)
		r.between(t)
		t.release()
		if !more {
			return
		}
		t = e.newTurn(r)
	}
}

// between takes the room's current turn away, before its memory becomes
// another one's.
func (r *room) between(t *turn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now == &t.life {
		r.now = nil
	}
}

// turn is one visitor burst and its answer, from the open messages to the
// durable answer. It returns whether there may be another one.
//
// Its memory is used again: what it gives away is over when it ends.
type turn struct {
	e      *Engine
	r      *room
	life   span.Span
	said   []byte         // what was shown, decoded
	open   []chat.Message // the visitor's messages that this turn answers
	review review
	ahead  ahead
	of

	// The turn's own methods, bound once.
	emits, pushes chat.Sink
	flushes       func() error
	queues        func(place int)
	settles       func(*chat.Conversation)
}

// of is what one turn leaves nothing of to the next.
type of struct {
	head chat.Conversation
	msgs []chat.Message // the whole conversation

	begun  time.Time
	first  time.Time // the first piece was shown
	info   chat.TurnInfo
	prompt Prompt
	stream FilterStream
	words  string // text, when it was last asked for
	out    outcome
	broken bool            // the program had a fault: its memory is not used again
	last   [1]chat.Message // what it becomes
	emit   chat.Sink       // what the filter lets pass goes here
	end    func() error    // of what lies between filter and visitor; nil: nothing
}

// outcome is how a turn ended, before it is durable.
type outcome struct {
	from     chat.From
	text     string
	finish   chat.Finish
	sources  []chat.Source
	failed   bool // fallback or apology: the owner should look
	handover bool // a filter wants a person
	upstream time.Duration
}

// turn runs one turn. Read it from top to bottom.
func (e *Engine) turn(t *turn) (more bool) {
	if !t.ahead.on { // else it has been opened, and the visitor does not type
		// 1. What is open? Nothing: the goroutine ends.
		if !e.openTurn(t) {
			return false
		}
		// 2. A visitor who is still typing is waited for, within a bound.
		waited := e.awaitBurst(&t.life, t.r, t.open[0].At)
		if t.life.Err() == errRestart {
			return true // more came: nothing has been asked yet
		}
		if waited && !e.openTurn(t) { // a person may have taken over meanwhile, or another tab written
			return false
		}
		e.feed.Status(t.r.id, "thinking", 0, "")
	}
	t.begun = e.cfg.Now()

	// 3. The answer: the owner's own words if they fit, else the upstream,
	// filtered while it streams, else the FAQ's best, else an apology.
	t.stream = e.filter.Stream()
	defer t.stream.Release()
	out := t.unbroken()

	// 4. Durable, whatever came.
	return e.closeTurn(t, out)
}

// openTurn reads what is open under the room's lock and makes t the room's
// current turn. False: there is nothing to answer.
func (e *Engine) openTurn(t *turn) bool {
	r := t.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if !e.readOpen(t) {
		r.running, r.now = false, nil
		return false
	}
	r.lastSeq, r.queued, r.now, r.shown = t.head.LastSeq, nil, &t.life, false
	return true
}

func (e *Engine) readOpen(t *turn) bool {
	var err error
	t.head, err = e.sessions.Head(&t.life, t.r.id)
	if err != nil || t.head.Pending == 0 || t.head.Mode != chat.ModeAI || t.head.Blocked {
		return false
	}
	t.msgs, err = e.sessions.Messages(&t.life, t.r.id, 0, 0)
	if err != nil {
		e.log.Error("a turn cannot read its conversation", "conversation", t.r.id, "err", err)
		return false
	}
	return t.pickOpen()
}

// pickOpen finds the messages that wait for an answer, and whether there are
// any.
func (t *turn) pickOpen() bool {
	clear(t.open)
	t.open = t.open[:0]
	for i := range t.msgs {
		if m := &t.msgs[i]; m.Seq >= t.head.Pending && m.From == chat.FromVisitor && m.Mark != MarkBlocked {
			t.open = append(t.open, *m)
		}
	}
	return len(t.open) > 0
}

// awaitBurst waits while the visitor types, at most until Config.BurstWait
// after the first open message, and reports whether it had to.
func (e *Engine) awaitBurst(ctx context.Context, r *room, first time.Time) (waited bool) {
	deadline := first.Add(e.cfg.BurstWait)
	for ; ; waited = true {
		r.mu.Lock()
		now := e.cfg.Now()
		until := r.typing.Add(e.cfg.TypingLapse)
		if r.typing.IsZero() || !now.Before(until) || !now.Before(deadline) {
			r.mu.Unlock()
			return waited
		}
		if until.After(deadline) {
			until = deadline
		}
		if r.wake == nil {
			r.wake = make(chan struct{})
		}
		wake := r.wake
		r.mu.Unlock()

		timer := time.NewTimer(until.Sub(now))
		select {
		case <-wake:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return true
		}
		timer.Stop()
	}
}

// unbroken is answer. What breaks in it costs this turn and not the process,
// which would meet the same question again when it starts anew.
func (t *turn) unbroken() (out outcome) {
	defer func() {
		if v := recover(); v != nil {
			t.e.log.Error("a fault of the program ended a turn", "conversation", t.r.id, "fault", v, "stack", string(debug.Stack()))
			t.broken = true
			out = outcome{from: chat.FromSystem, text: phrases.For(t.head.Visitor.Locale).Apology, finish: chat.FinishError, failed: true}
		}
	}()
	return t.answer()
}

// answer finds the words. It never fails: an apology is an answer too.
func (t *turn) answer() outcome {
	e, question := t.e, t.question()
	if a, ok := e.curated.Exact(&t.life, question, t.head.Visitor.Locale); ok {
		return t.curatedAnswer(a)
	}
	if e.cfg.Offline() {
		return t.offlineAnswer(question, "", chat.FaultNoKey)
	}
	began := e.cfg.Now()
	var err error
	t.prompt, err = e.prompter.Prompt(&t.life, &t.head, t.msgs, t.open)
	t.info.PromptUS = e.cfg.Now().Sub(began).Microseconds()
	if err != nil {
		e.log.Error("a prompt could not be assembled", "conversation", t.r.id, "err", err)
		return t.offlineAnswer(question, err.Error(), chat.FaultRequest)
	}
	if e.cfg.KeepTrace != nil && e.cfg.KeepTrace() {
		t.info.PromptTrace = t.prompt.Trace
	}
	t.startReview(question)
	sink, flush := t.sinks(&t.prompt.Call)
	res, err := e.upstream.Answer(&t.life, t.prompt.Call, t.caller(), sink)
	if ferr := flush(); err == nil {
		err = ferr
	}
	t.note(res)
	if v := t.review.verdict; v.Action.Rank() >= chat.ActionHandover.Rank() {
		return t.withheld(v)
	}
	return t.settle(res, err, question)
}

// settle turns the end of the upstream's stream into an outcome.
func (t *turn) settle(res chat.Result, err error, question string) outcome {
	text := t.text()
	out := outcome{from: chat.FromAI, text: text, finish: res.Finish, upstream: res.Upstream}
	switch {
	case err == nil && text != "":
		if out.finish == "" {
			out.finish = chat.FinishStop
		}
		return out
	case errors.Is(err, ErrWithheld):
		return t.withheld(t.stream.Verdict())
	case t.life.Err() != nil:
		out.finish = chat.FinishStopped // stop, restart, going away: closeTurn looks at the cause
		return out
	}
	fault, reason := chat.FaultOf(err), "the upstream answered nothing"
	if err != nil {
		reason = err.Error()
	}
	if fault == chat.FaultContent {
		return t.withheld(chat.Verdict{Action: chat.ActionBlock})
	}
	if text != "" { // cut off in the middle: what came is kept, and said to be cut
		t.e.owner.Trouble(t.r.id, fault, reason)
		t.info.Reason = reason
		out.finish, out.failed = chat.FinishError, true
		return out
	}
	if fault == chat.FaultBudget && t.e.cfg.PeopleAtCap != nil && t.e.cfg.PeopleAtCap() {
		t.e.owner.Trouble(t.r.id, fault, reason)
		t.info.Reason = reason
		return outcome{from: chat.FromSystem, text: phrases.For(t.head.Visitor.Locale).Busy, finish: chat.FinishError, failed: true, handover: true}
	}
	return t.offlineAnswer(question, reason, fault)
}

// withheld is the outcome of an answer that a filter keeps from the visitor.
func (t *turn) withheld(v chat.Verdict) outcome {
	words := phrases.For(t.head.Visitor.Locale)
	out := outcome{from: chat.FromSystem, text: words.AnswerBlocked, finish: chat.FinishBlocked, failed: true}
	out.handover = v.Action == chat.ActionHandover // the sentence that a person is asked follows
	t.info.Hits = append(t.info.Hits, v.Hits...)
	return out
}

// curatedAnswer streams the owner's own words like any other answer.
func (t *turn) curatedAnswer(a CuratedAnswer) outcome {
	t.info.Provider = "faq"
	t.recite(a.Text)
	return outcome{from: chat.FromAI, text: a.Text, finish: chat.FinishStop, sources: []chat.Source{{Title: a.Title}}}
}

// offlineAnswer is the FAQ's best match, or the sentence that there is none.
// reason, when there is one, is why the upstream did not answer.
func (t *turn) offlineAnswer(question, reason string, fault chat.Fault) outcome {
	if !t.onDisk() {
		return outcome{from: chat.FromAI, finish: chat.FinishStopped}
	}
	t.info.Provider, t.info.Reason = "offline", reason
	if reason != "" {
		t.e.owner.Trouble(t.r.id, fault, reason)
	}
	a := t.e.curated.Best(&t.life, question, t.head.Visitor.Locale)
	if a.Found {
		t.recite(a.Text)
		return outcome{from: chat.FromAI, text: a.Text, finish: chat.FinishStop, sources: []chat.Source{{Title: a.Title}}, failed: reason != ""}
	}
	t.e.owner.Unanswered(t.r.id, question, t.head.Visitor.Locale)
	if reason == "" {
		t.recite(a.Text)
		return outcome{from: chat.FromAI, text: a.Text, finish: chat.FinishStop, failed: true}
	}
	words := phrases.For(t.head.Visitor.Locale)
	text := words.Apology
	if fault == chat.FaultRate || fault == chat.FaultBudget {
		text = words.Busy
	}
	return outcome{from: chat.FromSystem, text: text, finish: chat.FinishError, failed: true}
}

// question is the burst as one text.
func (t *turn) question() string {
	if len(t.open) == 1 {
		return t.open[0].Text
	}
	parts := make([]string, len(t.open))
	for i, m := range t.open {
		parts[i] = m.Text
	}
	return strings.Join(parts, "\n")
}

func (t *turn) caller() chat.Caller {
	visitor := t.head.Visitor.Sub
	if visitor == "" {
		visitor = string(t.r.id)
	}
	c := chat.Caller{
		Conversation: t.r.id, Visitor: visitor, VIP: t.head.Visitor.VIP, IP: t.head.Visitor.IP,
		Queued: t.queues,
	}
	if t.e.cfg.Deadline != nil {
		if d := t.e.cfg.Deadline(); d > 0 {
			c.Deadline = t.begun.Add(d)
		}
	}
	return c
}

func (t *turn) note(res chat.Result) {
	i := &t.info
	i.Provider, i.Key, i.Model = res.Provider, res.Key, res.Model
	i.Prompt, i.Completion, i.Estimated = res.Usage.Prompt, res.Usage.Completion, res.Usage.Estimated
	i.Cost, i.Merged, i.Cached = res.Cost, res.Merged, res.Cached
	i.QueueUS = res.Queue.Microseconds()
}
