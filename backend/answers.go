package backend

import (
	"context"
	"fmt"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/engine"
	"haoke/backend/internal/offline"
	"haoke/backend/internal/prompt"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/sqlite"
)

// buildAnswers makes the prompts' builder and, in a new shop, puts the demo's
// questions and answers into the FAQ, so that there is something to try without
// a key. buildUpstream loads the FAQ: what of it may be said depends on whether
// there is an upstream.
func (p *parts) buildAnswers(ctx context.Context, s *settings.Settings) error {
	p.faq = p.db.FAQ()
	p.faqNotes = newFAQNotes(p.faq, p.log)
	entries, err := p.faq.All(ctx)
	if err != nil {
		return err
	}
	seeded, err := p.db.Values().Get(ctx, "faq_seeded")
	if err != nil {
		return err
	}
	if len(entries) == 0 && seeded == "" && s.Site.DemoFAQ {
		if err := p.seedFAQ(ctx); err != nil {
			return err
		}
	}
	p.prompts = prompt.New(prompt.Config{Tokens: s.Context.Tokens, KeepPrompt: true}, p.counter)
	p.summariser = prompt.NewSummariser(prompt.SummariserConfig{}, summaries{p.db.Conversations()}, completer{p}, p.counter, p.log)
	return nil
}

func (p *parts) seedFAQ(ctx context.Context) error {
	demo, err := offline.Demo()
	if err != nil {
		return fmt.Errorf("built-in FAQ: %w", err)
	}
	rows := make([]sqlite.FAQEntry, 0, len(demo))
	for _, e := range demo {
		rows = append(rows, sqlite.FAQEntry{Lang: e.Lang, Question: e.Question, Alternatives: e.Alternatives, Answer: e.Answer, Enabled: true})
	}
	if _, _, err := p.faq.Import(ctx, rows, false); err != nil {
		return fmt.Errorf("put the demo FAQ in place: %w", err)
	}
	return p.db.Values().Set(ctx, "faq_seeded", time.Now().UTC().Format(time.RFC3339))
}

// reloadFAQ brings the entries of the database into the answerer's index. It
// is called at start, after each change of the FAQ, and when an upstream comes
// or goes: the demo's answers are nobody's promise, so a shop that has an
// upstream does not give them, be it in the owner's name or in a prompt.
func (p *parts) reloadFAQ(ctx context.Context) error {
	rows, err := p.faq.All(ctx)
	if err != nil {
		return err
	}
	mute, err := p.muted()
	if err != nil {
		return err
	}
	p.faqMute.Store(&mute)
	entries := make([]offline.Entry, 0, len(rows))
	for _, r := range rows {
		if r.Enabled && !mute(r) {
			entries = append(entries, offlineEntry(r))
		}
	}
	a := offline.New(offline.Config{Threshold: p.settings.Current().FAQ.Threshold}, faqSearch{p.faq, mute})
	a.Load(entries)
	p.answerer.Store(a)
	return nil
}

// muted gives the test for entries that must not speak now: those of the demo
// that the owner has not made theirs by an edit, while there is an upstream.
func (p *parts) muted() (func(sqlite.FAQEntry) bool, error) {
	alone := p.offlineOnly()
	p.demoSilent.Store(!alone)
	if alone {
		return func(sqlite.FAQEntry) bool { return false }, nil
	}
	return isDemo()
}

// silentFAQ reports that an entry is the demo's and not said now.
func (p *parts) silentFAQ(e sqlite.FAQEntry) bool { return (*p.faqMute.Load())(e) }

// isDemo gives the test for entries that stand as the demo brought them.
func isDemo() (func(sqlite.FAQEntry) bool, error) {
	demo, err := offline.Demo()
	if err != nil {
		return nil, fmt.Errorf("built-in FAQ: %w", err)
	}
	type said struct{ question, answer string }
	known := make(map[said]struct{}, len(demo))
	for _, e := range demo {
		known[said{e.Question, e.Answer}] = struct{}{}
	}
	return func(e sqlite.FAQEntry) bool { _, ok := known[said{e.Question, e.Answer}]; return ok }, nil
}

