package filter

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"haoke/backend/internal/filter/pattern"
	"haoke/backend/internal/filter/personal"
)

// The brackets of a placeholder; nobody types them by accident.
const (
	openMark  = "⟦"
	closeMark = "⟧"
	// maxPlaceholder bounds a placeholder in bytes, brackets included.
	maxPlaceholder = 40
)

// Masker keeps personal data from the upstream. It is immutable and safe for
// concurrent use.
type Masker struct {
	set   *pattern.Set
	kinds []personal.Kind
}

// NewMasker returns a masker for the named detectors (see personal.Kinds);
// none: personal.Default.
func NewMasker(detectors ...string) (*Masker, error) {
	if len(detectors) == 0 {
		detectors = personal.Default()
	}
	kinds, err := personal.Select(detectors)
	if err != nil {
		return nil, err
	}
	specs := make([]pattern.Spec, len(kinds))
	for i, k := range kinds {
		specs[i] = k.Spec()
	}
	set, err := pattern.Compile(specs, 0)
	if err != nil {
		return nil, err
	}
	return &Masker{set: set, kinds: kinds}, nil
}

// Table maps the placeholders of one call, or of one conversation, to what
// they stand for. It lives in memory only. Mask belongs to one goroutine at a
// time; once nothing is masked any more, Restore and restorers may run
// concurrently.
type Table struct {
	m      *Masker
	tag    string
	values []string       // by number
	byText map[string]int // value to number
	labels []string
	state  pattern.State
}

// NewTable begins a table. tag makes its placeholders impossible to guess and
// must be of letters and digits, at most 8; empty: a random one.
func (m *Masker) NewTable(tag string) *Table {
	if tag == "" {
		tag = strings.ToLower(rand.Text()[:6])
	}
	if len(tag) > 8 {
		tag = tag[:8]
	}
	return &Table{m: m, tag: tag, byText: map[string]int{}}
}

// Len is the number of distinct values in the table.
func (t *Table) Len() int { return len(t.values) }

// Mask replaces personal data in text by placeholders such as "⟦PHONE·k7q2x91⟧".
// The same value gets the same placeholder throughout the table. Placeholders
// that stand in text already, for example typed by a visitor, stay and mean
// nothing, for their tag is not this table's.
func (t *Table) Mask(text string) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	var found []pattern.Match
	emit := func(m pattern.Match) { found = append(found, m) }
	t.state.Reset()
	t.m.set.Scan(&t.state, text, 0, emit)
	t.m.set.Close(&t.state, text, emit)
	if len(found) == 0 {
		return text
	}
	// of overlapping finds the first and longest names the kind, all are covered
	slices.SortFunc(found, func(a, b pattern.Match) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End), cmp.Compare(a.Pattern, b.Pattern))
	})
	var b strings.Builder
	pos := 0
	for i := 0; i < len(found); {
		start, end := found[i].Start, found[i].End
		kind := found[i].Pattern
		for i++; i < len(found) && found[i].Start < end; i++ {
			end = max(end, found[i].End)
		}
		b.WriteString(text[pos:start])
		b.WriteString(t.placeholder(t.m.kinds[kind].Label, text[start:end]))
		pos = end
	}
	b.WriteString(text[pos:])
	return b.String()
}

func (t *Table) placeholder(label, value string) string {
	n, ok := t.byText[value]
	if !ok {
		n = len(t.values)
		t.values = append(t.values, strings.Clone(value))
		t.labels = append(t.labels, label)
		t.byText[t.values[n]] = n
	}
	return openMark + t.labels[n] + "·" + t.tag + strconv.Itoa(n+1) + closeMark
}

// value returns what a placeholder's inside stands for.
func (t *Table) value(inside string) (string, bool) {
	n := t.number(inside)
	if n < 0 {
		return "", false
	}
	return t.values[n], true
}

// number returns which of the table's values a placeholder's inside stands
// for, -1 for none.
func (t *Table) number(inside string) int {
	label, id, ok := strings.Cut(inside, "·")
	if !ok || !strings.HasPrefix(id, t.tag) {
		return -1
	}
	n, err := strconv.Atoi(id[len(t.tag):])
	if err != nil || n < 1 || n > len(t.values) || t.labels[n-1] != label || strconv.Itoa(n) != id[len(t.tag):] {
		return -1
	}
	return n - 1
}

