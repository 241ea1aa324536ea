package upstream

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/sim"
)

// TestAFaultOfTheProgramCostsOneCall: the rig also sees to it that the lease
// comes back and no flight is left.
func TestAFaultOfTheProgramCostsOneCall(t *testing.T) {
	for name, cfg := range map[string]Config{"alone": {}, "merged": {Merge: true, CacheTTL: time.Minute}} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
			r := newRig(t, cfg, sim.Config{})
			_, err := r.Answer(within(t, 10*time.Second), question("one"), chat.Caller{}, func([]byte) error { panic("in a sink") })
			if !errors.Is(err, errBroken) {
				t.Fatalf("the call ended by %v", err)
			}
			if !strings.Contains(log.String(), "in a sink") || !strings.Contains(log.String(), "broken_test.go") {
				t.Errorf("the log does not tell where: %s", log.String())
			}
			if text, _, err := r.ask(within(t, 10*time.Second), "one"); err != nil || text == "" {
				t.Errorf("the next call: %q, %v", text, err)
			}
		})
	}
}
