// Package prompt assembles what the upstream is sent for one turn: the owner's
// instructions, how the conversation began, the facts that were stated, a
// rolling summary, the passages of this conversation that matter to the
// question, and the latest turns word for word, all within a budget of tokens.
//
// Everything a visitor wrote stays out of the system role: what is recalled
// travels as a quoted record in the user role, one line a message, so that a
// sentence like "ignore your instructions" remains data.
package prompt

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
	"unsafe"

	"haoke/backend/internal/chat"
)

// ErrNoQuestion: Build was given no visitor message to answer.
var ErrNoQuestion = errors.New("no question to answer")

// Counter counts the tokens of a text for a model.
type Counter interface {
	Count(model, text string) int
}

// Config of a Builder. The zero value is usable.
type Config struct {
	// Tokens is the budget of a prompt when Input.Budget is 0; 0: 4000.
	Tokens int
	// Hot is how many conversations keep their search index in memory; 0:
	// 256. The index of any other conversation is rebuilt when it is needed.
	Hot int
	// HotBytes bounds the estimated size of all those indexes; 0: 64 MiB.
	HotBytes int64
	// KeepPrompt puts the whole prompt into the Trace, for "why did it say
	// that?". Without it the Trace names only the parts.
	KeepPrompt bool
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// MinBudget is the smallest budget that Build works with; smaller ones are
// raised to it.
const MinBudget = 400

// Passage is a piece of the owner's own knowledge, for example an FAQ entry
// that is close to the question. It is trusted like the instructions.
type Passage struct {
	Title string `json:"title,omitempty"`
	Text  string `json:"text"`
	URL   string `json:"url,omitempty"`
}

// Input is everything one prompt is made from. Build keeps no reference to its
// slices.
type Input struct {
	// Head of the conversation. Messages with a Seq below Head.Fence are no
	// longer context.
	Head chat.Conversation
	// Messages of the conversation, ascending by Seq, those of the question
	// included (they are recognised by Seq and not repeated).
	Messages []chat.Message
	// Question is the visitor's burst to be answered. Empty: the visitor
	// messages at the end of Messages.
	Question []chat.Message

	Instructions string    // the owner's; may be empty
	Site         string    // name of the business
	Locale       string    // BCP 47, of the visitor's browser; may be empty
	Knowledge    []Passage // best first
	Budget       int       // tokens of the whole prompt; 0: Config.Tokens
	Model        string    // decides how tokens are counted
	Summary      Summary   // rolling summary; zero: none yet
}

// Builder assembles prompts. It is safe for concurrent use; builds of one
// conversation wait for each other, builds of different ones do not.
type Builder struct {
	cfg     Config
	counter Counter
	hot     *memories
	systems systems
	memory  sync.Pool // of prompts
}

// New makes a Builder.
func New(cfg Config, counter Counter) *Builder {
	if cfg.Tokens <= 0 {
		cfg.Tokens = 4000
	}
	if cfg.Hot <= 0 {
		cfg.Hot = 256
	}
	if cfg.HotBytes <= 0 {
		cfg.HotBytes = 64 << 20
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	b := &Builder{cfg: cfg, counter: counter, hot: newMemories(cfg.Hot, cfg.HotBytes)}
	b.memory.New = newPrompt
	return b
}

// Forget drops what is remembered of a conversation, for example after its
// deletion.
func (b *Builder) Forget(id chat.ConversationID) { b.hot.forget(id) }

// Build assembles the prompt. The result never costs more than the budget (as
// the Counter counts, raised to MinBudget), whatever the lengths of its parts;
// what had to be left out or cut is named in the Trace. The returned Call holds
// Messages and Model; the answer's bounds are the caller's to set.
//
// The messages are: one of the system role (instructions, rules, knowledge);
// when the conversation does not fit as a whole, its record in the user role
// with an assistant's "Noted."; then the latest turns, visitor and assistant
// alternating; last the question, in the user role.
func (b *Builder) Build(ctx context.Context, in Input) (chat.Call, Trace, error) {
	x := &Prompt{}
	err := b.assemble(ctx, &in, x)
	return x.Call, x.Trace, err
}

// Assemble is Build in memory that is used again: what it returns is valid
// until its Release, the contents of the messages beyond that.
func (b *Builder) Assemble(ctx context.Context, in *Input) (*Prompt, error) {
	x := b.memory.Get().(*Prompt)
	x.b = b
	if err := b.assemble(ctx, in, x); err != nil {
		x.release()
		return nil, err
	}
	return x, nil
}

func (b *Builder) assemble(ctx context.Context, in *Input, x *Prompt) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("assemble prompt: %w", err)
	}
	start := b.cfg.Now()
	p := &x.plan
	p.begin(b, in)
	if p.question.text == "" {
		return fmt.Errorf("assemble prompt: %w", ErrNoQuestion)
	}
	p.fitSystem()
	p.fitQuestion()
	p.fitKnowledge()
	if !p.fitAll() {
		p.fitLatest()
		p.fitRecord()
		p.widenLatest()
	}
	msgs := p.messages()
	x.Trace = p.trace(msgs)
	x.Trace.Micros = b.cfg.Now().Sub(start).Microseconds()
	x.Call = chat.Call{Messages: msgs, Model: in.Model}
	return nil
}

// Prompt is an assembled prompt. One goroutine uses it at a time.
type Prompt struct {
	Call    chat.Call
	Trace   Trace
	Release func() // gives the memory back; to be called once

	b    *Builder
	plan plan
	json []byte
}

// keptJSON bounds the memory for a prompt that is used again.
const keptJSON = 64 << 10

func newPrompt() any {
	x := &Prompt{json: make([]byte, 0, 4<<10)}
	x.Release = x.release
	return x
}

// JSON is the trace as it is stored with an answer, valid until Release.
func (x *Prompt) JSON() string {
	x.json = x.Trace.append(x.json[:0])
	return unsafe.String(unsafe.SliceData(x.json), len(x.json))
}

func (x *Prompt) release() {
	b := x.b
	x.plan.reset()
	x.Call, x.Trace, x.b, x.json = chat.Call{}, Trace{}, nil, x.json[:0]
	if cap(x.json) <= keptJSON && cap(x.plan.context) <= 512 {
		b.memory.Put(x)
	}
}
