package prompt

import (
	"slices"
	"strings"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/tokens/terms"
)

// Extractor makes summaries without an upstream: it cuts the conversation into
// stretches and keeps the one line of each that says most. It is safe for
// concurrent use.
type Extractor struct {
	counter Counter
}

// NewExtractor makes an Extractor.
func NewExtractor(counter Counter) *Extractor { return &Extractor{counter: counter} }

// Bounds of an extracted summary.
const (
	summaryTokens = 420 // of the whole summary
	summaryLine   = 34  // of a line
	keepOut       = 8   // latest messages, which a summary does not cover
)

// Summarise covers everything from the fence up to keepOut messages before the
// end. A conversation that is too short gives the zero Summary.
func (x *Extractor) Summarise(model string, head chat.Conversation, msgs []chat.Message) Summary {
	context, _ := split(&Input{Head: head, Messages: msgs, Question: []chat.Message{{}}}, nil, nil)
	if len(context) <= keepOut {
		return Summary{}
	}
	context = context[:len(context)-keepOut]
	mem := newMemory("")
	mem.update(head, context)
	lines := x.lines(model, mem)
	return Summary{
		Upto: context[len(context)-1].seq, Fence: head.Fence, Made: "extract",
		Text: strings.Join(lines, "\n"),
	}
}

// lines picks the visitor's message of each stretch that opens it best: many
// words that are rare before and frequent in the stretch.
func (x *Extractor) lines(model string, mem *memory) []string {
	stretches := max(1, min(len(mem.docs)/4, summaryTokens/(summaryLine*2/3)))
	var out []string
	room := summaryTokens
	for s := range stretches {
		from, to := s*len(mem.docs)/stretches, (s+1)*len(mem.docs)/stretches
		best, score := -1, 0.0
		for i := from; i < to; i++ {
			if mem.docs[i].from != chat.FromVisitor {
				continue
			}
			if v := mem.telling(i, from, to); v > score {
				best, score = i, v
			}
		}
		if best < 0 {
			continue
		}
		d := mem.docs[best]
		line := "- [" + itoa(d.seq) + "] " + clip(oneLine(d.text), 150)
		n := x.counter.Count(model, line) + 1
		if n > room {
			break
		}
		room -= n
		out = append(out, line)
	}
	return out
}

// telling scores how well a message tells what its stretch is about.
func (m *memory) telling(i, from, to int) float64 {
	list := terms.Append(nil, m.docs[i].text)
	slices.Sort(list)
	list = slices.Compact(list)
	score := 0.0
	for _, t := range list {
		in, all := 0, len(m.terms[t])
		for _, p := range m.terms[t] {
			if int(p.doc) >= from && int(p.doc) < to {
				in++
			}
		}
		if in > 1 {
			score += float64(in) / float64(all+2)
		}
	}
	return score / (1 + float64(len(list))/12)
}

// clip shortens a line to about n bytes.
func clip(s string, n int) string { return shorten(s, n, cutEnd) }
