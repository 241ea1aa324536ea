package wire

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"haoke/backend/internal/chat"
)

// Told is what a hello or context frame tells of the visitor, besides the
// page. Values may be texts, numbers, truth values or anything in JSON, which
// is then shown as such; null removes an attribute. What has another shape is
// left out: a page's mistake must not cost the visitor the chat. Bounds are
// those of chat.Facts.
func (f *ClientFrame) Told(now time.Time) chat.FactChange {
	var c chat.FactChange
	for name, raw := range object(f.Visitor, chat.MaxAnswers) {
		// Name and e-mail have their own place.
		if value, ok := plain(raw); ok && value != "" && name != "name" && name != "email" {
			c.Answers = put(c.Answers, name, value)
		}
	}
	for name, raw := range object(f.Attributes, 2*chat.MaxAttributes) {
		if value, ok := plain(raw); ok {
			c.Attributes = put(c.Attributes, name, value)
		} else {
			c.Unset = append(c.Unset, name)
		}
	}
	c.Tags, c.Untags = texts(f.Tags), texts(f.Untags)
	if f.Type == TypeContext {
		var e struct {
			Name string          `json:"name"`
			Data json.RawMessage `json:"data"`
		}
		if len(f.Event) > 0 && json.Unmarshal(f.Event, &e) == nil && e.Name != "" {
			data, _ := plain(e.Data)
			c.Event = &chat.FactEvent{At: now.UTC().Truncate(time.Second), Name: e.Name, Data: data}
		}
	}
	return c
}

// Typed is the name and the e-mail address of the form before the chat.
func (f *ClientFrame) Typed() (name, email string) {
	var v map[string]json.RawMessage
	if len(f.Visitor) > 0 && json.Unmarshal(f.Visitor, &v) == nil {
		name, _ = plain(v["name"])
		email, _ = plain(v["email"])
	}
	return chat.CleanText(name, 200), chat.CleanText(email, 320)
}

// object reads at most limit entries of a JSON object.
func object(raw json.RawMessage, limit int) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if len(raw) == 0 || json.Unmarshal(raw, &m) != nil || len(m) > limit {
		return nil
	}
	return m
}

// texts reads a list, of which only scalars count.
func texts(raw json.RawMessage) []string {
	var list []json.RawMessage
	if len(raw) == 0 || json.Unmarshal(raw, &list) != nil {
		return nil
	}
	var out []string
	for _, one := range list[:min(len(list), chat.MaxTags)] {
		if s, ok := plain(one); ok && s != "" {
			out = append(out, s)
		}
	}
	return out
}

func put(m map[string]string, name, value string) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	m[name] = value
	return m
}

// plain is a JSON value as a person reads it; false for null and nothing.
func plain(raw json.RawMessage) (string, bool) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || raw[0] == 'n' {
		return "", false
	}
	var s string
	if raw[0] == '"' {
		return s, json.Unmarshal(raw, &s) == nil
	}
	if n, err := strconv.ParseFloat(string(raw), 64); err == nil && n == float64(int64(n)) {
		return strconv.FormatInt(int64(n), 10), true
	}
	var small bytes.Buffer
	if json.Compact(&small, raw) != nil {
		return "", false
	}
	return small.String(), true
}
