package loadtest

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// quick is an upstream that answers at once.
var quick = answers{latency: 20 * time.Millisecond, pace: 0, tokens: 20}

// held is what a server full of idle visitors costs.
type held struct {
	n          int
	perVisitor float64 // bytes of resident memory
	idle       float64 // share of a processor while all are silent
	beating    float64 // ... while each sends the widget's heartbeat
	curve      []Point // visitors, megabytes
}

// connections measures idle visitors: how many, how much memory, how much
// processor time, against the textbook server.
func (s *Suite) connections(ctx context.Context) error {
	l, err := newLab(ctx, s.cfg.Program, s.dir, quick, false)
	if err != nil {
		return err
	}
	defer l.close()
	ours, err := l.server(ctx, "", "HAOKE_SESSION_HOT_CAPACITY=100000")
	if err != nil {
		return err
	}
	const goal = 19_000
	n := min(goal, maxVisitors())
	us, out, err := s.hold(ctx, ours, n, 4, true)
	if err != nil {
		return err
	}
	l.stop(ours.Proc)
	book, err := l.textbook(ctx)
	if err != nil {
		return err
	}
	m := min(n, 4000)
	them, _, err := s.hold(ctx, book, m, 2, false)
	if err != nil {
		return fmt.Errorf("textbook: %w", err)
	}
	s.Held = max(s.Held, us.n)
	note := ""
	if n < goal {
		note = fmt.Sprintf("this process may open %d files", fileLimit())
	}
	s.atLeast("idle visitors held in one process, each with a conversation", goal, float64(us.n), "%.0f", note)
	s.errorsOf("errors while each of them asked a question", out)
	s.atMost("memory a visitor, conversation included, KB", 14, us.perVisitor/1024, "%.1f", "resident memory after a collection")
	s.tell("memory a connection of the textbook server, KB", "keeps nothing", "%.1f", them.perVisitor/1024)
	if them.perVisitor > 0 {
		s.atMost("... ours as a share of the textbook's", 0.5, us.perVisitor/them.perVisitor, "%.2f", "goal 0.25")
	}
	s.atMost("processor at rest with all of them, % of one", 3, us.idle*100, "%.1f", "")
	s.atMost("... while each sends the widget's heartbeat, % of one", 3, us.beating*100, "%.1f", fmt.Sprintf("a ping every %.0f seconds, %.0f a second in all", heartbeat.Seconds(), float64(us.n)/heartbeat.Seconds()))
	s.tell("... the textbook server's while "+thousands(them.n)+" are silent", "it knows no heartbeat", "%.1f", them.idle*100)
	s.Plots = append(s.Plots, Plot{Title: "Memory against connected visitors", XLabel: "visitors", YLabel: "MB",
		Lines: map[string][]Point{"Haoke, conversations included": us.curve, "textbook server": them.curve}})
	return nil
}

