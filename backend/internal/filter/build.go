package filter

import (
	"fmt"
	"slices"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/filter/pattern"
	"haoke/backend/internal/filter/personal"
	"haoke/backend/internal/filter/words"
)

// builder compiles a Config direction by direction and shares between them
// what is equal.
type builder struct {
	cfg      Config
	report   *Report
	gathered []*gathered
}

func newBuilder(cfg Config, r *Report) *builder { return &builder{cfg: cfg, report: r} }

func (b *builder) way(dir chat.Direction) (*way, error) {
	w := &way{dir: dir}
	if err := b.words(w); err != nil {
		return nil, err
	}
	if err := b.patterns(w); err != nil {
		return nil, err
	}
	return w, nil
}

// action is what a rule does in a direction.
func (b *builder) action(a chat.Action, dir chat.Direction) chat.Action {
	if a == "" {
		if a = b.cfg.DefaultIn; dir == chat.Outbound {
			a = b.cfg.DefaultOut
		}
	}
	if b.cfg.Shadow {
		return chat.ActionNote
	}
	return a
}

// words gathers the entries of all lists, each word once with its strictest
// fate, and compiles them.
func (b *builder) words(w *way) error {
	if b.cfg.WordsOff {
		return nil
	}
	first := w.dir == chat.Inbound // problems are reported once
	g := b.gather(w.dir, first)
	b.rules(w, g, first)
	if len(g.entries) == 0 {
		return nil
	}
	if g.set == nil {
		var err error
		if g.set, err = words.Build(g.entries); err != nil {
			return err
		}
		if b.cfg.Pinyin {
			if g.pinyin, err = words.BuildPinyin(g.entries); err != nil {
				return err
			}
		}
	}
	w.words, w.pinyin = g.set, g.pinyin
	b.report.Words = max(b.report.Words, len(g.entries))
	b.report.Bytes = max(b.report.Bytes, w.words.Bytes())
	return nil
}

// gathered are the entries that a choice of lists comes to.
type gathered struct {
	lists   []int // the lists, by their place in the configuration
	entries []words.Entry
	from    []int32 // the list of each entry; len(Words): an exception
	doubles []double
	only    map[int32]string // exceptions to single rules
	set     *words.Set
	pinyin  *words.Set
}

// double is a further place in which an entry stands.
type double struct {
	entry, list int32
	text        string
}

// gather returns the entries for a direction; directions with the same lists
// share them.
func (b *builder) gather(dir chat.Direction, report bool) *gathered {
	var lists []int
	for i, l := range b.cfg.Words {
		if l.Direction.covers(dir) {
			lists = append(lists, i)
		}
	}
	for _, g := range b.gathered {
		if slices.Equal(g.lists, lists) {
			return g
		}
	}
	g := &gathered{lists: lists, only: map[int32]string{}}
	byKey := map[string]int32{}
	for _, i := range lists {
		b.list(g, int32(i), byKey, report)
	}
	b.allow(g, byKey, report)
	b.gathered = append(b.gathered, g)
	return g
}

func (b *builder) list(g *gathered, list int32, byKey map[string]int32, report bool) {
	l := &b.cfg.Words[list]
	for _, text := range l.Entries {
		in, err := words.Parse(text)
		if err != nil {
			if report {
				b.report.add(l.Name, text, err.Error()+": left out")
			}
			continue
		}
		if old, ok := byKey[in.Key]; ok {
			g.doubles = append(g.doubles, double{old, list, text})
			continue
		}
		if in.Letters == 1 && report {
			reason := "is a single character and will hit very often"
			if in.Alphabetic {
				reason = "is a single letter and will hit wherever it stands alone"
			}
			b.report.add(l.Name, text, reason)
		}
		byKey[in.Key] = int32(len(g.entries))
		g.add(text, list)
	}
}

func (g *gathered) add(text string, list int32) {
	g.entries = append(g.entries, words.Entry{Text: text, Rule: int32(len(g.entries))})
	g.from = append(g.from, list)
}

