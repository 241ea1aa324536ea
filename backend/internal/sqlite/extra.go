package sqlite

import (
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"haoke/backend/internal/chat"
)

// extra holds the rarer fields of a message as JSON.
type extra struct {
	Finish  chat.Finish    `json:"f,omitempty"`
	Author  string         `json:"a,omitempty"`
	Sources []chat.Source  `json:"s,omitempty"`
	Mark    string         `json:"m,omitempty"`
	Turn    *chat.TurnInfo `json:"t,omitempty"`
}

// appendExtra appends the JSON of a message's extra, nothing when it has none.
// It writes what encoding/json writes for the struct above (a test holds it to
// that), without reflection and without a copy; the prompt's trace has a table
// of its own and is left out.
func appendExtra(b []byte, m *chat.Message) []byte {
	if m.Finish == "" && m.Author == "" && len(m.Sources) == 0 && m.Mark == "" && m.Turn == nil {
		return b
	}
	o := object{b: append(b, '{')}
	o.text("f", string(m.Finish))
	o.text("a", m.Author)
	if len(m.Sources) > 0 {
		o.name("s")
		o.b = appendRare(o.b, m.Sources)
	}
	o.text("m", m.Mark)
	if m.Turn != nil {
		o.name("t")
		o.turn(m.Turn)
	}
	return append(o.b, '}')
}

// object writes the members of a JSON object, leaving out what is empty.
type object struct {
	b    []byte
	some bool
}

func (o *object) open() {
	o.b, o.some = append(o.b, '{'), false
}

func (o *object) close() {
	o.b, o.some = append(o.b, '}'), true
}

func (o *object) name(name string) {
	if o.some {
		o.b = append(o.b, ',')
	}
	o.some = true
	o.b = append(append(append(o.b, '"'), name...), '"', ':')
}

func (o *object) text(name, v string) {
	if v != "" {
		o.name(name)
		o.b = appendQuoted(o.b, v)
	}
}

func (o *object) int(name string, v int64) {
	if v != 0 {
		o.name(name)
		o.b = strconv.AppendInt(o.b, v, 10)
	}
}

func (o *object) bool(name string, v bool) {
	if v {
		o.name(name)
		o.b = append(o.b, "true"...)
	}
}

func (o *object) float(name string, v float64) {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) { // the last two have no form in JSON
		return
	}
	o.name(name)
	o.b = appendFloat(o.b, v)
}

func (o *object) turn(t *chat.TurnInfo) {
	o.open()
	o.text("provider", t.Provider)
	o.text("key", t.Key)
	o.text("model", t.Model)
	o.int("prompt", int64(t.Prompt))
	o.int("completion", int64(t.Completion))
	o.bool("estimated", t.Estimated)
	o.float("cost", t.Cost)
	o.int("filter_us", t.FilterUS)
	o.int("prompt_us", t.PromptUS)
	o.int("queue_us", t.QueueUS)
	o.int("first_us", t.FirstTokenUS)
	o.int("total_us", t.TotalUS)
	o.bool("merged", t.Merged)
	o.bool("cached", t.Cached)
	o.text("reason", t.Reason)
	if len(t.Hits) > 0 {
		o.name("hits")
		o.b = appendRare(o.b, t.Hits)
	}
	o.close()
}

// appendQuoted appends a JSON string.
func appendQuoted(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return appendRare(b, s)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// appendRare appends what few messages have. Values of plain texts and numbers
// always have a form in JSON.
func appendRare(b []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		return append(b, "null"...)
	}
	return append(b, text...)
}

// appendFloat appends a number in the shortest form, without an exponent where
// encoding/json needs none (ES6's rules).
func appendFloat(b []byte, v float64) []byte {
	if abs := math.Abs(v); abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	}
	b = strconv.AppendFloat(b, v, 'e', -1, 64)
	if n := len(b); n >= 4 && b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' { // e-09 is e-9
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}
