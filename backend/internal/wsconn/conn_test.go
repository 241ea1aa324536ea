package wsconn

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFramesInOrderBothWays(t *testing.T) { eachMode(t, testFramesInOrderBothWays) }

func testFramesInOrderBothWays(t *testing.T, m mode) {
	s := m.serve(t, Config{Subprotocol: "haoke.v1"})
	c, cl := s.pair(t)
	if c.Subprotocol() != "haoke.v1" {
		t.Errorf("subprotocol %q", c.Subprotocol())
	}
	r := newRecorder()
	c.Serve(r)
	const n = 200
	go func() {
		for i := range n {
			cl.Write(context.Background(), fmt.Appendf(nil, "up %d %s", i, strings.Repeat("x", i*7)))
		}
	}()
	for i := range n {
		if got, want := <-r.came, fmt.Sprintf("up %d %s", i, strings.Repeat("x", i*7)); got != want {
			t.Fatalf("frame %d: %.40q", i, got)
		}
	}
	for i := range n {
		if err := c.Send(fmt.Appendf(nil, "down %d %s", i, strings.Repeat("y", i*7))); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		b, err := cl.Read(t.Context())
		if want := fmt.Sprintf("down %d %s", i, strings.Repeat("y", i*7)); err != nil || string(b) != want {
			t.Fatalf("frame %d: %.40q %v", i, b, err)
		}
	}
	cl.Cut()
	r.wait(t)
	if err := c.Send([]byte("late")); err != ErrClosed {
		t.Errorf("after the end: %v", err)
	}
}

// TestManySenders: frames of many goroutines arrive whole, each sender's in
// order.
func TestManySenders(t *testing.T) { eachMode(t, testManySenders) }

