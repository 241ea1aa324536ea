package loadtest

import (
	"context"
	"fmt"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"haoke/backend/internal/sim"
	"haoke/backend/internal/wsconn/baseline"
)

// TestAddedIsOfEachAnswer: answers whose upstream takes a second more or less
// have added 10 ms each; the difference of the percentiles would say anything.
func TestAddedIsOfEachAnswer(t *testing.T) {
	tl, times := newTally(), map[string]own{}
	for i := range 1000 {
		word := wordOf(uint64(i))
		slow := time.Duration(i) * time.Millisecond
		extra := 10 * time.Millisecond
		if i >= 980 { // fast answers that were held up
			slow, extra = 0, 300*time.Millisecond
		}
		times[word] = own{"x " + word, slow, 2 * slow, 2 * slow}
		tl.pair(reply{word, slow + extra/10, 2*slow + extra/5, 2*slow + extra})
	}
	a, alone := tl.added(times)
	if alone != 0 || a.N != 1000 {
		t.Fatalf("%d without the upstream's time, %+v", alone, a)
	}
	for _, c := range []struct {
		what      string
		got, want float64
	}{{"p50", a.P50, 10}, {"p95", a.P95, 10}, {"p99", a.P99, 300}, {"first p50", a.First50, 1}, {"first p99", a.First99, 30}, {"last p50", a.Last50, 2}, {"last p99", a.Last99, 60}, {"deviation", a.Deviation, 290 * math.Sqrt(0.02*0.98)}} {
		if math.Abs(c.got-c.want) > c.want/100 {
			t.Errorf("%s is %.3f, want %.3f", c.what, c.got, c.want)
		}
	}
	delete(times, wordOf(7))
	if a, alone := tl.added(times); alone != 1 || a.N != 999 {
		t.Errorf("%d without the upstream's time, %+v", alone, a)
	}
	if tl.reset(); len(tl.pairs) != 0 {
		t.Error("the warm-up is paired too")
	}
}

// TestAddedOverSockets: the whole way, with a simulator whose answers differ by
// hundreds of milliseconds: what is added by a server that adds nothing is
// far below that, and the direct calls pair as well.
func TestAddedOverSockets(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	listen := func() net.Listener {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return ln
	}
	up, front := listen(), listen()
	go sim.New(sim.Config{Tokens: 20, Latency: 300 * time.Millisecond, Jitter: 300 * time.Millisecond, Seed: 3, Times: 1000}).Serve(ctx, up)
	base := "http://" + up.Addr().String() + "/v1"
	go (&baseline.Server{Upstream: base, Model: "m"}).Serve(ctx, front)
	l := &lab{simURL: base}

	tl := newTally()
	f, err := openFleet(ctx, "http://"+front.Addr().String(), 100, 8, tl, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	f.drive(ctx, 100, 600*time.Millisecond, 10*time.Second)
	o := tl.outcome(time.Second)
	a, err := l.added(ctx, tl)
	if err != nil || a.N != o.Answers || a.N != 61 {
		t.Fatalf("%v, %d answers paired of %d", err, a.N, o.Answers)
	}
	if spread := o.Reply.Deviation; spread < 100 || a.Deviation > spread/2 || a.P50 > o.Reply.P50/2 {
		t.Errorf("replies deviate by %.0f ms, what is added by %.1f ms: p50 %.1f", spread, a.Deviation, a.P50)
	}

	if err := l.forget(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := l.added(ctx, tl); err == nil || !strings.Contains(err.Error(), "61 answers of 61") {
		t.Errorf("answers without the upstream's time pass: %v", err)
	}
	direct := newTally()
	newCaller(base, direct).drive(ctx, 100, 100*time.Millisecond)
	if a, err := l.added(ctx, direct); err != nil || a.N != 11 {
		t.Errorf("direct calls: %v %+v", err, a)
	}
}

// TestWordInQuestions: the word is found wherever it stands.
func TestWordInQuestions(t *testing.T) {
	for _, n := range []uint64{0, 1, 16, 12345678, 1<<32 - 1} {
		word := wordOf(n)
		for _, q := range []string{"%s, where is my parcel?", "Where is the parcel %s?"} {
			if got := wordIn.FindString(fmt.Sprintf(q, word)); got != word {
				t.Errorf("%q in %q", got, q)
			}
		}
	}
}

// TestBusyIsNoMiss: a miss that the instrument explains is not judged; a miss
// of the server's is one, and a target that was met is met.
func TestBusyIsNoMiss(t *testing.T) {
	for _, c := range []struct {
		value, instrument float64
		met, busy         bool
	}{{7, 6, true, false}, {9, 5, false, true}, {9, 1, false, false}} {
		s := &Suite{cfg: Config{}.withDefaults()}
		s.latency(streamed{added: Added{P99: c.value}, relay: Added{P99: 3}, instrument: Added{P99: c.instrument}}, "added", 8, func(a Added) float64 { return a.P99 })
		if r := s.Rows[0]; r.Met != c.met || r.Busy != c.busy || !strings.Contains(r.Note, "bare relay in the same run: 3.0") {
			t.Errorf("%+v: %+v", c, r)
		}
	}
}
