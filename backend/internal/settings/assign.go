package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxItems bounds every list of tables, maxProblems what is told of one source:
// whoever has more mistakes has the wrong file.
const (
	maxItems    = 1000
	maxProblems = 50
)

// reader turns untyped values (of TOML, of JSON, or text of the environment)
// into leaves and collects what is wrong. at names the place of a path.
type reader struct {
	at       func(path string) Problem // source and position; the rest is filled in here
	problems []Problem
}

func (r *reader) refuse(l *leaf, path string, v any, err error) {
	if len(r.problems) >= maxProblems {
		return
	}
	p := r.at(path)
	p.Key, p.Allowed = path, l.rule.allowed
	p.Value = printed(v)
	if l.secret() {
		p.Value = hidden
	}
	var el *element
	if errors.As(err, &el) {
		inner := r.at(fmt.Sprintf("%s[%d]", path, el.index))
		p.Line, p.Column, p.Key, p.Value = inner.Line, inner.Column, fmt.Sprintf("%s[%d]", path, el.index), printed(el.value)
		err = el.err
	}
	p.Message = err.Error()
	var rf *refusal
	if errors.As(err, &rf) {
		p.Suggest = rf.suggest
	}
	r.problems = append(r.problems, p)
}

func (r *reader) unknown(path string, candidates []string) {
	if len(r.problems) >= maxProblems {
		return
	}
	p := r.at(path)
	p.Key, p.Message, p.Suggest = path, "unknown key", nearest(path, candidates)
	r.problems = append(r.problems, p)
}

// printed is a value as a human writes it, bounded.
func printed(v any) string {
	s, ok := v.(string)
	if ok {
		s = strconv.Quote(s)
	} else if b, err := json.Marshal(v); err == nil {
		s = string(b)
	} else {
		s = fmt.Sprint(v)
	}
	if r := []rune(s); len(r) > 80 {
		s = string(r[:77]) + "..."
	}
	return s
}

// read converts v for l, checks it and stores it in dst. It reports whether
// dst was set; otherwise problems were added.
func (r *reader) read(l *leaf, path string, v any, dst reflect.Value) bool {
	if l.kind == kindList {
		return r.readList(l, path, v, dst)
	}
	typed, err := convert(l.kind, v)
	if err == nil {
		typed, err = l.rule.check(typed)
	}
	if err != nil {
		r.refuse(l, path, v, err)
		return false
	}
	dst.Set(reflect.ValueOf(typed))
	return true
}

func (r *reader) readList(l *leaf, path string, v any, dst reflect.Value) bool {
	if m, ok := v.(map[string]any); ok { // one table instead of a list of them
		v = []any{m}
	}
	items, ok := v.([]any)
	if !ok {
		r.refuse(l, path, v, refuse("is not a list of tables"))
		return false
	}
	if len(items) > maxItems {
		r.refuse(l, path, len(items), refuse(fmt.Sprintf("has more than %d entries", maxItems)))
		return false
	}
	before := len(r.problems)
	out := reflect.MakeSlice(dst.Type(), len(items), len(items))
	for i, it := range items {
		at := fmt.Sprintf("%s[%d]", path, i)
		m, ok := it.(map[string]any)
		if !ok {
			r.refuse(l, at, it, refuse("is not a table"))
			continue
		}
		r.readItem(l, at, m, out.Index(i))
	}
	if len(r.problems) > before {
		return false
	}
	dst.Set(out)
	return true
}

func (r *reader) readItem(l *leaf, path string, m map[string]any, dst reflect.Value) {
	names := make([]string, len(l.item))
	for i := range l.item {
		f := &l.item[i]
		names[i] = path + "." + f.name()
		if v, ok := m[f.name()]; ok {
			r.read(f, names[i], v, dst.Field(f.index[0]))
		} else {
			// the zero value of a list is an empty list, so that JSON shows [] and not null
			if d := dst.Field(f.index[0]); d.Kind() == reflect.Slice {
				d.Set(reflect.MakeSlice(d.Type(), 0, 0))
			}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(names, path+"."+k) {
			r.unknown(path+"."+k, names)
		}
	}
}

// convert gives v the Go type of the kind, without checking its range.
func convert(k kind, v any) (any, error) {
	switch k {
	case kindString, kindSecret:
		s, ok := v.(string)
		if !ok {
			return nil, refuse("is " + article(v) + ", not text in quotes")
		}
		if k == kindSecret {
			return Secret(s), nil
		}
		return s, nil
	case kindBool:
		if b, ok := v.(bool); ok {
			return b, nil
		}
		return nil, refuse("is " + article(v) + ", not true or false")
	case kindInt:
		return toInt(v)
	case kindFloat:
		return toFloat(v)
	case kindDuration:
		return toDuration(v)
	case kindStrings:
		return toStrings(v)
	case kindObject:
		b, err := json.Marshal(v)
		if err != nil {
			return nil, refuse("cannot be written as JSON")
		}
		return json.RawMessage(b), nil
	case kindTable:
		return toTable(v)
	}
	return nil, refuse("has no known kind")
}

func article(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "text"
	case bool:
		return "true or false"
	case int64, float64, json.Number:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "of another type"
}

func toInt(v any) (any, error) {
	switch n := v.(type) {
	case int64:
		if int64(int(n)) == n {
			return int(n), nil
		}
	case json.Number:
		if i, err := strconv.Atoi(n.String()); err == nil {
			return i, nil
		}
		if f, err := n.Float64(); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return int(f), nil
		}
	case float64:
		if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
			return int(n), nil
		}
	}
	return nil, refuse("is not a whole number")
}

func toFloat(v any) (any, error) {
	switch n := v.(type) {
	case int64:
		return float64(n), nil
	case float64:
		if !math.IsInf(n, 0) && !math.IsNaN(n) {
			return n, nil
		}
	case json.Number:
		if f, err := n.Float64(); err == nil {
			return f, nil
		}
	}
	return nil, refuse("is not a number")
}

func toDuration(v any) (any, error) {
	s, ok := v.(string)
	if !ok {
		return nil, &refusal{"has no unit", printed(v) + "s"}
	}
	s = strings.TrimSpace(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil && math.Abs(n) < 36500 {
			return time.Duration(n * float64(day)), nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		if _, nerr := strconv.ParseFloat(s, 64); nerr == nil {
			return nil, &refusal{"has no unit", s + "s"}
		}
		return nil, refuse(`is not a duration such as "15s", "1m30s", "24h" or "7d"`)
	}
	return d, nil
}

func toStrings(v any) (any, error) {
	list, ok := v.([]any)
	if !ok {
		if s, ok := v.(string); ok {
			return nil, &refusal{"is text, not a list", "[" + strconv.Quote(s) + "]"}
		}
		return nil, refuse("is " + article(v) + ", not a list of texts")
	}
	out := make([]string, len(list))
	for i, e := range list {
		s, ok := e.(string)
		if !ok {
			return nil, &element{i, printed(e), refuse("is " + article(e) + ", not text in quotes")}
		}
		out[i] = s
	}
	return out, nil
}

func toTable(v any) (any, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, refuse("is " + article(v) + ", not a table")
	}
	if len(m) > maxItems {
		return nil, refuse("has too many entries")
	}
	out := make(map[string]string, len(m))
	for k, e := range m {
		s, ok := e.(string)
		if !ok || len(s) > 200 || len(k) > 200 {
			return nil, refuse(fmt.Sprintf("has an entry %q that is not text of at most 200 bytes", k))
		}
		out[k] = s
	}
	return out, nil
}
