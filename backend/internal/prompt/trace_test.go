package prompt

import (
	"encoding/json"
	"reflect"
	"testing"

	"haoke/backend/internal/chat"
)

// TestTraceJSON: the trace written by hand reads back as what it was, whatever
// is empty in it.
func TestTraceJSON(t *testing.T) {
	full := Trace{
		Model: "gpt-4o \"mini\"", Budget: 4000, Tokens: 812, Fence: 3, Left: 7, Micros: 41, Context: true,
		Parts: []Part{
			{Kind: KindInstructions, Tokens: 90, Note: "cut\n<here>"},
			{Kind: KindLatest, Tokens: 300, Seqs: []int64{4, 5, 6}},
			{Kind: KindQuestion, Tokens: 12, Seqs: []int64{7}},
		},
		Recall: []Reason{{Seq: 2, Score: 1.0 / 3, Why: "match"}, {Seq: 9, Score: 12, Why: "neighbour"}},
		Prompt: []chat.PromptMessage{{Role: chat.RoleSystem, Content: "You are \u4f60\u597d\t\u2028."}, {Role: chat.RoleUser, Content: ""}},
	}
	one := full
	one.Recall, one.Prompt, one.Parts = one.Recall[:1], one.Prompt[:1], one.Parts[:1]
	for _, want := range []*Trace{{}, &full, &one, {Parts: []Part{}}} {
		text := want.JSON()
		var got, std Trace
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		plain, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(plain, &std); err != nil || !reflect.DeepEqual(got, std) {
			t.Errorf("%s\nwant %s", text, plain)
		}
	}
}
