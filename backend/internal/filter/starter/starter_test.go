package starter

import (
	"testing"

	"haoke/backend/internal/filter/words"
)

func TestLists(t *testing.T) {
	lists, err := Lists()
	if err != nil {
		t.Fatal(err)
	}
	if len(lists) < 8 {
		t.Fatalf("%d lists", len(lists))
	}
	for _, l := range lists {
		if l.Title == "" || l.Language != "en" && l.Language != "zh" || l.Category == "" || l.Action.Rank() == 0 || len(l.Entries) < 10 {
			t.Errorf("list %s: head %q %q %q %q, %d entries", l.Name, l.Title, l.Language, l.Category, l.Action, len(l.Entries))
		}
		seen := map[string]string{}
		for _, e := range l.Entries {
			in, err := words.Parse(e)
			if err != nil {
				t.Errorf("list %s: %q %v", l.Name, e, err)
			}
			if seen[in.Key] != "" {
				t.Errorf("list %s: %q and %q are the same", l.Name, e, seen[in.Key])
			}
			seen[in.Key] = e
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, data := range []string{"# no head\nx", "# colour: red\nx"} {
		if _, err := parse("x", data); err == nil {
			t.Errorf("%q was accepted", data)
		}
	}
}
