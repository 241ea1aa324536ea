package settings

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

// shelf is a Backend in memory that can fail.
type shelf struct {
	mu   sync.Mutex
	rows map[string]Row
	err  error
}

func newShelf() *shelf { return &shelf{rows: map[string]Row{}} }

func (s *shelf) LoadSettings(context.Context) ([]Row, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Row
	for _, r := range s.rows {
		out = append(out, r)
	}
	return out, s.err
}

func (s *shelf) SaveSettings(_ context.Context, rows []Row) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	for _, r := range rows {
		if r.Revision != s.rows[r.Path].Revision+1 {
			return fmt.Errorf("revision %d after %d", r.Revision, s.rows[r.Path].Revision)
		}
		s.rows[r.Path] = r
	}
	return nil
}

// mirror "seals" so that tests see what was sealed and with which aad.
type mirror struct{}

func (mirror) Seal(plain, aad []byte) ([]byte, error) {
	return append(append(bytes.Clone(aad), '|'), flip(plain)...), nil
}

func (mirror) Open(sealed, aad []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(sealed, append(bytes.Clone(aad), '|'))
	if !ok {
		return nil, errors.New("wrong seal")
	}
	return flip(rest), nil
}

func flip(b []byte) []byte {
	out := bytes.Clone(b)
	for i := range out {
		out[i] ^= 0x55
	}
	return out
}

func attached(t *testing.T, text string, b *shelf) *Store {
	t.Helper()
	s := mustOpen(t, text, nil)
	if err := s.Attach(t.Context(), b, mirror{}); err != nil {
		t.Fatal(err)
	}
	return s
}

func mustSet(t *testing.T, s *Store, path, value string, revision int64) Changed {
	t.Helper()
	ch, err := s.Set(t.Context(), path, json.RawMessage(value), revision)
	if err != nil {
		t.Fatalf("set %s to %s: %v", path, value, err)
	}
	return ch
}

func TestSetPublishesAndSurvives(t *testing.T) {
	b := newShelf()
	s := attached(t, "", b)
	var seen []string
	cancel := s.Subscribe(func(old, new *Settings) {
		seen = append(seen, fmt.Sprint(Differs(old, new), old.Upstream.Timeout, "->", new.Upstream.Timeout))
	})
	before := s.Current()
	ch := mustSet(t, s, "upstream.timeout", `"20s"`, 0)
	if ch.Revision != 1 || string(ch.Undo) != "null" || ch.Restart {
		t.Errorf("change %+v", ch)
	}
	if ch = mustSet(t, s, "upstream.timeout", `"25s"`, 1); string(ch.Undo) != `"20s"` {
		t.Errorf("undo %s", ch.Undo)
	}
	if !mustSet(t, s, "log.format", `"json"`, 0).Restart {
		t.Error("the log's format takes effect at the next start")
	}
	cancel()
	mustSet(t, s, "upstream.retries", `4`, AnyRevision)
	if before.Upstream.Timeout != 15*time.Second || s.Current().Upstream.Timeout != 25*time.Second {
		t.Error("a published tree was changed, or the new one was not")
	}
	if want := "[[upstream.timeout] 15s->20s [upstream.timeout] 20s->25s [log.format] 25s->25s]"; fmt.Sprint(seen) != want {
		t.Errorf("told %v", seen)
	}
	if s.Revision() != 4 {
		t.Errorf("revision %d after four changes", s.Revision())
	}

	again := attached(t, "", b)
	if again.Current().Upstream.Timeout != 25*time.Second || again.Current().Upstream.Retries != 4 || again.Revision() != 4 {
		t.Error("not there after a restart")
	}
	if o := again.Origin("upstream.timeout"); o.Source != Window || o.Locked() {
		t.Errorf("origin %+v", o)
	}
	// undo, and undo of the undo
	if ch = mustSet(t, again, "upstream.timeout", "null", 2); string(ch.Undo) != `"25s"` || again.Current().Upstream.Timeout != 15*time.Second {
		t.Errorf("reset: %+v", ch)
	}
	if o := again.Origin("upstream.timeout"); o.Source != BuiltIn {
		t.Errorf("origin after the reset %+v", o)
	}
	if ch = mustSet(t, again, "upstream.timeout", string(ch.Undo), 3); ch.Revision != 4 {
		t.Errorf("a reset lost the revision: %+v", ch)
	}
}

