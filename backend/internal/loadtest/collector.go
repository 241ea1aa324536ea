package loadtest

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// collectors are the settings of the garbage collector that are compared; no
// setting is what the program chooses by itself.
func collectors() []string {
	return []string{"GOGC=50", "GOGC=100", "GOGC=200", "GOGC=400", "GOGC=800", "GOGC=off GOMEMLIMIT=400MiB", "GOGC=400 GOMEMLIMIT=1GiB", ""}
}

// collector measures what the garbage collector costs under one load with
// several settings: processor time, memory at its most, latency. It is how the
// program's own setting was chosen, for machines of 2 GB.
func (s *Suite) collector(ctx context.Context) error {
	l, err := newLab(ctx, s.cfg.Program, s.dir, answers{latency: 20 * time.Millisecond, tokens: 20}, s.cfg.Pin)
	if err != nil {
		return err
	}
	defer l.close()
	for _, setting := range collectors() {
		c, err := s.collected(ctx, l, setting)
		if err != nil {
			return err
		}
		name := setting
		if name == "" {
			name = "the program's own choice"
		}
		s.tell("processor time a turn with "+name+", µs",
			fmt.Sprintf("%.0f of it in the collector, %.1f collections for 1,000 turns; at most %.0f MB resident; %.0f turns a second, reply p99 %.0f ms, %d errors", c.gc, c.collections, c.most, c.out.Rate(), c.out.Reply.P99, c.out.Errors()),
			"%.0f", c.cpu)
	}
	return nil
}

// underCollector is one setting under load.
type underCollector struct {
	cpu, gc           float64 // µs a turn
	collections, most float64 // for 1,000 turns; MB
	out               Outcome
}

// collected has 3,000 visitors connected, and 200 turns under way all the time.
func (s *Suite) collected(ctx context.Context, l *lab, setting string) (c underCollector, err error) {
	server, err := l.server(ctx, "", strings.Fields(setting)...)
	if err != nil {
		return c, err
	}
	defer l.stop(server.Proc)
	if err := awaken(ctx, server); err != nil {
		return c, err
	}
	t := newTally()
	f, err := openFleet(ctx, server.public, min(3000, maxVisitors()), parallelDials, t, nil)
	if err != nil {
		return c, err
	}
	defer f.close()
	f.saturate(ctx, atOnce, 3*time.Second)
	f.settle(ctx, 10*time.Second)
	t.reset()
	was, err := server.inspect.vitals(ctx)
	if err != nil {
		return c, err
	}
	before, err := processor(server.PID())
	if err != nil {
		return c, err
	}
	took := f.saturate(ctx, atOnce, 6*time.Second)
	f.settle(ctx, 10*time.Second)
	after, err := processor(server.PID())
	if err != nil {
		return c, err
	}
	is, err := server.inspect.vitals(ctx)
	if err != nil {
		return c, err
	}
	most, err := peakMemory(server.PID())
	if err != nil {
		return c, err
	}
	c.out = t.outcome(took)
	if c.out.Answers == 0 {
		return c, fmt.Errorf("nothing was answered: %s", c.out)
	}
	turns := float64(c.out.Answers)
	c.cpu = float64((after - before).Microseconds()) / turns
	c.gc = (is.Collecting - was.Collecting) * 1e6 / turns
	c.collections = float64(is.Collected-was.Collected) / turns * 1000
	c.most = mega(most)
	return c, nil
}
