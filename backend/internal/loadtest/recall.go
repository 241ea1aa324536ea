package loadtest

import (
	"context"
	"fmt"
	"io"
	"os"

	"haoke/backend/internal/testkit/dialogue"
)

// Targets of recall: at a budget of 4,000 tokens, as shares in percent.
const (
	recallFirst = 100
	recallKnown = 98.7
	recallLong  = 95 // of the probes at 1,000 turns
	recallShare = 25 // of the full history's tokens
)

// recall measures what assembled prompts still know of long conversations,
// beside sending the latest turns only and sending everything, and on the
// corpus where one is given.
func (s *Suite) recall(ctx context.Context) error {
	for _, turns := range []int{200, 1000} {
		rep, err := dialogue.Run(ctx, io.Discard, dialogue.Options{Turns: []int{turns}, Conversations: 5})
		if err != nil {
			return err
		}
		s.recalled(rep, turns)
	}
	if s.cfg.Corpus == "" {
		return nil
	}
	f, err := os.Open(s.cfg.Corpus)
	if err != nil {
		return fmt.Errorf("open corpus: %w", err)
	}
	defer f.Close()
	rep, err := dialogue.Run(ctx, io.Discard, dialogue.Options{Corpus: f})
	if err != nil {
		return err
	}
	s.recalled(rep, 0)
	return nil
}

// recalled adds the rows of a report; turns 0: lengths that nobody set.
func (s *Suite) recalled(rep dialogue.Report, turns int) {
	for _, r := range rep.Rows {
		if r.Method != "assembled" {
			s.tell("facts in the prompt, "+r.Set+", "+r.Method+", %",
				fmt.Sprintf("first topic %.1f %%, %.0f tokens", r.First*100, r.Tokens), "%.1f", r.Known*100)
			continue
		}
		least := recallKnown
		if turns > 200 {
			least = recallLong
		}
		s.atLeast("first topic in the prompt, "+r.Set+", %", recallFirst, r.First*100, "%.1f", "")
		s.atLeast("facts in the prompt, "+r.Set+", %", least, r.Known*100, "%.1f", fmt.Sprintf("corrected ones %.1f %%; %d probes; made in %.0f µs", r.Corrected*100, r.Probes, r.Micros))
		if turns > 0 {
			s.atMost("prompt as a share of the whole history, "+r.Set+", %", recallShare, r.Share*100, "%.1f", fmt.Sprintf("%.0f tokens", r.Tokens))
		} else {
			s.tell("prompt as a share of the whole history, "+r.Set+", %", fmt.Sprintf("%.0f tokens", r.Tokens), "%.1f", r.Share*100)
		}
	}
}
