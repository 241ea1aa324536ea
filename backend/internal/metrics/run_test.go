package metrics

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// at is a stored value; NaN: there is none.
func (m *memory) at(series string, step int64, when time.Time) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, held := m.points[Point{series, step, when.Unix() - when.Unix()%step, 0}]
	if !held {
		return gap
	}
	return v
}

// ran is a Recorder under way.
func ran(t *testing.T, cfg Config) (r *Recorder, stop func()) {
	t.Helper()
	r = New(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	return r, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestMinuteIsStoredAtItsEnd: a process that is killed two seconds into a
// minute has lost those two seconds.
func TestMinuteIsStoredAtItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{points: map[Point]float64{}}
		r, stop := ran(t, Config{Store: store})
		start := time.Now().Truncate(time.Minute)
		time.Sleep(10 * time.Second)
		r.Message("visitor")
		time.Sleep(time.Until(start.Add(time.Minute - time.Millisecond)))
		if v := store.at("messages_in", 60, start); !math.IsNaN(v) {
			t.Errorf("%v is stored before the minute is over", v)
		}
		time.Sleep(2 * time.Second)
		if v := store.at("messages_in", 60, start); v != 1 {
			t.Errorf("%v messages are stored two seconds after the minute, want 1", v)
		}
		stop()
	})
}

// TestStopInMidMinute: what two runs saw of one minute, of one hour, is one
// value afterwards.
func TestStopInMidMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{points: map[Point]float64{}}
		start := time.Now().Truncate(time.Hour)
		first, stop := ran(t, Config{Store: store})
		for range 20 {
			time.Sleep(time.Second)
			first.Message("visitor")
			first.Reply(4 * time.Second)
			first.SpendToday(10)
		}
		time.Sleep(time.Second)
		stop()
		if v := store.at("messages_in", 60, start); v != 20 {
			t.Errorf("%v messages are stored at the stop, want 20", v)
		}
		time.Sleep(3 * time.Second)
		second, stop := ran(t, Config{Store: store})
		for range 10 {
			time.Sleep(time.Second)
			second.Message("visitor")
			second.Reply(time.Second)
			second.SpendToday(20)
		}
		time.Sleep(time.Until(start.Add(time.Hour + 2*time.Second)))
		for _, c := range []struct {
			series   string
			step     int64
			low, top float64
		}{
			{"messages_in", 60, 30, 30}, {"messages_in", 600, 30, 30}, {"messages_in", 3600, 30, 30},
			{"reply_p95", 60, 3.8, 4.2}, {"reply_p95", 3600, 3.8, 4.2},
			{"spend_today", 60, 14, 18}, {"spend_today", 3600, 19, 20},
		} {
			if v := store.at(c.series, c.step, start); !(v >= c.low && v <= c.top) {
				t.Errorf("%s in %d s: %v, want %v to %v", c.series, c.step, v, c.low, c.top)
			}
		}
		stop()
	})
}

// TestLongStepsAfterAKill: hours that no process finished are put together
// from the minutes that were stored.
func TestLongStepsAfterAKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{points: map[Point]float64{}}
		start := time.Now().Truncate(time.Hour)
		for m := range 31 { // of a run that ended without a word
			store.points[Point{"messages_in", 60, start.Unix() + int64(m)*60, 0}] = 2
			store.points[Point{"connections", 60, start.Unix() + int64(m)*60, 0}] = float64(m)
		}
		time.Sleep(3 * time.Hour)
		_, stop := ran(t, Config{Store: store})
		time.Sleep(2 * time.Minute)
		stop()
		if v := store.at("messages_in", 3600, start); v != 62 {
			t.Errorf("messages of the hour: %v, want 62", v)
		}
		if v := store.at("connections", 3600, start); v != 15 {
			t.Errorf("connections in the hour: %v, want 15", v)
		}
		if v := store.at("messages_in", 600, start.Add(10*time.Minute)); v != 20 {
			t.Errorf("messages of ten minutes: %v, want 20", v)
		}
		if v := store.at("messages_in", 3600, start.Add(time.Hour)); !math.IsNaN(v) {
			t.Errorf("an hour in which nothing ran has %v", v)
		}
	})
}

func TestFailedSavesAreToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		store := &memory{points: map[Point]float64{}, fail: true}
		r, stop := ran(t, Config{Store: store, Log: slog.New(slog.NewTextHandler(&log, nil))})
		start := time.Now().Truncate(time.Minute)
		time.Sleep(5 * time.Second)
		r.Message("visitor")
		time.Sleep(3 * time.Minute)
		store.mu.Lock()
		store.fail = false
		store.mu.Unlock()
		time.Sleep(2 * time.Minute)
		stop()
		if n := strings.Count(log.String(), "could not be stored"); n != 1 || strings.Count(log.String(), "disk full") != 1 || strings.Count(log.String(), "stored again") != 1 {
			t.Errorf("%s", log.String())
		}
		if v := store.at("messages_in", 60, start); v != 1 {
			t.Errorf("%v messages after the store works again, want 1", v)
		}
	})
}

// slow is a Store whose first answer takes its time.
type slow struct {
	memory
	pause time.Duration
}

func (s *slow) LoadPoints(ctx context.Context, step, from int64, each func(Point)) error {
	time.Sleep(s.pause)
	return s.memory.LoadPoints(ctx, step, from, each)
}

// TestQueryWaitsForWhatWasStored: a page that asks right after a start gets the
// minutes of the run before.
func TestQueryWaitsForWhatWasStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now().Truncate(time.Minute)
		store := &slow{memory{points: map[Point]float64{{"messages_in", 60, start.Unix(), 0}: 60}}, 300 * time.Millisecond}
		time.Sleep(2 * time.Minute)
		r, stop := ran(t, Config{Store: store})
		if got := values(t, r, "messages_in", start, start.Add(time.Minute), time.Minute); len(got) != 1 || got[0] != 1 {
			t.Errorf("%v, want one message a second", got)
		}
		stop()
		never := New(Config{Store: store}) // nobody runs it: the query comes back all the same
		if begun := time.Now(); len(never.Series()) != 0 || time.Since(begun) != loadWait {
			t.Errorf("waited %v", time.Since(begun))
		}
	})
}

// TestRing compares a ring with a map, through growth, jumps and late values.
func TestRing(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for round := range 50 {
		size := 1 + rng.IntN(400)
		r, want := newRing(10, size), map[int64]float32{}
		n, last := 1000+rng.Int64N(1000), int64(0)
		for i := range 600 {
			n += rng.Int64N(4) - 1
			if rng.IntN(100) == 0 {
				n += rng.Int64N(int64(2 * size))
			}
			if n > last-int64(size) {
				want[n] = float32(i)
			}
			last = max(last, n)
			r.put(n*10, float64(i))
			for _, look := range []int64{n, last, last - int64(size) + 1, last - rng.Int64N(int64(size)), last + 1} {
				v, held := want[look]
				held = held && look > last-int64(size)
				if got := r.get(look * 10); math.IsNaN(got) == held || held && got != float64(v) {
					t.Fatalf("round %d: step %d of ring to %d: %v, want %v (%v)", round, look, last, got, v, held)
				}
			}
		}
		if len(r.values) > size {
			t.Fatalf("%d values in a ring of %d", len(r.values), size)
		}
	}
	r := newRing(3600, 9600)
	if r.put(1_700_000_000, 1); len(r.values) > ringLeast {
		t.Errorf("a ring with one value has room for %d", len(r.values))
	}
}

func TestUsageOfTheProcess(t *testing.T) {
	usage := processUsage()
	cpu, rss := usage()
	sum := 0
	for begun := time.Now(); time.Since(begun) < 30*time.Millisecond; {
		sum++
	}
	if later, _ := usage(); !(later > cpu) || !(rss > 1<<20) || sum == 0 {
		t.Errorf("%v and then %v seconds, %v bytes", cpu, later, rss)
	}
}

// blind is a Store that cannot be read.
type blind struct{ memory }

func (*blind) LoadPoints(context.Context, int64, int64, func(Point)) error {
	return errors.New("malformed")
}

// TestUnreadableChartsCostOnlyThemselves: visitors are served on, and what
// happens from now on is kept.
func TestUnreadableChartsCostOnlyThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		store := &blind{memory{points: map[Point]float64{}}}
		start := time.Now().Truncate(time.Minute)
		r, stop := ran(t, Config{Store: store, Log: slog.New(slog.NewTextHandler(&log, nil))})
		time.Sleep(5 * time.Second)
		r.Message("visitor")
		time.Sleep(time.Minute)
		stop()
		if v := store.at("messages_in", 60, start); v != 1 {
			t.Errorf("%v messages are stored, want 1", v)
		}
		if n := strings.Count(log.String(), "malformed"); n != 1 {
			t.Errorf("the log says %s", log.String())
		}
	})
}
