package loadtest

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"haoke/backend/internal/archive/measure"
)

// compression measures what a cold conversation takes on disk, as a share of
// its JSON and of its words alone.
func (s *Suite) compression(ctx context.Context) error {
	rep, err := measure.Run(ctx, io.Discard, measure.Options{Conversations: 60, Seed: 11})
	if err != nil {
		return err
	}
	best := map[string]measure.Row{}
	for _, r := range rep.Rows {
		if strings.HasPrefix(r.Method, "of it") {
			continue // a part of the whole
		}
		if r.JSON > best[r.Set].JSON {
			best[r.Set] = r
		}
		if r.Method == "snappy, packed" || r.Method == "zstd+dict, packed" {
			s.tell(r.Set+", "+r.Method, "times smaller than its JSON (than its text alone)", "%.1f (%.1f)", r.JSON, r.Text)
		}
	}
	for _, set := range slices.Sorted(maps.Keys(best)) {
		r := best[set]
		note := fmt.Sprintf("%s; %.1f times smaller than the text alone; packed in %.0f µs, opened in %.0f µs", r.Method, r.Text, r.PackUS, r.OpenUS)
		switch {
		case strings.HasPrefix(set, "templated"):
			s.atLeast(set+", smallest: times smaller than its JSON", 23, r.JSON, "%.1f", note)
		case strings.HasPrefix(set, "mixed"):
			s.atLeast(set+", smallest: times smaller than its JSON", 12, r.JSON, "%.1f", note)
		default:
			s.tell(set+", smallest: times smaller than its JSON", note, "%.1f", r.JSON)
		}
	}
	return nil
}