// hold opens n visitors in steps, has each ask one question, and measures the
// process while all of them are silent and, if asked to, while they beat.
func (s *Suite) hold(ctx context.Context, p *subject, n, steps int, beats bool) (held, Outcome, error) {
	if err := awaken(ctx, p); err != nil {
		return held{}, Outcome{}, err
	}
	if _, err := p.inspect.collected(ctx); err != nil {
		return held{}, Outcome{}, err
	}
	base, err := memory(p.PID())
	if err != nil {
		return held{}, Outcome{}, err
	}
	h := held{n: n, curve: []Point{{0, mega(base)}}}
	t := newTally()
	var fleets []*fleet
	defer func() {
		for _, f := range fleets {
			f.close()
		}
	}()
	begun := time.Now()
	for i := range steps {
		k := n*(i+1)/steps - n*i/steps
		f, err := openFleetAfter(ctx, p.public, n*i/steps, k, parallelDials, t, nil)
		if err != nil {
			return h, Outcome{}, err
		}
		fleets = append(fleets, f)
		f.once(ctx, atOnce)
		v, err := p.inspect.collected(ctx)
		if err != nil {
			return h, Outcome{}, err
		}
		rss, err := memory(p.PID())
		if err != nil {
			return h, Outcome{}, err
		}
		h.curve = append(h.curve, Point{float64(n * (i + 1) / steps), mega(rss)})
		h.perVisitor = float64(rss-base) / float64(n*(i+1)/steps)
		s.cfg.Log("%d visitors, %.0f MB: %.0f of it objects, %.0f gaps between them, %.0f the runtime's own, %.0f stacks of %d goroutines",
			n*(i+1)/steps, mega(rss), mega(int64(v.Heap)), mega(int64(v.Spans-v.Heap)), mega(int64(v.Runtime)), mega(int64(v.Stacks)), v.Goroutines)
	}
	if s.cfg.Profile != "" {
		if err := p.inspect.save(ctx, "/heap", filepath.Join(s.cfg.Profile, fmt.Sprintf("held-%d-heap.pprof", n))); err != nil {
			return h, Outcome{}, err
		}
	}
	quiet(ctx, p) // the search index and the summaries of what was just said come first
	if s.cfg.Profile != "" {
		go p.inspect.save(ctx, "/profile?seconds=2", filepath.Join(s.cfg.Profile, fmt.Sprintf("held-%d-cpu.pprof", n)))
	}
	h.idle = idle(ctx, p.PID(), 3*time.Second)
	if !beats {
		return h, t.outcome(time.Since(begun)), nil
	}
	if s.cfg.Profile != "" {
		go p.inspect.save(ctx, "/profile?seconds=7", filepath.Join(s.cfg.Profile, fmt.Sprintf("beating-%d-cpu.pprof", n)))
	}
	if h.beating, err = beating(ctx, p, fleets, n); err != nil {
		return h, Outcome{}, err
	}
	return h, t.outcome(time.Since(begun)), nil
}

// heartbeat is how often the widget sends a ping through a silent socket.
const heartbeat = 45 * time.Second

// beating is the share of one processor that the process uses while every
// visitor sends heartbeats, spread as those of strangers are.
func beating(ctx context.Context, p *subject, fleets []*fleet, n int) (float64, error) {
	const looked = 8 * time.Second
	gap := heartbeat / time.Duration(n)
	before, err := processor(p.PID())
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	tick := time.NewTicker(max(gap, time.Millisecond)) // one by one: strangers do not beat together
	defer tick.Stop()
	sent := 0
	for time.Since(begun) < looked {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		for ; sent < int(time.Since(begun)/gap); sent++ {
			f := fleets[sent%len(fleets)]
			v := f.visitors[sent/len(fleets)%len(f.visitors)]
			if err := v.ws.Write(ctx, []byte(`{"type":"ping"}`)); err != nil {
				return 0, fmt.Errorf("send a heartbeat: %w", err)
			}
		}
	}
	after, err := processor(p.PID())
	if err != nil {
		return 0, err
	}
	return float64(after-before) / float64(time.Since(begun)), nil
}

// atOnce is how many visitors ask at the same time while a server is filled.
const atOnce = 200

// awaken has the process do once what it does only once: load the tokenizer,
// open the connections to its upstream that the measurement will use, fill its
// pools. What that takes is no visitor's.
func awaken(ctx context.Context, p *subject) error {
	t := newTally()
	f, err := openFleet(ctx, p.public, atOnce, 20, t, nil)
	if err != nil {
		return err
	}
	defer f.close()
	begun := time.Now()
	for range 3 {
		f.once(ctx, atOnce)
		if time.Since(begun) > 1500*time.Millisecond {
			break // a slow upstream: all connections are open after one round
		}
		time.Sleep(500 * time.Millisecond)
	}
	return nil
}

func mega(b int64) float64 { return float64(b) / (1 << 20) }

// once has every visitor ask one question, n at a time.
func (f *fleet) once(ctx context.Context, n int) {
	gate := make(chan struct{}, n)
	for range len(f.visitors) {
		select {
		case gate <- struct{}{}:
		case <-ctx.Done():
			return
		}
		v := f.free(ctx, time.Now().Add(30*time.Second))
		if v == nil {
			return
		}
		v.done = func() { <-gate }
		v.send(ctx, numbers.Add(1), time.Now())
	}
	f.settle(ctx, 30*time.Second)
}
