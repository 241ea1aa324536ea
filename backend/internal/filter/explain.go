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

// Normalise returns text as the words layer reads it: for search in lists and
// for showing why something matched.
func Normalise(text string) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	return fold.Default().String(text)
}
