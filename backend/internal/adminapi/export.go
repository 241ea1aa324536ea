package adminapi

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"haoke/backend/internal/wire"
)

func (a *API) exportConversation(c *call) (any, error) {
	id, err := c.conversation()
	if err != nil {
		return nil, err
	}
	q, err := query[wire.ExportQuery](c)
	if err != nil {
		return nil, err
	}
	item, err := a.item(c.ctx(), id)
	if err != nil {
		return nil, err
	}
	msgs, err := a.messages(c.ctx(), item)
	if err != nil {
		return nil, err
	}
	name := "conversation-" + string(id[:8])
	switch q.Format {
	case "", "json":
		out := wire.ConversationDetail{Conversation: a.conversation(item), Messages: []wire.Message{}}
		for i := range msgs {
			out.Messages = append(out.Messages, message(&msgs[i]))
		}
		e := json.NewEncoder(c.file("application/json", name+".json"))
		e.SetIndent("", "  ")
		return nil, e.Encode(out)
	case "text":
		w := c.file("text/plain; charset=utf-8", name+".txt")
		for _, m := range msgs {
			fmt.Fprintf(w, "[%s] %s: %s\n\n", m.At.Format(time.RFC3339), m.From, indented(m.Text))
		}
		return nil, nil
	case "csv":
		w := csv.NewWriter(c.file("text/csv; charset=utf-8", name+".csv"))
		w.Write([]string{"seq", "at", "from", "text", "finish"})
		for _, m := range msgs {
			w.Write([]string{fmt.Sprint(m.Seq), m.At.Format(time.RFC3339), string(m.From), harmless(m.Text), string(m.Finish)})
		}
		w.Flush()
		return nil, nil
	}
	return nil, invalid("format", fmt.Sprintf("%q is not a format.", q.Format), "json, text or csv")
}

// indented sets the further lines of a text in, so that nobody's text looks like
// a message of another, and takes out what a terminal would obey.
func indented(text string) string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' || r == 0x85 || r == 0x2028 || r == 0x2029 })
	for i, line := range lines {
		lines[i] = strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
				return -1
			}
			return r
		}, line)
	}
	return strings.Join(lines, "\n    ")
}

// harmless keeps a spreadsheet from taking a visitor's text for a formula
// (OWASP, "CSV injection").
func harmless(text string) string {
	t := strings.TrimLeft(text, " \t\r\n\u00a0\u3000")
	if t != "" && strings.ContainsAny(t[:1], "=+-@|%") || strings.HasPrefix(t, "＝") || strings.HasPrefix(t, "＋") || strings.HasPrefix(t, "－") || strings.HasPrefix(t, "＠") {
		return "'" + text
	}
	return text
}
