package prompt

import (
	"regexp"
	"slices"
	"strings"

	"haoke/backend/internal/chat"
)

// entry is one message of the conversation as context: only what was really
// said, without blocked texts and the system's own sentences.
type entry struct {
	seq  int64
	from chat.From
	name string // operators: display name
	text string
}

// role maps the author to the upstream's roles. A person of the business
// speaks on the business's side, like the model.
func (e entry) role() chat.Role {
	if e.from == chat.FromVisitor {
		return chat.RoleUser
	}
	return chat.RoleAssistant
}

// content is the text as a turn. Operators are marked so that the model knows
// that a person promised it.
func (e entry) content() string {
	if e.from == chat.FromOperator {
		return "(" + colleague(e.name) + ") " + e.text
	}
	return e.text
}

// line is the entry as one line of the record.
func (e entry) line(text string) string {
	who := "visitor"
	switch e.from {
	case chat.FromAI:
		who = "assistant"
	case chat.FromOperator:
		who = colleague(e.name)
	}
	return "[" + itoa(e.seq) + "] " + who + ": " + text
}

func colleague(name string) string {
	if name = oneLine(name); name != "" {
		return "colleague " + name
	}
	return "colleague"
}

// usable reports whether a message is context. A visitor's text that a filter
// blocked never reaches the upstream, not even later as history; sentences of
// the system (apologies, "a person will be with you") say nothing about the
// matter; half an answer does, as the visitor has read it.
func usable(m *chat.Message) bool {
	if m.Mark == "blocked" || strings.TrimSpace(m.Text) == "" {
		return false
	}
	switch m.From {
	case chat.FromVisitor, chat.FromOperator:
		return true
	case chat.FromAI:
		return m.Finish != chat.FinishBlocked && m.Finish != chat.FinishError
	}
	return false
}

// toEntry makes the context form of a message.
func toEntry(m *chat.Message) entry {
	return entry{seq: m.Seq, from: m.From, name: m.Author, text: nameFiles(strings.TrimSpace(m.Text))}
}

// fileLink is how a message carries a file that was sent.
var fileLink = regexp.MustCompile(`!?\[([^\]\n]{0,300})\]\(/v1/files/[0-9a-z.]+\)`)

// nameFiles puts a file's name in the place of its link: the link alone opens
// the file, so it is not told to the upstream, which could not open it anyway.
func nameFiles(text string) string {
	if !strings.Contains(text, "](/v1/files/") {
		return text
	}
	return fileLink.ReplaceAllString(text, "(sent a file: $1)")
}

// split separates the conversation into context and question, which it appends
// to what it is given. Messages below the fence are dropped.
func split(in *Input, context, question []entry) ([]entry, []entry) {
	asked := in.Question
	msgs := in.Messages
	if len(asked) == 0 {
		i := len(msgs)
		for i > 0 && (msgs[i-1].From == chat.FromVisitor || msgs[i-1].From == chat.FromSystem) {
			i--
		}
		asked, msgs = msgs[i:], msgs[:i]
	}
	for i := range asked {
		if m := &asked[i]; m.From == chat.FromVisitor && usable(m) {
			question = append(question, toEntry(m))
		}
	}
	withheld := reviewed(msgs)
	for i := range msgs {
		m := &msgs[i]
		if m.Seq >= in.Head.Fence && usable(m) && !withheld[i] && !isAsked(asked, m.Seq) {
			context = append(context, toEntry(m))
		}
	}
	return context, question
}

// isAsked reports whether the message is of the question, which is one message,
// or a few in a row.
func isAsked(asked []chat.Message, seq int64) bool {
	return seq != 0 && slices.ContainsFunc(asked, func(m chat.Message) bool { return m.Seq == seq })
}

// reviewed marks the visitor's messages whose turn the model's review withheld:
// like what a filter blocked, they are not told again.
func reviewed(msgs []chat.Message) map[int]bool {
	var out map[int]bool // most conversations need none
	for i := range msgs {
		m := &msgs[i]
		if m.From != chat.FromSystem || m.Finish != chat.FinishBlocked || m.Turn == nil ||
			!slices.ContainsFunc(m.Turn.Hits, func(h chat.Hit) bool { return h.Layer == chat.LayerReview }) {
			continue
		}
		for k := i - 1; k >= 0 && msgs[k].From == chat.FromVisitor; k-- {
			if out == nil {
				out = map[int]bool{}
			}
			out[k] = true
		}
	}
	return out
}

// oneLine folds all white space, line breaks included, into single spaces, so
// that no text can pretend to be a line of the record.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func itoa(n int64) string {
	if n == 0 {
		return "0"
	}
	var b [20]byte
	i := len(b)
	for ; n > 0; n /= 10 {
		i--
		b[i] = byte('0' + n%10)
	}
	return string(b[i:])
}