func offlineEntry(r sqlite.FAQEntry) offline.Entry {
	return offline.Entry{ID: r.ID, Lang: r.Lang, Question: r.Question, Answer: r.Answer, Alternatives: r.Alternatives}
}

// faqSearch gives the answerer the store's candidates.
type faqSearch struct {
	faq  *sqlite.FAQ
	mute func(sqlite.FAQEntry) bool
}

// Search implements offline.FAQ.
func (f faqSearch) Search(ctx context.Context, text, lang string, limit int) ([]offline.Match, error) {
	rows, err := f.faq.Search(ctx, text, lang, limit)
	out := make([]offline.Match, 0, len(rows))
	for _, r := range rows {
		if f.mute(r.FAQEntry) {
			continue
		}
		out = append(out, offline.Match{Entry: offlineEntry(r.FAQEntry), Score: r.Score})
	}
	return out, err
}

// curated is the engine's view of the FAQ.
type curated struct{ p *parts }

// Exact implements engine.Curated.
func (c curated) Exact(ctx context.Context, text, _ string) (engine.CuratedAnswer, bool) {
	if !c.p.settings.Current().FAQ.Exact {
		return engine.CuratedAnswer{}, false
	}
	a, err := c.p.answerer.Load().Exact(ctx, text)
	if err != nil {
		c.p.log.Error("the FAQ could not be searched", "err", err)
	}
	if err != nil || !a.Found {
		return engine.CuratedAnswer{}, false
	}
	c.p.faqNotes.hit(a.Entry)
	return engine.CuratedAnswer{Text: a.Text, Title: a.Title, Found: true}, true
}

// Best implements engine.Curated.
func (c curated) Best(ctx context.Context, text, locale string) engine.CuratedAnswer {
	a, err := c.p.answerer.Load().Answer(ctx, text, locale)
	if err != nil {
		c.p.log.Error("the FAQ could not be searched", "err", err)
	}
	if a.Found {
		c.p.faqNotes.hit(a.Entry)
	}
	return engine.CuratedAnswer{Text: a.Text, Title: a.Title, Found: a.Found}
}

// prompter is the engine's view of the prompt builder.
type prompter struct{ p *parts }

// knowledge is how many FAQ entries stand beside a question in the prompt.
const knowledge = 4

// Prompt implements engine.Prompter.
func (x prompter) Prompt(ctx context.Context, head *chat.Conversation, msgs, open []chat.Message) (engine.Prompt, error) {
	s := x.p.settings.Current()
	question := open[len(open)-1].Text
	made, err := x.p.prompts.Assemble(ctx, &prompt.Input{
		Head: *head, Messages: msgs, Question: open, Instructions: s.Site.Instructions, Site: s.Site.Name,
		Locale: head.Visitor.Locale, Knowledge: x.p.passages(ctx, question, head.Visitor.Locale),
		Budget: s.Context.Tokens, Model: s.Upstream.Model, Summary: x.p.summaryOf(ctx, head, msgs),
	})
	if err != nil {
		return engine.Prompt{}, err
	}
	out := engine.Prompt{Call: made.Call, Release: made.Release}
	out.Call.MaxTokens = s.Limits.AnswerTokens
	if t := &s.Upstream.Temperature; *t >= 0 {
		out.Call.Temperature = t // settings in force are never changed
	}
	if s.Context.KeepPrompt {
		out.Trace = made.JSON()
	}
	return out, nil
}

// passages are the FAQ entries nearest to a question, as trusted knowledge.
func (p *parts) passages(ctx context.Context, question, locale string) []prompt.Passage {
	a, err := p.answerer.Load().Answer(ctx, question, locale)
	if err != nil {
		return nil
	}
	var out []prompt.Passage
	if a.Found {
		out = append(out, prompt.Passage{Title: a.Title, Text: a.Text})
	}
	for _, m := range a.Near {
		if len(out) < knowledge && m.Score >= 0.2 {
			out = append(out, prompt.Passage{Title: m.Question, Text: m.Answer})
		}
	}
	return out
}
