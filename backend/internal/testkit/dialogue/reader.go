package dialogue

import (
	"strings"

	"haoke/backend/internal/chat"
)

// reader looks for answers in a prompt by comparing strings. It stands for the
// least that any model can do: if it finds the answer, the prompt holds it.
type reader struct {
	lines []string
}

// newReader takes a prompt. The question at its end is not read.
func newReader(msgs []chat.PromptMessage, question string) *reader {
	r := &reader{}
	for i, m := range msgs {
		text := m.Content
		if i == len(msgs)-1 {
			text = strings.TrimSuffix(text, question)
		}
		r.lines = append(r.lines, strings.Split(text, "\n")...)
	}
	return r
}

// near is how many lines may lie between a value and the name of what it
// belongs to.
const near = 10

// knows reports whether the prompt answers a probe: the evidence (the value
// with the words around it, or the value alone where that is unmistakable) is
// there, its subject is named close by, and nothing that was taken back stands
// after it.
func (r *reader) knows(p Probe) bool {
	from := 0
	for _, old := range p.Stale {
		from = max(from, r.last(old)+1)
	}
	for i := from; i < len(r.lines); i++ {
		if r.states(r.lines[i], p) && r.named(p.Subject, i) {
			return true
		}
	}
	return false
}

// states reports whether a line states the answer. A short value ("42 cm") is
// unmistakable only with the words around it.
func (r *reader) states(line string, p Probe) bool {
	if p.Evidence != "" && strings.Contains(line, p.Evidence) {
		return true
	}
	return (p.Evidence == "" || len(p.Answer) >= 8) && strings.Contains(line, p.Answer)
}

// last is the last line that holds text; -1: none.
func (r *reader) last(text string) int {
	for i := len(r.lines) - 1; i >= 0; i-- {
		if strings.Contains(r.lines[i], text) {
			return i
		}
	}
	return -1
}

func (r *reader) named(subject string, at int) bool {
	if subject == "" {
		return true
	}
	for _, l := range r.lines[max(0, at-near):min(len(r.lines), at+near+1)] {
		if strings.Contains(l, subject) {
			return true
		}
	}
	return false
}
