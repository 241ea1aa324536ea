package dialogue

import (
	"context"
	"os"
	"testing"
)

func TestRecall(t *testing.T) {
	rep, err := Run(context.Background(), os.Stdout, Options{Conversations: 10, Seed: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range rep.Misses[:min(12, len(rep.Misses))] {
		t.Logf("miss: %+v", m)
	}
}
