package loadtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Config is one load test. Zero values mean the defaults.
type Config struct {
	Program  Program
	URL      string        // public address of a running server; empty: start one
	Admin    string        // admin address of that server, for its metrics; empty: no metrics
	Token    string        // bearer token of that server's admin listener
	Visitors int           // default 1000
	Rate     float64       // questions a second; default 100
	Duration time.Duration // default 30 s
	Warmup   time.Duration // default 3 s; < 0: none
	Latency  time.Duration // of the simulated upstream's first token; default 500 ms
	Pace     time.Duration // between its tokens; default 25 ms
	Tokens   int           // of its answers; default 20
	Pin      bool          // give server and load a half of the processors each
	Stored   int           // conversations in the full store of the short form; default 100,000
	Version  string        // of Haoke, for the report
	Command  string        // as it was typed, for the report
	Profile  string        // folder for pprof profiles; empty: none
	// Corpus is a file of conversations from outside (see dialogue.ReadCorpus)
	// that recall and compression are measured on too; empty: none.
	Corpus string
	// ClickHouse is the address of a server on which the archive's tables are
	// measured, under names of their own that go afterwards; empty: none.
	ClickHouse string
	Log        func(format string, args ...any)
}

func (c Config) withDefaults() Config {
	if c.Visitors == 0 {
		c.Visitors = 1000
	}
	if c.Rate == 0 {
		c.Rate = 100
	}
	if c.Duration == 0 {
		c.Duration = 30 * time.Second
	}
	if c.Warmup == 0 {
		c.Warmup = 3 * time.Second
	}
	if c.Latency == 0 {
		c.Latency = 500 * time.Millisecond
	}
	if c.Pace == 0 {
		c.Pace = 25 * time.Millisecond
	}
	if c.Tokens == 0 {
		c.Tokens = 20
	}
	if c.Stored == 0 {
		c.Stored = defaultStored
	}
	if c.Log == nil {
		c.Log = func(string, ...any) {}
	}
	return c
}

// maxVisitors is how many sockets this process may hold.
func maxVisitors() int { return fileLimit() - 900 }

// parallelDials is how many sockets are opened at a time.
const parallelDials = 64

// Run runs one load test. What the server does wrong is in the report; an
// error means that the test itself could not be carried out.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	c := cfg.withDefaults()
	if c.Visitors > maxVisitors() {
		return nil, fmt.Errorf("%d visitors are more than this process may open (%d files); raise the limit of open files (ulimit -n) or lower --visitors", c.Visitors, fileLimit())
	}
	rep := newReport(c)
	if c.URL != "" {
		return rep, rep.remote(ctx, c)
	}
	dir, err := scratch()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	l, err := newLab(ctx, c.Program, dir, answers{c.Latency, c.Pace, c.Tokens}, c.Pin)
	if err != nil {
		return nil, err
	}
	defer l.close()
	return rep, rep.local(ctx, c, l)
}

// remote measures a running server: only what can be seen from outside.
func (r *Report) remote(ctx context.Context, c Config) error {
	t := newTally()
	f, err := openFleet(ctx, c.URL, c.Visitors, parallelDials, t, func(n int) { c.Log("%d visitors connected", n) })
	if err != nil {
		return err
	}
	defer f.close()
	r.Connections = len(f.visitors)
	warmUp(ctx, c, f, t)
	before, _ := r.metrics(ctx, c.Admin, c.Token)
	took := load(ctx, c, f, t)
	r.Load = t.outcome(took)
	if after, err := r.metrics(ctx, c.Admin, c.Token); err == nil && before != nil {
		r.fromMetrics(before, after)
	}
	return ctx.Err()
}

// metrics reads the server's metrics, where an address is known.
func (r *Report) metrics(ctx context.Context, admin, token string) (figures, error) {
	if admin == "" {
		return nil, fmt.Errorf("no admin address")
	}
	return readMetrics(ctx, admin, token)
}

// warmUp is load that does not count: connections to the upstream open, the
// tokenizer loads, caches fill.
func warmUp(ctx context.Context, c Config, f *fleet, t *tally) {
	if c.Warmup > 0 {
		f.drive(ctx, c.Rate, c.Warmup, patience(c))
		t.reset()
	}
}

// patience is how long answers may take beyond the end of the load.
func patience(c Config) time.Duration {
	return max(15*time.Second, 4*(c.Latency+time.Duration(c.Tokens)*c.Pace))
}

// load is the measurement on an open fleet.
func load(ctx context.Context, c Config, f *fleet, t *tally) time.Duration {
	stop := progress(ctx, c, t)
	defer stop()
	return f.drive(ctx, c.Rate, c.Duration, patience(c))
}

// progress says every few seconds how far the measurement is.
func progress(ctx context.Context, c Config, t *tally) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				q, a, _ := t.counts()
				c.Log("%d questions, %d answers", q, a)
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

