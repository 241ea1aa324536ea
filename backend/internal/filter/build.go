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
	cfg          Config
	report       *Report
	shared       *words.Set // of the direction compiled before
	sharedPinyin *words.Set
	sharedWords  []string
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
	entries, byKey := b.gather(w, first)
	b.allow(w, &entries, byKey, first)
	if len(entries) == 0 {
		return nil
	}
	texts := make([]string, len(entries))
	for i, e := range entries {
		texts[i] = e.Text
	}
	if b.shared == nil || !slices.Equal(texts, b.sharedWords) {
		set, err := words.Build(entries)
		if err != nil {
			return err
		}
		b.shared, b.sharedWords = set, texts
		if b.cfg.Pinyin {
			if b.sharedPinyin, err = words.BuildPinyin(entries); err != nil {
				return err
			}
		}
	}
	w.words, w.pinyin = b.shared, b.sharedPinyin
	b.report.Words = max(b.report.Words, len(entries))
	b.report.Bytes = max(b.report.Bytes, w.words.Bytes())
	return nil
}

func (b *builder) gather(w *way, first bool) ([]words.Entry, map[string]int32) {
	var entries []words.Entry
	byKey := map[string]int32{}
	for _, l := range b.cfg.Words {
		if !l.Direction.covers(w.dir) {
			continue
		}
		act := b.action(l.Action, w.dir)
		for _, text := range l.Entries {
			key, err := words.Key(text)
			if err != nil {
				if first {
					b.report.add(l.Name, text, err.Error()+": left out")
				}
				continue
			}
			r := rule{name: text, list: l.Name, category: l.Category, replace: l.Replace, action: act}
			if old, ok := byKey[key]; ok {
				b.double(&w.wordRule[old], r, first)
				continue
			}
			if n, alphabetic := words.Letters(text); n == 1 && first {
				reason := "is a single character and will hit very often"
				if alphabetic {
					reason = "is a single letter and will hit wherever it stands alone"
				}
				b.report.add(l.Name, text, reason)
			}
			byKey[key] = int32(len(entries))
			entries = append(entries, words.Entry{Text: text, Rule: int32(len(entries))})
			w.wordRule = append(w.wordRule, r)
		}
	}
	return entries, byKey
}

// double settles a word that stands in several places: the strictest wins.
func (b *builder) double(old *rule, r rule, first bool) {
	if first {
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
func (b *builder) allow(w *way, entries *[]words.Entry, byKey map[string]int32, first bool) {
	for _, x := range b.exceptions() {
		key, err := words.Key(x.Text)
		if err != nil {
			if first {
				b.report.add("allow", x.Text, err.Error()+": left out")
			}
			continue
		}
		old, listed := byKey[key]
		if listed = listed && !w.wordRule[old].allow; listed && x.Rule == "" {
			if first {
				b.report.add("allow", x.Text, fmt.Sprintf("is also in %q: the exception wins", w.wordRule[old].list))
			}
		}
		*entries = append(*entries, words.Entry{Text: x.Text, Rule: int32(len(*entries))})
		w.wordRule = append(w.wordRule, rule{name: x.Text, list: "allow", allow: true, only: x.Rule})
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