func TestTwoWindows(t *testing.T) {
	s := attached(t, "", newShelf())
	mustSet(t, s, "site.name", `"First"`, 0)
	_, err := s.Set(t.Context(), "site.name", json.RawMessage(`"Second"`), 0)
	var c *Conflict
	if !errors.As(err, &c) || !errors.Is(err, ErrConflict) || c.Revision != 1 || string(c.Value) != `"First"` {
		t.Fatalf("got %v", err)
	}
	mustSet(t, s, "site.name", `"Second"`, c.Revision)
	mustSet(t, s, "site.locale", `"zh_CN"`, 0) // another setting is no conflict
	if s.Current().Site.Locale != "zh-CN" {
		t.Errorf("locale %q", s.Current().Site.Locale)
	}
	at := s.Revision()
	if _, err := s.SetAll(t.Context(), at-1, []Edit{{"site.name", json.RawMessage(`"x"`), AnyRevision}}); !errors.Is(err, ErrConflict) {
		t.Errorf("old revision of everything: %v", err)
	}
	if _, err := s.SetAll(t.Context(), at, []Edit{{"site.name", json.RawMessage(`"x"`), AnyRevision}}); err != nil {
		t.Errorf("present revision of everything: %v", err)
	}
}

func TestStrongerSourcesLock(t *testing.T) {
	b := newShelf()
	b.rows["upstream.model"] = Row{"upstream.model", []byte(`"of-the-window"`), 3}
	s := attached(t, "\n[upstream]\nmodel = \"of-the-file\"\n", b)
	if s.Current().Upstream.Model != "of-the-file" {
		t.Error("the window wins over the file")
	}
	_, err := s.Set(t.Context(), "upstream.model", json.RawMessage(`"x"`), AnyRevision)
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "set in config.toml:3") {
		t.Errorf("got %v", err)
	}
	for _, e := range s.Describe() {
		if e.Path == "upstream.model" {
			if !e.Locked || e.Where != "config.toml:3" || string(e.Window) != `"of-the-window"` || string(e.Value) != `"of-the-file"` || e.Revision != 3 {
				t.Errorf("%+v", e)
			}
		}
	}
}

func TestBadEdits(t *testing.T) {
	s := attached(t, "", newShelf())
	for _, tc := range []struct{ path, value, want string }{
		{"upstream.modle", `"x"`, `did you mean "upstream.model"`},
		{"upstream.timeout", `15`, "no unit"},
		{"upstream.timeout", `"15s" "16s"`, "more than one"},
		{"upstream.timeout", `{`, "not valid JSON"},
		{"upstream.timeout", `"0s"`, "1s to 10m"},
		{"limits.connections", `1.5`, "whole number"},
		{"limits.connections", `1e400`, "whole number"},
		{"upstream.base_url", `"https://api.openai.com"`, "https://api.openai.com/v1"},
		{"limits.at_cap", `"cheaper"`, "limits.cheaper_model"},
		{"admin.token", `"(hidden)"`, "hidden form"},
		{"admin.token", `"set"`, "hidden form"},
		{"widget.look", `[1]`, "not an object"},
		{"upstream.keys", `[{"name":"a","value":"sk-1"}]`, "Keys page"},
		{"upstream.providers", `[{"name":"a","base_url":"http://h/v1","keys":[{"value":"sk-1"}]}]`, "Keys page"},
		{"upstream.providers", `[{"name":"a"}]`, "base_url"},
		{"upstream.providers", `[{"name":"a","base_url":"http://h/v1","wieght":1}]`, "providers[0].weight"},
		{"prices.models", `[{"model":"m","input":-1}]`, "prices.models[0].input"},
	} {
		before := s.Current()
		_, err := s.Set(t.Context(), tc.path, json.RawMessage(tc.value), AnyRevision)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s = %s: %v, want %q", tc.path, tc.value, err, tc.want)
		}
		if s.Current() != before {
			t.Errorf("%s = %s changed something", tc.path, tc.value)
		}
	}
}

