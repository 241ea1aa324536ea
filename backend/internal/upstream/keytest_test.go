package upstream

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/sim"
)

func TestTestKey(t *testing.T) {
	r := newRig(t, Config{}, sim.Config{Keys: []string{"sk-test-secret-1"}, Models: []string{"b-model", "a-model"}})
	good := r.gate.targets[0]
	good.Model = "a-model"
	cases := []struct {
		name   string
		change func(*chat.Target)
		ok     bool
		fault  chat.Fault
		words  string
		base   string
	}{
		{"good", func(*chat.Target) {}, true, "", `It works: "a-model" answered`, ""},
		{"no model", func(t *chat.Target) { t.Model = "" }, true, "", `It works: "a-model" answered`, ""},
		{"slash", func(t *chat.Target) { t.BaseURL += "/" }, true, "", "It works", ""},
		{"wrong key", func(t *chat.Target) { t.Secret = "sk-wrong" }, false, chat.FaultAuth, "was refused; paste a new one", ""},
		{"wrong model", func(t *chat.Target) { t.Model = "nope" }, false, chat.FaultRequest, "the provider offers a-model, b-model", ""},
		{"no /v1", func(t *chat.Target) { t.BaseURL = strings.TrimSuffix(t.BaseURL, "/v1") }, false, "", "misses /v1", r.url},
		{"nobody there", func(t *chat.Target) { t.BaseURL = "http://127.0.0.1:1/v1" }, false, chat.FaultUnavailable, "was refused; is the server running", ""},
		{"no address", func(t *chat.Target) { t.BaseURL = "api.example.com" }, false, chat.FaultRequest, "is not an address", ""},
	}
	for _, c := range cases {
		target := good
		c.change(&target)
		got := r.TestKey(within(t, 20*time.Second), target)
		if got.OK != c.ok || got.Fault != c.fault || !strings.Contains(got.Diagnosis, c.words) || got.BaseURL != c.base {
			t.Errorf("%s: %+v", c.name, got)
		}
		if c.ok && (got.Latency <= 0 || len(got.Models) != 2 || got.Models[0] != "a-model" || got.Status != 200) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestProbe(t *testing.T) {
	r := newRig(t, Config{Timeout: 2 * time.Second}, sim.Config{Keys: []string{"sk-test-secret-1"}})
	ctx := within(t, 20*time.Second)
	target := r.gate.targets[0]
	if err := r.Probe(ctx, target); err != nil {
		t.Error(err)
	}
	for want, change := range map[chat.Fault]func(*chat.Target){
		"":                    func(t *chat.Target) { t.BaseURL += "/without/list" },
		chat.FaultAuth:        func(t *chat.Target) { t.Secret = "wrong" },
		chat.FaultUnavailable: func(t *chat.Target) { t.BaseURL = "http://127.0.0.1:1/v1" },
		chat.FaultRequest:     func(t *chat.Target) { t.BaseURL = "nonsense" },
	} {
		x := target
		change(&x)
		if err := r.Probe(ctx, x); chat.FaultOf(err) != want || want == "" && err != nil {
			t.Errorf("want %q: %v", want, err)
		}
	}
	if n := r.sim.Stats().Calls; n != 0 {
		t.Errorf("%d calls were paid for", n)
	}
}

// picky is a server that refuses what some servers refuse.
func picky(t *testing.T, refuse ...string) (string, *[]string) {
	t.Helper()
	var bodies []string
	s := sim.New(sim.Config{}).Handler()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := make([]byte, r.ContentLength)
		r.Body.Read(b)
		bodies = append(bodies, string(b))
		for _, field := range refuse {
			if strings.Contains(string(b), `"`+field+`"`) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(400)
				w.Write([]byte(`{"error":{"message":"Unsupported parameter: '` + field + `' is not supported with this model."}}`))
				return
			}
		}
		r.Body = http.NoBody
		r2 := r.Clone(r.Context())
		r2.Body = readCloser{strings.NewReader(string(b))}
		s.ServeHTTP(w, r2)
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/v1", &bodies
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// TestQuirks: what a server refuses to hear is left out from then on.
func TestQuirks(t *testing.T) {
	r := newRig(t, Config{Attempts: 4}, sim.Config{})
	base, bodies := picky(t, "max_tokens", "stream_options", "temperature")
	r.gate.targets[0].BaseURL = base
	half := 0.5
	call := question("hi")
	call.Temperature = &half
	for i, want := range []int{4, 1} {
		res, err := r.Answer(within(t, 20*time.Second), call, chat.Caller{}, (&text{}).sink)
		if err != nil || res.Attempts != want {
			t.Fatal(i, res, err)
		}
	}
	last := (*bodies)[len(*bodies)-1]
	if !strings.Contains(last, `"max_completion_tokens":1000`) || strings.Contains(last, "stream_options") || strings.Contains(last, "temperature") {
		t.Error(last)
	}
}

func TestCompleteAndModerate(t *testing.T) {
	r := newRig(t, Config{}, sim.Config{})
	ctx := within(t, 20*time.Second)
	got, res, err := r.Complete(ctx, question("[[say:A \"summary\".]]"), chat.Caller{})
	if err != nil || got != `A "summary".` || res.Finish != chat.FinishStop || res.Usage.Completion == 0 {
		t.Fatal(got, res, err)
	}
	if _, _, err := r.Judge(ctx, question("x"), chat.Caller{}); err != nil {
		t.Fatal(err)
	}
	if a := r.gate.asks; !a[0].Background || a[1].Background {
		t.Errorf("%+v", a)
	}
	if s := r.sim.Stats(); s.Streams != 0 || s.Calls != 2 {
		t.Errorf("%+v", s)
	}
	for _, marker := range []string{"cut", "badjson", "error", "html", "tool", "filter"} {
		if _, _, err := r.Complete(ctx, question("[["+marker+"]]"), chat.Caller{}); chat.FaultOf(err) == "" {
			t.Errorf("%s: %v", marker, err)
		}
	}
	m, err := r.Moderate(ctx, "please flagme", chat.Caller{})
	if err != nil || !m.Flagged || len(m.Categories) != 1 || m.Categories[0] != "harassment" {
		t.Fatal(m, err)
	}
	if m, err := r.Moderate(ctx, "hello", chat.Caller{}); err != nil || m.Flagged || len(m.Categories) != 0 {
		t.Fatal(m, err)
	}
	r.gate.targets[0].BaseURL = strings.TrimSuffix(r.url, "/v1")
	if _, err := r.Moderate(ctx, "x", chat.Caller{}); chat.FaultOf(err) != chat.FaultRequest {
		t.Error(err)
	}
}

func TestPresets(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Presets() {
		if p.Name == "" || seen[p.Name] || p.Title == "" || !strings.HasPrefix(p.Doc, "https://") || p.AuthHeader == "" || p.MaxTokensField == "" {
			t.Errorf("%+v", p)
		}
		seen[p.Name] = true
		if p.Name == "custom" {
			continue
		}
		target := p.Apply(chat.Target{Secret: "x"})
		u, err := endpoint(&target, "/chat/completions")
		if err != nil || !endsInVersion(target.BaseURL) || (u.Scheme == "http") != p.Local || p.Local && !isLocal(u.Hostname()) {
			t.Errorf("%s: %v %v", p.Name, u, err)
		}
	}
	for _, name := range []string{"openai", "azure", "deepseek", "dashscope", "zhipu", "moonshot", "openrouter", "groq", "mistral", "ollama", "lmstudio", "vllm", "custom"} {
		if !seen[name] || PresetByName(name).Name != name {
			t.Errorf("%s is missing", name)
		}
	}
	if PresetByName("whatever").Name != "custom" {
		t.Error("unknown names are custom")
	}
	azure := PresetByName("azure").Apply(chat.Target{BaseURL: "https://x.openai.azure.com/openai/v1", Secret: "s3cret"})
	u, _ := endpoint(&azure, "/chat/completions")
	req := newRequest(t.Context(), &azure, u, []byte("{}"), false, nil)
	if req.Header.Get("api-key") != "s3cret" || req.Header.Get("Authorization") != "" {
		t.Error(req.Header)
	}
}