// Restore puts the values back into a whole text. Foreign placeholders stay.
func (t *Table) Restore(text string) string {
	out, _, changed := t.restore(nil, text, true)
	if !changed {
		return text
	}
	return string(out)
}

// each returns text, in which all placeholders are this table's, with what
// with gives for the number of each in its place.
func (t *Table) each(text string, with func(n int) string) string {
	var b strings.Builder
	for {
		i := strings.Index(text, openMark)
		if i < 0 {
			break
		}
		inside := text[i+len(openMark):]
		j := strings.Index(inside, closeMark)
		n := -1
		if j >= 0 {
			n = t.number(inside[:j])
		}
		if n < 0 {
			b.WriteString(text[:i+len(openMark)])
			text = inside
			continue
		}
		b.WriteString(text[:i])
		b.WriteString(with(n))
		text = inside[j+len(closeMark):]
	}
	b.WriteString(text)
	return b.String()
}

// restore appends text with its placeholders replaced. Unless final it stops
// before what may become one; rest is what it left.
func (t *Table) restore(out []byte, text string, final bool) (_ []byte, rest int, changed bool) {
	pos := 0
	for {
		i := strings.Index(text[pos:], openMark)
		if i < 0 {
			return append(out, text[pos:]...), 0, changed
		}
		i += pos
		inside := text[i+len(openMark):]
		j := strings.Index(inside[:min(len(inside), maxPlaceholder)], closeMark)
		if j < 0 {
			if !final && len(inside) < maxPlaceholder && !strings.Contains(inside, openMark) {
				return append(out, text[pos:i]...), len(text) - i, changed
			}
			out = append(out, text[pos:i+len(openMark)]...)
			pos = i + len(openMark)
			continue
		}
		v, ok := t.value(inside[:j])
		if !ok {
			out = append(out, text[pos:i+len(openMark)]...)
			pos = i + len(openMark)
			continue
		}
		out = append(append(out, text[pos:i]...), v...)
		pos = i + len(openMark) + j + len(closeMark)
		changed = true
	}
}

// Restorer puts values back into a stream. It belongs to one goroutine.
type Restorer struct {
	t   *Table
	d   decoder
	buf []byte // text that is held back: the begin of a placeholder
	out []byte
	tok []byte
}

// NewRestorer begins a stream.
func (t *Table) NewRestorer() *Restorer { return &Restorer{t: t} }

// Push takes one JSON string token and passes on what is certain, as complete
// tokens; raw itself where nothing had to be changed. At most a placeholder's
// length is held back. What emit receives is valid only during the call.
func (r *Restorer) Push(raw []byte, emit func(raw []byte) error) error {
	old := len(r.buf)
	var whole bool
	var err error
	if r.buf, whole, err = r.d.decode(r.buf, raw); err != nil {
		return fmt.Errorf("restore personal data: %w", err)
	}
	if len(r.buf) == old {
		return nil
	}
	text := unsafe.String(unsafe.SliceData(r.buf), len(r.buf))
	if whole && old == 0 && !strings.Contains(text, openMark) {
		r.buf = r.buf[:0]
		return emit(raw)
	}
	return r.pass(text, false, emit)
}

// Close passes on what was held back.
func (r *Restorer) Close(emit func(raw []byte) error) error {
	r.buf = r.d.flush(r.buf)
	if len(r.buf) == 0 {
		return nil
	}
	return r.pass(unsafe.String(unsafe.SliceData(r.buf), len(r.buf)), true, emit)
}

func (r *Restorer) pass(text string, final bool, emit func(raw []byte) error) error {
	var rest int
	r.out, rest, _ = r.t.restore(r.out[:0], text, final)
	r.buf = append(r.buf[:0], r.buf[len(r.buf)-rest:]...)
	if len(r.out) == 0 {
		return nil
	}
	r.tok = AppendToken(r.tok[:0], r.out)
	return emit(r.tok)
}
