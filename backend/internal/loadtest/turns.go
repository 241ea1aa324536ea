package loadtest

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// turns measures what the appliance adds to the upstream's own time while
// streams run side by side, beside direct calls and a bare relay.
func (s *Suite) turns(ctx context.Context) error {
	two := answers{latency: 500 * time.Millisecond, pace: 25 * time.Millisecond, tokens: 20}
	five := answers{latency: 1500 * time.Millisecond, pace: 40 * time.Millisecond, tokens: 14}
	p50, p99 := func(a Added) float64 { return a.P50 }, func(a Added) float64 { return a.P99 }
	a, err := s.streams(ctx, 200, two)
	if err != nil {
		return err
	}
	s.errorsOf("errors at 200 streams at once", a.out)
	s.latency(a, "added latency p50 at 200 streams, ms", 1.5, p50)
	s.latency(a, "added latency p99 at 200 streams, ms", 8, p99)
	s.tell("... over the direct calls of the run, p50, ms", "what a visitor waits longer for than who calls the API without an appliance; the rows above count the load test's own part too", "%.1f", a.added.P50-a.instrument.P50)
	s.tell("... to the first piece, p50 / p99, ms", fmt.Sprintf("nothing is shown before the question is on disk; bare relay in the same run: %.1f / %.1f", a.relay.First50, a.relay.First99), "%.1f / %.1f", a.added.First50, a.added.First99)
	s.tell("... to the last piece, p50 / p99, ms", fmt.Sprintf("the visitor has read it all; what follows makes it durable; bare relay in the same run: %.1f / %.1f", a.relay.Last50, a.relay.Last99), "%.1f / %.1f", a.added.Last50, a.added.Last99)
	s.atMost("new upstream connections a call", 0.05, a.dials, "%.4f", "")
	s.tell("processor time a turn, µs", "filter, prompt, storage, metrics, 20 pieces", "%.0f", a.cpu)
	b, err := s.streams(ctx, 500, five)
	if err != nil {
		return err
	}
	s.errorsOf("errors at 500 streams at once", b.out)
	s.latency(b, "added standard deviation at 500 streams, ms", 10, func(a Added) float64 { return a.Deviation })
	s.tell("added latency p50 / p99 at 500 streams, ms", fmt.Sprintf("bare relay in the same run: %.1f / %.1f", b.relay.P50, b.relay.P99), "%.1f / %.1f", b.added.P50, b.added.P99)
	return nil
}

// latency adds a row of what is added to the upstream's own time of each
// answer. When the direct calls alone show half of what is asked, a miss says
// as much about the machine as about the server, and is not judged.
func (s *Suite) latency(m streamed, name string, target float64, of func(Added) float64) {
	value, instrument := of(m.added), of(m.instrument)
	note := fmt.Sprintf("each answer less the upstream's own time of it; bare relay in the same run: %.1f; direct calls, that is the load test's own part: %.1f", of(m.relay), instrument)
	r := Row{Name: name, Target: fmt.Sprintf("≤ %.1f", target), Result: fmt.Sprintf("%.1f", value), Met: value <= target, Value: number(value), Limit: &target, Note: note}
	if !r.Met && instrument > target/2 {
		r.Busy, r.Note = true, "the machine was busy; "+note
	}
	s.add(r)
}

// streamed is one measurement of streams side by side.
type streamed struct {
	out                      Outcome
	added, relay, instrument Added
	dials, cpu               float64
}

// streams keeps about n streams under way and measures direct calls, the bare
// relay and the appliance one after the other.
func (s *Suite) streams(ctx context.Context, n int, a answers) (m streamed, err error) {
	l, err := newLab(ctx, s.cfg.Program, s.dir, a, s.cfg.Pin)
	if err != nil {
		return m, err
	}
	defer l.close()
	rate := float64(n) / a.took().Seconds()
	warm, part := 2*time.Second, 8*time.Second
	few := 1000 / rate * float64(time.Second) // the baselines' answers are a thousand
	if m.instrument, err = s.calls(ctx, l, l.simURL, rate, warm, time.Duration(few)); err != nil {
		return m, fmt.Errorf("direct calls: %w", err)
	}
	relay, err := l.relay(ctx)
	if err != nil {
		return m, err
	}
	if m.relay, err = s.calls(ctx, l, relay.Ready["url"], rate, warm, time.Duration(few)); err != nil {
		return m, fmt.Errorf("bare relay: %w", err)
	}
	l.stop(relay)
	if err := l.forget(ctx); err != nil {
		return m, err
	}

	server, err := l.server(ctx, "")
	if err != nil {
		return m, err
	}
	c := s.cfg
	c.Visitors, c.Rate, c.Duration, c.Warmup, c.Latency, c.Pace, c.Tokens = 2*n, rate, part, warm, a.latency, a.pace, a.tokens
	rep := newReport(c)
	rep.brief = true
	if err := rep.measure(ctx, c, server); err != nil {
		return m, fmt.Errorf("%w; the server's last words: %s", err, server.Log())
	}
	if err := rep.judge(ctx, l); err != nil {
		return m, err
	}
	m.out, m.added, m.dials, m.cpu = rep.Load, *rep.Added, rep.DialsPerCall, rep.CPUPerTurn
	return m, ctx.Err()
}

