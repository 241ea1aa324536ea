package filter

import (
	"cmp"
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
	if g.draft.Len() == 0 {
		return nil
	}
	if g.set == nil {
		g.set = g.draft.Build()
		if b.cfg.Pinyin {
			g.pinyin = g.draft.BuildPinyin()
		}
	}
	w.words, w.pinyin = g.set, g.pinyin
	b.report.Words = max(b.report.Words, g.draft.Len())
	b.report.Bytes = max(b.report.Bytes, w.words.Bytes())
	return nil
}

// gathered are the entries that a choice of lists comes to.
type gathered struct {
	lists   []int // the lists, by their place in the configuration
	draft   *words.Draft
	texts   []string // of the entries
	from    []place
	doubles []double
	allow   int              // entries from here on are exceptions
	only    map[int32]string // exceptions to single rules
	set     *words.Set
	pinyin  *words.Set
}

// place is where an entry stands: a list, and its row there.
type place struct{ list, row int32 }

// double is a further place in which an entry stands.
type double struct {
	entry int32
	at    place
}

// gather returns the entries for a direction; directions with the same lists
// share them.
func (b *builder) gather(dir chat.Direction, report bool) *gathered {
	var lists []int
	room := len(b.cfg.Allow) + len(b.cfg.Except)
	for i, l := range b.cfg.Words {
		if l.Direction.covers(dir) {
			lists = append(lists, i)
			room += len(l.Entries)
		}
	}
	for _, g := range b.gathered {
		if slices.Equal(g.lists, lists) {
			return g
		}
	}
	g := &gathered{
		lists: lists, only: map[int32]string{}, draft: words.NewDraft(room),
		texts: make([]string, 0, room), from: make([]place, 0, room),
	}
	for _, i := range lists {
		b.list(g, int32(i), report)
	}
	b.allow(g, report)
	b.gathered = append(b.gathered, g)
	return g
}

func (b *builder) list(g *gathered, list int32, report bool) {
	l := &b.cfg.Words[list]
	for row, text := range l.Entries {
		at := place{list, int32(row)}
		i, fresh, err := g.draft.Add(text)
		switch {
		case err != nil:
			if report {
				b.report.add(l.Name, text, err.Error()+": left out")
			}
			continue
		case !fresh:
			g.doubles = append(g.doubles, double{int32(i), at})
			continue
		case report && g.draft.Letters(i) == 1:
			reason := "is a single character and will hit very often"
			if g.draft.Alphabetic(i) {
				reason = "is a single letter and will hit wherever it stands alone"
			}
			b.report.add(l.Name, text, reason)
		}
		g.texts, g.from = append(g.texts, text), append(g.from, at)
	}
}

// rules says what the entries do in a direction. Entries of the same fate
// share it: a list of a hundred thousand costs a number for each.
func (b *builder) rules(w *way, g *gathered, report bool) {
	w.texts, w.allow, w.only = g.texts, int32(g.allow), g.only
	w.fate = make([]int32, len(g.texts))
	f := fates{w: w, number: map[fate]int32{}}
	for i, at := range g.from[:g.allow] {
		w.fate[i] = f.of(b.fate(at, w.dir))
	}
	except := f.of(fate{list: "allow", allow: true})
	for i := g.allow; i < len(g.texts); i++ {
		w.fate[i] = except
	}
	for _, d := range g.doubles {
		b.double(w, &f, d, report)
	}
}

// fates numbers the distinct fates of a direction.
type fates struct {
	w      *way
	number map[fate]int32
	last   fate
	lastNo int32
}

func (f *fates) of(x fate) int32 {
	if x == f.last && len(f.w.fates) > 0 {
		return f.lastNo // entries of one list stand together
	}
	no, ok := f.number[x]
	if !ok {
		no = int32(len(f.w.fates))
		f.w.fates = append(f.w.fates, x)
		f.number[x] = no
	}
	f.last, f.lastNo = x, no
	return no
}

// fate is what the list, or the entry itself, wants done.
func (b *builder) fate(at place, dir chat.Direction) fate {
	l := &b.cfg.Words[at.list]
	category, action := l.Category, l.Action
	if int(at.row) < len(l.Own) {
		if own := l.Own[at.row]; own != (Own{}) {
			category, action = cmp.Or(own.Category, category), cmp.Or(own.Action, action)
		}
	}
	return fate{list: l.Name, category: category, replace: l.Replace, action: b.action(action, dir)}
}

// double settles a word that stands in several places: the strictest wins.
func (b *builder) double(w *way, f *fates, d double, report bool) {
	old, now := w.fates[w.fate[d.entry]], b.fate(d.at, w.dir)
	text := b.cfg.Words[d.at.list].Entries[d.at.row]
	if report {
		reason := fmt.Sprintf("is there twice (also in %q)", old.list)
		if old.action != now.action {
			strict := old.action
			if now.action.Rank() > strict.Rank() {
				strict = now.action
			}
			reason = fmt.Sprintf("is also in %q with action %s: the stricter %s applies", old.list, old.action, strict)
		}
		b.report.add(now.list, text, reason)
	}
	if now.action.Rank() > old.action.Rank() {
		w.fate[d.entry] = f.of(now)
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
func (b *builder) allow(g *gathered, report bool) {
	g.allow = len(g.texts)
	for _, x := range b.exceptions() {
		i, twin, err := g.draft.Append(x.Text)
		if err != nil {
			if report {
				b.report.add("allow", x.Text, err.Error()+": left out")
			}
			continue
		}
		if twin >= 0 && twin < g.allow && x.Rule == "" && report {
			b.report.add("allow", x.Text, fmt.Sprintf("is also in %q: the exception wins", b.cfg.Words[g.from[twin].list].Name))
		}
		g.only[int32(i)] = x.Rule
		g.texts = append(g.texts, x.Text)
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
		w.patRule = append(w.patRule, rule{name: p.Name, fate: &fate{category: p.Category, replace: p.Replace, action: b.action(p.Action, w.dir)}})
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
			w.patRule = append(w.patRule, rule{name: k.Name, fate: &fate{category: "personal", action: b.action(act, w.dir)}})
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
