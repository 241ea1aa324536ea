package dialogue

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/prompt"
	"haoke/backend/internal/tokens"
)

// Options of a recall measurement. The zero value measures the generator's
// conversations of 200 and 1,000 turns at a budget of 4,000 tokens.
type Options struct {
	Turns         []int     // lengths; nil: 200 and 1000
	Conversations int       // per length, language and script; 0: 10
	Seed          uint64    // first seed; the others follow it; 0: 1
	Scripts       []string  // names of scripts; nil: all
	Budget        int       // tokens; 0: 4000
	Probes        int       // per conversation, besides the first topic; 0: 20
	Model         string    // for counting; "": gpt-4o-mini
	Corpus        io.Reader // conversations from outside instead of generated ones (see ReadCorpus)
	Other         *Ranker   // measured beside; nil: none
}

// Ranker is another way to find what a question is about. Its prompts consist
// of the first exchange, the latest three, and the best messages with the other
// halves of their exchanges, as many as fit into the tokens that the assembled
// prompt for the same question took.
type Ranker struct {
	Name string
	// Index takes a conversation and returns what finds messages by their index,
	// best first.
	Index func(ctx context.Context, msgs []chat.Message) (search func(question string) ([]int, error), err error)
}

// Row is one line of the result: one way of making prompts over one set of
// conversations.
type Row struct {
	Set           string  `json:"set"`
	Method        string  `json:"method"` // "assembled", "last turns", "full history"
	Conversations int     `json:"conversations"`
	Probes        int     `json:"probes"`
	First         float64 `json:"first"`     // share of first topics known
	Known         float64 `json:"known"`     // share of all other probes known
	Corrected     float64 `json:"corrected"` // share of the probes for corrected values known
	Tokens        float64 `json:"tokens"`    // mean of a prompt
	Share         float64 `json:"share"`     // of the full history's tokens
	Micros        float64 `json:"us"`        // mean time to make a prompt
	MaxTokens     int     `json:"max_tokens"`
}

// Report is the result of Run. Misses holds the first probes that the
// assembled prompts did not know, for looking into.
type Report struct {
	Rows   []Row   `json:"rows"`
	Misses []Probe `json:"misses,omitempty"`
}

const maxMisses = 40

// Run measures recall and prints a table to w. Its duration is about a second
// for ten conversations of 200 turns.
func Run(ctx context.Context, w io.Writer, opts Options) (Report, error) {
	o := opts.withDefaults()
	var rep Report
	m := &measurer{opts: o, counter: tokens.New(tokens.Config{CacheEntries: 1 << 18}), rep: &rep}
	if err := m.counter.Warm(ctx, o.Model); err != nil {
		return rep, fmt.Errorf("measure recall: %w", err)
	}
	if o.Corpus != nil {
		list, err := ReadCorpus(o.Corpus)
		if err != nil {
			return rep, err
		}
		if err := m.set(ctx, "corpus", slices.Values(list)); err != nil {
			return rep, err
		}
		return rep, rep.print(w, o)
	}
	for _, s := range scripts() {
		if len(o.Scripts) > 0 && !slices.Contains(o.Scripts, s.name) {
			continue
		}
		for _, turns := range o.Turns {
			set := fmt.Sprintf("%s, %d turns", s.name, turns)
			if err := m.set(ctx, set, func(yield func(Conversation) bool) {
				for i := range o.Conversations {
					if !yield(generate(s, o.Seed+uint64(i), turns, o.Probes)) {
						return
					}
				}
			}); err != nil {
				return rep, err
			}
		}
	}
	return rep, rep.print(w, o)
}

func (o Options) withDefaults() Options {
	if len(o.Turns) == 0 {
		o.Turns = []int{200, 1000}
	}
	if o.Conversations <= 0 {
		o.Conversations = 10
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Budget <= 0 {
		o.Budget = 4000
	}
	if o.Probes <= 0 {
		o.Probes = 20
	}
	if o.Model == "" {
		o.Model = "gpt-4o-mini"
	}
	return o
}

// tally adds up one row.
type tally struct {
	convs, probes, prompts   int
	firsts, firstKnown       int
	known, fixed, fixedKnown int
	tokens, full             float64
	max                      int
	spent                    time.Duration
}

type measurer struct {
	opts    Options
	counter *tokens.Counter
	rep     *Report
}

// set measures one set of conversations with the three methods.
func (m *measurer) set(ctx context.Context, name string, convs func(func(Conversation) bool)) error {
	b := prompt.New(prompt.Config{}, m.counter)
	sum := prompt.NewExtractor(m.counter)
	all := make([]tally, 3, 4)
	methods := []string{"assembled", "last turns", "full history"}
	if m.opts.Other != nil {
		all, methods = append(all, tally{}), append(methods, m.opts.Other.Name)
	}
	for c := range convs {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("measure recall: %w", err)
		}
		if err := m.conversation(ctx, b, sum, c, all); err != nil {
			return err
		}
	}
	for i, method := range methods {
		if all[i].prompts > 0 {
			m.rep.Rows = append(m.rep.Rows, all[i].row(name, method))
		}
	}
	return nil
}

