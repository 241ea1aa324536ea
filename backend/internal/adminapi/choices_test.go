package adminapi

import (
	"testing"

	"haoke/backend/internal/settings"
)

// Every closed choice of every setting is named in both languages, and no name
// is left over from a choice that went.
func TestEveryChoiceHasWords(t *testing.T) {
	s, err := settings.Open(settings.Config{Environ: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	known, used := choiceWords(), map[string]bool{}
	for _, e := range s.Describe() {
		named := choices(e)
		if len(named) != len(e.Options) {
			t.Errorf("%s: %d names for %d choices", e.Path, len(named), len(e.Options))
		}
		for _, c := range named {
			if c.Name.EN == "" || c.Name.ZH == "" {
				t.Errorf("%s: %q has no words: %+v", e.Path, c.Value, c.Name)
			}
			if e.Path == "upstream.preset" {
				continue
			}
			_, own := known[e.Path+"="+c.Value]
			_, common := known[c.Value]
			if !own && !common {
				t.Errorf("%s: the choice %q is shown as it is written in the file", e.Path, c.Value)
			}
			used[e.Path+"="+c.Value], used[c.Value] = true, true
		}
	}
	for name := range known {
		if !used[name] {
			t.Errorf("%q names no choice", name)
		}
	}
}
