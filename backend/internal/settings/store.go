package settings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Row is a setting as the window's store keeps it. A Value of JSON null means
// that the owner went back to the default; the row stays so that its revision
// goes on counting.
type Row struct {
	Path     string
	Value    []byte // JSON; secrets sealed
	Revision int64  // 1, 2, 3, ...
}

// Backend keeps the window's settings. Save must be durable when it returns
// and takes all rows or none.
type Backend interface {
	LoadSettings(ctx context.Context) ([]Row, error)
	SaveSettings(ctx context.Context, rows []Row) error
}

// Sealer encrypts secrets at rest. aad binds a sealed text to its path.
type Sealer interface {
	Seal(plain, aad []byte) ([]byte, error)
	Open(sealed, aad []byte) ([]byte, error)
}

// Config says where settings come from. The zero value gives the defaults.
type Config struct {
	// File is the path of config.toml; "": none. A file that is named but
	// missing is an error only when FileRequired.
	File         string
	FileRequired bool
	// Environ is os.Environ() in programs; nil: no environment.
	Environ []string
	// IgnoreEnv names HAOKE_ variables that are not settings, beside
	// HAOKE_CONFIG and HAOKE_DATA and those that a key's env names.
	IgnoreEnv []string
	// Flags are the settings of the command line.
	Flags []Flag
	// Checks are further checks by path, for example of the widget's look
	// by the package that owns its fields. They get the JSON value.
	Checks map[string]func(json.RawMessage) error
}

// Store holds the settings of a running appliance. Its methods are safe for
// concurrent use; Current costs one atomic load.
type Store struct {
	cfg   Config
	fixed layer // config.toml, environment and flags

	mu      sync.Mutex // guards what follows, and orders notifications
	backend Backend
	sealer  Sealer
	window  layer
	rows    map[string]Row
	ignored []Warning // rows of the window that no longer fit
	subs    map[int]func(old, new *Settings)
	nextSub int

	current atomic.Pointer[Settings]
}

// Open reads config.toml, the environment and the flags. What is wrong with
// them comes back as one *Error that lists every problem. The window's
// settings join with Attach, once the database is open.
func Open(cfg Config) (*Store, error) {
	doc, err := readFile(cfg)
	if err != nil {
		return nil, err
	}
	return assemble(cfg, doc)
}

// assemble lays the sources over each other and checks the result. doc may be nil.
func assemble(cfg Config, doc *document) (*Store, error) {
	s := &Store{cfg: cfg, fixed: layer{}, window: layer{}, rows: map[string]Row{}, subs: map[int]func(old, new *Settings){}}
	var problems []Problem
	at := func(string) Problem { return Problem{Source: "settings"} }
	if doc != nil {
		at = doc.at
		problems = append(problems, doc.layer(s.fixed)...)
	}
	keyEnv := s.keyVariables()
	problems = append(problems, readEnv(cfg.Environ, func(name string) bool {
		return name == "HAOKE_CONFIG" || name == "HAOKE_DATA" || slices.Contains(cfg.IgnoreEnv, name) || slices.Contains(keyEnv, name)
	}, s.fixed)...)
	problems = append(problems, readFlags(cfg.Flags, s.fixed)...)
	problems = append(problems, s.resolveKeys(at)...)
	if len(problems) == 0 { // a half-read tree would only give echoes of the same mistakes
		problems = s.crossProblems(s.build(s.window), at)
	}
	if err := asError(problems); err != nil {
		return nil, err
	}
	s.current.Store(s.build(s.window))
	return s, nil
}

func readFile(cfg Config) (*document, error) {
	if cfg.File == "" {
		return nil, nil
	}
	name := filepath.Base(cfg.File)
	info, err := os.Stat(cfg.File)
	if errors.Is(err, fs.ErrNotExist) && !cfg.FileRequired {
		return nil, nil
	}
	if err == nil && info.Size() > maxFile {
		return nil, &Error{[]Problem{{Source: name, Message: fmt.Sprintf("is larger than %d bytes", maxFile)}}}
	}
	data, err := os.ReadFile(cfg.File)
	if err != nil {
		return nil, &Error{[]Problem{{Source: cfg.File, Message: "cannot be read: " + err.Error()}}}
	}
	doc, problem := parseTOML(name, data)
	if problem != nil {
		return nil, &Error{[]Problem{*problem}}
	}
	return doc, nil
}

