package wsconn

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

const beat, beatBack = `{"type":"ping"}`, `{"type":"pong"}`

func beating() Config { return Config{Beat: beat, BeatAnswer: beatBack} }

// next reads one frame that the server sent.
func next(t *testing.T, conn net.Conn) string {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	head := make([]byte, 2)
	if _, err := conn.Read(head); err != nil || head[1] > 125 {
		t.Fatalf("%x, %v", head, err)
	}
	body := make([]byte, head[1])
	for n := 0; n < len(body); {
		k, err := conn.Read(body[n:])
		if err != nil {
			t.Fatal(err)
		}
		n += k
	}
	return string(body)
}

// TestHeartbeats: whole ones are answered before the Handler sees them, and
// whatever comes with them reaches it in order.
func TestHeartbeats(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no poller here")
	}
	b, hi := string(masked(opText, []byte(beat))), string(masked(opText, []byte("hi")))
	for _, c := range []struct {
		name    string
		send    []string
		pongs   int
		handled string
	}{
		{"one", []string{b}, 1, ""},
		{"three in one packet", []string{b + b + b}, 3, ""},
		{"a flood, which is a reader's business", []string{strings.Repeat(b, maxBeats+1)}, 0, strings.TrimSpace(strings.Repeat(beat+" ", maxBeats+1))},
		{"in two pieces, which is a reader's business", []string{b[:9], b[9:]}, 0, beat},
		{"a message behind it", []string{b + hi}, 0, beat + " hi"},
		{"a message after it", []string{b, hi}, 1, "hi"},
		{"as a binary frame of the same bytes", []string{string(masked(opBinary, []byte(beat)))}, 0, "closed"},
		{"without a mask", []string{"\x81\x0f" + beat + "\x00\x00\x00\x00"}, 0, "closed"},
		{"almost", []string{string(masked(opText, []byte(`{"type":"pinG"}`)))}, 0, `{"type":"pinG"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mode{}.serve(t, beating())
			conn := s.raw(t, nil)
			r := newRecorder()
			sock := <-s.open
			sock.Serve(r)
			for range c.pongs { // nothing else may come before the Handler's frames
				if len(c.send) > 0 {
					conn.Write([]byte(c.send[0]))
					c.send = c.send[1:]
				}
				if got := next(t, conn); got != beatBack {
					t.Fatalf("answered with %q", got)
				}
			}
			for _, piece := range c.send {
				conn.Write([]byte(piece))
				time.Sleep(5 * time.Millisecond) // it is read before the next comes
			}
			if c.handled == "closed" {
				if got := received(t, conn); !strings.HasPrefix(got[0], "close:") {
					t.Errorf("%q", got)
				}
			} else {
				for _, want := range strings.Fields(c.handled) {
					if got := <-r.came; got != want {
						t.Errorf("handled %q, want %q", got, want)
					}
				}
			}
			conn.Close()
			r.wait(t)
			if len(r.came) > 0 {
				t.Errorf("handled %q besides", <-r.came)
			}
		})
	}
}

// TestHeartbeatsOfTheBlocking are the Handler's, as all messages are.
func TestHeartbeatsOfTheBlocking(t *testing.T) {
	s := mode{blocking: true}.serve(t, beating())
	c, cl := s.pair(t)
	r := newRecorder()
	c.Serve(r)
	if err := cl.Write(t.Context(), []byte(beat)); err != nil {
		t.Fatal(err)
	}
	if got := <-r.came; got != beat {
		t.Errorf("%q", got)
	}
}

// TestHeartbeatTakesItsTurn: answers that the network does not take wait
// behind what was sent before, and a peer that never reads loses its socket.
func TestHeartbeatTakesItsTurn(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no poller here")
	}
	cfg := beating()
	cfg.QueueBytes, cfg.WriteTimeout = 32<<10, 200*time.Millisecond
	s := mode{}.serve(t, cfg)
	conn := s.raw(t, nil)
	c := <-s.open
	r := &answering{c, make(chan error, 1)}
	c.Serve(r)
	big := []byte(strings.Repeat("z", 8<<10))
	for c.SendNow(big) == nil && !waits(c) { // until the network takes no more
	}
	one := masked(opText, []byte(beat))
	go func() {
		for {
			if _, err := conn.Write(one); err != nil {
				return
			}
		}
	}()
	if err := <-r.ended; err != ErrTooSlow && err != ErrClosed {
		t.Errorf("ended with %v", err)
	}
	conn.Close()
}

// answering answers the heartbeats that come in pieces, as the gateway does.
type answering struct {
	c     *Conn
	ended chan error
}

func (a *answering) Frame([]byte) bool { a.c.SendNow([]byte(beatBack)); return true }
func (a *answering) Ended(err error)   { a.ended <- err }

func waits(c *Conn) bool { c.mu.Lock(); defer c.mu.Unlock(); return c.queue != nil || c.writing }

// TestNoArrivalIsLost: frames of all lengths in pieces of all lengths, among
// heartbeats, each of which could come at the moment in which a reader leaves.
func TestNoArrivalIsLost(t *testing.T) {
	s := mode{}.serve(t, beating())
	for round := range uint64(8) {
		rng := rand.New(rand.NewPCG(7, round))
		conn := s.raw(t, nil)
		e := &echo{<-s.open, make(chan error, 2)}
		e.c.Serve(e)
		var stream []byte
		var want []string
		for i := range 300 {
			text := fmt.Sprint(i, strings.Repeat("y", rng.IntN(110)))
			if rng.IntN(3) == 0 {
				text = beat
			}
			want = append(want, text)
			stream = append(stream, masked(opText, []byte(text))...)
		}
		go func() { // rng is its own from here on
			for len(stream) > 0 {
				n := min(len(stream), 1+rng.IntN(1+rng.IntN(9000)))
				conn.Write(stream[:n])
				if stream = stream[n:]; rng.IntN(2) == 0 {
					time.Sleep(time.Duration(rng.IntN(300)) * time.Microsecond)
				}
			}
		}()
		for i, text := range want {
			if got := next(t, conn); got != text && (text != beat || got != beatBack) {
				t.Fatalf("frame %d: %q, want %q", i, got, text)
			}
		}
		conn.Close()
		<-e.ended
	}
}

// BenchmarkHeartbeat is a heartbeat's round trip, both ends in this process.
func BenchmarkHeartbeat(b *testing.B) {
	s := mode{}.serve(b, beating())
	c, cl := s.pair(b)
	r := newRecorder()
	c.Serve(r)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		if err := cl.Write(context.Background(), []byte(beat)); err != nil {
			b.Fatal(err)
		}
		var err error
		if buf, err = cl.ReadInto(context.Background(), buf[:0]); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	cl.Cut()
	<-r.ended
}
