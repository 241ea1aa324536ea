// Package price turns tokens into money by a table that the owner can edit.
package price

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"haoke/backend/internal/chat"
)

// million: prices are per million tokens, as providers print them.
const million = 1e6

//go:embed prices.json
var defaults []byte

// Entry is the price of one model in the table's currency per million tokens.
type Entry struct {
	// Model is the model's name without date or version suffix: the entry
	// also covers names that continue it with "-", ":" or "@". "*" is every
	// model that has no entry.
	Model string `json:"model"`
	// Preset limits the entry to providers of one preset; empty: all.
	Preset string  `json:"preset,omitempty"`
	Input  float64 `json:"input"`
	Output float64 `json:"output"`
	// Cached is the price of prompt tokens that the provider served from its
	// cache; 0 means that they cost as much as Input.
	Cached float64 `json:"cached,omitempty"`
}

// Sheet is the editable form of a table.
type Sheet struct {
	Currency string  `json:"currency"` // ISO 4217, for display only
	Updated  string  `json:"updated"`  // when the prices were looked up
	Entries  []Entry `json:"entries"`
}

// Table looks prices up. It is immutable and safe for concurrent use.
type Table struct {
	sheet Sheet
	exact map[nameAt]*Entry
}

type nameAt struct{ preset, model string }

// Default is the sheet that comes with the program: list prices of common
// models in US dollars, and a cautious guess ("*") for all others, so that a money
// limit also holds for a model nobody has priced. They age; the owner's sheet
// replaces them.
func Default() Sheet {
	var s Sheet
	if err := json.Unmarshal(defaults, &s); err != nil {
		panic("embedded price table: " + err.Error()) // a broken build; a test reads it
	}
	return s
}

// New checks a sheet and makes a table of it. Later entries of the same name
// replace earlier ones.
func New(s Sheet) (*Table, error) {
	t := &Table{sheet: s, exact: make(map[nameAt]*Entry, len(s.Entries))}
	for i := range s.Entries {
		e := s.Entries[i]
		if e.Model == "" {
			return nil, fmt.Errorf("price table: entry %d names no model", i+1)
		}
		for _, p := range [3]float64{e.Input, e.Output, e.Cached} {
			if !(p >= 0 && p <= million) {
				return nil, fmt.Errorf("price table: %s: a price must be from 0 to %d per million tokens", e.Model, int(million))
			}
		}
		t.exact[nameAt{e.Preset, strings.ToLower(e.Model)}] = &e
	}
	return t, nil
}

// Sheet gives the table's source for editing.
func (t *Table) Sheet() Sheet { return t.sheet }

// Lookup finds the entry for a model at a provider of the given preset. Entries
// of the preset, its "*" included, come before those for all presets. Within
// one group the longest name that fits wins; "vendor/model" (OpenRouter, Groq)
// is looked up whole, then without the vendor. It reports false when the table
// has no price.
func (t *Table) Lookup(preset, model string) (Entry, bool) {
	groups := [2]string{preset, ""}
	for _, group := range groups {
		for name := strings.ToLower(model); ; {
			if e := t.longest(group, name); e != nil {
				return *e, true
			}
			slash := strings.IndexByte(name, '/')
			if slash < 0 {
				break
			}
			name = name[slash+1:]
		}
		if e := t.exact[nameAt{group, "*"}]; e != nil {
			return *e, true
		}
	}
	return Entry{}, false
}

// longest tries name and then what is left when parts are cut off its end.
func (t *Table) longest(preset, name string) *Entry {
	for name != "" {
		if e := t.exact[nameAt{preset, name}]; e != nil {
			return e
		}
		cut := strings.LastIndexAny(name, "-:@")
		if cut <= 0 {
			return nil
		}
		name = name[:cut]
	}
	return nil
}

// Cost is the price of what a call consumed, 0 for a model without a price.
func (t *Table) Cost(preset, model string, u chat.Usage) float64 {
	e, _ := t.Lookup(preset, model)
	return e.Cost(u)
}

// Cost is the price of u under this entry. Negative counts, which some
// gateways send, count as 0.
func (e Entry) Cost(u chat.Usage) float64 {
	prompt, completion := max(u.Prompt, 0), max(u.Completion, 0)
	cached := min(max(u.Cached, 0), prompt)
	cachedPrice := e.Cached
	if cachedPrice == 0 {
		cachedPrice = e.Input
	}
	c := (float64(prompt-cached)*e.Input + float64(cached)*cachedPrice + float64(completion)*e.Output) / million
	if math.IsNaN(c) {
		return 0
	}
	return c
}
