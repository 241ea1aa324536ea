package metrics

import (
	"context"
	"math"
	"sync"
	"time"
)

const (
	// saveWait bounds one attempt to store what is finished; the next follows
	// with the next minute.
	saveWait = 30 * time.Second
	// lastWait bounds the attempt at the end of a run.
	lastWait = 5 * time.Second
	// loadWait is how long a query waits for the charts of earlier runs.
	loadWait = 2 * time.Second
	// mended is how far back missing steps are put together from their minutes:
	// as far as minutes are kept.
	mended = 48 * time.Hour
)

// Run samples once a second until ctx ends, keeps rollups in the Store and
// loads those of earlier runs first. A minute is given to the Store within a
// second of its end; the running one when ctx ends, and the next run joins its
// own part to it. A Store that fails costs rollups, never the run: what cannot
// be read is not in the charts, and points wait, up to a bound, and are tried
// again each minute.
func (r *Recorder) Run(ctx context.Context) error {
	if err := r.load(ctx); err != nil && ctx.Err() == nil {
		r.cfg.Log.Warn("the charts of earlier runs could not be read", "err", err)
	}
	finished := make(chan struct{}, 1)
	var saver sync.WaitGroup
	saver.Go(func() { r.keep(ctx, finished) })
	defer saver.Wait()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			saver.Wait()
			r.sampler.tick(r.now())
			r.sampler.part()
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWait)
			defer cancel()
			r.save(last)
			return nil
		case <-tick.C:
			if r.sampler.tick(r.now()) {
				select {
				case finished <- struct{}{}:
				default: // the saver is at it, and will look again
				}
			}
		}
	}
}

// keep stores what is finished each time it is told, beside the sampling: a
// slow disk must not make seconds longer.
func (r *Recorder) keep(ctx context.Context, finished <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-finished:
			within, cancel := context.WithTimeout(ctx, saveWait)
			r.save(within)
			cancel()
		}
	}
}

// save gives the Store what is finished. On failure the points stay. One
// goroutine at a time calls it.
func (r *Recorder) save(ctx context.Context) {
	r.charts.mu.Lock()
	points := r.charts.unsent
	r.charts.unsent = nil
	r.charts.mu.Unlock()
	if r.cfg.Store == nil || len(points) == 0 {
		return
	}
	if err := r.cfg.Store.SavePoints(ctx, points); err != nil {
		r.charts.mu.Lock()
		r.charts.unsent = append(points, r.charts.unsent...)
		r.charts.mu.Unlock()
		if !r.failing && context.Cause(ctx) != context.Canceled { // then the last attempt is still to come
			r.failing = true
			r.cfg.Log.Warn("the charts could not be stored; they stay in memory and are tried again each minute", "err", err)
		}
		return
	}
	if r.failing {
		r.failing = false
		r.cfg.Log.Info("the charts are stored again")
	}
	r.drop(ctx)
}

// awaitLoaded waits until the charts of earlier runs are there, but not for
// ever: a query that comes with the start would miss them.
func (r *Recorder) awaitLoaded() {
	select {
	case <-r.loaded:
		return
	default:
	}
	t := time.NewTimer(loadWait)
	defer t.Stop()
	select {
	case <-r.loaded:
	case <-t.C:
	}
}

// load puts the stored rollups into the rings.
func (r *Recorder) load(ctx context.Context) error {
	if r.cfg.Store == nil {
		return nil
	}
	defer close(r.loaded)
	now := r.now().Unix()
	for i, t := range tiers {
		if !t.stored {
			continue
		}
		err := r.cfg.Store.LoadPoints(ctx, t.step, now-t.step*int64(t.size), func(p Point) {
			r.charts.mu.Lock()
			defer r.charts.mu.Unlock()
			unit, b, ok := kindOf(p.Series)
			if !ok || p.At > now {
				return // of another version, or of a clock that was ahead
			}
			if s := r.charts.line(p.Series, unit, b); s != nil {
				s.rings[i].put(p.At-p.At%t.step, p.Value)
			}
		})
		if err != nil {
			return err
		}
	}
	r.charts.mu.Lock()
	defer r.charts.mu.Unlock()
	for _, s := range r.charts.order {
		r.sampler.mendLocked(s, now)
	}
	return nil
}

// mendLocked puts together what no run has finished because the process ended:
// longer steps from their minutes, and the beginnings of those that still run.
func (s *sampler) mendLocked(line *series, now int64) {
	minute := line.rings[minutes]
	for i := minutes; i < len(tiers); i++ {
		step := tiers[i].step
		running := now - now%step
		begin := running
		if i > minutes {
			begin -= int64(mended/time.Second) / step * step
		}
		for ; begin <= running; begin += step {
			if begin < running && !math.IsNaN(line.rings[i].get(begin)) {
				continue
			}
			b := blended{kind: line.blend}
			for at := begin; at < begin+step; at += minute.step {
				b.addMany(minute.get(at), int(min(minute.step, now-at+1)))
			}
			switch {
			case b.n == 0:
			case begin < running:
				s.r.charts.put(line, i, begin, b.value())
			case s.distributed(line.Name):
				s.before[i-1][line.Name] = &b
			default:
				s.acc[i-1][line.Name] = &b
			}
		}
	}
}

// distributed says whether a series is a percentile.
func (s *sampler) distributed(name string) bool {
	for _, d := range s.dists {
		for _, n := range d.names {
			if n == name {
				return true
			}
		}
	}
	return false
}