func testManySenders(t *testing.T, m mode) {
	s := m.serve(t, Config{QueueBytes: 8 << 20})
	c, cl := s.pair(t)
	r := newRecorder()
	c.Serve(r)
	const senders, each = 8, 200
	var wg sync.WaitGroup
	for k := range senders {
		wg.Go(func() {
			for i := range each {
				if err := c.Send(fmt.Appendf(nil, "%d %d", k, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	next := [senders]int{}
	for range senders * each {
		b, err := cl.Read(t.Context())
		var k, i int
		if _, serr := fmt.Sscanf(string(b), "%d %d", &k, &i); err != nil || serr != nil || i != next[k] {
			t.Fatalf("%q %v, want %v", b, err, next)
		}
		next[k]++
	}
	wg.Wait()
	cl.Cut()
	r.wait(t)
}

// TestOverflowClosesTheSlowSocket: the producer is never blocked, the socket is
// closed with 4003 and tells so to a reader that wakes up.
func TestOverflowClosesTheSlowSocket(t *testing.T) { eachMode(t, testOverflowClosesTheSlowSocket) }

func testOverflowClosesTheSlowSocket(t *testing.T, m mode) {
	s := m.serve(t, Config{QueueBytes: 64 << 10, WriteTimeout: 5 * time.Second})
	c, cl := s.pair(t)
	r := newRecorder()
	c.Serve(r)
	frame := bytes.Repeat([]byte("z"), 4096)
	var err error
	for i := 0; err == nil; i++ {
		if i > 100_000 {
			t.Fatal("the queue never overflowed")
		}
		err = c.Send(frame)
	}
	if err != ErrTooSlow {
		t.Fatal(err)
	}
	if err := c.Send(frame); err != ErrClosed {
		t.Errorf("after the overflow: %v", err)
	}
	for {
		if _, err := cl.Read(t.Context()); err != nil {
			if CloseCode(err) != 4003 {
				t.Errorf("closed with %d: %v", CloseCode(err), err)
			}
			break
		}
	}
	r.wait(t)
}

// TestSendWaitWaits: a replay that is larger than the queue gets through to a
// reader that is merely slow, and ends with the socket.
func TestSendWaitWaits(t *testing.T) { eachMode(t, testSendWaitWaits) }

func testSendWaitWaits(t *testing.T, m mode) {
	s := m.serve(t, Config{QueueBytes: 16 << 10})
	c, cl := s.pair(t)
	r := newRecorder()
	c.Serve(r)
	frame := bytes.Repeat([]byte("r"), 3000)
	done := make(chan error, 1)
	go func() {
		for range 3000 {
			if err := c.SendWait(frame); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for range 3000 {
		if b, err := cl.Read(t.Context()); err != nil || len(b) != len(frame) {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	go func() {
		for c.SendWait(frame) == nil {
		}
		done <- nil
	}()
	cl.Cut()
	<-done
	r.wait(t)
}

// TestAnnouncedFrameMustCome: a peer that announces a frame and sends it drop
// by drop is cut off by the deadline of the whole frame.
func TestAnnouncedFrameMustCome(t *testing.T) { eachMode(t, testAnnouncedFrameMustCome) }

func testAnnouncedFrameMustCome(t *testing.T, m mode) {
	s := m.serve(t, Config{ReadTimeout: 100 * time.Millisecond})
	conn := s.raw(t, nil)
	c := <-s.open
	r := newRecorder()
	c.Serve(r)
	f := masked(1, bytes.Repeat([]byte("a"), 100))
	conn.Write(f[:20])
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		for i := 20; i < 60; i++ {
			if _, err := conn.Write(f[i : i+1]); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	r.wait(t)
	if len(r.frames) != 0 {
		t.Errorf("half a frame was taken: %q", r.frames)
	}
	<-stop
}

// TestSilenceIsAllowed: the deadline is for begun frames only.
func TestSilenceIsAllowed(t *testing.T) { eachMode(t, testSilenceIsAllowed) }

func testSilenceIsAllowed(t *testing.T, m mode) {
	s := m.serve(t, Config{ReadTimeout: 30 * time.Millisecond})
	c, cl := s.pair(t)
	r := newRecorder()
	c.Serve(r)
	for i := range 3 {
		time.Sleep(80 * time.Millisecond)
		if err := cl.Write(t.Context(), []byte("still here")); err != nil {
			t.Fatal(i, err)
		}
		<-r.came
	}
	cl.Cut()
	r.wait(t)
}

// TestEarlyBytesAreKept: a frame in the same packet as the upgrade, and the
// beginning of another one.
func TestEarlyBytesAreKept(t *testing.T) { eachMode(t, testEarlyBytesAreKept) }

func testEarlyBytesAreKept(t *testing.T, m mode) {
	s := m.serve(t, Config{})
	second := masked(1, bytes.Repeat([]byte("b"), 2000))
	conn := s.raw(t, append(masked(1, []byte("first")), second[:700]...))
	c := <-s.open
	r := newRecorder()
	c.Serve(r)
	if got := <-r.came; got != "first" {
		t.Fatalf("%q", got)
	}
	conn.Write(second[700:])
	if got := <-r.came; got != strings.Repeat("b", 2000) {
		t.Fatalf("%d bytes", len(got))
	}
	conn.Close()
	r.wait(t)
}

func TestTooLargeAndBinaryFrames(t *testing.T) { eachMode(t, testTooLargeAndBinaryFrames) }

func testTooLargeAndBinaryFrames(t *testing.T, m mode) {
	for name, c := range map[string]struct {
		write func(*Client) error
		code  int
	}{
		"too large": {func(cl *Client) error { return cl.Write(t.Context(), bytes.Repeat([]byte("x"), 2000)) }, 1009},
		"binary":    {func(cl *Client) error { return cl.WriteBinary(t.Context(), []byte{1}) }, 4002},
	} {
		t.Run(name, func(t *testing.T) {
			s := m.serve(t, Config{MaxFrame: 1024})
			conn, cl := s.pair(t)
			r := newRecorder()
			conn.Serve(r)
			if err := c.write(cl); err != nil {
				t.Fatal(err)
			}
			if _, err := cl.Read(t.Context()); CloseCode(err) != c.code {
				t.Errorf("closed with %d: %v", CloseCode(err), err)
			}
			r.wait(t)
		})
	}
}

// TestCloseSendsWhatIsQueued: the close frame comes last, then the handshake
// ends the socket; only the first Close counts.
func TestCloseSendsWhatIsQueued(t *testing.T) { eachMode(t, testCloseSendsWhatIsQueued) }

func testCloseSendsWhatIsQueued(t *testing.T, m mode) {
	s := m.serve(t, Config{})
	c, cl := s.pair(t)
	r := newRecorder()
	c.Serve(r)
	for i := range 50 {
		if err := c.Send(fmt.Appendf(nil, "%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	c.Close(1001, "going away")
	c.Close(4000, "second")
	if err := c.Send([]byte("late")); err != ErrClosed {
		t.Errorf("%v", err)
	}
	for i := range 50 {
		if b, err := cl.Read(t.Context()); err != nil || string(b) != fmt.Sprint(i) {
			t.Fatalf("frame %d: %q %v", i, b, err)
		}
	}
	if _, err := cl.Read(t.Context()); CloseCode(err) != 1001 {
		t.Errorf("closed with %d: %v", CloseCode(err), err)
	}
	r.wait(t)
}

// TestPeerThatNeverAnswersTheClose must not keep the socket.
func TestPeerThatNeverAnswersTheClose(t *testing.T) { eachMode(t, testPeerThatNeverAnswersTheClose) }

func testPeerThatNeverAnswersTheClose(t *testing.T, m mode) {
	s := m.serve(t, Config{CloseWait: 100 * time.Millisecond})
	conn := s.raw(t, nil)
	c := <-s.open
	r := newRecorder()
	c.Serve(r)
	c.Close(1001, "going away")
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Errorf("the socket stayed open: %v", err)
	}
	r.wait(t)
}

// TestHandlerEndsTheSocket: false from the handler closes it, what comes later
// is not handled.
func TestHandlerEndsTheSocket(t *testing.T) { eachMode(t, testHandlerEndsTheSocket) }

func testHandlerEndsTheSocket(t *testing.T, m mode) {
	s := m.serve(t, Config{})
	c, cl := s.pair(t)
	r := newRecorder()
	r.refuse = "stop"
	c.Serve(r)
	for _, f := range []string{"one", "stop", "three"} {
		cl.Write(t.Context(), []byte(f))
	}
	r.wait(t)
	if got := strings.Join(r.frames, " "); got != "one stop" {
		t.Errorf("handled: %s", got)
	}
	if _, err := cl.Read(t.Context()); err == nil {
		t.Error("the socket is still open")
	}
}

// TestCloseRace: senders, both closing sides and the reader at once leave
// nothing behind (goleak) and never panic.
func TestCloseRace(t *testing.T) { eachMode(t, testCloseRace) }

func testCloseRace(t *testing.T, m mode) {
	s := m.serve(t, Config{QueueBytes: 8 << 10})
	for i := range 30 {
		c, cl := s.pair(t)
		r := newRecorder()
		c.Serve(r)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for c.Send([]byte(strings.Repeat("m", 100))) == nil {
				}
			})
		}
		wg.Go(func() {
			for {
				if _, err := cl.Read(context.Background()); err != nil {
					return
				}
			}
		})
		wg.Go(func() {
			if i%2 == 0 {
				c.Close(1001, "bye")
			} else {
				cl.Cut()
			}
		})
		wg.Wait()
		r.wait(t)
	}
}

// TestSendNow: frames that are written at once, those that the network does not
// take any more, and queued ones between them arrive whole and in order.
func TestSendNow(t *testing.T) {
	s := mode{}.serve(t, Config{QueueBytes: 64 << 20})
	c, cl := s.pair(t)
	c.Serve(newRecorder())
	const frames = 3000 // of 8 KB: more than the buffers of both ends hold
	pad := strings.Repeat("x", 8<<10)
	for i := range frames {
		frame := []byte(fmt.Sprint(i, " ", pad))
		send := c.SendNow
		if i%7 == 3 {
			send = c.Send
		}
		if err := send(frame); err != nil {
			t.Fatal(i, err)
		}
	}
	for i := range frames {
		got, err := cl.Read(t.Context())
		if err != nil || string(got) != fmt.Sprint(i, " ", pad) {
			t.Fatalf("frame %d: %d bytes %.20q, %v", i, len(got), got, err)
		}
	}
	c.Close(1000, "done")
	if err := c.SendNow([]byte("late")); err != ErrClosed {
		t.Fatal(err)
	}
}
