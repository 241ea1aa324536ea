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
	feats []string // distinct features, sorted
	total float64  // sum of their weights
	grams []uint64 // distinct pairs of neighbouring letters, sorted
}

// index holds the entries in memory. It is immutable.
type index struct {
	lex     *terms.Lexicon
	whole   bool // no entry is left to the store alone
	entries []Entry
	phrases []phrasing
	of      [][]int32           // entry -> its phrases
	plain   map[string]struct{} // canonical wordings of all entries
	byGram  map[uint64][]int32  // pair of letters -> phrases
	byTerm  map[string][]int32  // feature -> phrases
	byID    map[int64]int
	df      map[string]int        // entries that hold a feature
	weights map[string]float64    // of the known features
	words   []map[string]struct{} // features of all of an entry's wordings
	answers []map[string]struct{} // features of its answer
}

func newIndex(lex *terms.Lexicon, entries []Entry) *index {
	ix := &index{
		lex: lex, entries: entries, byTerm: make(map[string][]int32), byID: make(map[int64]int), df: make(map[string]int),
		of: make([][]int32, len(entries)), plain: make(map[string]struct{}), byGram: make(map[uint64][]int32),
	}
	for i, e := range entries {
		ix.byID[e.ID] = i
		seen := make(map[string]bool)
		for _, q := range e.wordings() {
			p := newPhrasing(lex, i, q)
			n := int32(len(ix.phrases))
			ix.of[i] = append(ix.of[i], n)
			ix.plain[canonical(q)] = struct{}{}
			for _, g := range p.grams {
				ix.byGram[g] = append(ix.byGram[g], n)
			}
			for _, f := range p.feats {
				ix.byTerm[f] = append(ix.byTerm[f], n)
				if !seen[f] {
					seen[f] = true
					ix.df[f]++
				}
			}
			ix.phrases = append(ix.phrases, p)
		}
		words := make(map[string]struct{}, len(seen))
		for f := range seen {
			words[f] = struct{}{}
		}
		ix.words = append(ix.words, words)
		ix.answers = append(ix.answers, toSet(lex.Features(e.Answer)))
	}
	ix.weights = make(map[string]float64, len(ix.df))
	for f := range ix.df {
		ix.weights[f] = ix.weigh(f)
	}
	for i := range ix.phrases {
		ix.phrases[i].total = ix.sum(ix.phrases[i].feats)
	}
	return ix
}

func newPhrasing(lex *terms.Lexicon, entry int, text string) phrasing {
	feats := lex.Features(text)
	slices.Sort(feats)
	return phrasing{entry: entry, feats: slices.Compact(feats), grams: bigrams(text)}
}

// vague are concepts that many questions share; they say what kind of answer
// is wanted, not about what.
var vague = map[string]bool{"@howlong": true, "@howmuch": true, "@order": true, "@date": true, "@open": true, "@tea": true, "@parcel": true, "@arrive": true, "@cup": true, "@number": true}

// unknown is the weight of a feature that no entry has, as a share of the
// rarest known one: a question about something the FAQ never mentions must not
// match by its other words, but people also say more than they need to.
const unknown = 0.62

func (ix *index) weight(f string) float64 {
	if w, ok := ix.weights[f]; ok {
		return w
	}
	return ix.weigh(f)
}

func (ix *index) sum(feats []string) float64 {
	s := 0.0
	for _, f := range feats {
		s += ix.weight(f)
	}
	return s
}

// weigh gives the inverse document frequency of a feature, less for what is
// vague and for pairs of characters, which overlap: a word of n characters
// gives n-1 of them.
func (ix *index) weigh(f string) float64 {
	n := float64(len(ix.entries) + 1)
	df := ix.df[f]
	w := math.Log(1 + n/(float64(df)+0.5))
	switch {
	case vague[f]:
		return 0.55 * w
	case f[0] == '@':
		return w
	}
	if df == 0 {
		w *= unknown
	}
	if strings.IndexFunc(f, func(r rune) bool { return !terms.Wide(r) }) < 0 {
		w *= 0.5
	}
	return w
}

// Credit for a feature of the question that is not in the wording compared,
// but in another one of the same entry, or in its answer.
const (
	creditElsewhere = 0.85
	creditAnswer    = 0.4
)

// score compares a question with one wording: how much of the question is
// covered, how much of the wording, and how alike they look letter by letter.
func (ix *index) score(q phrasing, p phrasing) float64 {
	var both, met, ofQ float64
	ofP := p.total
	telling := 0
	for _, f := range q.feats {
		w := ix.weight(f)
		ofQ += w
		switch {
		case p.holds(f):
			both += w
			met += w
		case ix.has(ix.words, p.entry, f):
			met += creditElsewhere * w
		case ix.has(ix.answers, p.entry, f):
			met += creditAnswer * w
			continue
		default:
			continue
		}
		if f[0] == '@' && !vague[f] {
			telling += 2
		} else {
			telling++
		}
	}
	alike := dice(q.grams, p.grams)
	if both == 0 || ofQ == 0 || ofP == 0 {
		return 0.5 * alike * alike
	}
	covered := math.Pow(met/ofQ, 0.66) * math.Pow(both/ofP, 0.34)
	score := 0.85*covered + 0.15*alike
	if telling < 2 && alike < 0.7 {
		score *= 0.6 // one everyday word in common is not the same question
	}
	return score
}

