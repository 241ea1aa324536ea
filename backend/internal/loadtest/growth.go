package loadtest

import (
	"context"
	"fmt"
	"math"
	"time"
)

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
		data, err := s.stored(ctx, n)
		if err != nil {
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
		kept = append(kept, Point{float64(n), us})
		s.tell(fmt.Sprintf("processor time a turn with %d conversations stored, µs", n), "", "%.0f", us)
	}
	note := fmt.Sprintf("ten of them ask %.0f questions a second in all, the others are silent; without what the process uses while all are", costRate)
	s.atMost("most expensive turn over cheapest, visitors connected", 1.5, spread(live), "%.2f", note)
	if len(kept) > 0 {
		s.atMost("most expensive turn over cheapest, conversations stored", 1.5, spread(kept), "%.2f", note)
	}
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

// spread is the highest over the lowest; NaN, which meets no target, where
// that makes no sense.
func spread(ps []Point) float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range ps {
		low, high = min(low, p.Y), max(high, p.Y)
	}
	if !(low > 0) || len(ps) == 0 {
		return math.NaN()
	}
	return high / low
}

const (
	askers   = 10    // visitors who ask; all others are silent
	costRate = 100.0 // questions a second, the same at every size
)

// turnCost is the server's processor time for one turn with n visitors
// connected, less what it uses while all of them are silent: the median of
// three looks. At every size as many visitors ask as often, ten others in each
// look, so that conversations are equally long, a wake-up is shared by as many
// turns, and only the number of the others differs.
func (s *Suite) turnCost(ctx context.Context, p *subject, n int) (float64, error) {
	t := newTally()
	var looks []float64
	for len(looks) < costLooks {
		us, err := s.turnCosts(ctx, p, n, t, costLooks-len(looks))
		if err != nil {
			return 0, err
		}
		looks = append(looks, us...)
	}
	return median(looks), nil
}

// costLooks is how often the cost is measured at each size.
const costLooks = 3

// turnCosts opens n visitors and looks as often as there are ten who have not
// asked yet, at most most times.
func (s *Suite) turnCosts(ctx context.Context, p *subject, n int, t *tally, most int) (looks []float64, err error) {
	f, err := openFleet(ctx, p.public, n, parallelDials, t, nil)
	if err != nil {
		return nil, err
	}
	defer f.close()
	if !quiet(ctx, p) {
		s.cfg.Log("the process does not fall silent; what it does beside the turns is taken off")
	}
	rest := idle(ctx, p.PID(), time.Second)
	defer func() {
		s.cfg.Log("%d visitors: %.1f %% of a processor at rest, %.0f µs a turn", n, rest*100, looks)
	}()
	all := f.benched()
	for at := 0; at < len(all) && len(looks) < most; at += askers {
		for _, v := range all[at:min(at+askers, len(all))] {
			f.idle <- v
		}
		us, err := turnsCost(ctx, p, f, t, rest)
		if err != nil {
			return nil, err
		}
		looks = append(looks, us)
		f.benched()
	}
	return looks, ctx.Err()
}

// benched takes every free visitor out: until they are put back, nobody asks.
func (f *fleet) benched() (all []*visitor) {
	for {
		select {
		case v := <-f.idle:
			all = append(all, v)
		default:
			return all
		}
	}
}

// turnsCost looks once, for a little more than a second.
func turnsCost(ctx context.Context, p *subject, f *fleet, t *tally, rest float64) (float64, error) {
	t.reset()
	before, err := processor(p.PID())
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	f.drive(ctx, costRate, 1200*time.Millisecond, 10*time.Second)
	after, err := processor(p.PID())
	if err != nil {
		return 0, err
	}
	took := time.Since(begun)
	_, answers, _ := t.counts()
	if answers == 0 || t.outcome(1).Errors() > 0 {
		return 0, fmt.Errorf("%s", t.outcome(1))
	}
	used := after - before - time.Duration(rest*float64(took))
	return float64(used.Microseconds()) / float64(answers), nil
}
