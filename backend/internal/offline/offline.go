// Package offline answers without an upstream: it finds the entry of the
// owner's FAQ that means the same as the visitor's question, and says so
// kindly when there is none. It also recognises questions for which the owner
// has written an answer by hand, which then wins over the upstream.
//
// Candidates come from an index in memory (features of words, so that synonyms
// meet, and pairs of letters, so that misspelt words do); entries that do not
// fit into it are found by the store's full-text search. One scoring decides
// among them all.
package offline

import (
	"context"
	"fmt"
	"sync/atomic"

	"haoke/backend/internal/tokens/terms"
)

// Entry is one question of the FAQ with its answer.
type Entry struct {
	ID           int64
	Lang         string // "en", "zh", ...; empty: any language
	Question     string
	Answer       string
	Alternatives []string // other wordings of the question
}

// Match is a candidate that a FAQ store found. Score is the store's own and
// only orders candidates.
type Match struct {
	Entry
	Score float64
}

// FAQ finds candidates for a question, best first, at most limit. An empty
// lang means any language.
type FAQ interface {
	Search(ctx context.Context, text, lang string, limit int) ([]Match, error)
}

// Config of an Answerer. The zero value is usable.
type Config struct {
	// Threshold is the least score (0 to 1) at which an entry counts as the
	// answer; 0: 0.46, where few answers of the test's question set are
	// wrong: a wrong one is worse than the offer of a person.
	Threshold float64
	// ExactThreshold is the least score at which a curated answer wins over
	// the upstream; 0: 0.93.
	ExactThreshold float64
	// Candidates is how many candidates are asked of the store; 0: 24.
	Candidates int
	// MaxEntries bounds the index in memory; 0: 10000. What is above it is
	// found through the store alone.
	MaxEntries int
}

// Answer is what the offline answerer says.
type Answer struct {
	Text  string
	Entry int64  // 0: none matched
	Title string // the entry's question
	Score float64
	Found bool
	// Lang is the language of Text.
	Lang string
	// Near are the next best entries, best first, at most 3, for "did you
	// mean" and for the owner's list of unanswered questions.
	Near []Match
}

// Answerer answers from the FAQ. It is safe for concurrent use.
type Answerer struct {
	cfg   Config
	faq   FAQ
	lex   *terms.Lexicon
	index atomic.Pointer[index]
}

// New makes an Answerer. faq may be nil: then Load alone supplies entries.
func New(cfg Config, faq FAQ) *Answerer {
	if cfg.Threshold <= 0 {
		cfg.Threshold = 0.46
	}
	if cfg.ExactThreshold <= 0 {
		cfg.ExactThreshold = 0.93
	}
	if cfg.Candidates <= 0 {
		cfg.Candidates = 24
	}
	if cfg.MaxEntries <= 0 {
		cfg.MaxEntries = 10000
	}
	a := &Answerer{cfg: cfg, faq: faq, lex: terms.Shop()}
	a.index.Store(newIndex(a.lex, nil))
	return a
}

// Load replaces the index in memory, at start and whenever the FAQ changes:
// entries must be the whole FAQ. With all of it in memory the store is not
// asked, which makes a search some thirty times cheaper. Entries above Config.MaxEntries are left to the store's search.
func (a *Answerer) Load(entries []Entry) {
	whole := len(entries) <= a.cfg.MaxEntries
	if !whole {
		entries = entries[:a.cfg.MaxEntries]
	}
	ix := newIndex(a.lex, entries)
	ix.whole = whole
	a.index.Store(ix)
}

// Answer finds the entry that answers text. Below the threshold Found is false
// and Text is a kind sentence in the visitor's language that offers a person.
// An error means that the store failed and the index in memory had nothing.
func (a *Answerer) Answer(ctx context.Context, text, locale string) (Answer, error) {
	lang := Language(text, locale)
	ranked, err := a.rank(ctx, text, lang)
	if len(ranked) > 0 && ranked[0].Score >= a.cfg.Threshold {
		best := ranked[0]
		return Answer{
			Text: best.Answer, Entry: best.ID, Title: best.Question, Score: best.Score, Found: true,
			Lang: best.Lang, Near: near(ranked[1:]),
		}, nil
	}
	out := Answer{Text: sorry(lang), Lang: lang, Near: near(ranked)}
	if len(out.Near) > 0 && out.Near[0].Score >= a.cfg.Threshold*suggestFrom {
		out.Text = suggest(lang, out.Near[0].Question) + out.Text
	}
	if len(ranked) > 0 {
		out.Score = ranked[0].Score
	}
	if err != nil && len(ranked) == 0 {
		return out, fmt.Errorf("search FAQ: %w", err)
	}
	return out, nil
}

// Exact returns the owner's curated answer for a question that says (nearly)
// the same as an entry or one of its alternatives. Such an answer wins over
// the upstream. Found is false when there is none.
func (a *Answerer) Exact(ctx context.Context, text string) (Answer, error) {
	plain := canonical(text)
	if ix := a.index.Load(); ix.whole {
		// Every turn asks; nearly all of them end here.
		if _, known := ix.plain[plain]; !known {
			return Answer{}, nil
		}
	}
	ranked, err := a.rank(ctx, text, "")
	if err != nil && len(ranked) == 0 {
		return Answer{}, fmt.Errorf("search FAQ: %w", err)
	}
	for _, m := range ranked {
		if m.Score < a.cfg.ExactThreshold {
			break
		}
		if m.saysExactly(plain) {
			return Answer{
				Text: m.Answer, Entry: m.ID, Title: m.Question, Score: m.Score, Found: true, Lang: m.Lang,
			}, nil
		}
	}
	return Answer{}, nil
}

// suggestFrom is the share of the threshold from which the best entry is
// offered as what the visitor may have meant.
const suggestFrom = 0.6

func near(ranked []Match) []Match {
	var out []Match
	for _, m := range ranked {
		if len(out) == 3 || m.Score <= 0 {
			break
		}
		out = append(out, m)
	}
	return out
}