// conversation asks all probes of one conversation.
func (m *measurer) conversation(ctx context.Context, b *prompt.Builder, sum *prompt.Extractor, c Conversation, all []tally) error {
	for i := range all {
		all[i].convs++
	}
	head := chat.Conversation{ID: chat.ConversationID(c.ID)}
	in := prompt.Input{
		Head: head, Messages: c.Messages, Budget: m.opts.Budget, Model: m.opts.Model, Site: "Demo shop",
		Instructions: "You are the assistant of a shop.", Summary: sum.Summarise(m.opts.Model, head, c.Messages),
	}
	history := m.turns(c.Messages)
	fullTokens := m.counter.Prompt(m.opts.Model, history)
	full := newReader(history, "")
	lastN, lastTokens := m.lastTurns(history)
	last := newReader(lastN, "")
	var search func(string) ([]int, error)
	if m.opts.Other != nil {
		var err error
		if search, err = m.opts.Other.Index(ctx, c.Messages); err != nil {
			return fmt.Errorf("measure recall: %s: %w", c.ID, err)
		}
	}
	for _, p := range c.Probes {
		in.Question = []chat.Message{{Seq: int64(len(c.Messages) + 1), From: chat.FromVisitor, Text: p.Question}}
		start := time.Now()
		call, _, err := b.Build(ctx, in)
		if err != nil {
			return fmt.Errorf("measure recall: %s: %w", c.ID, err)
		}
		took := time.Since(start)
		known := newReader(call.Messages, p.Question).knows(p)
		if !known && len(m.rep.Misses) < maxMisses {
			m.rep.Misses = append(m.rep.Misses, p)
		}
		all[0].add(p, known, m.counter.Prompt(m.opts.Model, call.Messages), fullTokens, took)
		all[1].add(p, last.knows(p), lastTokens, fullTokens, 0)
		all[2].add(p, full.knows(p), fullTokens, fullTokens, 0)
		if search == nil {
			continue
		}
		start = time.Now()
		ranked, err := search(p.Question)
		if err != nil {
			return fmt.Errorf("measure recall: %s: %w", c.ID, err)
		}
		other, n := m.ranked(history, ranked, m.counter.Prompt(m.opts.Model, call.Messages))
		all[3].add(p, newReader(other, "").knows(p), n, fullTokens, time.Since(start))
	}
	return nil
}

// ranked makes a prompt of what a Ranker found.
func (m *measurer) ranked(history []chat.PromptMessage, found []int, room int) ([]chat.PromptMessage, int) {
	n := tokens.PerPrompt
	taken := map[int]bool{}
	take := func(list ...int) {
		cost := 0
		for _, i := range list {
			if i >= 0 && i < len(history) && !taken[i] {
				cost += m.counter.Count(m.opts.Model, history[i].Content) + tokens.PerMessage
			}
		}
		if n+cost > room {
			return
		}
		n += cost
		for _, i := range list {
			taken[i] = i >= 0 && i < len(history)
		}
	}
	take(0, 1)
	for i := range 6 {
		take(len(history) - 1 - i)
	}
	for _, i := range found {
		take(i, i^1) // a question and its answer stand side by side
	}
	var out []chat.PromptMessage
	for i := range history {
		if taken[i] {
			out = append(out, history[i])
		}
	}
	return out, n
}

// turns is the whole history as a prompt.
func (m *measurer) turns(msgs []chat.Message) []chat.PromptMessage {
	out := make([]chat.PromptMessage, 0, len(msgs)+1)
	for _, msg := range msgs {
		role := chat.RoleAssistant
		if msg.From == chat.FromVisitor {
			role = chat.RoleUser
		}
		out = append(out, chat.PromptMessage{Role: role, Content: msg.Text})
	}
	return out
}

// lastTurns is the end of the history that fits the same budget.
func (m *measurer) lastTurns(history []chat.PromptMessage) ([]chat.PromptMessage, int) {
	n, i := tokens.PerPrompt, len(history)
	for i > 0 {
		c := m.counter.Count(m.opts.Model, history[i-1].Content) + tokens.PerMessage
		if n+c > m.opts.Budget {
			break
		}
		n += c
		i--
	}
	return slices.Clone(history[i:]), n
}

func (t *tally) add(p Probe, known bool, tokens, full int, took time.Duration) {
	t.prompts++
	t.tokens += float64(tokens)
	t.full += float64(full)
	t.max = max(t.max, tokens)
	t.spent += took
	if p.First {
		t.firsts++
		t.firstKnown += one(known)
		return
	}
	t.probes++
	t.known += one(known)
	if len(p.Stale) > 0 {
		t.fixed++
		t.fixedKnown += one(known)
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (t *tally) row(set, method string) Row {
	return Row{
		Set: set, Method: method, Conversations: t.convs, Probes: t.probes,
		First: ratio(t.firstKnown, t.firsts), Known: ratio(t.known, t.probes), Corrected: ratio(t.fixedKnown, t.fixed),
		Tokens: t.tokens / float64(t.prompts), Share: t.tokens / t.full, MaxTokens: t.max,
		Micros: float64(t.spent.Microseconds()) / float64(t.prompts),
	}
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

// print writes the table.
func (r Report) print(w io.Writer, o Options) error {
	tw := tabwriter.NewWriter(w, 2, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tw, "set\tmethod\tconversations\tprobes\tfirst topic\tall probes\tcorrected\ttokens\tof history\tlargest\tµs\t\n")
	for _, row := range r.Rows {
		fmt.Fprintf(tw, "%s\t%s\t%d\t%d\t%.1f %%\t%.1f %%\t%.1f %%\t%.0f\t%.1f %%\t%d\t%.0f\t\n",
			row.Set, row.Method, row.Conversations, row.Probes, 100*row.First, 100*row.Known, 100*row.Corrected,
			row.Tokens, 100*row.Share, row.MaxTokens, row.Micros)
	}
	if err := tw.Flush(); err != nil {
		return fmt.Errorf("print recall: %w", err)
	}
	if _, err := fmt.Fprintf(w, "budget %d tokens of %s; seeds from %d; the reader compares strings\n", o.Budget, o.Model, o.Seed); err != nil {
		return fmt.Errorf("print recall: %w", err)
	}
	return nil
}
