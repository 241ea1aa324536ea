// Package engine is one visitor's turn, end to end: a message is checked and
// made durable, joined with what follows it, answered through the upstream or
// the FAQ, filtered while it streams, and closed by a durable message whatever
// happens. The turn itself reads from top to bottom in turn.go.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/phrases"
	"haoke/backend/internal/session"
)

// Sessions is where conversations live. Append returns only after the commit.
type Sessions interface {
	Append(ctx context.Context, id chat.ConversationID, a session.Append) (session.Appended, error)
	Head(ctx context.Context, id chat.ConversationID) (chat.Conversation, error)
	Messages(ctx context.Context, id chat.ConversationID, after int64, limit int) ([]chat.Message, error)
	Update(ctx context.Context, id chat.ConversationID, change func(*chat.Conversation)) (chat.Conversation, error)
	Pending(ctx context.Context) ([]chat.ConversationID, error)
}

// Upstream answers calls. It queues, merges, retries and falls back by itself.
type Upstream interface {
	Answer(ctx context.Context, call chat.Call, caller chat.Caller, sink chat.Sink) (chat.Result, error)
}

// Prompter assembles what the upstream sees.
type Prompter interface {
	Prompt(ctx context.Context, head *chat.Conversation, msgs []chat.Message, question []chat.Message) (Prompt, error)
}

// Prompt is what the upstream sees. Until Release, if there is one, call and
// trace belong to the turn; afterwards their memory is used again, but for the
// contents of the call's messages.
type Prompt struct {
	Call    chat.Call
	Trace   string // how it was made, for the owner; "": not kept
	Release func() // may be nil
}

// Curated answers from the owner's FAQ.
type Curated interface {
	// Exact finds the entry whose question this is, word for word or nearly.
	Exact(ctx context.Context, text, locale string) (CuratedAnswer, bool)
	// Best finds the best matching entry, or says kindly that there is none
	// (Found false).
	Best(ctx context.Context, text, locale string) CuratedAnswer
}

// CuratedAnswer is what the FAQ has to say.
type CuratedAnswer struct {
	Text  string
	Title string // the entry's question
	Found bool
}

// Filter checks whole texts and streams.
type Filter interface {
	Check(dir chat.Direction, text string) chat.Verdict
	Stream() FilterStream
}

// FilterStream checks one answer while it streams. Push and Close pass on what
// is known to be safe; an error that wraps ErrWithheld ends the answer.
type FilterStream interface {
	Push(raw []byte, emit chat.Sink) error
	Close(emit chat.Sink) error
	// Verdict is what was decided so far; its Text is not used.
	Verdict() chat.Verdict
	Release()
}

// ErrWithheld: a filter withholds the rest of an answer.
var ErrWithheld = errors.New("answer withheld by a filter")

// Guard is the optional part around a call: personal data is masked before the
// upstream sees the prompt and put back into the answer, and the model may be
// asked to review question and answer.
type Guard interface {
	// Keep changes a message that is about to be stored to what the owner wants
	// kept of personal data. It must not block.
	Keep(id chat.ConversationID, m *chat.Message)
	// Mask changes the call in place; restore, when not nil, wraps the sink
	// that leads to the visitor.
	Mask(id chat.ConversationID, call *chat.Call) (restore func(next chat.Sink) (push chat.Sink, flush func() error))
	// Review judges a text by the model; when it cannot, the owner's choice
	// for that case is the verdict. hold says that nothing may be shown before
	// the verdict.
	Review(ctx context.Context, dir chat.Direction, text string, caller chat.Caller) chat.Verdict
	ReviewMode() (on, hold bool)
}

// Feed is told what happens in conversations, in order for each. Calls must
// not block.
type Feed interface {
	Begin(id chat.ConversationID, seq int64)
	Delta(id chat.ConversationID, raw []byte)
	Message(id chat.ConversationID, m *chat.Message, answer bool)
	Abandon(id chat.ConversationID)
	Status(id chat.ConversationID, state string, position int, mode chat.Mode)
}

