package measure

import (
	"context"
	"os"
	"testing"
)

func TestTable(t *testing.T) {
	r, err := Run(context.Background(), os.Stdout, Options{Conversations: 60, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	_ = r
}
