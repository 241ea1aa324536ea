package settings

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
)

// AnyRevision makes Set change a setting whatever was there before.
const AnyRevision int64 = -1

// Edit is one wanted change.
type Edit struct {
	Path string
	// Value is JSON of the setting's type; durations are text ("15s"). null
	// takes the owner's value back, so that the default holds again.
	Value json.RawMessage
	// Revision is the one that the editor saw, or AnyRevision.
	Revision int64
}

// Changed is what came of an Edit.
type Changed struct {
	Path     string
	Revision int64
	// Undo is the value that brings back what was: JSON, null where the
	// default held. For secrets it is nil: what was is not told.
	Undo json.RawMessage
	// Restart: the change takes effect at the next start.
	Restart bool
}

// Conflict is the error of an edit whose Revision is not the present one.
type Conflict struct {
	Path     string          // "": the revision of all settings together
	Revision int64           // the present one
	Value    json.RawMessage // the present value; secrets hidden
}

// Error implements error.
func (c *Conflict) Error() string {
	if c.Path == "" {
		return "other settings were changed meanwhile"
	}
	return c.Path + ": " + ErrConflict.Error()
}

// Is makes errors.Is(err, ErrConflict) hold.
func (c *Conflict) Is(target error) bool { return target == ErrConflict }

