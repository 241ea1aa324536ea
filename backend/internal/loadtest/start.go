package loadtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
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
	data, err := s.stored(ctx, n)
	if err != nil {
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