func (ix *index) has(sets []map[string]struct{}, entry int, f string) bool {
	if entry >= len(sets) {
		return false
	}
	_, ok := sets[entry][f]
	return ok
}

func (p phrasing) holds(f string) bool {
	_, ok := slices.BinarySearch(p.feats, f)
	return ok
}

// shortlist is how many wordings are scored in full; they are chosen by what
// they share with the question.
const shortlist = 200

// candidates returns the wordings that share most with a question: features,
// and, for words written wrongly, pairs of letters.
func (ix *index) candidates(q phrasing, alike int) []int32 {
	shared := make([]float64, len(ix.phrases))
	out := ix.sharing(q, shared)
	if len(out) > shortlist {
		slices.SortFunc(out, func(x, y int32) int {
			return cmp.Or(
				cmp.Compare(shared[y]*shared[y]/ix.phrases[y].total, shared[x]*shared[x]/ix.phrases[x].total), cmp.Compare(x, y))
		})
		out = out[:shortlist]
	}
	clear(shared)
	return append(out, ix.spelled(q, shared, alike)...)
}

// spelled returns the n wordings that look most like the question, letter by
// letter. Some of them may be among those that share features too.
func (ix *index) spelled(q phrasing, shared []float64, n int) []int32 {
	var out []int32
	for _, g := range q.grams {
		for _, pi := range ix.byGram[g] {
			if shared[pi] == 0 {
				out = append(out, pi)
			}
			shared[pi]++
		}
	}
	for _, pi := range out {
		shared[pi] = 2 * shared[pi] / float64(len(q.grams)+len(ix.phrases[pi].grams))
	}
	slices.SortFunc(out, func(x, y int32) int { return cmp.Or(cmp.Compare(shared[y], shared[x]), cmp.Compare(x, y)) })
	return out[:min(len(out), n)]
}

// sharing returns the wordings that share a feature with q and sums up what
// they share.
func (ix *index) sharing(q phrasing, shared []float64) []int32 {
	var out []int32
	for _, f := range q.feats {
		w := ix.weight(f)
		for _, pi := range ix.byTerm[f] {
			if shared[pi] == 0 {
				out = append(out, pi)
			}
			shared[pi] += w
		}
	}
	return out
}

// rank scores all candidates for text, best first.
func (a *Answerer) rank(ctx context.Context, text, lang string) ([]Match, error) {
	ix := a.index.Load()
	if ix.whole && len(ix.entries) == 0 {
		return nil, nil // a shop without an FAQ
	}
	q := newPhrasing(a.lex, -1, text)
	best := make(map[int]float64)
	for _, pi := range ix.candidates(q, a.cfg.Candidates) {
		p := ix.phrases[pi]
		best[p.entry] = max(best[p.entry], ix.score(q, p))
	}
	var found []Match
	var err error
	if !ix.whole {
		found, err = a.search(ctx, text, lang)
	}
	var foreign []Entry
	for _, m := range found {
		i, ok := ix.byID[m.ID]
		if !ok {
			foreign = append(foreign, m.Entry)
			continue
		}
		for _, pi := range ix.of[i] {
			best[i] = max(best[i], ix.score(q, ix.phrases[pi]))
		}
	}
	out := make([]Match, 0, len(best)+len(foreign))
	for i, s := range best {
		out = append(out, Match{ix.entries[i], forLang(s, ix.entries[i].Lang, lang)})
	}
	for _, e := range foreign {
		var s float64
		for _, w := range e.wordings() {
			s = max(s, ix.score(q, ix.phrase(math.MaxInt, w)))
		}
		out = append(out, Match{e, forLang(s, e.Lang, lang)})
	}
	slices.SortFunc(out, func(x, y Match) int {
		return cmp.Or(cmp.Compare(y.Score, x.Score), cmp.Compare(x.ID, y.ID))
	})
	return out, err
}

// wordings are the question and its alternatives.
func (e Entry) wordings() []string { return append([]string{e.Question}, e.Alternatives...) }

// phrase makes a wording that is not in the index comparable.
func (ix *index) phrase(entry int, text string) phrasing {
	p := newPhrasing(ix.lex, entry, text)
	p.total = ix.sum(p.feats)
	return p
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
	return 0.6 * score
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

// bigrams are the distinct pairs of neighbouring letters of a text, sorted,
// for comparing spelling.
func bigrams(text string) []uint64 {
	rs := []rune(canonical(text))
	if len(rs) < 2 {
		return nil
	}
	out := make([]uint64, 0, len(rs)-1)
	for i := 0; i+1 < len(rs); i++ {
		out = append(out, uint64(rs[i])<<32|uint64(rs[i+1]))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// dice is twice what two sorted sets share over what they have.
func dice(a, b []uint64) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	n := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			n++
			i++
			j++
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
