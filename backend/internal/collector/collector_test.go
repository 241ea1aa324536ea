package collector

import (
	"math"
	"runtime/debug"
	"testing"
)

func env(m map[string]string) func(string) string { return func(k string) string { return m[k] } }

func TestChoose(t *testing.T) {
	const gib = 1 << 30
	for name, c := range map[string]struct {
		env     map[string]string
		memory  int64
		inside  bool
		percent int
		limit   int64
	}{
		"a machine of 2 GiB":          {nil, 2 * gib, false, Percent, gib},
		"a container of 1000 bytes":   {nil, 1000, true, Percent, 800},
		"nobody knows":                {nil, 0, false, Percent, 0},
		"the owner sets the percent":  {map[string]string{"GOGC": "50"}, 2 * gib, false, 0, gib},
		"the owner sets the limit":    {map[string]string{"GOMEMLIMIT": "1600MiB"}, 2 * gib, false, Percent, 0},
		"the owner sets both, and so": {map[string]string{"GOMEMLIMIT": "off", "GOGC": "off"}, 2 * gib, true, 0, 0},
	} {
		s := Choose(env(c.env), c.memory, c.inside)
		if s.Percent != c.percent || s.Limit != c.limit {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// TestApply: what is not chosen stays as it was.
func TestApply(t *testing.T) {
	percent, limit := debug.SetGCPercent(123), debug.SetMemoryLimit(math.MaxInt64/2)
	defer func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) }()
	Settings{}.Apply()
	if p, l := debug.SetGCPercent(123), debug.SetMemoryLimit(-1); p != 123 || l != math.MaxInt64/2 {
		t.Errorf("nothing was chosen, now %d and %d", p, l)
	}
	Settings{Percent: 77, Limit: 1 << 30}.Apply()
	if p, l := debug.SetGCPercent(123), debug.SetMemoryLimit(-1); p != 77 || l != 1<<30 {
		t.Errorf("%d and %d", p, l)
	}
}

// TestMemoryOfThisMachine: what the system tells is possible.
func TestMemoryOfThisMachine(t *testing.T) {
	if n, _ := Memory(); n < 64<<20 || n > 1<<50 {
		t.Errorf("%d bytes", n)
	}
}
