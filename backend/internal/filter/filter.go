package filter

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/filter/pattern"
	"haoke/backend/internal/filter/words"
)

// fate is what is to be done with a match. It is shared by all entries of a
// list that say nothing else.
type fate struct {
	list     string
	category string
	replace  string
	action   chat.Action
	allow    bool
}

// rule is what a match means.
type rule struct {
	name string
	only string // of an exception: the one rule it is for; empty: all
	*fate
}

// way is the compiled filter of one direction.
type way struct {
	dir      chat.Direction
	words    *words.Set   // nil: none
	pinyin   *words.Set   // nil: off
	patterns *pattern.Set // nil: none
	texts    []string     // the entries of words, by their number
	fate     []int32      // of each, an index into fates
	fates    []fate
	allow    int32            // entries from here on are exceptions
	only     map[int32]string // exceptions to single rules
	patRule  []rule
}

// Filter is a compiled set of rules. It is immutable and safe for concurrent
// use.
type Filter struct {
	cfg    Config
	ways   [2]*way
	report Report
	pool   *sync.Pool // of *run
	pool2  *sync.Pool // of *Stream
}

// New compiles cfg. An error names the list and the entry or the pattern that
// cannot be compiled. Oddities that do no harm are in Report.
func New(cfg Config) (*Filter, error) {
	if cfg.DefaultIn == chat.ActionAllow {
		cfg.DefaultIn = chat.ActionBlock
	}
	if cfg.DefaultOut == chat.ActionAllow {
		cfg.DefaultOut = chat.ActionMask
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	f := &Filter{cfg: cfg}
	f.pool = &sync.Pool{New: func() any { return new(run) }}
	f.pool2 = &sync.Pool{New: func() any { return new(Stream) }}
	if err := checkActions(cfg); err != nil {
		return nil, err
	}
	b := newBuilder(cfg, &f.report)
	for i, dir := range []chat.Direction{chat.Inbound, chat.Outbound} {
		w, err := b.way(dir)
		if err != nil {
			return nil, fmt.Errorf("compile filter: %w", err)
		}
		f.ways[i] = w
	}
	return f, nil
}

// Report tells what New found.
func (f *Filter) Report() Report { return f.report }

func (f *Filter) way(dir chat.Direction) *way {
	if dir == chat.Outbound {
		return f.ways[1]
	}
	return f.ways[0]
}

// Check filters one whole text. Invalid UTF-8 is replaced before anything
// else. A clean text costs no allocation and comes back unchanged.
func (f *Filter) Check(dir chat.Direction, text string) chat.Verdict {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	w := f.way(dir)
	r := f.pool.Get().(*run)
	r.reset(w)
	r.time(f.cfg.Observer != nil, f.cfg.Now)
	r.scan(text, 0)
	r.finish(text)
	v := chat.Verdict{Text: text}
	if len(r.spans) > 0 {
		v = f.verdict(w, r, text)
	}
	f.observe(w, r, v.Hits)
	f.pool.Put(r)
	return v
}

// verdict applies every span of a whole text.
func (f *Filter) verdict(w *way, r *run, text string) chat.Verdict {
	r.settle(len(text))
	v := chat.Verdict{Text: text}
	for _, sp := range r.ready {
		h := w.hit(sp, text, 0)
		v.Hits = append(v.Hits, h)
		if h.Action.Rank() > v.Action.Rank() {
			v.Action = h.Action
		}
	}
	if out, changed := f.apply(w, nil, text, 0, len(text), r.ready); changed {
		v.Text = string(out)
	}
	return v
}

func (f *Filter) observe(w *way, r *run, hits []chat.Hit) {
	o := f.cfg.Observer
	if o == nil {
		return
	}
	o.FilterTime(chat.LayerWords, w.dir, r.wordsTime)
	o.FilterTime(chat.LayerPatterns, w.dir, r.patternsTime)
	for _, h := range hits {
		o.FilterHit(w.dir, h)
	}
}

// hit turns a span into what the outside sees; base is the offset of text in
// the whole.
func (w *way) hit(sp span, text string, base int) chat.Hit {
	rl := w.rule(sp)
	h := chat.Hit{Layer: sp.layer(), Rule: rl.name, Category: rl.category, Action: rl.action,
		Start: base + sp.start, End: base + sp.end}
	m := text[sp.start:sp.end]
	if len(m) > 100 {
		m = m[:100]
		for !utf8.ValidString(m) {
			m = m[:len(m)-1]
		}
	}
	h.Match = strings.Clone(m)
	return h
}

func (w *way) rule(sp span) rule {
	if sp.pattern {
		return w.patRule[sp.rule]
	}
	return rule{name: w.texts[sp.rule], only: w.only[sp.rule], fate: &w.fates[w.fate[sp.rule]]}
}

func checkActions(cfg Config) error {
	for _, a := range []chat.Action{cfg.DefaultIn, cfg.DefaultOut} {
		if a != "" && a.Rank() == 0 {
			return fmt.Errorf("filter action %q: must be block, mask, replace, handover or note", a)
		}
	}
	for _, l := range cfg.Words {
		if l.Action != "" && l.Action.Rank() == 0 {
			return fmt.Errorf("word list %q: action %q: must be block, mask, replace, handover or note", l.Name, l.Action)
		}
		if err := checkScope(l.Direction); err != nil {
			return fmt.Errorf("word list %q: %w", l.Name, err)
		}
		for i, own := range l.Own {
			if own.Action != "" && own.Action.Rank() == 0 {
				return fmt.Errorf("word list %q: entry %d: action %q: must be block, mask, replace, handover or note", l.Name, i+1, own.Action)
			}
		}
	}
	for _, d := range cfg.Personal {
		if d.Action != "" && d.Action.Rank() == 0 {
			return fmt.Errorf("detector %q: action %q: must be block, mask, replace, handover or note", d.Name, d.Action)
		}
		if err := checkScope(d.Direction); err != nil {
			return fmt.Errorf("detector %q: %w", d.Name, err)
		}
	}
	for _, p := range cfg.Patterns {
		if p.Action != "" && p.Action.Rank() == 0 {
			return fmt.Errorf("pattern %q: action %q: must be block, mask, replace, handover or note", p.Name, p.Action)
		}
		if err := checkScope(p.Direction); err != nil {
			return fmt.Errorf("pattern %q: %w", p.Name, err)
		}
	}
	return nil
}

var errScope = errors.New(`direction must be "in", "out" or "both"`)

func checkScope(s Scope) error {
	if s == "" || s == Both || s == InOnly || s == OutOnly {
		return nil
	}
	return fmt.Errorf("%w, not %q", errScope, s)
}

// Holder holds the Filter in force. The zero value holds none: Get then
// returns nil.
type Holder struct{ p atomic.Pointer[Filter] }

// Get returns the Filter in force; a text or stream keeps the one it began with.
func (h *Holder) Get() *Filter { return h.p.Load() }

// Set puts f in force for texts and streams that begin from now on.
func (h *Holder) Set(f *Filter) { h.p.Store(f) }