// Attach joins the window's settings. Rows that no longer fit (of another
// version, or sealed with a lost key) are left out and listed by Warnings;
// they never stop the start. sealer may be nil: then secrets cannot be set.
func (s *Store) Attach(ctx context.Context, backend Backend, sealer Sealer) error {
	rows, err := backend.LoadSettings(ctx)
	if err != nil {
		return fmt.Errorf("load settings: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.backend, s.sealer = backend, sealer
	window := layer{}
	for _, row := range rows {
		s.rows[row.Path] = row
		if bytes.Equal(bytes.TrimSpace(row.Value), []byte("null")) {
			continue
		}
		if err := s.readRow(row, window); err != nil {
			s.ignored = append(s.ignored, Warning{row.Path, "the stored value is left out: " + err.Error()})
		}
	}
	s.window = s.fitting(window)
	s.publish(s.build(s.window))
	return nil
}

// fitting drops the window's values that are wrong together.
func (s *Store) fitting(window layer) layer {
	for range len(window) + 1 {
		faults := crossCheck(s.build(window))
		dropped := false
		for _, f := range faults {
			if _, ok := window[leafPath(f.key)]; ok {
				delete(window, leafPath(f.key))
				s.ignored = append(s.ignored, Warning{f.key, "the stored value is left out: " + f.message})
				dropped = true
			}
		}
		if !dropped {
			break
		}
	}
	return window
}

func (s *Store) readRow(row Row, out layer) error {
	l := theSchema().byPath[row.Path]
	if l == nil {
		return ErrUnknown
	}
	value := row.Value
	if l.kind == kindSecret {
		plain, err := s.unseal(l.path, value)
		if err != nil {
			return err
		}
		value = plain
	}
	return s.readEdit(l, value, out)
}

// readEdit reads JSON of the window for l.
func (s *Store) readEdit(l *leaf, value []byte, out layer) error {
	v, err := decodeJSON(value)
	r := &reader{at: func(string) Problem { return Problem{Source: string(Window)} }}
	if err != nil {
		r.refuse(l, l.path, "", err)
		return asError(r.problems)
	}
	if l.kind == kindSecret && (v == hidden || v == isSet) {
		r.refuse(l, l.path, "", refuse("is the hidden form of a secret"))
		return asError(r.problems)
	}
	out.read(r, l, v, Origin{Source: Window, Where: string(Window)})
	if len(r.problems) == 0 {
		if check := s.cfg.Checks[l.path]; check != nil {
			if err := check(value); err != nil {
				r.refuse(l, l.path, v, err)
			}
		}
	}
	return asError(r.problems)
}

// Set changes one setting; see SetAll.
func (s *Store) Set(ctx context.Context, path string, value json.RawMessage, revision int64) (Changed, error) {
	all, err := s.SetAll(ctx, AnyRevision, []Edit{{path, value, revision}})
	if err != nil {
		return Changed{}, err
	}
	return all[0], nil
}

// SetAll makes all edits or none: checks them, keeps them durably, publishes
// the new settings and tells the subscribers. revision is what Revision gave
// the editor, or AnyRevision; the edits' own revisions are checked as well.
// Errors: ErrUnknown, ErrLocked, *Conflict (ErrConflict), *Error for bad
// values, and the backend's.
func (s *Store) SetAll(ctx context.Context, revision int64, edits []Edit) ([]Changed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.backend == nil {
		return nil, errors.New("change settings: the store is not open yet")
	}
	if at := s.revision(); revision != AnyRevision && revision != at {
		return nil, &Conflict{Revision: at}
	}
	before := s.Current()
	window := maps.Clone(s.window)
	if err := oncePerPath(edits); err != nil {
		return nil, err
	}
	rows := make([]Row, 0, len(edits))
	changes := make([]Changed, 0, len(edits))
	for _, e := range edits {
		row, ch, err := s.apply(e, window)
		if err != nil {
			return nil, err
		}
		rows, changes = append(rows, row), append(changes, ch)
	}
	after := s.build(window)
	if err := asError(s.crossProblems(after, nil)); err != nil && len(crossCheck(before)) == 0 {
		return nil, err
	}
	if err := s.backend.SaveSettings(ctx, rows); err != nil {
		return nil, fmt.Errorf("save settings: %w", err)
	}
	for _, row := range rows {
		s.rows[row.Path] = row
	}
	s.window = window
	s.publish(after)
	return changes, nil
}

// Revision grows with every change of any setting.
func (s *Store) Revision() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revision()
}

// revision is the number of changes ever made: the sum over the rows, which
// are never deleted.
func (s *Store) revision() int64 {
	var n int64
	for _, r := range s.rows {
		n += r.Revision
	}
	return n
}

// oncePerPath refuses two edits of one setting: which should win is unclear.
func oncePerPath(edits []Edit) error {
	seen := map[string]bool{}
	for _, e := range edits {
		if seen[e.Path] {
			return &Error{[]Problem{{Source: string(Window), Key: e.Path, Message: "is given twice"}}}
		}
		seen[e.Path] = true
	}
	return nil
}

// apply checks one edit and lays it into window.
func (s *Store) apply(e Edit, window layer) (Row, Changed, error) {
	l := theSchema().byPath[e.Path]
	if l == nil {
		return Row{}, Changed{}, fmt.Errorf("%w: %q%s", ErrUnknown, e.Path, meant(nearest(e.Path, theSchema().paths())))
	}
	if v, ok := s.fixed[l.path]; ok {
		return Row{}, Changed{}, fmt.Errorf("%s: %w: set in %s", l.path, ErrLocked, v.origin.Where)
	}
	at := s.rows[l.path].Revision
	if e.Revision != AnyRevision && e.Revision != at {
		return Row{}, Changed{}, &Conflict{Path: l.path, Revision: at, Value: valueJSON(l, l.in(s.Current()))}
	}
	ch := Changed{Path: l.path, Revision: at + 1, Restart: l.restart}
	if l.kind != kindSecret {
		ch.Undo = json.RawMessage("null")
		if v, ok := s.window[l.path]; ok {
			ch.Undo = valueJSON(l, v.value)
		}
	}
	row := Row{Path: l.path, Value: []byte("null"), Revision: at + 1}
	if bytes.Equal(bytes.TrimSpace(e.Value), []byte("null")) {
		delete(window, l.path)
		return row, ch, nil
	}
	if err := s.readEdit(l, e.Value, window); err != nil {
		return Row{}, Changed{}, err
	}
	if err := noKeys(l, window[l.path].value); err != nil {
		return Row{}, Changed{}, err
	}
	stored, err := s.stored(l, window[l.path].value)
	if err != nil {
		return Row{}, Changed{}, err
	}
	row.Value = stored
	return row, ch, nil
}

func meant(s string) string {
	if s == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", s)
}

// noKeys refuses keys in the window's settings: they live sealed in a store of
// their own, behind the Keys page.
func noKeys(l *leaf, v reflect.Value) error {
	n := 0
	switch t := v.Interface().(type) {
	case []Key:
		n = len(t)
	case []Provider:
		for _, p := range t {
			n += len(p.Keys)
		}
	}
	if n == 0 {
		return nil
	}
	return &Error{[]Problem{{Source: string(Window), Key: l.path, Message: "holds keys", Allowed: "keys are added on the Keys page"}}}
}

// sealedValue is the stored form of a setting that holds a secret.
type sealedValue struct {
	Sealed string `json:"sealed"`
}

// stored is the JSON that goes to the backend.
func (s *Store) stored(l *leaf, v reflect.Value) ([]byte, error) {
	if l.kind != kindSecret {
		return valueJSON(l, v), nil
	}
	plain := plainJSON(l, v)
	if s.sealer == nil {
		return nil, fmt.Errorf("%s: secrets cannot be kept: there is no key to seal them", l.path)
	}
	box, err := s.sealer.Seal(plain, []byte("settings/"+l.path))
	if err != nil {
		return nil, fmt.Errorf("%s: seal: %w", l.path, err)
	}
	return json.Marshal(sealedValue{base64.StdEncoding.EncodeToString(box)})
}

func (s *Store) unseal(path string, value []byte) ([]byte, error) {
	var sv sealedValue
	if err := json.Unmarshal(value, &sv); err != nil || sv.Sealed == "" {
		return nil, errors.New("it is not sealed")
	}
	box, err := base64.StdEncoding.DecodeString(sv.Sealed)
	if err != nil {
		return nil, errors.New("its seal is damaged")
	}
	if s.sealer == nil {
		return nil, errors.New("there is no key to unseal it")
	}
	plain, err := s.sealer.Open(box, []byte("settings/"+path))
	if err != nil {
		return nil, fmt.Errorf("unseal: %w", err)
	}
	return plain, nil
}