func TestAllOrNone(t *testing.T) {
	b := newShelf()
	s := attached(t, "", b)
	_, err := s.SetAll(t.Context(), AnyRevision, []Edit{
		{"site.name", json.RawMessage(`"New"`), AnyRevision},
		{"site.locale", json.RawMessage(`"no tag"`), AnyRevision},
	})
	if err == nil || s.Current().Site.Name != "Demo shop" || len(b.rows) != 0 {
		t.Errorf("half was taken: %v, %q", err, s.Current().Site.Name)
	}
	// two that are only good together
	if _, err = s.SetAll(t.Context(), AnyRevision, []Edit{
		{"limits.at_cap", json.RawMessage(`"cheaper"`), 0},
		{"limits.cheaper_model", json.RawMessage(`"small"`), 0},
	}); err != nil {
		t.Error(err)
	}
	if _, err = s.SetAll(t.Context(), AnyRevision, []Edit{{"site.name", json.RawMessage(`"a"`), AnyRevision}, {"site.name", json.RawMessage(`"b"`), AnyRevision}}); err == nil {
		t.Error("one setting twice was taken")
	}
	b.err = errors.New("disk full")
	if _, err = s.Set(t.Context(), "site.name", json.RawMessage(`"New"`), AnyRevision); err == nil || s.Current().Site.Name != "Demo shop" {
		t.Errorf("published what was not kept: %v", err)
	}
}

