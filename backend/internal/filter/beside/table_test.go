package beside

import (
	"slices"
	"testing"
	"time"

	"haoke/backend/internal/filter/filtertest"
)

// TestTable measures all matchers in turns, many short rounds each, and
// compares their best rounds, in which no neighbour on the machine disturbed
// them, and their medians.
func TestTable(t *testing.T) {
	if testing.Short() {
		t.Skip("a measurement")
	}
	list := filtertest.Words(10_000)
	msgs := filtertest.Messages(2000, 20, list)
	bytes := 0
	for _, m := range msgs {
		bytes += len(m)
	}
	const rounds = 60
	fs := make([]func(string) bool, len(wordMatchers))
	took := make([][]time.Duration, len(fs))
	for i, m := range wordMatchers {
		fs[i] = m.build(t, list)
	}
	for range rounds {
		for i, f := range fs {
			for _, m := range msgs { // warm, not counted
				f(m)
			}
			begun := time.Now()
			for range 5 {
				for _, m := range msgs {
					f(m)
				}
			}
			took[i] = append(took[i], time.Since(begun)/5)
		}
	}
	fastest, fastestMid := 0.0, 0.0
	rate := func(d time.Duration) float64 { return float64(bytes) / 1e6 / d.Seconds() }
	for i, m := range wordMatchers {
		slices.Sort(took[i])
		best, mid := rate(took[i][0]), rate(took[i][rounds/2])
		t.Logf("%-12s best %7.1f MB/s   median %7.1f MB/s", m.name, best, mid)
		if i > 0 {
			fastest, fastestMid = max(fastest, best), max(fastestMid, mid)
		}
	}
	t.Logf("haoke is %.2f times the fastest other by the best rounds, %.2f by the medians", rate(took[0][0])/fastest, rate(took[0][rounds/2])/fastestMid)
}