// keyVariables lists the environment variables that keys of the file name.
func (s *Store) keyVariables() []string {
	var out []string
	t := s.build(layer{})
	for _, k := range t.Upstream.Keys {
		out = append(out, k.Env)
	}
	for _, p := range t.Upstream.Providers {
		for _, k := range p.Keys {
			out = append(out, k.Env)
		}
	}
	return out
}

func (s *Store) getenv(name string) (string, bool) {
	for _, kv := range s.cfg.Environ {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v, true
		}
	}
	return "", false
}

// resolveKeys fills in the text of keys that the environment or files hold.
func (s *Store) resolveKeys(at func(string) Problem) []Problem {
	var problems []Problem
	bad := func(key, message, allowed string) {
		p := at(key)
		p.Key, p.Message, p.Allowed = key, message, allowed
		problems = append(problems, p)
	}
	if v, ok := s.fixed["upstream.keys"]; ok {
		resolveKeys("upstream.keys", v.value.Interface().([]Key), s.getenv, bad)
	}
	if v, ok := s.fixed["upstream.providers"]; ok {
		for i, p := range v.value.Interface().([]Provider) {
			resolveKeys(fmt.Sprintf("upstream.providers[%d].keys", i), p.Keys, s.getenv, bad)
		}
	}
	return problems
}

// build lays the sources over each other.
func (s *Store) build(window layer) *Settings {
	t := Default()
	sch := theSchema()
	for i := range sch.leaves {
		l := &sch.leaves[i]
		if v, ok := s.fixed[l.path]; ok {
			l.in(t).Set(deep(v.value))
		} else if v, ok := window[l.path]; ok {
			l.in(t).Set(deep(v.value))
		}
	}
	return t
}

func (s *Store) crossProblems(t *Settings, at func(string) Problem) []Problem {
	var out []Problem
	for _, f := range crossCheck(t) {
		p := Problem{Source: "settings"}
		if at != nil {
			p = at(f.key)
		}
		if o := s.originOf(leafPath(f.key)); o.Source != File && o.Locked() {
			p = Problem{Source: o.Where}
		}
		p.Key, p.Message, p.Allowed = f.key, f.message, f.allowed
		out = append(out, p)
	}
	return out
}

// leafPath cuts the element's part of "upstream.keys[0].name" off.
func leafPath(path string) string {
	if i := strings.IndexByte(path, '['); i >= 0 {
		return path[:i]
	}
	return path
}

// Current returns the settings in force. They must not be changed.
func (s *Store) Current() *Settings { return s.current.Load() }

// Subscribe calls f after every change with the settings before and after it,
// one call at a time and in order. f must not call Set or Subscribe and should
// return soon. The returned function ends the subscription.
func (s *Store) Subscribe(f func(old, new *Settings)) (cancel func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.nextSub
	s.nextSub++
	s.subs[id] = f
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.subs, id)
	}
}

// publish makes t the settings in force. The caller holds mu.
func (s *Store) publish(t *Settings) {
	old := s.current.Swap(t)
	for id := range s.nextSub {
		if f := s.subs[id]; f != nil {
			f(old, t)
		}
	}
}

// Origin says where the value of path came from.
func (s *Store) Origin(path string) Origin {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.originOf(path)
}

func (s *Store) originOf(path string) Origin {
	if v, ok := s.fixed[path]; ok {
		return v.origin
	}
	if v, ok := s.window[path]; ok {
		return v.origin
	}
	return Origin{Source: BuiltIn, Where: string(BuiltIn)}
}

// Warnings lists what the owner should know of the settings in force.
func (s *Store) Warnings() []Warning {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(Warnings(s.Current()), s.ignored...)
}
