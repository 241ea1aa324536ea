package filter

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/filter/pattern"
	"haoke/backend/internal/filter/words"
)

// span is a match of a rule; offsets are into the text under the run.
type span struct {
	start, end int
	rule       int32
	pattern    bool
	allow      bool
}

func (sp span) layer() chat.Layer {
	if sp.pattern {
		return chat.LayerPatterns
	}
	return chat.LayerWords
}

// run is one pass over one text, whole or growing.
type run struct {
	w     *way
	words words.State
	pin   words.State
	pats  pattern.State
	spans []span // found and not yet settled
	allow []span // exceptions to single rules, during settle
	ready []span // settled by the latest settle, without exceptions and what they cover

	addWord func(words.Match) // made once, so that scanning does not allocate
	addPat  func(pattern.Match)

	timed                   bool
	now                     func() time.Time
	wordsTime, patternsTime time.Duration
}

func (r *run) reset(w *way) {
	r.w = w
	r.words.Reset()
	r.pin.Reset()
	r.pats.Reset()
	r.spans, r.ready = r.spans[:0], r.ready[:0]
	r.timed, r.wordsTime, r.patternsTime = false, 0, 0
	if r.addWord == nil {
		r.addWord = func(m words.Match) {
			r.spans = append(r.spans, span{m.Start, m.End, m.Rule, false, m.Rule >= r.w.allow})
		}
		r.addPat = func(m pattern.Match) {
			r.spans = append(r.spans, span{m.Start, m.End, int32(m.Pattern), true, false})
		}
	}
}

func (r *run) time(on bool, now func() time.Time) { r.timed, r.now = on, now }

// scan reads text[from:] with both layers.
func (r *run) scan(text string, from int) {
	var t0, t1 time.Time
	if r.timed {
		t0 = r.now()
	}
	if s := r.w.words; s != nil {
		s.Scan(&r.words, text, from)
		if !r.words.Clean() {
			s.Resolve(&r.words, text, false, r.addWord)
		}
	}
	if s := r.w.pinyin; s != nil {
		s.Scan(&r.pin, text, from)
		if !r.pin.Clean() {
			s.Resolve(&r.pin, text, false, r.addWord)
		}
	}
	if r.timed {
		t1 = r.now()
		r.wordsTime += t1.Sub(t0)
	}
	if s := r.w.patterns; s != nil {
		s.Scan(&r.pats, text, from, r.addPat)
	}
	if r.timed {
		r.patternsTime += r.now().Sub(t1)
	}
}

// finish ends the text.
func (r *run) finish(text string) {
	if s := r.w.words; s != nil && !r.words.Clean() {
		s.Resolve(&r.words, text, true, r.addWord)
	}
	if s := r.w.pinyin; s != nil && !r.pin.Clean() {
		s.Resolve(&r.pin, text, true, r.addWord)
	}
	if s := r.w.patterns; s != nil {
		s.Close(&r.pats, text, r.addPat)
	}
}

// hold returns the offset before which everything is certain.
func (r *run) hold(text string) int {
	h := len(text)
	if s := r.w.words; s != nil {
		h = s.Hold(&r.words, text)
	}
	if s := r.w.pinyin; s != nil {
		h = min(h, s.Hold(&r.pin, text))
	}
	if r.w.patterns != nil {
		h = min(h, r.pats.Hold(len(text)))
	}
	return h
}

// shift tells that n bytes were cut from the front of the text.
func (r *run) shift(n int) {
	r.words.Shift(n)
	r.pin.Shift(n)
	r.pats.Shift(n)
	for i := range r.spans {
		r.spans[i].start -= n
		r.spans[i].end -= n
	}
}

// settle moves the spans that begin before limit from spans to ready, without
// exceptions and what lies within them, sorted by place. It returns limit,
// moved back to where no span lies across it.
func (r *run) settle(limit int) int {
	r.ready = r.ready[:0]
	if len(r.spans) == 0 {
		return limit
	}
	slices.SortFunc(r.spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end), boolCmp(b.allow, a.allow), cmp.Compare(a.rule, b.rule), boolCmp(a.pattern, b.pattern))
	})
	r.spans = slices.Compact(r.spans)
	for i := len(r.spans) - 1; i >= 0; i-- {
		// sorted by start: a span pulled in by a lower limit comes later in this loop
		if sp := r.spans[i]; sp.start < limit && limit < sp.end {
			limit = sp.start
		}
	}
	kept := r.spans[:0]
	r.allow = r.allow[:0]
	allowEnd := -1 // the furthest end of an exception to all rules so far
	for _, sp := range r.spans {
		switch {
		case sp.start >= limit:
			kept = append(kept, sp)
		case sp.allow && r.w.only[sp.rule] != "":
			r.allow = append(r.allow, sp)
		case sp.allow:
			allowEnd = max(allowEnd, sp.end)
		case sp.end > allowEnd && !r.excepted(sp):
			r.ready = append(r.ready, sp)
		}
	}
	r.spans = kept
	return limit
}

// excepted reports whether sp lies within an exception to its own rule.
func (r *run) excepted(sp span) bool {
	for _, a := range r.allow {
		if sp.end <= a.end && r.w.only[a.rule] == r.w.rule(sp).name {
			return true
		}
	}
	return false
}

func boolCmp(a, b bool) int {
	if a == b {
		return 0
	}
	if b {
		return -1
	}
	return 1
}

// apply appends text[from:to] to out with the spans' masks and replacements
// and reports whether any of it changed. Overlapping spans are covered as one,
// by the strictest.
func (f *Filter) apply(w *way, out []byte, text string, from, to int, spans []span) ([]byte, bool) {
	changed := false
	pos := from
	start, end := 0, 0
	var top *fate // of the overlapping spans [start, end)
	flush := func() {
		if top == nil {
			return
		}
		out = append(out, text[pos:start]...)
		out = f.cover(out, top, text[start:end])
		pos, top, changed = end, nil, true
	}
	for _, sp := range spans {
		rl := w.rule(sp).fate
		if rl.action != chat.ActionMask && rl.action != chat.ActionReplace {
			continue
		}
		if top != nil && sp.start >= end {
			flush()
		}
		if top == nil {
			start, end, top = sp.start, sp.end, rl
			continue
		}
		end = max(end, sp.end)
		if rl.action.Rank() > top.action.Rank() {
			top = rl
		}
	}
	flush()
	return append(out, text[pos:to]...), changed
}

// cover appends what stands in place of a match.
func (f *Filter) cover(out []byte, rl *fate, match string) []byte {
	switch {
	case rl.action == chat.ActionReplace:
		return append(out, rl.replace...)
	case f.cfg.Mask == MaskThree:
		return append(out, "***"...)
	case f.cfg.Mask == MaskLabel && rl.category != "":
		return append(append(append(out, '['), rl.category...), ']')
	case f.cfg.Mask == MaskLabel:
		return append(out, "[***]"...)
	}
	return append(out, strings.Repeat("*", utf8.RuneCountInString(match))...)
}
