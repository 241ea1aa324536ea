package loadtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// soaking is a long run in which visitors come and go all the time.
type soaking struct {
	s       *Suite
	p       *subject
	f       *fleet
	t       *tally
	churn   float64 // visitors a second who leave and are followed by another
	visits  int64
	returns int64
	broken  int64 // visitors who could not come in or found their history changed
	first   string
	samples []moment
}

// moment is the server at one moment, after a collection.
type moment struct {
	at                time.Duration
	fresh             int64   // new visitors so far
	resident, heap    float64 // MB
	outside           float64 // MB that are not Go's: the program's own pages, and SQLite's page caches
	goroutines, files int
}

// Soak keeps Config.Visitors visitors connected for d. All the while some leave,
// half of them without a word, and as many come: two of three are new, one
// comes back to his conversation, and each asks a question. Whatever is held
// for those who left would show as a rising line.
func Soak(ctx context.Context, cfg Config, d time.Duration) (*Suite, error) {
	s, err := newSuite(cfg, "soak")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(s.dir)
	begun := time.Now()
	if err := s.soak(ctx, d); err != nil {
		return nil, err
	}
	s.Seconds = time.Since(begun).Seconds()
	return s, nil
}

// soak runs for d and adds its rows and its plot.
func (s *Suite) soak(ctx context.Context, d time.Duration) error {
	l, err := newLab(ctx, s.cfg.Program, s.dir, quick, false)
	if err != nil {
		return err
	}
	defer l.close()
	n := s.cfg.Visitors
	// Conversations stay in memory until there are too many of them. With room
	// for as many as are connected, that level is reached early.
	p, err := l.server(ctx, "", fmt.Sprintf("HAOKE_SESSION_HOT_CAPACITY=%d", n))
	if err != nil {
		return err
	}
	if err := awaken(ctx, p); err != nil {
		return err
	}
	k := &soaking{s: s, p: p, t: newTally(), churn: s.cfg.Rate}
	if k.f, err = openFleet(ctx, p.public, n, parallelDials, k.t, nil); err != nil {
		return err
	}
	defer k.f.close()
	k.f.once(ctx, atOnce)
	if err := k.run(ctx, d); err != nil {
		return fmt.Errorf("%w; the server's last words: %s", err, p.Log())
	}
	return k.tell(ctx)
}

// run has visitors come and go until d is over, and takes samples.
func (k *soaking) run(ctx context.Context, d time.Duration) error {
	begun := time.Now()
	end := begun.Add(d)
	every := max(d/120, time.Second)
	look := begun
	gap := time.Duration(float64(time.Second) / k.churn)
	for i := 0; ; i++ {
		due := begun.Add(time.Duration(i) * gap)
		if due.After(end) {
			break
		}
		select {
		case <-time.After(time.Until(due)):
		case <-ctx.Done():
			return ctx.Err()
		}
		if !due.Before(look) {
			if err := k.sample(ctx, time.Since(begun)); err != nil {
				return err
			}
			look = look.Add(every)
		}
		k.replace(ctx, i)
	}
	k.f.settle(ctx, 15*time.Second)
	return k.sample(ctx, time.Since(begun))
}

// sample collects garbage and reads what the process holds.
func (k *soaking) sample(ctx context.Context, at time.Duration) error {
	v, err := k.p.inspect.collected(ctx)
	if err != nil {
		return err
	}
	rss, err := memory(k.p.PID())
	if err != nil {
		return err
	}
	x := moment{at: at, fresh: k.visits - k.returns, resident: mega(rss), heap: mega(int64(v.Heap)),
		outside: mega(max(0, rss-int64(v.Spans+v.Stacks+v.Runtime))), goroutines: v.Goroutines, files: openFiles(k.p.PID())}
	k.samples = append(k.samples, x)
	k.s.cfg.Log("%6.0f s: %.1f MB resident, %.1f objects, %.1f outside Go, %d goroutines, %d files; %d visits", at.Seconds(), x.resident, x.heap, x.outside, x.goroutines, x.files, k.visits)
	if k.s.cfg.Profile == "" {
		return nil
	}
	return k.p.inspect.save(ctx, "/heap", filepath.Join(k.s.cfg.Profile, fmt.Sprintf("soak-%05.0f-heap.pprof", at.Seconds())))
}