// calls are direct calls to base, after a warm-up.
func (s *Suite) calls(ctx context.Context, l *lab, base string, rate float64, warm, part time.Duration) (Added, error) {
	t := newTally()
	c := newCaller(base, t)
	defer c.close()
	c.drive(ctx, rate, warm)
	t.reset()
	c.drive(ctx, rate, part)
	if o := t.outcome(part); o.Errors() > 0 {
		return Added{}, fmt.Errorf("%d calls failed: %s", o.Errors(), o.FirstFault)
	}
	return l.added(ctx, t)
}

// throughput finds the most durable turns a second, and what is left of it
// when three times as much is asked.
func (s *Suite) throughput(ctx context.Context) error {
	l, err := newLab(ctx, s.cfg.Program, s.dir, answers{tokens: 12}, false)
	if err != nil {
		return err
	}
	defer l.close()
	server, err := l.server(ctx, "")
	if err != nil {
		return err
	}
	t := newTally()
	f, err := openFleet(ctx, server.public, min(6000, maxVisitors()), parallelDials, t, nil)
	if err != nil {
		return err
	}
	defer f.close()
	f.saturate(ctx, 200, 2*time.Second)
	f.settle(ctx, 10*time.Second)
	t.reset()
	took := f.saturate(ctx, 200, 6*time.Second)
	peak := t.outcome(took)
	f.settle(ctx, 10*time.Second)
	peak.Lost = t.outcome(took).Lost // those under way at the end have had their time now
	s.Rate = peak.Rate()
	s.atLeast("durable turns a second, question and answer on disk", 1000, peak.Rate(), "%.0f", "simulator, load and server share the machine; upstream answers at once, 12 pieces")
	s.errorsOf("errors at that rate", peak)

	if peak.Answers == 0 {
		return fmt.Errorf("nothing was answered: %s", peak)
	}
	half, most := []Point{}, []Point{}
	for _, share := range []float64{0.25, 0.5, 0.75, 0.9} {
		t.reset()
		f.drive(ctx, peak.Rate()*share, 2*time.Second, 10*time.Second)
		o := t.outcome(2 * time.Second)
		half = append(half, Point{peak.Rate() * share, o.Reply.P50})
		most = append(most, Point{peak.Rate() * share, o.Reply.P99})
	}
	s.Plots = append(s.Plots, Plot{Title: "Reply time against load", XLabel: "messages a second", YLabel: "ms",
		Lines: map[string][]Point{"half of the replies are faster": half, "99 of 100 are faster": most}})

	f.close() // and what it said: these conversations have grown, and with them every prompt
	return s.overload(ctx, server, t, peak.Rate())
}

// overload asks three times the peak of visitors who are as new as those of the
// peak were, and looks once more for the peak behind it: the goodput stands
// beside the mean of both.
func (s *Suite) overload(ctx context.Context, server *subject, t *tally, peak float64) error {
	f, err := openFleet(ctx, server.public, min(6000, maxVisitors()), parallelDials, t, nil)
	if err != nil {
		return err
	}
	defer f.close()
	f.saturate(ctx, 200, 2*time.Second)
	f.settle(ctx, 10*time.Second)
	t.reset()
	t.within = 15 * time.Second
	if s.cfg.Profile != "" {
		go server.inspect.save(ctx, "/profile?seconds=8", filepath.Join(s.cfg.Profile, "overload-cpu.pprof"))
	}
	begun := time.Now()
	f.drive(ctx, max(1, 3*peak), 4*time.Second, 30*time.Second)
	o := t.outcome(time.Since(begun))
	good := float64(o.Good) / o.Seconds
	again, err := s.peakAgain(ctx, f, t)
	if err != nil {
		return err
	}
	s.atLeast("goodput at three times that load, share of the peak", 0.9, good/((peak+again)/2), "%.2f", fmt.Sprintf("%.0f answers/s within 15 s; p99 %.1f s; peak before %.0f, after %.0f", good, o.Reply.P99/1000, peak, again))
	s.atMost("questions lost under that load", 0, float64(o.Lost), "%.0f", o.FirstFault)
	return nil
}

// peakAgain is the most turns a second that go through now.
func (s *Suite) peakAgain(ctx context.Context, f *fleet, t *tally) (float64, error) {
	f.settle(ctx, 10*time.Second)
	t.reset()
	took := f.saturate(ctx, 200, 4*time.Second)
	rate := t.outcome(took).Rate()
	f.settle(ctx, 10*time.Second)
	if rate == 0 {
		return 0, fmt.Errorf("nothing was answered after the overload: %s", t.outcome(took))
	}
	return rate, ctx.Err()
}
