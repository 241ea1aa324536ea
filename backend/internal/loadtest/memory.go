package loadtest

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// memoryOfTurns measures the bytes that one whole streamed answer allocates,
// from socket to socket, beside the textbook server under the same load.
func (s *Suite) memoryOfTurns(ctx context.Context) error {
	l, err := newLab(ctx, s.cfg.Program, s.dir, answers{latency: 50 * time.Millisecond, pace: 2 * time.Millisecond, tokens: 100}, false)
	if err != nil {
		return err
	}
	defer l.close()
	book, err := l.textbook(ctx)
	if err != nil {
		return err
	}
	them, _, err := s.allocated(ctx, book)
	if err != nil {
		return fmt.Errorf("textbook: %w", err)
	}
	l.stop(book.Proc)
	ours, err := l.server(ctx, "")
	if err != nil {
		return err
	}
	us, objects, err := s.allocated(ctx, ours)
	if err != nil {
		return err
	}
	s.atMost("allocated for one answer of 100 pieces, KB", 1.5, us/1024, "%.1f", fmt.Sprintf("%.0f objects; socket in, filter, storage, prompt, call, filter, socket out", objects))
	s.tell("... by the textbook server, KB", "no filter, no storage", "%.1f", them/1024)
	s.atLeast("... times less than the textbook", 64, them/us, "%.1f", "")
	return nil
}

// allocated is what a turn allocates in the measured process: the median of
// three looks, after what the process does only once is over.
func (s *Suite) allocated(ctx context.Context, p *subject) (size, objects float64, err error) {
	if err := awaken(ctx, p); err != nil {
		return 0, 0, err
	}
	t := newTally()
	f, err := openFleet(ctx, p.public, 100, parallelDials, t, nil)
	if err != nil {
		return 0, 0, err
	}
	defer f.close()
	f.drive(ctx, 100, 2*time.Second, 10*time.Second)
	if !quiet(ctx, p) {
		s.cfg.Log("the process does not fall silent; what it does beside the turns is counted with them")
	}
	if err := s.profile(ctx, p, "turn-allocs-before.pprof"); err != nil {
		return 0, 0, err
	}
	var sizes, counts []float64
	for range 3 {
		b, n, err := allocatedOnce(ctx, p, f, t)
		if err != nil {
			return 0, 0, err
		}
		sizes, counts = append(sizes, b), append(counts, n)
	}
	s.cfg.Log("allocated for one answer, three looks: %.1f KB, %.0f objects", []float64{sizes[0] / 1024, sizes[1] / 1024, sizes[2] / 1024}, counts)
	return median(sizes), median(counts), s.profile(ctx, p, "turn-allocs.pprof")
}

// profile keeps a profile of what was allocated, where profiles are asked for.
func (s *Suite) profile(ctx context.Context, p *subject, name string) error {
	if s.cfg.Profile == "" {
		return nil
	}
	return p.inspect.save(ctx, "/allocs", filepath.Join(s.cfg.Profile, name))
}

// allocatedOnce looks once, for a second and a half.
func allocatedOnce(ctx context.Context, p *subject, f *fleet, t *tally) (size, objects float64, err error) {
	t.reset()
	before, err := p.inspect.vitals(ctx)
	if err != nil {
		return 0, 0, err
	}
	f.drive(ctx, 100, 1500*time.Millisecond, 10*time.Second)
	after, err := p.inspect.vitals(ctx)
	if err != nil {
		return 0, 0, err
	}
	_, answers, _ := t.counts()
	if answers == 0 || t.outcome(1).Errors() > 0 {
		return 0, 0, fmt.Errorf("%s", t.outcome(1))
	}
	return float64(after.Allocated-before.Allocated) / float64(answers), float64(after.Mallocs-before.Mallocs) / float64(answers), nil
}