func TestSecretsAtRest(t *testing.T) {
	const token = "a-very-secret-token"
	b := newShelf()
	s := attached(t, "", b)
	ch := mustSet(t, s, "admin.token", `"  `+token+`\n"`, 0)
	if ch.Undo != nil {
		t.Error("undo tells the secret")
	}
	if got := string(b.rows["admin.token"].Value); strings.Contains(got, token) || !strings.Contains(got, "sealed") {
		t.Errorf("kept as %s", got)
	}
	if again := attached(t, "", b); again.Current().Admin.Token.Reveal() != token {
		t.Error("not there after a restart")
	}
	// moved to another setting's row it does not open
	b.rows["admin.password"] = Row{"admin.password", b.rows["admin.token"].Value, 1}
	moved := attached(t, "", b)
	if moved.Current().Admin.Password.Set() || len(moved.Warnings()) != 1 {
		t.Errorf("warnings %v", moved.Warnings())
	}
	// without a key to seal, nothing secret is kept
	open := mustOpen(t, "", nil)
	if err := open.Attach(t.Context(), newShelf(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := open.Set(t.Context(), "admin.token", json.RawMessage(`"x"`), 0); err == nil {
		t.Error("kept a secret without a seal")
	}
}

func TestNoFormShowsASecret(t *testing.T) {
	const text = "sk-thisMustNotBeSeen"
	s := mustOpen(t, "[admin]\ntoken = \""+text+"\"\n[[upstream.keys]]\nvalue=\""+text+"\"\n", nil)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "settings", s.Current(), "token", s.Current().Admin.Token)
	js, err := json.Marshal(s.Current())
	if err != nil {
		t.Fatal(err)
	}
	desc, err := json.Marshal(s.Describe())
	if err != nil {
		t.Fatal(err)
	}
	vals, err := json.Marshal(s.Values())
	if err != nil {
		t.Fatal(err)
	}
	k := s.Current().Upstream.Keys[0]
	for _, form := range []string{
		log.String(), string(js), string(desc), string(vals), fmt.Sprint(s.Current()), fmt.Sprintf("%+v", *s.Current()), fmt.Sprintf("%#v", k),
		fmt.Sprintf("%s %q %x %v %d", k.Value, k.Value, k.Value, &k.Value, k.Value),
	} {
		if strings.Contains(form, text) || strings.Contains(form, fmt.Sprintf("%x", text)) {
			t.Errorf("seen in %s", form)
		}
	}
	if Secret("sk-0123456789").Last() != "6789" || Secret("short").Last() != "" {
		t.Error("last characters")
	}
}

func TestRowsOfAnotherVersionAreLeftOut(t *testing.T) {
	b := newShelf()
	b.rows["site.name"] = Row{"site.name", []byte(`"Kept"`), 1}
	b.rows["gone.setting"] = Row{"gone.setting", []byte(`1`), 1}
	b.rows["log.level"] = Row{"log.level", []byte(`"loud"`), 1}
	b.rows["limits.at_cap"] = Row{"limits.at_cap", []byte(`"people"`), 1}
	b.rows["admin.session_max"] = Row{"admin.session_max", []byte(`"1h"`), 1} // below the idle time
	s := attached(t, "", b)
	c := s.Current()
	if c.Site.Name != "Kept" || c.Log.Level != "info" || c.Limits.AtCap != "people" || c.Admin.SessionMax < c.Admin.SessionIdle {
		t.Errorf("site %q, level %q, at cap %q, session %s", c.Site.Name, c.Log.Level, c.Limits.AtCap, c.Admin.SessionMax)
	}
	if n := len(s.Warnings()); n != 3 {
		t.Errorf("%d warnings: %v", n, s.Warnings())
	}
	mustSet(t, s, "log.level", `"warn"`, 1) // a bad row can be mended
}

func TestChecksOfOthers(t *testing.T) {
	s, err := Open(Config{Checks: map[string]func(json.RawMessage) error{
		"widget.look": func(raw json.RawMessage) error {
			if bytes.Contains(raw, []byte("bogus")) {
				return errors.New("has an unknown field")
			}
			return nil
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Attach(t.Context(), newShelf(), mirror{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Set(t.Context(), "widget.look", json.RawMessage(`{"bogus":1}`), 0); err == nil || !strings.Contains(err.Error(), "unknown field") {
		t.Errorf("got %v", err)
	}
	mustSet(t, s, "widget.look", `{ "color": "#0a0" }`, 0)
	if got := string(s.Current().Widget.Look); got != `{"color":"#0a0"}` {
		t.Errorf("look %s", got)
	}
}

func TestDescribeIsWhole(t *testing.T) {
	entries := attached(t, "", newShelf()).Describe()
	groups := map[string]bool{}
	for _, g := range Groups() {
		if g.Name.En == "" || g.Name.Zh == "" {
			t.Errorf("group %s has no name", g.ID)
		}
		groups[g.ID] = true
	}
	for _, e := range entries {
		if !groups[e.Group] || e.Title.En == "" || e.Title.Zh == "" || e.Allowed == "" || e.Form == "" || !json.Valid(e.Value) || !json.Valid(e.Default) {
			t.Errorf("%+v", e)
		}
		if e.Type == "list" && len(e.Item) == 0 {
			t.Errorf("%s: no fields", e.Path)
		}
		// what Describe shows can be written back
		if !e.Secret && e.Path != "widget.look" {
			l := theSchema().byPath[e.Path]
			v, err := decodeJSON(e.Default)
			r := &reader{at: func(string) Problem { return Problem{} }}
			if err != nil || !r.read(l, e.Path, v, reflect.New(l.in(&Settings{}).Type()).Elem()) {
				t.Errorf("%s: the default %s cannot be written back: %v", e.Path, e.Default, r.problems)
			}
		}
	}
}

func TestWarnings(t *testing.T) {
	s := mustOpen(t, `[server]
allowed_origins = ["*"]
admin_addr = "0.0.0.0:8788"
[admin]
allowed_hosts = ["*"]
[upstream]
base_url = "http://api.example.com/v1"
`, nil)
	keys := map[string]bool{}
	for _, w := range s.Warnings() {
		keys[w.Key] = true
	}
	for _, want := range []string{"server.allowed_origins", "server.admin_addr", "admin.allowed_hosts", "upstream.base_url"} {
		if !keys[want] {
			t.Errorf("no warning of %s", want)
		}
	}
	local := mustOpen(t, "[upstream]\nbase_url = \"http://192.168.1.5:11434/v1\"\n", nil)
	if w := local.Warnings(); len(w) != 0 {
		t.Errorf("a local model is warned of: %v", w)
	}
}

func TestConcurrentChanges(t *testing.T) {
	s := attached(t, "", newShelf())
	var wg sync.WaitGroup
	var last int
	s.Subscribe(func(_, new *Settings) { last = new.Limits.Connections })
	for i := range 16 {
		wg.Go(func() {
			for range 20 {
				_, err := s.Set(t.Context(), "limits.connections", json.RawMessage(fmt.Sprint(i+1)), AnyRevision)
				if err != nil {
					t.Error(err)
				}
				_ = s.Describe()
			}
		})
	}
	wg.Wait()
	if s.Revision() != 320 || last != s.Current().Limits.Connections {
		t.Errorf("revision %d, last told %d, present %d", s.Revision(), last, s.Current().Limits.Connections)
	}
}
