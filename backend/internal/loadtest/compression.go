package loadtest

import (
	"context"
	"io"

	"haoke/backend/internal/archive/measure"
)

// compression measures what a cold conversation takes on disk, as a share of
// its JSON and of its words alone.
func (s *Suite) compression(ctx context.Context) error {
	rep, err := measure.Run(ctx, io.Discard, measure.Options{Conversations: 60, Seed: 11})
	if err != nil {
		return err
	}
	for _, r := range rep.Rows {
		s.tell(r.Set+", "+r.Method, "times smaller than its JSON (than its text alone)", "%.1f (%.1f)", r.JSON, r.Text)
	}
	return nil
}