// replace has one visitor leave and another come and ask.
func (k *soaking) replace(ctx context.Context, i int) {
	v := k.f.free(ctx, time.Now().Add(5*time.Second))
	if v == nil {
		k.fault("nobody was free to leave")
		return
	}
	v.leave(i%2 == 0)
	hello := `{"type":"hello","locale":"en"}`
	back := i%3 == 2
	if back {
		hello = fmt.Sprintf(`{"type":"hello","locale":"en","token":%q,"after":%d}`, v.token, v.check.seq)
	}
	next, err := k.f.enter(ctx, v.n, hello)
	if err != nil {
		k.fault(err.Error())
		return
	}
	k.visits++
	if back {
		k.returns++
		if next.check.seq != v.check.seq {
			k.fault(fmt.Sprintf("a conversation of %d messages came back with %d", v.check.seq, next.check.seq))
		}
	}
	k.f.visitors[v.n] = next
	next.send(ctx, numbers.Add(1), time.Now())
}

func (k *soaking) fault(what string) {
	k.broken++
	if k.first == "" {
		k.first = what
	}
}

// leave closes the visitor's socket, with the closing handshake or without a
// word, and waits for its reader: nothing of it is touched any more.
func (v *visitor) leave(politely bool) {
	v.leaving.Store(true)
	if politely {
		v.ws.Close()
	} else {
		v.ws.Cut()
	}
	<-v.gone
}

// tell adds the rows. The beginning, while conversations and pools fill up,
// does not count.
func (k *soaking) tell(ctx context.Context) error {
	if len(k.samples) < 8 {
		return fmt.Errorf("%d samples are too few to see a line; soak longer", len(k.samples))
	}
	s, last := k.s, k.samples[len(k.samples)-1]
	counted := k.samples[len(k.samples)/3:]
	points := func(of func(moment) float64) (ps []Point) {
		for _, x := range counted {
			ps = append(ps, Point{x.at.Hours(), of(x)})
		}
		return ps
	}
	resident, heap := points(func(x moment) float64 { return x.resident }), points(func(x moment) float64 { return x.heap })
	outside := points(func(x moment) float64 { return x.outside })
	note := fmt.Sprintf("%.0f s, %d visitors and at most as many conversations in memory at once, %d visits, %d of them returns, %.0f a second; the line through the last two thirds of %d samples", last.at.Seconds(), s.cfg.Visitors, k.visits, k.returns, k.churn, len(k.samples))
	s.tell("resident memory at the first counted sample and at the last, MB", note, "%.0f, %.0f", counted[0].resident, last.resident)
	s.tell("growth of resident memory, MB an hour", fmt.Sprintf("objects: %.1f, what is not Go's (the program's own pages, SQLite's page caches): %.1f", slope(heap), slope(outside)), "%.1f", slope(resident))
	hours, fresh := last.at.Hours()-counted[0].at.Hours(), last.fresh-counted[0].fresh
	s.tell("objects kept of a visitor who has left, bytes", fmt.Sprintf("the line's rise over %d new visitors", fresh), "%.0f", slope(heap)*hours*(1<<20)/float64(max(fresh, 1)))
	s.atMost("rise of the objects over the counted time, share", 0.05, slope(heap)*hours/heap[0].Y, "%.3f", "a flat line, or nothing was held")
	s.atMost("goroutines beyond the first counted sample", 50, float64(last.goroutines-counted[0].goroutines), "%.0f", fmt.Sprintf("%d at the end", last.goroutines))
	s.atMost("open files beyond the visitors'", 600, float64(last.files-s.cfg.Visitors), "%.0f", "")
	s.errorsOf("errors", k.t.outcome(last.at))
	s.atMost("visits that failed", 0, float64(k.broken), "%.0f", k.first)
	curve := func(of func(moment) float64) (ps []Point) {
		for _, x := range k.samples {
			ps = append(ps, Point{x.at.Minutes(), of(x)})
		}
		return ps
	}
	s.Plots = append(s.Plots, Plot{Title: "Memory while visitors come and go", XLabel: "minutes", YLabel: "MB",
		Lines: map[string][]Point{"resident": curve(func(x moment) float64 { return x.resident }), "objects": curve(func(x moment) float64 { return x.heap }), "not Go's": curve(func(x moment) float64 { return x.outside })}})
	return ctx.Err()
}

// slope is that of the straight line that fits best (least squares).
func slope(ps []Point) float64 {
	var mx, my float64
	for _, p := range ps {
		mx, my = mx+p.X/float64(len(ps)), my+p.Y/float64(len(ps))
	}
	var over, under float64
	for _, p := range ps {
		over += (p.X - mx) * (p.Y - my)
		under += (p.X - mx) * (p.X - mx)
	}
	if under == 0 {
		return 0
	}
	return over / under
}
