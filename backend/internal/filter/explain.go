package filter

import (
	"strings"
	"time"
	"unicode/utf8"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/filter/fold"
)

// Explained is what the tester shows of one text.
type Explained struct {
	Verdict    chat.Verdict
	Normalised string // as the words layer reads it
	Pinyin     string // with characters as syllables; only when that is on
	Layers     []ExplainedLayer
	// Excepted are hits that an exception took back.
	Excepted []chat.Hit
}

// ExplainedLayer is one layer's part.
type ExplainedLayer struct {
	Layer  chat.Layer
	On     bool
	Action chat.Action // the strictest of its hits
	Hits   []chat.Hit
	Reads  []Reading     // of each of Hits
	Took   time.Duration // best of some runs, so that it says what the layer costs
}

// explainRuns is how often Explain runs each layer to time it.
const explainRuns = 5

// Explain says per layer what hits, where and how long it takes. It tells no
// Observer.
func (f *Filter) Explain(dir chat.Direction, text string) Explained {
	text = strings.ToValidUTF8(text, "\uFFFD")
	w := f.way(dir)
	r := new(run)
	wordsTook, patternsTook := time.Duration(-1), time.Duration(-1)
	for range explainRuns {
		r.reset(w)
		r.time(true, f.cfg.Now)
		r.scan(text, 0)
		r.finish(text)
		wordsTook, patternsTook = least(wordsTook, r.wordsTime), least(patternsTook, r.patternsTime)
	}
	all := append([]span(nil), r.spans...)
	x := Explained{Verdict: f.verdict(w, r, text), Normalised: fold.Default().String(text)}
	if w.pinyin != nil {
		x.Pinyin = w.pinyin.Spelling(text)
	}
	x.Layers = []ExplainedLayer{
		{Layer: chat.LayerWords, On: w.words != nil, Took: wordsTook},
		{Layer: chat.LayerPatterns, On: w.patterns != nil, Took: patternsTook},
	}
	for _, h := range x.Verdict.Hits {
		l := &x.Layers[0]
		if h.Layer == chat.LayerPatterns {
			l = &x.Layers[1]
		}
		l.Hits = append(l.Hits, h)
		if match := text[h.Start:h.End]; h.Layer == chat.LayerWords {
			l.Reads = append(l.Reads, readWord(match, h.Rule))
		} else {
			l.Reads = append(l.Reads, readLight(match))
		}
		if h.Action.Rank() > l.Action.Rank() {
			l.Action = h.Action
		}
	}
	x.Excepted = w.excepted(all, r.ready, text)
	return x
}

func least(a, b time.Duration) time.Duration {
	if a < 0 || b < a {
		return b
	}
	return a
}

// excepted lists the spans that were found and are not among those that count.
func (w *way) excepted(all, counted []span, text string) []chat.Hit {
	ok := map[span]bool{}
	for _, sp := range counted {
		ok[sp] = true
	}
	var out []chat.Hit
	for _, sp := range all {
		if !sp.allow && !ok[sp] {
			ok[sp] = true
			out = append(out, w.hit(sp, text, 0))
		}
	}
	return out
}

// Draft are rules that are not saved yet.
type Draft struct {
	Alone    bool // without the filter's own rules
	Words    []string
	Patterns []Pattern
	Allow    []string
	Category string      // of Words
	Action   chat.Action // of Words
	Replace  string      // of Words
	Mask     *MaskStyle  // nil: the filter's
	Pinyin   *bool       // nil: the filter's
}

// DraftList is the name of a draft's words among the lists.
const DraftList = "draft"

// With returns a filter with a draft's rules beside its own, or in their place.
// It costs as much as New.
func (f *Filter) With(d Draft) (*Filter, error) {
	cfg := f.cfg
	if d.Alone {
		cfg.Words, cfg.Allow, cfg.Except, cfg.Patterns, cfg.Personal = nil, nil, nil, nil, nil
	}
	cfg.Observer, cfg.WordsOff, cfg.PatternsOff = nil, false, false
	draft := WordList{Name: DraftList, Category: d.Category, Action: d.Action, Replace: d.Replace, Entries: d.Words}
	cfg.Words = append([]WordList{draft}, cfg.Words...)
	cfg.Allow = append(append([]string(nil), cfg.Allow...), d.Allow...)
	cfg.Patterns = append(append([]Pattern(nil), cfg.Patterns...), d.Patterns...)
	if d.Mask != nil {
		cfg.Mask = *d.Mask
	}
	if d.Pinyin != nil {
		cfg.Pinyin = *d.Pinyin
	}
	return New(cfg)
}

// Normalise returns text as the words layer reads it: for search in lists and
// for showing why something matched.
func Normalise(text string) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	return fold.Default().String(text)
}
