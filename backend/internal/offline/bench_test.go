package offline

import (
	"context"
	"testing"
)

// BenchmarkTurn is what every turn asks of the FAQ: is there a curated answer,
// and what is near.
func BenchmarkTurn(b *testing.B) {
	a := demoAnswerer(b, Config{})
	b.ReportAllocs()
	for b.Loop() {
		if x, err := a.Exact(context.Background(), "Where is the parcel that I ordered last week?"); err != nil || x.Found {
			b.Fatal(x, err)
		}
		if _, err := a.Answer(context.Background(), "Where is the parcel that I ordered last week?", "en"); err != nil {
			b.Fatal(err)
		}
	}
}

// TestMisspelt: letters in common find what words in common do not.
func TestMisspelt(t *testing.T) {
	a := New(Config{}, store{})
	a.Load([]Entry{
		{ID: 1, Question: "Refurbishment", Answer: "In our workshop."},
		{ID: 2, Question: "Vouchers", Answer: "At the desk."},
	})
	ans, err := a.Answer(context.Background(), "refurbishmennt", "")
	if err != nil || len(ans.Near) == 0 && !ans.Found || ans.Entry != 1 && ans.Near[0].ID != 1 {
		t.Errorf("%+v %v", ans, err)
	}
}