// rules says what the entries do in a direction.
func (b *builder) rules(w *way, g *gathered, report bool) {
	w.wordRule = make([]rule, len(g.entries))
	for i, e := range g.entries {
		if int(g.from[i]) == len(b.cfg.Words) {
			w.wordRule[i] = rule{name: e.Text, list: "allow", allow: true, only: g.only[int32(i)]}
			continue
		}
		w.wordRule[i] = b.rule(g.from[i], e.Text, w.dir)
	}
	for _, d := range g.doubles {
		b.double(&w.wordRule[d.entry], b.rule(d.list, d.text, w.dir), report)
	}
}

func (b *builder) rule(list int32, text string, dir chat.Direction) rule {
	l := &b.cfg.Words[list]
	return rule{name: text, list: l.Name, category: l.Category, replace: l.Replace, action: b.action(l.Action, dir)}
}

// double settles a word that stands in several places: the strictest wins.
func (b *builder) double(old *rule, r rule, report bool) {
	if report {
		reason := fmt.Sprintf("is there twice (also in %q)", old.list)
		if old.action != r.action {
			strict := old.action
			if r.action.Rank() > strict.Rank() {
				strict = r.action
			}
			reason = fmt.Sprintf("is also in %q with action %s: the stricter %s applies", old.list, old.action, strict)
		}
		b.report.add(r.list, r.name, reason)
	}
	if r.action.Rank() > old.action.Rank() {
		*old = r
	}
}

// exceptions are the texts in which nothing, or one rule nothing, is found.
func (b *builder) exceptions() []Exception {
	out := make([]Exception, 0, len(b.cfg.Allow)+len(b.cfg.Except))
	for _, text := range b.cfg.Allow {
		out = append(out, Exception{Text: text})
	}
	return append(out, b.cfg.Except...)
}

// allow adds the exceptions.
func (b *builder) allow(g *gathered, byKey map[string]int32, report bool) {
	for _, x := range b.exceptions() {
		in, err := words.Parse(x.Text)
		if err != nil {
			if report {
				b.report.add("allow", x.Text, err.Error()+": left out")
			}
			continue
		}
		if old, ok := byKey[in.Key]; ok && x.Rule == "" && report {
			b.report.add("allow", x.Text, fmt.Sprintf("is also in %q: the exception wins", b.cfg.Words[g.from[old]].Name))
		}
		g.only[int32(len(g.entries))] = x.Rule
		g.add(x.Text, int32(len(b.cfg.Words)))
	}
}

func (b *builder) patterns(w *way) error {
	if b.cfg.PatternsOff {
		return nil
	}
	var specs []pattern.Spec
	for _, p := range b.cfg.Patterns {
		if !p.Direction.covers(w.dir) {
			continue
		}
		specs = append(specs, pattern.Spec{Name: p.Name, Expr: p.Expr})
		w.patRule = append(w.patRule, rule{name: p.Name, category: p.Category, replace: p.Replace, action: b.action(p.Action, w.dir)})
	}
	seen := map[string]bool{}
	for _, d := range b.cfg.Personal {
		kinds, err := personal.Select([]string{d.Name})
		if err != nil {
			return err
		}
		act := d.Action
		if act == "" {
			act = chat.ActionMask
		}
		for _, k := range kinds {
			if !d.Direction.covers(w.dir) || seen[k.Name] {
				continue // the first rule for a detector counts
			}
			seen[k.Name] = true
			specs = append(specs, k.Spec())
			w.patRule = append(w.patRule, rule{name: k.Name, category: "personal", action: b.action(act, w.dir)})
		}
	}
	if len(specs) == 0 {
		return nil
	}
	set, err := pattern.Compile(specs, b.cfg.Window)
	if err != nil {
		return err
	}
	w.patterns = set
	b.report.Patterns = max(b.report.Patterns, len(specs))
	return nil
}
