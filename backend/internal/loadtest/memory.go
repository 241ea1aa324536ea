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

// allocated is what a turn allocates in the measured process.
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
	f.drive(ctx, 100, 3*time.Second, 10*time.Second)
	t.reset()
	if s.cfg.Profile != "" {
		if err := p.inspect.save(ctx, "/allocs", filepath.Join(s.cfg.Profile, "turn-allocs-before.pprof")); err != nil {
			return 0, 0, err
		}
	}
	before, err := p.inspect.vitals(ctx)
	if err != nil {
		return 0, 0, err
	}
	f.drive(ctx, 100, 3*time.Second, 10*time.Second)
	after, err := p.inspect.vitals(ctx)
	if err != nil {
		return 0, 0, err
	}
	if s.cfg.Profile != "" {
		if err := p.inspect.save(ctx, "/allocs", filepath.Join(s.cfg.Profile, "turn-allocs.pprof")); err != nil {
			return 0, 0, err
		}
	}
	_, answers, _ := t.counts()
	if answers == 0 || t.outcome(1).Errors() > 0 {
		return 0, 0, fmt.Errorf("%s", t.outcome(1))
	}
	return float64(after.Allocated-before.Allocated) / float64(answers), float64(after.Mallocs-before.Mallocs) / float64(answers), nil
}
