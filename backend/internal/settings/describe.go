package settings

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// Text is a text in the window's two languages.
type Text struct{ En, Zh string }

// Form says how the window edits a setting.
type Form string

// Forms beside those named like the types: bool, int, float, duration,
// strings, secret and string.
const (
	FormEnum Form = "enum" // one of Options
	FormText Form = "text" // several lines
	FormAddr Form = "addr" // host:port
	FormURL  Form = "url"  //
	FormJSON Form = "json" // structured, on a page of its own
)

// Entry describes one setting and its present value for the window.
type Entry struct {
	Path    string
	Group   string // the section: "server", "upstream", ...
	Page    string // page that edits it; "": the settings list
	Type    string // string secret bool int float duration strings object table list
	Form    Form
	Title   Text
	Help    Text
	Allowed string   // in words, English
	Options []string // closed choice
	Min     *float64 // durations: seconds
	Max     *float64
	Unit    string  // bytes tokens characters currency days
	Item    []Entry // fields of a list's elements, without values

	Secret   bool // the value is written and never read
	Restart  bool // a change takes effect at the next start
	Advanced bool // for those who know
	Danger   Text // consequence to confirm before a change; empty: none

	Default  json.RawMessage
	Value    json.RawMessage // of a secret: "" or "set"
	Window   json.RawMessage // saved here while a stronger source hides it; nil: none
	Revision int64           // 0: never changed in the window
	Source   Source
	Where    string // "set in ..."
	Locked   bool   // a stronger source than the window sets it
	Env      string // the environment variable that would set it
}

// Group is a section with its name.
type Group struct {
	ID   string
	Name Text
	Help Text
}

// Describe lists every setting in the order of the tree.
func (s *Store) Describe() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	sch, cur, def := theSchema(), s.Current(), Default()
	out := make([]Entry, 0, len(sch.leaves))
	for i := range sch.leaves {
		l := &sch.leaves[i]
		e := describe(l)
		o := s.originOf(l.path)
		e.Group, e.Env = l.path[:strings.IndexByte(l.path, '.')], envName(l.path)
		e.Default, e.Value = valueJSON(l, l.in(def)), valueJSON(l, l.in(cur))
		if w, ok := s.window[l.path]; ok && o.Locked() {
			e.Window = valueJSON(l, w.value)
		}
		e.Revision = s.rows[l.path].Revision
		e.Source, e.Where, e.Locked = o.Source, o.Where, o.Locked()
		out = append(out, e)
	}
	return out
}

func describe(l *leaf) Entry {
	e := Entry{
		Path: l.path, Page: l.page, Type: string(l.kind), Form: formOf(l), Allowed: l.rule.allowed, Options: l.rule.options,
		Min: l.rule.min, Max: l.rule.max, Unit: l.unit, Secret: l.kind == kindSecret, Restart: l.restart, Advanced: l.advanced,
	}
	e.Title.En, e.Help.En, _ = strings.Cut(l.en, "|")
	e.Title.Zh, e.Help.Zh, _ = strings.Cut(l.zh, "|")
	e.Danger = l.danger
	for i := range l.item {
		item := describe(&l.item[i])
		item.Path = l.item[i].name()
		e.Item = append(e.Item, item)
	}
	return e
}

func formOf(l *leaf) Form {
	switch l.kind {
	case kindObject, kindTable, kindList:
		return FormJSON
	case kindString:
		if l.form != "" {
			return l.form
		}
		if len(l.rule.options) > 0 {
			return FormEnum
		}
	}
	return Form(l.kind)
}

// Values returns every setting by path as JSON, secrets hidden.
func (s *Store) Values() map[string]json.RawMessage {
	sch, cur := theSchema(), s.Current()
	out := make(map[string]json.RawMessage, len(sch.leaves))
	for i := range sch.leaves {
		out[sch.leaves[i].path] = valueJSON(&sch.leaves[i], sch.leaves[i].in(cur))
	}
	return out
}

// Differs lists the paths whose values are not the same in a and b.
func Differs(a, b *Settings) []string {
	var out []string
	sch := theSchema()
	for i := range sch.leaves {
		l := &sch.leaves[i]
		if !reflect.DeepEqual(l.in(a).Interface(), l.in(b).Interface()) {
			out = append(out, l.path)
		}
	}
	return out
}

// isSet is what the window sees of a secret that there is.
const isSet = "set"

// valueJSON is a leaf's value as the window sees it: secrets hidden.
func valueJSON(l *leaf, v reflect.Value) json.RawMessage { return encode(plain(l, v, false)) }

// plainJSON is a leaf's value with its secrets, for sealing only.
func plainJSON(l *leaf, v reflect.Value) json.RawMessage { return encode(plain(l, v, true)) }

func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("null") // cannot occur: plain returns only what JSON knows
	}
	return b
}

func plain(l *leaf, v reflect.Value, reveal bool) any {
	switch l.kind {
	case kindSecret:
		s := v.Interface().(Secret)
		if reveal {
			return s.Reveal()
		}
		if s.Set() {
			return isSet
		}
		return ""
	case kindDuration:
		return durationText(v.Interface().(time.Duration))
	case kindStrings:
		if v.IsNil() {
			return []string{}
		}
		return v.Interface()
	case kindList:
		out := make([]map[string]any, v.Len())
		for i := range out {
			out[i] = map[string]any{}
			for j := range l.item {
				f := &l.item[j]
				out[i][f.name()] = plain(f, v.Index(i).Field(f.index[0]), reveal)
			}
		}
		return out
	case kindTable:
		if v.IsNil() {
			return map[string]string{}
		}
		return v.Interface()
	}
	return v.Interface()
}
