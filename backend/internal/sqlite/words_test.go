package sqlite

import (
	"errors"
	"slices"
	"testing"

	"haoke/backend/internal/chat"
)

func TestWordsOfTheirOwn(t *testing.T) {
	db := open(t)
	ctx := t.Context()
	f := db.Filters()
	id, err := f.PutList(ctx, WordList{Name: "l", Way: "both", Enabled: true, Source: "own"})
	if err != nil {
		t.Fatal(err)
	}
	put := func(replace bool, words ...Word) (added, updated int) {
		t.Helper()
		added, updated, err := f.PutWords(ctx, id, words, replace)
		if err != nil {
			t.Fatal(err)
		}
		return added, updated
	}
	if a, u := put(false, Word{Text: "b", Category: "x", Action: chat.ActionBlock}, Word{Text: "a"}); a != 2 || u != 0 {
		t.Errorf("first: %d added, %d updated", a, u)
	}
	if a, u := put(false, Word{Text: "b", Category: "x", Action: chat.ActionMask}, Word{Text: "a"}, Word{Text: "c"}); a != 1 || u != 1 {
		t.Errorf("second: %d added, %d updated", a, u)
	}
	got, err := f.WordRows(ctx, id, "", 1, 5)
	if want := []Word{{"b", "x", chat.ActionMask}, {Text: "c"}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if a, _ := put(true, Word{Text: "z"}); a != 1 {
		t.Errorf("replaced: %d added", a)
	}
	if got, _ := f.WordRows(ctx, id, "", 0, 0); len(got) != 1 || got[0].Text != "z" {
		t.Errorf("after replacing: %v", got)
	}
	if _, _, err := f.PutWords(ctx, id+9, nil, false); !errors.Is(err, ErrNoRow) {
		t.Errorf("a list that is not there: %v", err)
	}
}