// Owner is told what needs a person or explains a failure.
type Owner interface {
	// NeedsPerson: a visitor waits for a person.
	NeedsPerson(head chat.Conversation)
	// Trouble: an answer failed; reason is for the owner.
	Trouble(id chat.ConversationID, fault chat.Fault, reason string)
	// Unanswered: neither upstream nor FAQ had an answer to this question.
	Unanswered(id chat.ConversationID, text, locale string)
}

// Meter measures turns. Calls are on hot paths and must be cheap.
type Meter interface {
	Message(from chat.From)
	Turn(info *chat.TurnInfo, finish chat.Finish, upstream time.Duration)
	FilterHits(id chat.ConversationID, dir chat.Direction, hits []chat.Hit)
}

// Config bounds the engine. Zero values mean the defaults.
type Config struct {
	BurstWait    time.Duration // longest wait for a visitor who is typing; default 8 s
	TypingLapse  time.Duration // a typing signal is forgotten after; default 6 s
	TypingGap    time.Duration // it holds this long after a message; default 3 s
	Drain        time.Duration // running answers may finish this long at the end; default 10 s
	GoneAfter    time.Duration // a waiting turn whose visitor left is given up after; default 20 s
	Stale        time.Duration // an open turn older than this at start is closed with an apology; default 1 h
	Pace         time.Duration // between pieces of an answer from the FAQ; default none
	AnswerChars  int           // bound on a stored answer; default 32,000
	HandoffAfter time.Duration // a visitor who waits for a person longer gets the AI back; default 3 min, < 0: never
	Deadline     func() time.Duration
	Epoch        func() string // of new conversations
	DefaultMode  func() chat.Mode
	Offline      func() bool   // no upstream is configured: the FAQ answers alone
	BlockedText  func() string // what a visitor reads whose message was blocked; "": the built-in sentence
	KeepTrace    func() bool   // store the assembled prompt with each answer
	PeopleAtCap  func() bool   // at the money cap a person is asked in place of the FAQ; may be nil
	Paused       func() bool   // no new conversations are taken; may be nil
	Now          func() time.Time
}

// Engine runs turns. It is safe for concurrent use.
type Engine struct {
	cfg      Config
	sessions Sessions
	upstream Upstream
	prompter Prompter
	curated  Curated
	filter   Filter
	guard    Guard // may be nil
	feed     Feed
	owner    Owner
	meter    Meter
	log      *slog.Logger

	mu      sync.Mutex
	rooms   map[chat.ConversationID]*room
	spare   []*room // rooms that nobody uses, at most maxSpare
	closing bool
	turns   sync.WaitGroup
	memory  sync.Pool // of turns
	takings sync.Pool
}

// Deps are the parts that the engine works with; all but Guard are required.
type Deps struct {
	Sessions Sessions
	Upstream Upstream
	Prompter Prompter
	Curated  Curated
	Filter   Filter
	Guard    Guard
	Feed     Feed
	Owner    Owner
	Meter    Meter
	Log      *slog.Logger
}

