package price

import (
	"math"
	"testing"

	"haoke/backend/internal/chat"
)

func TestDefaultTableIsSound(t *testing.T) {
	s := Default()
	if s.Currency == "" || s.Updated == "" || len(s.Entries) < 30 {
		t.Fatalf("currency %q, updated %q, %d entries", s.Currency, s.Updated, len(s.Entries))
	}
	tab, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[nameAt]bool{}
	for _, e := range s.Entries {
		if seen[nameAt{e.Preset, e.Model}] {
			t.Errorf("%s is listed twice", e.Model)
		}
		seen[nameAt{e.Preset, e.Model}] = true
		if e.Output < e.Input || e.Cached > e.Input {
			t.Errorf("%+v: an answer token cheaper than a prompt token, or a cached one dearer", e)
		}
	}
	for model, want := range map[string]string{
		"gpt-4o-mini":                 "gpt-4o-mini",
		"GPT-4o-mini-2024-07-18":      "gpt-4o-mini",
		"gpt-4o-2024-11-20":           "gpt-4o",
		"gpt-4-0613":                  "gpt-4",
		"gpt-4.5-preview":             "*",
		"openai/gpt-4.1-nano":         "gpt-4.1-nano",
		"qwen-plus-latest":            "qwen-plus",
		"moonshot-v1-8k-vision":       "moonshot-v1-8k",
		"deepseek/deepseek-chat:free": "deepseek-chat",
		"mistral-small-2506":          "mistral-small",
		"something-new":               "*",
		"":                            "*",
	} {
		if e, ok := tab.Lookup("openai", model); !ok || e.Model != want {
			t.Errorf("%q is priced as %q, want %q", model, e.Model, want)
		}
	}
	if e, _ := tab.Lookup("ollama", "gpt-oss-20b"); e.Input != 0 || e.Output != 0 {
		t.Errorf("a local model costs %+v", e)
	}
}

func TestCost(t *testing.T) {
	tab, err := New(Sheet{Entries: []Entry{{Model: "m", Input: 2, Output: 8, Cached: 0.5}, {Model: "n", Input: 2, Output: 8}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		model string
		u     chat.Usage
		want  float64
	}{
		{"m", chat.Usage{Prompt: 1e6, Completion: 1e6}, 10},
		{"m", chat.Usage{Prompt: 1000, Cached: 600, Completion: 100}, 0.0019},
		{"n", chat.Usage{Prompt: 1000, Cached: 600, Completion: 100}, 0.0028},
		{"m", chat.Usage{Prompt: 10, Cached: 900}, 0.000005},
		{"m", chat.Usage{Prompt: -5, Completion: -5, Cached: -5}, 0},
		{"unknown", chat.Usage{Prompt: 1000}, 0},
	} {
		if got := tab.Cost("", c.model, c.u); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s %+v: %v, want %v", c.model, c.u, got, c.want)
		}
	}
	if _, ok := tab.Lookup("", "unknown"); ok {
		t.Error("a price was made up")
	}
}

func TestOwnersEntriesReplace(t *testing.T) {
	s := Default()
	s.Entries = append(s.Entries, Entry{Model: "gpt-4o-mini", Input: 7, Output: 9}, Entry{Model: "*", Preset: "azure", Input: 3, Output: 3})
	tab, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	if e, _ := tab.Lookup("openai", "gpt-4o-mini"); e.Input != 7 {
		t.Errorf("%+v", e)
	}
	if e, _ := tab.Lookup("azure", "gpt-4o-mini"); e.Input != 3 {
		t.Errorf("%+v", e)
	}
}

func TestBadSheets(t *testing.T) {
	for _, e := range []Entry{{Input: 1}, {Model: "m", Input: -1}, {Model: "m", Output: math.NaN()}, {Model: "m", Cached: math.Inf(1)}} {
		if _, err := New(Sheet{Entries: []Entry{e}}); err == nil {
			t.Errorf("%+v was accepted", e)
		}
	}
}
