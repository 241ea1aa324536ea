package sqlite

import (
	"context"
	"errors"
	"testing"

	"haoke/backend/internal/chat"
)

func TestTakeBackAndCounts(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	if _, _, err := db.Cold().State(ctx, chat.NewConversationID()); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("the tier of nothing: %v", err)
	}
	if v, err := db.Engine(ctx); err != nil || v == "" {
		t.Errorf("engine: %q, %v", v, err)
	}
	for _, q := range []string{"one?", "two?", "One ?"} {
		if err := db.FAQ().AddUnanswered(ctx, q, "en", ""); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := db.FAQ().CountUnanswered(ctx); err != nil || n != 2 {
		t.Errorf("unanswered: %d, %v", n, err)
	}
	f := db.Filters()
	if err := f.AddHits(ctx, []FilterHit{{Layer: chat.LayerWords, Rule: "r", Match: "Text"}, {Layer: chat.LayerWords, Rule: "r", Match: "Else"}}); err != nil {
		t.Fatal(err)
	}
	hits, err := f.Hits(ctx, "", "", 0, 10)
	if err != nil || len(hits) != 2 {
		t.Fatalf("hits: %v, %v", hits, err)
	}
	for _, h := range hits {
		if _, err := f.FalsePositive(ctx, h.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.TakeBack(ctx, "Text"); err != nil {
		t.Fatal(err)
	}
	hits, err = f.Hits(ctx, "", "", 0, 10)
	if err != nil || !hits[0].FalsePositive || hits[1].FalsePositive {
		t.Errorf("after taking one back: %+v, %v", hits, err)
	}
	if err := f.TakeBack(ctx, "Text"); !errors.Is(err, ErrNoRow) {
		t.Errorf("taken back twice: %v", err)
	}
}