// New returns an engine.
func New(cfg Config, d Deps) *Engine {
	if cfg.BurstWait == 0 {
		cfg.BurstWait = 8 * time.Second
	}
	if cfg.TypingLapse == 0 {
		cfg.TypingLapse = 6 * time.Second
	}
	if cfg.TypingGap == 0 {
		cfg.TypingGap = 3 * time.Second
	}
	if cfg.Drain == 0 {
		cfg.Drain = 10 * time.Second
	}
	if cfg.GoneAfter == 0 {
		cfg.GoneAfter = 20 * time.Second
	}
	if cfg.Stale == 0 {
		cfg.Stale = time.Hour
	}
	if cfg.AnswerChars == 0 {
		cfg.AnswerChars = 32_000
	}
	if cfg.HandoffAfter == 0 {
		cfg.HandoffAfter = 3 * time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Engine{
		cfg: cfg, sessions: d.Sessions, upstream: d.Upstream, prompter: d.Prompter, curated: d.Curated,
		filter: d.Filter, guard: d.Guard, feed: d.Feed, owner: d.Owner, meter: d.Meter, log: d.Log,
		rooms: map[chat.ConversationID]*room{}, memory: sync.Pool{New: turnMemory}, takings: sync.Pool{New: newTaking},
	}
}

// Causes of a cancelled turn.
var (
	errRestart  = errors.New("the visitor added to the question")
	errShutdown = errors.New("going away")
	errGone     = errors.New("the visitor left")
	errHuman    = errors.New("a person took over")
)

// Run takes up the turns that an earlier run left open, then waits for ctx and
// lets the running answers finish for at most Config.Drain. Turns that did not
// finish stay open on disk.
func (e *Engine) Run(ctx context.Context) error {
	if err := e.takeUp(ctx); err != nil && ctx.Err() == nil {
		return err // a stop that comes this early is a stop like any other
	}
	<-ctx.Done()
	e.mu.Lock()
	e.closing = true
	e.mu.Unlock()
	done := make(chan struct{})
	go func() { e.turns.Wait(); close(done) }()
	t := time.NewTimer(e.cfg.Drain)
	defer t.Stop()
	select {
	case <-done:
		return nil
	case <-t.C:
	}
	e.mu.Lock()
	rooms := make([]*room, 0, len(e.rooms))
	for _, r := range e.rooms {
		rooms = append(rooms, r)
	}
	e.mu.Unlock()
	for _, r := range rooms {
		r.interrupt(errShutdown)
	}
	<-done
	return nil
}

func (r *room) interrupt(cause error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.endLocked(cause)
}

// endLocked ends the turn under way, if there is one.
func (r *room) endLocked(cause error) {
	if r.now != nil {
		r.now.Cancel(cause)
	}
}

// takeUp starts the open turns of an earlier run. Old ones are closed with an
// apology instead of an answer that nobody waits for.
func (e *Engine) takeUp(ctx context.Context) error {
	ids, err := e.sessions.Pending(ctx)
	if err != nil {
		return fmt.Errorf("take up open turns: %w", err)
	}
	for _, id := range ids {
		if ctx.Err() != nil {
			return nil
		}
		head, err := e.sessions.Head(ctx, id)
		if err != nil {
			e.log.Error("an open turn cannot be read", "conversation", id, "err", err)
			continue
		}
		if e.cfg.Now().Sub(head.UpdatedAt) > e.cfg.Stale {
			e.closeStale(ctx, head)
			continue
		}
		e.Wake(id)
	}
	if len(ids) > 0 {
		e.log.Info("open turns of the last run taken up", "count", len(ids))
	}
	return nil
}

func (e *Engine) closeStale(ctx context.Context, head chat.Conversation) {
	r := e.hold(head.ID)
	defer e.drop(r)
	r.mu.Lock()
	defer r.mu.Unlock()
	text := phrases.For(head.Visitor.Locale).Apology
	e.appendLocked(ctx, r, session.Append{
		Messages: []chat.Message{{From: chat.FromSystem, Text: text, Finish: chat.FinishError, Turn: &chat.TurnInfo{Reason: "the appliance stopped before the answer"}}},
		Update:   func(c *chat.Conversation) { c.Pending, c.Unanswered = 0, true },
	}, false)
}

// Wake starts the conversation's open turn, if it has one and none is running.
func (e *Engine) Wake(id chat.ConversationID) {
	r := e.hold(id)
	defer e.drop(r)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.running { // else it looks for itself when it ends
		e.startLocked(r)
	}
}

// Gone says that nobody watches the conversation any more. A turn that has not
// shown anything yet is given up after Config.GoneAfter unless somebody
// returns: watching tells.
func (e *Engine) Gone(id chat.ConversationID, watching func() bool) {
	r := e.peek(id)
	if r == nil {
		return
	}
	e.drop(r)
	time.AfterFunc(e.cfg.GoneAfter, func() {
		if watching() {
			return
		}
		if r := e.peek(id); r != nil {
			defer e.drop(r)
			r.mu.Lock()
			defer r.mu.Unlock()
			if !r.shown {
				r.endLocked(errGone)
			}
		}
	})
}

// Busy says whether a turn is under way.
func (e *Engine) Busy(id chat.ConversationID) bool {
	r := e.peek(id)
	if r == nil {
		return false
	}
	defer e.drop(r)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running
}
