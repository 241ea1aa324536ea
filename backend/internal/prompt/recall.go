package prompt

import (
	"cmp"
	"math"
	"slices"

	"haoke/backend/internal/tokens/terms"
)

// BM25 with the usual constants (Robertson and Zaragoza, "The Probabilistic
// Relevance Framework", 2009). b is low because a message's length says little
// in a chat.
const (
	bm25K = 1.2
	bm25B = 0.35
)

// How far a word reaches: what a message is about holds for the messages after
// it and, less so, for the one before, which it may answer.
const (
	fadeAfter  = 0.86
	fadeBefore = 0.55
)

// Weights of the rest of the scoring.
const (
	carryWeight  = 0.5  // terms of the exchange before the question, for "and how much was it?"
	kindWeight   = 0.35 // of the topical score, for messages that state the kind of fact asked for
	coverWeight  = 1.2  // of the topical score, for messages that meet all the question's terms
	recentWeight = 0.08 // of the topical score, from the first message to the last
)

// hit is a message that recall found.
type hit struct {
	doc   int
	score float64
}

// search scores all messages before index end for a question, best first.
// before is the text of the exchange before the question. The caller holds mu.
func (m *memory) search(question, before string, end int) []hit {
	if end <= 0 {
		return nil
	}
	query := m.query(question, before, end)
	total := make([]float64, end)
	own, after := make([]float64, end), make([]float64, end)
	covered := make([]float64, end)
	whole := 0.0
	for _, q := range query {
		whole += m.spread(own, after, q, total, covered)
	}
	want := wants(question)
	hits := make([]hit, 0, 64)
	for i, s := range total {
		if s <= 0 {
			continue
		}
		f := 1 + recentWeight*float64(i)/float64(end) + coverWeight*covered[i]/whole
		if m.docs[i].kinds&want != 0 {
			f += kindWeight
		}
		hits = append(hits, hit{i, s * f})
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.doc, a.doc))
	})
	return hits
}

// term is a term of a question with its weight.
type term struct {
	list   []posting
	weight float64
}

// rarest and fewest decide when a question stands on its own feet: when it has
// at least fewest terms that are rarer than one message in rarest.
const (
	rarest   = 12
	fewest   = 2
	maxCarry = 4
)

// query makes the weighted terms of a question. A question that names nothing
// ("and how much was it?") borrows the rarest terms of the exchange before it.
func (m *memory) query(question, before string, end int) []term {
	var out []term
	rare := 0
	seen := make(map[string]bool)
	for _, t := range indexTerms(nil, question) {
		list := m.terms[t]
		if seen[t] || len(list) == 0 {
			continue
		}
		seen[t] = true
		if len(list) <= 2+end/rarest {
			rare++
		}
		out = append(out, term{list, termWeight(t)})
	}
	if rare >= fewest {
		return out
	}
	var borrowed []term
	for _, t := range indexTerms(nil, before) {
		if list := m.terms[t]; !seen[t] && len(list) > 1 && len(list) <= 2+end/rarest {
			seen[t] = true
			borrowed = append(borrowed, term{list, carryWeight})
		}
	}
	slices.SortStableFunc(borrowed, func(a, b term) int { return len(a.list) - len(b.list) })
	return append(out, borrowed[:min(maxCarry, len(borrowed))]...)
}

// termWeight is 1, and less for what is rarely a word of its own.
func termWeight(t string) float64 {
	if terms.Weak(t) {
		return 0.3
	}
	return 1
}

// spread adds one term's scores to total: each message gets the best of its
// own score and its neighbours' faded ones, so that repeating a word in a row
// of messages counts once. covered sums the weights of the terms that reach a
// message. own and after are scratch space. It returns the term's weight.
func (m *memory) spread(own, after []float64, q term, total, covered []float64) float64 {
	clear(own)
	n, avg := float64(len(m.docs)), float64(m.total)/float64(len(m.docs))
	idf := q.weight * math.Log(1+(n-float64(len(q.list))+0.5)/(float64(len(q.list))+0.5))
	for _, p := range q.list {
		if int(p.doc) >= len(own) {
			break
		}
		tf := float64(p.n)
		norm := 1 - bm25B + bm25B*float64(m.docs[p.doc].length)/max(avg, 1)
		own[p.doc] = idf * tf * (bm25K + 1) / (tf + bm25K*norm)
	}
	carry := 0.0
	for i, s := range own {
		carry = max(fade(carry, fadeAfter, idf), s)
		after[i] = carry
	}
	carry = 0
	for i := len(own) - 1; i >= 0; i-- {
		carry = max(fade(carry, fadeBefore, idf), own[i])
		s := max(carry, after[i])
		total[i] += s
		covered[i] += min(s, idf)
	}
	return idf
}

// fade weakens a score by one message; below a twentieth of the term's weight
// it is nothing.
func fade(score, by, idf float64) float64 {
	if score *= by; score < idf/20 {
		return 0
	}
	return score
}
