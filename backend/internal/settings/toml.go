package settings

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// maxFile bounds config.toml, maxPlaces the positions that are remembered of
// it: what comes later is reported with the position of what is around it.
const (
	maxFile   = 1 << 20
	maxPlaces = 50000
)

// place is a position in a file, 1-based.
type place struct{ line, column int }

// document is a parsed config.toml: untyped values and where each stands.
type document struct {
	name   string
	values map[string]any
	places map[string]place
}

// parseTOML reads a file's bytes. Its errors carry line and column.
func parseTOML(name string, data []byte) (*document, *Problem) {
	if len(data) > maxFile {
		return nil, &Problem{Source: name, Message: fmt.Sprintf("is larger than %d bytes", maxFile)}
	}
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return nil, &Problem{Source: name, Line: 1, Column: 1, Message: "is UTF-16; save it as UTF-8"}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		return nil, invalidUTF8(name, data)
	}
	d := &document{name: name, values: map[string]any{}, places: map[string]place{}}
	if err := toml.Unmarshal(data, &d.values); err != nil {
		p := Problem{Source: name, Message: strings.TrimPrefix(err.Error(), "toml: ")}
		var de *toml.DecodeError
		if errors.As(err, &de) {
			p.Line, p.Column = de.Position()
			p.Key = strings.Join(de.Key(), ".")
		}
		return nil, &p
	}
	d.values, _ = plainTOML(d.values).(map[string]any)
	locate(data, d.places)
	return d, nil
}

func invalidUTF8(name string, data []byte) *Problem {
	line := 1
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		if r == '\n' {
			line++
		}
		i += size
	}
	return &Problem{Source: name, Line: line, Column: 1, Message: "is not valid UTF-8; save it as UTF-8"}
}

// plainTOML turns what only TOML has (dates and times) into text, so that the
// rest of the package knows one set of types.
func plainTOML(v any) any {
	switch t := v.(type) {
	case map[string]any:
		for k, e := range t {
			t[k] = plainTOML(e)
		}
		return t
	case []any:
		for i, e := range t {
			t[i] = plainTOML(e)
		}
		return t
	case string, bool, int64, float64:
		return t
	case fmt.Stringer:
		return t.String()
	}
	return fmt.Sprint(v)
}

// locate walks the file once more for the positions of keys and of list
// elements. The file has parsed already, so errors cannot occur; if the two
// passes ever disagreed, a position would be missing and the message would
// name the file alone.
func locate(data []byte, places map[string]place) {
	var p unstable.Parser
	p.Reset(data)
	w := &walker{places: places, counts: map[string]int{}, lines: []int{0}}
	for i, c := range data {
		if c == '\n' {
			w.lines = append(w.lines, i+1)
		}
	}
	for p.NextExpression() {
		w.expression(p.Expression())
	}
}

type walker struct {
	lines  []int // offset of each line's first byte
	places map[string]place
	counts map[string]int // elements seen of each array of tables
	table  string         // path of the current table
}

func (w *walker) expression(n *unstable.Node) {
	switch n.Kind {
	case unstable.Table:
		w.table, _ = w.keyPath("", n.Key())
	case unstable.ArrayTable:
		path, at := w.keyPath("", n.Key())
		i := w.counts[path]
		w.counts[path]++
		w.table = fmt.Sprintf("%s[%d]", path, i)
		w.note(w.table, at)
	case unstable.KeyValue:
		w.keyValue(w.table, n)
	}
}

func (w *walker) keyValue(base string, n *unstable.Node) {
	path, at := w.keyPath(base, n.Key())
	w.value(path, at, n.Value())
}

func (w *walker) value(path string, at place, v *unstable.Node) {
	switch v.Kind {
	case unstable.Array:
		for i, it := 0, v.Children(); it.Next(); {
			n := it.Node()
			if n.Kind == unstable.Comment {
				continue
			}
			el, elAt := fmt.Sprintf("%s[%d]", path, i), at
			if n.Raw.Length > 0 {
				elAt = w.placeOf(n)
			}
			w.note(el, elAt)
			w.value(el, elAt, n)
			i++
		}
	case unstable.InlineTable:
		for it := v.Children(); it.Next(); {
			if it.Node().Kind == unstable.KeyValue {
				w.keyValue(path, it.Node())
			}
		}
	}
}

// keyPath joins the parts of a dotted key below base and notes the position of
// each prefix that has none yet. Within arrays of tables, a bare mention means
// the latest element.
func (w *walker) keyPath(base string, it unstable.Iterator) (string, place) {
	path, at := base, place{}
	for it.Next() {
		n := it.Node()
		if c := w.counts[path]; c > 0 {
			path = fmt.Sprintf("%s[%d]", path, c-1)
		}
		if path != "" {
			path += "."
		}
		path += string(n.Data)
		at = w.placeOf(n)
		w.note(path, at)
	}
	return path, at
}

func (w *walker) placeOf(n *unstable.Node) place {
	at := int(n.Raw.Offset)
	line := sort.Search(len(w.lines), func(i int) bool { return w.lines[i] > at })
	return place{line, at - w.lines[line-1] + 1}
}

func (w *walker) note(path string, at place) {
	if _, seen := w.places[path]; !seen && at.line > 0 && len(w.places) < maxPlaces {
		w.places[path] = at
	}
}

// at finds the position of a path, or of the nearest thing around it.
func (d *document) at(path string) Problem {
	p := Problem{Source: d.name}
	for path != "" {
		if pl, ok := d.places[path]; ok {
			p.Line, p.Column = pl.line, pl.column
			return p
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			break
		}
		path = path[:cut]
	}
	return p
}

// layer reads the document into typed values by path.
func (d *document) layer(out layer) []Problem {
	r := &reader{at: d.at}
	sch := theSchema()
	for _, section := range slices.Sorted(maps.Keys(d.values)) {
		table, ok := d.values[section].(map[string]any)
		if !slices.Contains(sch.groups, section) {
			r.unknown(section, append(slices.Clone(sch.groups), sch.paths()...))
			continue
		}
		if !ok {
			p := d.at(section)
			p.Key, p.Message, p.Allowed = section, "is a section, not a value", "["+section+"]"
			r.problems = append(r.problems, p)
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(table)) {
			path := section + "." + name
			l := sch.byPath[path]
			if l == nil {
				r.unknown(path, sch.paths())
				continue
			}
			out.read(r, l, table[name], Origin{Source: File, Where: whereIn(d.at(path))})
		}
	}
	return r.problems
}

func whereIn(p Problem) string {
	if p.Line == 0 {
		return p.Source
	}
	return fmt.Sprintf("%s:%d", p.Source, p.Line)
}
