package chat

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Bounds of what is remembered of a visitor. Beyond a count the oldest (of
// events, pages and tags) go or the new one (of answers and attributes) is not
// taken; a text that is longer is cut.
const (
	MaxAnswers    = 16      // of the form before the chat
	MaxAttributes = 50      //
	MaxTags       = 50      //
	MaxEvents     = 20      // the latest
	MaxPages      = 10      // the latest
	MaxFactName   = 60      // characters of a name or a tag
	MaxFactValue  = 500     // characters of a value
	maxFactBytes  = 8 << 10 // all of it as JSON
)

// Facts is what was told, not proven, of a visitor: the answers of the form
// before the chat and what the page said through the widget's methods. It is
// shown to operators as plain text and never becomes part of a prompt.
//
// It is the compact JSON of a FactSheet, or "" for nothing, so that a Visitor
// stays comparable and a silent one costs no memory. In JSON it is an object.
type Facts string

// FactSheet is Facts taken apart.
type FactSheet struct {
	Answers    map[string]string `json:"answers,omitempty"`    // of the form before the chat, by field
	Attributes map[string]string `json:"attributes,omitempty"` // set by the page
	Tags       []string          `json:"tags,omitempty"`       // set by the page
	Events     []FactEvent       `json:"events,omitempty"`     // the latest, oldest first
	Pages      []FactPage        `json:"pages,omitempty"`      // where the visitor went during the chat, oldest first
}

// FactEvent is something that the page said had happened.
type FactEvent struct {
	At   time.Time `json:"at"`
	Name string    `json:"name"`
	Data string    `json:"data,omitempty"` // a text, a number, or JSON
}

// FactPage is a page that the visitor went to.
type FactPage struct {
	At    time.Time `json:"at"`
	URL   string    `json:"url"`
	Title string    `json:"title,omitempty"`
}

// FactChange is one thing that was told. Repeating a change without an event
// or a page changes nothing.
type FactChange struct {
	Answers    map[string]string
	Attributes map[string]string // to set
	Unset      []string          // names of attributes to remove
	Tags       []string          // to add
	Untags     []string          // to remove
	Event      *FactEvent
	Page       *FactPage
}

// Empty reports that nothing was told.
func (c *FactChange) Empty() bool {
	return len(c.Answers)+len(c.Attributes)+len(c.Unset)+len(c.Tags)+len(c.Untags) == 0 && c.Event == nil && c.Page == nil
}

// Sheet takes the facts apart; what cannot be read is empty.
func (f Facts) Sheet() FactSheet {
	var s FactSheet
	if f != "" && json.Unmarshal([]byte(f), &s) != nil {
		return FactSheet{}
	}
	return s
}

// With returns the facts after a change. When they would not fit the oldest
// events go, then the oldest pages; if that does not help the change is not
// taken.
func (f Facts) With(c FactChange) Facts {
	if c.Empty() {
		return f
	}
	s := f.Sheet()
	s.Answers = set(s.Answers, c.Answers, MaxAnswers)
	s.Attributes = set(s.Attributes, c.Attributes, MaxAttributes)
	for _, name := range c.Unset {
		delete(s.Attributes, CleanText(name, MaxFactName))
	}
	for _, tag := range c.Tags {
		if tag = CleanText(tag, MaxFactName); tag != "" && !slices.Contains(s.Tags, tag) {
			s.Tags = last(append(s.Tags, tag), MaxTags)
		}
	}
	for _, tag := range c.Untags {
		tag = CleanText(tag, MaxFactName)
		s.Tags = slices.DeleteFunc(s.Tags, func(t string) bool { return t == tag })
	}
	if e := c.Event; e != nil && CleanText(e.Name, MaxFactName) != "" {
		s.Events = append(s.Events, FactEvent{At: e.At, Name: CleanText(e.Name, MaxFactName), Data: CleanText(e.Data, MaxFactValue)})
	}
	if p := c.Page; p != nil && p.URL != "" && (len(s.Pages) == 0 || s.Pages[len(s.Pages)-1].URL != CleanText(p.URL, MaxFactValue)) {
		s.Pages = append(s.Pages, FactPage{At: p.At, URL: CleanText(p.URL, MaxFactValue), Title: CleanText(p.Title, MaxFactName)})
	}
	return s.pack(f)
}

// Merge adds what another socket of the same visitor had been told.
func (f Facts) Merge(more Facts) Facts {
	switch {
	case more == "" || more == f:
		return f
	case f == "":
		return more
	}
	s, m := f.Sheet(), more.Sheet()
	s.Answers = set(s.Answers, m.Answers, MaxAnswers)
	s.Attributes = set(s.Attributes, m.Attributes, MaxAttributes)
	for _, tag := range m.Tags {
		if !slices.Contains(s.Tags, tag) {
			s.Tags = last(append(s.Tags, tag), MaxTags)
		}
	}
	s.Events = append(s.Events, m.Events...)
	slices.SortStableFunc(s.Events, func(a, b FactEvent) int { return a.At.Compare(b.At) })
	s.Pages = append(s.Pages, m.Pages...)
	slices.SortStableFunc(s.Pages, func(a, b FactPage) int { return a.At.Compare(b.At) })
	return s.pack(f)
}

// pack bounds the sheet; what does not fit leaves the facts as they were.
func (s FactSheet) pack(was Facts) Facts {
	s.Events, s.Pages = last(s.Events, MaxEvents), last(s.Pages, MaxPages)
	for {
		data, err := json.Marshal(s)
		switch {
		case err != nil:
			return was
		case len(data) <= maxFactBytes && string(data) == "{}":
			return ""
		case len(data) <= maxFactBytes:
			return Facts(data)
		case len(s.Events) > 1:
			s.Events = s.Events[1:]
		case len(s.Pages) > 1:
			s.Pages = s.Pages[1:]
		default:
			return was
		}
	}
}

// MarshalJSON implements json.Marshaler.
func (f Facts) MarshalJSON() ([]byte, error) {
	if f == "" {
		return []byte("{}"), nil
	}
	return []byte(f), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *Facts) UnmarshalJSON(data []byte) error {
	var s FactSheet
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	*f = s.pack("")
	return nil
}

// set puts the entries of add into m, at most limit of them altogether.
func set(m, add map[string]string, limit int) map[string]string {
	for name, value := range add {
		if name = CleanText(name, MaxFactName); name == "" {
			continue
		}
		if m == nil {
			m = map[string]string{}
		}
		if _, ok := m[name]; ok || len(m) < limit {
			m[name] = CleanText(value, MaxFactValue)
		}
	}
	return m
}

// last is the newest n of list.
func last[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }

// CleanText is s without what could deceive the eye (control characters, marks
// that turn the direction of writing), without blanks at its ends, and with at
// most n characters.
func CleanText(s string, n int) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r >= 0x7f && r < 0xa0:
			return ' '
		case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0xfeff, r == 0xfffd:
			return -1
		}
		return r
	}, s))
	count := 0
	for i := range s {
		if count++; count > n {
			return s[:i]
		}
	}
	return s
}
