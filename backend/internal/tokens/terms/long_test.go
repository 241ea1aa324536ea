package terms

import (
	"strings"
	"testing"
)

// TestLongTexts: hostile lengths take linear time (the test would run into the
// time limit otherwise) and give terms.
func TestLongTexts(t *testing.T) {
	l := Shop()
	for _, unit := range []string{"a", "茶", "1-", "a'", "退货", "send ", "é́", "-", "a.b@", "ー"} {
		text := strings.Repeat(unit, 200_000/len(unit))
		if n := len(Append(nil, text)) + len(l.Features(text)); n == 0 && unit != "-" {
			t.Errorf("%q repeated has no terms", unit)
		}
	}
}
