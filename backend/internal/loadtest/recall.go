package loadtest

import (
	"context"
	"io"

	"haoke/backend/internal/testkit/dialogue"
)

// recall measures what assembled prompts still know of long conversations.
func (s *Suite) recall(ctx context.Context) error {
	rep, err := dialogue.Run(ctx, io.Discard, dialogue.Options{Turns: []int{200}, Conversations: 5})
	if err != nil {
		return err
	}
	for _, r := range rep.Rows {
		if r.Method != "assembled" {
			continue
		}
		s.atLeast("first topic in the prompt, "+r.Set+", %", 100, r.First*100, "%.1f", "")
		s.atLeast("facts from the middle in the prompt, "+r.Set+", %", 99, r.Known*100, "%.1f", "")
		s.atMost("prompt as a share of the whole history, "+r.Set+", %", 12.5, r.Share*100, "%.1f", "")
	}
	return nil
}
