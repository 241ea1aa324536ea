package prompt

import (
	"haoke/backend/internal/chat"
	"haoke/backend/internal/codec"
)

// Kind names a part of a prompt.
type Kind string

// The parts, in the order in which they stand in the prompt.
const (
	KindInstructions Kind = "instructions"
	KindKnowledge    Kind = "knowledge"
	KindStart        Kind = "start"
	KindFacts        Kind = "facts"
	KindSummary      Kind = "summary"
	KindRecalled     Kind = "recalled"
	KindLatest       Kind = "latest"
	KindQuestion     Kind = "question"
)

// kinds are the parts in their order.
var kinds = [...]Kind{KindInstructions, KindKnowledge, KindStart, KindFacts, KindSummary, KindRecalled, KindLatest, KindQuestion}

// place is where a kind stands in kinds.
func (k Kind) place() int {
	for i := range kinds {
		if kinds[i] == k {
			return i
		}
	}
	panic("prompt: no such part: " + string(k)) // a slip in this package
}

// Part is one part of a prompt as the Trace reports it.
type Part struct {
	Kind   Kind    `json:"kind"`
	Tokens int     `json:"tokens"`
	Seqs   []int64 `json:"seqs,omitempty"` // messages it was made from
	Note   string  `json:"note,omitempty"` // what was cut, and why
}

// Reason says why one message was recalled.
type Reason struct {
	Seq   int64   `json:"seq"`
	Score float64 `json:"score"`
	Why   string  `json:"why"` // "match", "neighbour", "correction"
}

// Trace answers "why did it say that?": what a prompt was made of. It is plain
// data and serialises to JSON.
type Trace struct {
	Model   string               `json:"model"`
	Budget  int                  `json:"budget"`
	Tokens  int                  `json:"tokens"`
	Fence   int64                `json:"fence,omitempty"`
	Left    int                  `json:"left,omitempty"` // messages of the conversation that are not in the prompt word for word
	Parts   []Part               `json:"parts"`
	Recall  []Reason             `json:"recall,omitempty"`
	Micros  int64                `json:"us"` // time to assemble, microseconds
	Prompt  []chat.PromptMessage `json:"prompt,omitempty"`
	Context bool                 `json:"context"` // anything of this conversation besides the question is in it
}

// JSON returns the trace as it is stored with an answer.
func (t *Trace) JSON() string { return string(t.append(nil)) }

// append appends JSON. It is written by hand because every turn writes one,
// with the whole prompt in it.
func (t *Trace) append(b []byte) []byte {
	b = codec.AppendString(append(b, `{"model":`...), t.Model)
	b = codec.AppendInt(append(b, `,"budget":`...), int64(t.Budget))
	b = codec.AppendInt(append(b, `,"tokens":`...), int64(t.Tokens))
	if t.Fence != 0 {
		b = codec.AppendInt(append(b, `,"fence":`...), t.Fence)
	}
	if t.Left != 0 {
		b = codec.AppendInt(append(b, `,"left":`...), int64(t.Left))
	}
	b = appendParts(append(b, `,"parts":`...), t.Parts)
	for i, r := range t.Recall {
		b = append(b, either(i == 0, `,"recall":[{"seq":`, `,{"seq":`)...)
		b = codec.AppendFloat(append(codec.AppendInt(b, r.Seq), `,"score":`...), r.Score)
		b = append(codec.AppendString(append(b, `,"why":`...), r.Why), either(i == len(t.Recall)-1, `}]`, `}`)...)
	}
	b = codec.AppendInt(append(b, `,"us":`...), t.Micros)
	for i, m := range t.Prompt {
		b = append(b, either(i == 0, `,"prompt":[{"role":`, `,{"role":`)...)
		b = codec.AppendString(append(codec.AppendString(b, string(m.Role)), `,"content":`...), m.Content)
		b = append(b, either(i == len(t.Prompt)-1, `}]`, `}`)...)
	}
	return append(codec.AppendBool(append(b, `,"context":`...), t.Context), '}')
}

func appendParts(b []byte, parts []Part) []byte {
	if parts == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, p := range parts {
		b = append(b, either(i == 0, `{"kind":`, `,{"kind":`)...)
		b = codec.AppendInt(append(codec.AppendString(b, string(p.Kind)), `,"tokens":`...), int64(p.Tokens))
		for j, seq := range p.Seqs {
			b = codec.AppendInt(append(b, either(j == 0, `,"seqs":[`, `,`)...), seq)
		}
		if len(p.Seqs) > 0 {
			b = append(b, ']')
		}
		if p.Note != "" {
			b = codec.AppendString(append(b, `,"note":`...), p.Note)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

func either(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}
