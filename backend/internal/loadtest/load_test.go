package loadtest

import (
	"context"
	"net"
	"testing"
	"time"

	"haoke/backend/internal/sim"
	"haoke/backend/internal/wsconn/baseline"
)

// textbookOn serves the baseline on loopback, with the simulator behind it.
func textbookOn(t *testing.T, cfg sim.Config) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	listen := func() net.Listener {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return ln
	}
	up, front := listen(), listen()
	done := make(chan error, 2)
	go func() { done <- sim.New(cfg).Serve(ctx, up) }()
	s := &baseline.Server{Upstream: "http://" + up.Addr().String() + "/v1", Model: "m"}
	go func() { done <- s.Serve(ctx, front) }()
	t.Cleanup(func() {
		stop()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
	return "http://" + front.Addr().String()
}

func TestOpenLoopFindsNothingWrong(t *testing.T) {
	url := textbookOn(t, sim.Config{Tokens: 20})
	tl := newTally()
	f, err := openFleet(t.Context(), url, 20, 8, tl, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	f.drive(t.Context(), 100, 400*time.Millisecond, 10*time.Second)
	o := tl.outcome(400 * time.Millisecond)
	if o.Questions != 41 || o.Answers != 41 || o.Errors() != 0 || o.Reply.N != 41 || o.Ack.N != 41 || o.First.N != 41 {
		t.Errorf("%+v", o)
	}
}

// TestWaitingCounts: two questions are due at once and one visitor is there.
// The second question's time runs from when it was due.
func TestWaitingCounts(t *testing.T) {
	const latency = 150 * time.Millisecond
	url := textbookOn(t, sim.Config{Tokens: 20, Latency: latency})
	tl := newTally()
	f, err := openFleet(t.Context(), url, 1, 1, tl, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	f.drive(t.Context(), 1000, 2*time.Millisecond, 10*time.Second)
	o := tl.outcome(time.Second)
	if o.Answers < 3 || o.Reply.Max < 2*float64(latency.Milliseconds()) {
		t.Errorf("%d answers, the slowest after %.0f ms", o.Answers, o.Reply.Max)
	}
}

// TestLostAnswersAreSeen: the textbook drops the socket when its upstream
// fails, which no error frame tells.
func TestLostAnswersAreSeen(t *testing.T) {
	url := textbookOn(t, sim.Config{FaultRate: 1, Faults: []string{"500"}})
	tl := newTally()
	f, err := openFleet(t.Context(), url, 4, 4, tl, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	f.once(t.Context(), 2)
	o := tl.outcome(time.Second)
	if o.Lost != 4 || o.Faults["connection lost"] != 4 || o.Answers != 0 {
		t.Errorf("%+v", o)
	}
}

func TestDirectCallsAndRelay(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	up, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go sim.New(sim.Config{Tokens: 5}).Serve(ctx, up)
	go (&Relay{Upstream: "http://" + up.Addr().String() + "/v1"}).Serve(ctx, front)
	for _, base := range []string{up.Addr().String(), front.Addr().String()} {
		tl := newTally()
		newCaller("http://"+base+"/v1", tl).drive(ctx, 100, 100*time.Millisecond)
		if o := tl.outcome(time.Second); o.Answers != 11 || o.First.N != 11 || o.Errors() != 0 {
			t.Errorf("%s: %+v", base, o)
		}
	}
}
