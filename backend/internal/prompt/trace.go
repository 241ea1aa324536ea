package prompt

import (
	"encoding/json"

	"haoke/backend/internal/chat"
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
func (t Trace) JSON() string {
	data, err := json.Marshal(t)
	if err != nil {
		return "{}" // cannot happen: plain data
	}
	return string(data)
}
