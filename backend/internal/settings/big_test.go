package settings

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// A file with very many mistakes is refused with some of them, and soon: the
// suggestions are made for those that are told only.
func TestManyMistakes(t *testing.T) {
	var b strings.Builder
	b.WriteString("[server]\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "unknown_key_number_%d = %d\n", i, i)
	}
	_, err := open(t, b.String(), nil)
	var se *Error
	if !errors.As(err, &se) || len(se.Problems) == 0 || len(se.Problems) > maxProblems {
		t.Fatalf("%d problems", len(se.Problems))
	}
	if _, err = open(t, "#"+strings.Repeat("x", maxFile), nil); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a huge file: %v", err)
	}
}
