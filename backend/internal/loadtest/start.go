package loadtest

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"
)

// defaultStored is how many conversations the short form stores.
const defaultStored = 100_000

// coldStart measures the time from the start of the process to its ready line,
// with an empty store and a full one, and the size of the program.
func (s *Suite) coldStart(ctx context.Context) error {
	l, err := newLab(ctx, s.cfg.Program, s.dir, quick, false)
	if err != nil {
		return err
	}
	defer l.close()
	empty, err := s.started(ctx, l, filepath.Join(s.dir, "empty"))
	if err != nil {
		return err
	}
	n := s.cfg.Stored
	data := filepath.Join(s.dir, "full")
	if err := store(ctx, data, n, 1); err != nil {
		return err
	}
	full, err := s.started(ctx, l, data)
	if err != nil {
		return err
	}
	s.tell("start to ready, first start on an empty folder, s", "makes keys and tables", "%.2f", empty[0])
	s.tell("start to ready, empty store, s", "", "%.2f", empty[1])
	note := ""
	if n < 1_000_000 {
		note = "the goal is for 1,000,000: --stored 1000000"
	}
	s.atMost(fmt.Sprintf("start to ready with %d stored conversations, s", n), 0.5, full[1], "%.2f", note)
	if info, err := os.Stat(s.cfg.Program.Exe); err == nil {
		s.atMost("size of the daemon, MB", 40, float64(info.Size())/1e6, "%.1f", "MB of 1,000,000 bytes")
	}
	return nil
}

// started starts the server twice on a folder and returns both times; the
// first start may have work to do that no later one has.
func (s *Suite) started(ctx context.Context, l *lab, data string) (took [2]float64, err error) {
	for i := range took {
		p, err := l.server(ctx, data)
		if err != nil {
			return took, err
		}
		took[i] = p.Took.Seconds()
		l.stop(p.Proc)
	}
	return took, nil
}

// growth measures what a turn costs while more visitors are connected and more
// conversations are stored: it should stay flat.
func (s *Suite) growth(ctx context.Context) error {
	l, err := newLab(ctx, s.cfg.Program, s.dir, quick, false)
	if err != nil {
		return err
	}
	defer l.close()
	server, err := l.server(ctx, "")
	if err != nil {
		return err
	}
	var live, kept []Point
	for _, n := range []int{10, 100, 1000, 10_000} {
		n = min(n, maxVisitors())
		us, err := s.turnCost(ctx, server, n)
		if err != nil {
			return err
		}
		live = append(live, Point{float64(n), us})
		s.tell(fmt.Sprintf("processor time a turn with %d visitors connected, µs", n), "", "%.0f", us)
	}
	l.stop(server.Proc)
	for n := 1000; n <= s.cfg.Stored; n *= 10 {
		data := filepath.Join(s.dir, fmt.Sprintf("kept%d", n))
		if err := store(ctx, data, n, 2); err != nil {
			return err
		}
		server, err := l.server(ctx, data)
		if err != nil {
			return err
		}
		us, err := s.turnCost(ctx, server, 100)
		if err != nil {
			return err
		}
		l.stop(server.Proc)
		os.RemoveAll(data)
		kept = append(kept, Point{float64(n), us})
		s.tell(fmt.Sprintf("processor time a turn with %d conversations stored, µs", n), "", "%.0f", us)
	}
	s.atMost("most expensive turn over cheapest, visitors connected", 1.5, spread(live), "%.2f", "")
	s.atMost("most expensive turn over cheapest, conversations stored", 1.5, spread(kept), "%.2f", "")
	for _, p := range []struct {
		what  string
		curve []Point
	}{{"visitors connected", live}, {"conversations stored", kept}} {
		names, line := ranked(p.curve)
		s.Plots = append(s.Plots, Plot{Title: "Cost of a turn with more " + p.what, XLabel: p.what, YLabel: "µs of one processor", Names: names,
			Lines: map[string][]Point{"one turn": line}})
	}
	return nil
}

// ranked replaces x by its rank and names it: the steps are powers of ten.
func ranked(ps []Point) (names []string, line []Point) {
	for i, p := range ps {
		names = append(names, thousands(int(p.X)))
		line = append(line, Point{float64(i), p.Y})
	}
	return names, line
}

func spread(ps []Point) float64 {
	if len(ps) == 0 {
		return 0
	}
	low, high := ps[0].Y, ps[0].Y
	for _, p := range ps {
		low, high = min(low, p.Y), max(high, p.Y)
	}
	if low <= 0 {
		return 0
	}
	return high / low
}

// turnCost is the server's processor time for one turn with n visitors
// connected: the least of three looks, the others were disturbed.
func (s *Suite) turnCost(ctx context.Context, p *subject, n int) (float64, error) {
	t := newTally()
	f, err := openFleet(ctx, p.public, n, parallelDials, t, nil)
	if err != nil {
		return 0, err
	}
	defer f.close()
	rate := min(200.0, float64(n)*5)
	f.drive(ctx, rate, 500*time.Millisecond, 10*time.Second)
	least := math.Inf(1)
	for range 3 {
		us, err := turnsCost(ctx, p, f, t, rate)
		if err != nil {
			return 0, err
		}
		least = min(least, us)
	}
	return least, nil
}

// turnsCost looks once, for a second.
func turnsCost(ctx context.Context, p *subject, f *fleet, t *tally, rate float64) (float64, error) {
	t.reset()
	before, err := processor(p.PID())
	if err != nil {
		return 0, err
	}
	f.drive(ctx, rate, time.Second, 10*time.Second)
	after, err := processor(p.PID())
	if err != nil {
		return 0, err
	}
	_, answers, _ := t.counts()
	if answers == 0 || t.outcome(1).Errors() > 0 {
		return 0, fmt.Errorf("%s", t.outcome(1))
	}
	return float64((after - before).Microseconds()) / float64(answers), nil
}
