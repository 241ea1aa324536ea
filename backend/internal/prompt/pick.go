package prompt

import (
	"slices"
	"strings"
	"unicode/utf8"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/tokens/terms"
)

// picker chooses messages for the record until the room is used up.
type picker struct {
	p     *plan
	mem   *memory
	room  int
	have  map[int]bool
	list  []picked
	query []string // terms of the question, made at the first long message
}

// take adds a hit with what corrects it and with its neighbour: an answer is
// little without its question. What was corrected never enters without its
// correction.
func (k *picker) take(h hit) {
	var group []picked
	cost := 0
	want := func(doc int, bound int, why string) {
		if doc < 0 || doc >= k.p.from || k.have[doc] || slices.ContainsFunc(group, func(c picked) bool { return c.doc == doc }) {
			return
		}
		line := k.line(doc, bound)
		n := k.p.lineCost(line)
		group = append(group, picked{doc, line, n, why, h.score})
		cost += n
	}
	want(h.doc, maxHit, "match")
	k.corrections(h.doc, 0, func(doc int) { want(doc, maxHit, "correction") })
	must := len(group)
	if cost > k.room {
		return
	}
	if n := k.neighbour(h.doc); n >= 0 && len(k.list) < maxNeighbours {
		want(n, k.interest(n), "neighbour")
		k.corrections(n, 0, func(doc int) { want(doc, maxNeighbour, "correction") })
	}
	if cost > k.room {
		for _, c := range group[must:] {
			cost -= c.cost
		}
		group = group[:must]
	}
	for _, c := range group {
		k.have[c.doc] = true
	}
	k.list = append(k.list, group...)
	k.room -= cost
}

// interest is how many tokens a neighbour is worth: an answer that states
// nothing is there for the sense, not for its wording.
func (k *picker) interest(doc int) int {
	if d := k.mem.docs[doc]; d.from != chat.FromVisitor && d.kinds == 0 {
		return minNeighbour
	}
	return maxNeighbour
}

// corrections visits what corrects doc, and what corrects that. The depth is
// bounded: minds are changed a few times, not for ever.
func (k *picker) corrections(doc, depth int, visit func(int)) {
	if depth == 4 {
		return
	}
	for _, by := range k.mem.docs[doc].fixed {
		visit(int(by))
		k.corrections(int(by), depth+1, visit)
	}
}

// neighbour is the other half of an exchange: the answer to a visitor's
// message, the question of an answer. -1: none.
func (k *picker) neighbour(doc int) int {
	docs := k.mem.docs
	if docs[doc].from == chat.FromVisitor {
		if doc+1 < len(docs) && docs[doc+1].from != chat.FromVisitor {
			return doc + 1
		}
		return -1
	}
	if doc > 0 && docs[doc-1].from == chat.FromVisitor {
		return doc - 1
	}
	return -1
}

// line writes a message as a line of at most bound tokens, keeping the
// sentences that the question is about.
func (k *picker) line(doc, bound int) string {
	d := k.mem.docs[doc]
	text := oneLine(d.text)
	if len(text) > bound && k.p.count(text) > bound {
		text = k.excerpt(text, bound-14)
	}
	l := d.line(text)
	if len(d.fixed) > 0 {
		l += " (corrected in [" + itoa(k.mem.docs[d.fixed[len(d.fixed)-1]].seq) + "])"
	}
	return l
}

// excerpt keeps the sentences with most of the question's terms and with facts
// of the kind asked for, in their order.
func (k *picker) excerpt(text string, bound int) string {
	if k.query == nil {
		k.query = append(terms.Append(nil, k.p.question.text), "")
	}
	want := wants(k.p.question.text)
	type part struct {
		i, score int
		text     string
	}
	var parts []part
	for i, s := range sentences(text) {
		score := 0
		for _, t := range terms.Append(nil, s) {
			if slices.Contains(k.query, t) {
				score += 2
			}
		}
		for _, f := range extract(s) {
			score++
			if f.kind&want != 0 {
				score += 3
			}
		}
		parts = append(parts, part{i, score, s})
	}
	slices.SortStableFunc(parts, func(a, b part) int { return b.score - a.score })
	room := bound
	kept := parts[:0:0]
	for _, q := range parts {
		if n := k.p.count(q.text) + 2; n <= room {
			room -= n
			kept = append(kept, q)
		}
	}
	if len(kept) == 0 {
		return k.p.cut(text, bound, cutMiddle)
	}
	slices.SortFunc(kept, func(a, b part) int { return a.i - b.i })
	var b strings.Builder
	for i, q := range kept {
		if i > 0 && q.i != kept[i-1].i+1 {
			b.WriteString(gap)
		} else if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(q.text)
	}
	return b.String()
}

// sentences cuts a text behind its full stops, question and exclamation marks,
// Western (before a blank) and Chinese.
func sentences(text string) []string {
	var out []string
	from := 0
	for i, r := range text {
		end := i + utf8.RuneLen(r)
		switch r {
		case '.', '!', '?', ';':
			if end < len(text) && text[end] != ' ' {
				continue
			}
		case '\u3002', '\uFF01', '\uFF1F', '\uFF1B': // full width
		default:
			continue
		}
		if s := strings.TrimSpace(text[from:end]); s != "" {
			out = append(out, s)
		}
		from = end
	}
	if s := strings.TrimSpace(text[from:]); s != "" {
		out = append(out, s)
	}
	return out
}