// local starts a server and measures it inside and out.
func (r *Report) local(ctx context.Context, c Config, l *lab) error {
	direct := newTally()
	c.Log("direct calls to the simulator at %.0f a second", c.Rate)
	part := min(c.Duration, 10*time.Second)
	call := newCaller(l.simURL, direct)
	call.drive(ctx, c.Rate, min(part, 2*time.Second)) // connections and code paths warm
	direct.reset()
	call.drive(ctx, c.Rate, part)
	call.close()
	d := direct.outcome(part)
	r.Direct = &d
	own, err := l.added(ctx, direct)
	if err != nil {
		return fmt.Errorf("direct calls: %w", err)
	}
	r.Instrument = &own

	s, err := l.server(ctx, "")
	if err != nil {
		return err
	}
	r.StartSeconds = s.Took.Seconds()
	if err := r.measure(ctx, c, s); err != nil {
		return fmt.Errorf("%w; the server's last words: %s", err, s.Log())
	}
	if err := r.judge(ctx, l); err != nil {
		return err
	}
	return ctx.Err()
}

// measure is the load on one server, with the figures of its process.
func (r *Report) measure(ctx context.Context, c Config, s *subject) error {
	if err := awaken(ctx, s); err != nil {
		return err
	}
	empty, err := s.inspect.collected(ctx)
	if err != nil {
		return err
	}
	emptyRSS, rssErr := memory(s.PID())
	t := newTally()
	f, err := openFleet(ctx, s.public, c.Visitors, parallelDials, t, func(n int) { c.Log("%d visitors connected", n) })
	if err != nil {
		return err
	}
	defer f.close()
	r.Connections = len(f.visitors)
	full, err := s.inspect.collected(ctx)
	if err != nil {
		return err
	}
	if rss, err := memory(s.PID()); err == nil && rssErr == nil {
		r.BytesPerConnection = float64(rss-emptyRSS) / float64(r.Connections)
	} else {
		r.BytesPerConnection = float64(full.Heap+full.Stacks-empty.Heap-empty.Stacks) / float64(r.Connections)
	}
	if !r.brief {
		r.IdleCPU = idle(ctx, s.PID(), 3*time.Second)
	}
	return r.underLoad(ctx, c, s, f, t)
}

func (r *Report) underLoad(ctx context.Context, c Config, s *subject, f *fleet, t *tally) error {
	warmUp(ctx, c, f, t)
	r.tally = t
	if c.Profile != "" {
		if err := s.inspect.save(ctx, "/allocs", filepath.Join(c.Profile, "allocs-before.pprof")); err != nil {
			return err
		}
		go s.inspect.save(ctx, fmt.Sprintf("/profile?seconds=%d", int(max(1, c.Duration.Seconds()-1))), filepath.Join(c.Profile, "cpu.pprof"))
	}
	before, err := s.inspect.vitals(ctx)
	if err != nil {
		return err
	}
	counted, err := readMetrics(ctx, s.admin, adminToken)
	if err != nil {
		return err
	}
	cpu, _ := processor(s.PID())
	took := load(ctx, c, f, t)
	r.Load = t.outcome(took)
	used, cpuErr := processor(s.PID())
	after, err := s.inspect.vitals(ctx)
	if err != nil {
		return err
	}
	counts, err := readMetrics(ctx, s.admin, adminToken)
	if err != nil {
		return err
	}
	r.fromMetrics(counted, counts)
	if n := counts["haoke_messages_total"] - counted["haoke_messages_total"]; n > 0 {
		turns := n / 2 // a question and its answer
		r.BytesPerMessage = float64(after.Allocated-before.Allocated) / turns
		r.AllocsPerMessage = float64(after.Mallocs-before.Mallocs) / turns
		if cpuErr == nil {
			r.CPUPerTurn = float64((used - cpu).Microseconds()) / turns
		}
	}
	if c.Profile != "" {
		return s.inspect.save(ctx, "/allocs", filepath.Join(c.Profile, "allocs.pprof"))
	}
	return nil
}

// idle is the share of one processor that a process uses while nothing
// happens, NaN-free: 0 where it cannot be measured.
func idle(ctx context.Context, pid int, d time.Duration) float64 {
	before, err := processor(pid)
	if err != nil {
		return 0
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
	after, err := processor(pid)
	if err != nil {
		return 0
	}
	return float64(after-before) / float64(d)
}

// judge sets the answers beside the upstream's own times.
func (r *Report) judge(ctx context.Context, l *lab) error {
	a, err := l.added(ctx, r.tally)
	if err != nil {
		return err
	}
	r.Added = &a
	return nil
}

// fromMetrics takes what only the server knows from two readings.
func (r *Report) fromMetrics(before, after figures) {
	diff := func(name string) float64 { return after[name] - before[name] }
	calls := diff("haoke_upstream_requests_total")
	if calls > 0 {
		r.DialsPerCall = diff("haoke_upstream_dials_total") / calls
	}
	if r.Load.Seconds > 0 {
		r.CallsPerMinute = calls / r.Load.Seconds * 60
	}
	if n := diff("haoke_added_seconds_count"); n > 0 {
		r.ServerAdded = diff("haoke_added_seconds_sum") / n * 1000
	}
}
