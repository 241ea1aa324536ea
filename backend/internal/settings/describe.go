package settings

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// Text is a text in the window's two languages.
type Text struct {
	En string `json:"en"`
	Zh string `json:"zh"`
}

// Entry describes one setting and its present value for the window.
type Entry struct {
	Path     string          `json:"path"`
	Group    string          `json:"group"` // the section: "server", "upstream", ...
	Page     string          `json:"page"`  // page that edits it; "": the settings list
	Type     string          `json:"type"`  // string secret bool int float duration strings object table list
	Title    Text            `json:"title"`
	Help     Text            `json:"help"`
	Allowed  string          `json:"allowed"`
	Options  []string        `json:"options,omitempty"`
	Min      *float64        `json:"min,omitempty"` // durations: seconds
	Max      *float64        `json:"max,omitempty"`
	Unit     string          `json:"unit,omitempty"` // bytes tokens characters currency days
	Item     []Entry         `json:"item,omitempty"` // fields of a list's elements, without values
	Secret   bool            `json:"secret"`
	Restart  bool            `json:"restart"`
	Default  json.RawMessage `json:"default,omitempty"`
	Value    json.RawMessage `json:"value,omitempty"` // secrets: "" or "(hidden)"
	Revision int64           `json:"revision"`
	Source   Source          `json:"source"`
	Where    string          `json:"where"` // "set in …"
	Locked   bool            `json:"locked"`
	Env      string          `json:"env"` // the environment variable that would set it
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
		e.Revision = s.rows[l.path].Revision
		e.Source, e.Where, e.Locked = o.Source, o.Where, o.Locked()
		out = append(out, e)
	}
	return out
}

func describe(l *leaf) Entry {
	e := Entry{
		Path: l.path, Page: l.page, Type: string(l.kind), Allowed: l.rule.allowed, Options: l.rule.options,
		Min: l.rule.min, Max: l.rule.max, Unit: l.unit, Secret: l.kind == kindSecret, Restart: l.restart,
	}
	e.Title.En, e.Help.En, _ = strings.Cut(l.en, "|")
	e.Title.Zh, e.Help.Zh, _ = strings.Cut(l.zh, "|")
	for i := range l.item {
		item := describe(&l.item[i])
		item.Path = l.item[i].name()
		e.Item = append(e.Item, item)
	}
	return e
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
		return s.String()
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
