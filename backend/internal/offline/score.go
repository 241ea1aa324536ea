package offline

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"unicode"

	"haoke/backend/internal/tokens/terms"
)

// phrasing is one wording of an entry's question.
type phrasing struct {
	entry int
	feats []string // distinct features
	grams map[string]struct{}
}

// index holds the entries in memory. It is immutable.
type index struct {
	lex     *terms.Lexicon
	entries []Entry
	phrases []phrasing
	byTerm  map[string][]int32 // feature -> phrases
	byID    map[int64]int
	df      map[string]int // entries that hold a feature
	answers []map[string]struct{}
}

func newIndex(lex *terms.Lexicon, entries []Entry) *index {
	ix := &index{
		lex: lex, entries: entries, byTerm: make(map[string][]int32), byID: make(map[int64]int), df: make(map[string]int),
	}
	for i, e := range entries {
		ix.byID[e.ID] = i
		seen := make(map[string]bool)
		for _, q := range append([]string{e.Question}, e.Alternatives...) {
			p := newPhrasing(lex, i, q)
			for _, f := range p.feats {
				ix.byTerm[f] = append(ix.byTerm[f], int32(len(ix.phrases)))
				if !seen[f] {
					seen[f] = true
					ix.df[f]++
				}
			}
			ix.phrases = append(ix.phrases, p)
		}
		ix.answers = append(ix.answers, toSet(lex.Features(e.Answer)))
	}
	return ix
}

func newPhrasing(lex *terms.Lexicon, entry int, text string) phrasing {
	feats := lex.Features(text)
	slices.Sort(feats)
	return phrasing{entry: entry, feats: slices.Compact(feats), grams: bigrams(text)}
}

// weight is the inverse document frequency of a feature. A feature that no
// entry knows weighs as much as the rarest: a question about something the FAQ
// never mentions must not match by its other words.
func (ix *index) weight(f string) float64 {
	n := float64(len(ix.entries) + 1)
	w := math.Log(1 + n/(float64(ix.df[f])+0.5))
	if f[0] != '@' && strings.IndexFunc(f, func(r rune) bool { return !terms.Wide(r) }) < 0 {
		w *= 0.6 // pairs of characters overlap: a word of n gives n-1 of them
	}
	return w
}

// score compares a question with one wording: how much of the question is
// covered, how much of the wording, and how alike they look letter by letter.
func (ix *index) score(q phrasing, p phrasing) float64 {
	var both, ofQ, ofP float64
	for _, f := range q.feats {
		w := ix.weight(f)
		ofQ += w
		if slices.Contains(p.feats, f) {
			both += w
		} else if _, ok := ix.answerHas(p.entry, f); ok {
			// The answer talks about it: half as good, and no reason
			// to hold it against the entry.
			both += 0.35 * w
		}
	}
	for _, f := range p.feats {
		ofP += ix.weight(f)
	}
	alike := dice(q.grams, p.grams)
	if both == 0 || ofQ == 0 || ofP == 0 {
		return 0.5 * alike * alike
	}
	covered := math.Pow(min(1, both/ofQ), 0.62) * math.Pow(min(1, both/ofP), 0.38)
	return 0.85*covered + 0.15*alike
}

func (ix *index) answerHas(entry int, f string) (struct{}, bool) {
	if entry >= len(ix.answers) {
		return struct{}{}, false
	}
	v, ok := ix.answers[entry][f]
	return v, ok
}

// rank scores all candidates for text, best first.
func (a *Answerer) rank(ctx context.Context, text, lang string) ([]Match, error) {
	ix := a.index.Load()
	q := newPhrasing(a.lex, -1, text)
	best := make(map[int]float64)
	for _, f := range q.feats {
		for _, pi := range ix.byTerm[f] {
			p := ix.phrases[pi]
			if _, done := best[p.entry]; !done {
				best[p.entry] = -1
			}
		}
	}
	found, err := a.search(ctx, text, lang)
	var foreign []Entry
	for _, m := range found {
		if i, ok := ix.byID[m.ID]; ok {
			best[i] = -1
		} else {
			foreign = append(foreign, m.Entry)
		}
	}
	for _, p := range ix.phrases {
		if _, ok := best[p.entry]; ok {
			best[p.entry] = max(best[p.entry], ix.score(q, p))
		}
	}
	out := make([]Match, 0, len(best)+len(foreign))
	for i, s := range best {
		out = append(out, Match{ix.entries[i], forLang(s, ix.entries[i].Lang, lang)})
	}
	for _, e := range foreign {
		var s float64
		for _, w := range append([]string{e.Question}, e.Alternatives...) {
			s = max(s, ix.score(q, newPhrasing(a.lex, math.MaxInt, w)))
		}
		out = append(out, Match{e, forLang(s, e.Lang, lang)})
	}
	slices.SortFunc(out, func(x, y Match) int {
		return cmp.Or(cmp.Compare(y.Score, x.Score), cmp.Compare(x.ID, y.ID))
	})
	return out, err
}

// search asks the store, if there is one.
func (a *Answerer) search(ctx context.Context, text, lang string) ([]Match, error) {
	if a.faq == nil {
		return nil, nil
	}
	return a.faq.Search(ctx, text, lang, a.cfg.Candidates)
}

// forLang prefers entries in the visitor's language: an answer in another one
// helps only where nothing else fits.
func forLang(score float64, have, want string) float64 {
	if want == "" || have == "" || strings.EqualFold(base(have), base(want)) {
		return score
	}
	return 0.8 * score
}

func base(lang string) string {
	b, _, _ := strings.Cut(strings.ReplaceAll(lang, "_", "-"), "-")
	return b
}

// saysExactly reports whether a wording of m is text, punctuation and case
// aside.
func (m Match) saysExactly(plain string) bool {
	if canonical(m.Question) == plain {
		return true
	}
	return slices.ContainsFunc(m.Alternatives, func(w string) bool { return canonical(w) == plain })
}

// canonical is a text without case, width, punctuation, spaces and the polite
// words around a question.
func canonical(s string) string {
	s = terms.Normalize(s)
	for _, polite := range []string{"请问一下", "请问", "你好", "您好", "麻烦问一下", "please", "hello", "hi"} {
		s = strings.TrimLeftFunc(strings.TrimPrefix(s, polite), notWord)
	}
	s = strings.TrimRightFunc(strings.TrimSuffix(strings.TrimRightFunc(s, notWord), "please"), notWord)
	s = strings.TrimRight(s, "吗呢啊呀吧嘛")
	return strings.Map(func(r rune) rune {
		if notWord(r) {
			return -1
		}
		return r
	}, s)
}

func notWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// bigrams are the pairs of neighbouring letters of a text, for comparing
// spelling.
func bigrams(text string) map[string]struct{} {
	rs := []rune(canonical(text))
	out := make(map[string]struct{}, len(rs))
	for i := 0; i+1 < len(rs); i++ {
		out[string(rs[i:i+2])] = struct{}{}
	}
	return out
}

func dice(a, b map[string]struct{}) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	n := 0
	for k := range a {
		if _, ok := b[k]; ok {
			n++
		}
	}
	return 2 * float64(n) / float64(len(a)+len(b))
}

func toSet(list []string) map[string]struct{} {
	m := make(map[string]struct{}, len(list))
	for _, s := range list {
		m[s] = struct{}{}
	}
	return m
}
