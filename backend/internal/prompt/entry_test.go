package prompt

import (
	"slices"
	"testing"

	"haoke/backend/internal/chat"
)

func TestFilesAreNamedNotLinked(t *testing.T) {
	for in, want := range map[string]string{
		"![broken cup.png](/v1/files/94e2bcd8457f8e989f99a2ced0fdb56c.png)":        "(sent a file: broken cup.png)",
		"see [a.pdf](/v1/files/00e2bcd8457f8e989f99a2ced0fdb56c.pdf) and [b](/c)":  "see (sent a file: a.pdf) and [b](/c)",
		"[mine](https://shop.example/v1/files/x) stays, and so does /v1/files/y.z": "[mine](https://shop.example/v1/files/x) stays, and so does /v1/files/y.z",
	} {
		if got := toEntry(&chat.Message{From: chat.FromVisitor, Text: in}).text; got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// What the model's review withheld is not told to the upstream again; what was
// only noted is.
func TestReviewedIsNotToldAgain(t *testing.T) {
	blocked := chat.Message{From: chat.FromSystem, Text: "sorry", Finish: chat.FinishBlocked, Turn: &chat.TurnInfo{Hits: []chat.Hit{{Layer: chat.LayerReview, Action: chat.ActionBlock}}}}
	in := Input{Messages: []chat.Message{
		{From: chat.FromVisitor, Text: "good"}, {From: chat.FromAI, Text: "fine"},
		{From: chat.FromVisitor, Text: "bad"}, {From: chat.FromVisitor, Text: "worse"}, blocked,
		{From: chat.FromVisitor, Text: "only noted"}, {From: chat.FromAI, Text: "well", Turn: blocked.Turn},
	}}
	in.Question = []chat.Message{{Seq: 8, From: chat.FromVisitor, Text: "now"}}
	for i := range in.Messages {
		in.Messages[i].Seq = int64(i + 1)
	}
	context, question := split(&in, nil, nil)
	var got []string
	for _, e := range append(context, question...) {
		got = append(got, e.text)
	}
	if want := []string{"good", "fine", "only noted", "well", "now"}; !slices.Equal(got, want) {
		t.Errorf("told: %q", got)
	}
}
