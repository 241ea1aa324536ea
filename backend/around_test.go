package backend

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAround(t *testing.T) {
	for _, c := range []struct {
		text       string
		start, end int
		want       string
	}{
		{"a  bad\nword here", 3, 6, "a bad word here"},
		{"", 0, 0, ""},
		{"short", 2, 9, ""},
		{strings.Repeat("x", 200) + "BAD" + strings.Repeat("y", 200), 200, 203, strings.Repeat("x", 80) + "BAD" + strings.Repeat("y", 80)},
	} {
		if got := around(c.text, c.start, c.end); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
	text := strings.Repeat("敏", 100) + "bad" + strings.Repeat("感", 100)
	got := around(text, 300, 303)
	if !utf8.ValidString(got) || !strings.Contains(got, "敏bad感") || len(got) > 163 {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}
