package wsconn

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"nhooyr.io/websocket"
)

// goroutines counts those of this package that belong to sockets, once what is
// on its way out has left.
func goroutines(t *testing.T, want int) (n int) {
	t.Helper()
	for range 200 {
		buf := make([]byte, 1<<20)
		all := string(buf[:runtime.Stack(buf, true)])
		n = strings.Count(all, "wsconn.(*Conn).read(") + strings.Count(all, "wsconn.(*Conn).drain(") + strings.Count(all, "wsconn.(*poller).run(")
		if n == want {
			return n
		}
		time.Sleep(5 * time.Millisecond)
	}
	return n
}

// TestSilentSocketsHaveNoGoroutine: one poller for all, none without sockets.
func TestSilentSocketsHaveNoGoroutine(t *testing.T) {
	s := mode{}.serve(t, Config{})
	const n = 100
	clients, rec := make([]*Client, n), newRecorder()
	for i := range clients {
		var c *Conn
		c, clients[i] = s.pair(t)
		c.Serve(once{rec})
	}
	for round := range 2 {
		for i, cl := range clients {
			if err := cl.Write(t.Context(), fmt.Appendf(nil, "%d %d", round, i)); err != nil {
				t.Fatal(err)
			}
			<-rec.came
		}
		if got := goroutines(t, 1); got != 1 {
			t.Errorf("%d goroutines for %d silent sockets", got, n)
		}
	}
	for _, cl := range clients {
		cl.Cut()
	}
	for range clients {
		<-rec.ended
	}
	if got := goroutines(t, 0); got != 0 {
		t.Errorf("%d goroutines without a socket", got)
	}
}

// once is a recorder of several sockets.
type once struct{ *recorder }

func (o once) Ended(err error) { o.ended <- err }

// TestPlacesAreGivenAgain: sockets come and go by the hundred while others talk;
// nobody's frame reaches another, and each hears its own end.
func TestPlacesAreGivenAgain(t *testing.T) {
	s := mode{}.serve(t, Config{})
	var wg sync.WaitGroup
	for k := range 8 {
		wg.Go(func() {
			for i := range 40 {
				cl, _, err := Dial(t.Context(), s.url, DialConfig{})
				if err != nil {
					t.Error(err)
					return
				}
				say := fmt.Sprintf("%d/%d", k, i)
				cl.Write(t.Context(), []byte(say))
				if b, err := cl.Read(t.Context()); err != nil || string(b) != say {
					t.Errorf("%q came back as %q, %v", say, b, err)
				}
				if i%2 == 0 {
					cl.Cut()
				} else {
					cl.Close()
				}
			}
		})
	}
	var ends sync.WaitGroup
	for range 8 * 40 {
		c := <-s.open
		ends.Add(1)
		c.Serve(&echoOnce{c, &ends})
	}
	wg.Wait()
	ends.Wait()
	if got := goroutines(t, 0); got != 0 {
		t.Errorf("%d goroutines are left", got)
	}
}

type echoOnce struct {
	c    *Conn
	ends *sync.WaitGroup
}

func (e *echoOnce) Frame(b []byte) bool { return e.c.Send(b) == nil }
func (e *echoOnce) Ended(error)         { e.ends.Done() }

// TestTLSSocketsWaitByThemselves: what TLS has decrypted cannot be seen by the
// poller; several messages in one record must all be handled.
func TestTLSSocketsWaitByThemselves(t *testing.T) {
	a := NewAcceptor(Config{})
	open := make(chan *Conn, 1)
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := a.Accept(w, r); err == nil {
			open <- c
		}
	}))
	defer srv.Close()
	ws, _, err := websocket.Dial(t.Context(), "wss"+strings.TrimPrefix(srv.URL, "https"), &websocket.DialOptions{HTTPClient: srv.Client()})
	if err != nil {
		t.Fatal(err)
	}
	cl := &Client{ws: ws}
	c := <-open
	if _, ok := c.nc.(*tls.Conn); !ok || c.watch.ok() {
		t.Errorf("%T, watched: %v", c.nc, c.watch.ok())
	}
	e := &echo{c, make(chan error, 2)}
	c.Serve(e)
	for i := range 100 {
		if err := cl.Write(t.Context(), fmt.Appendf(nil, "%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100 {
		if b, err := cl.Read(t.Context()); err != nil || string(b) != fmt.Sprint(i) {
			t.Fatalf("%d: %q %v", i, b, err)
		}
	}
	if err := cl.Close(); err != nil {
		t.Error(err)
	}
	if err := <-e.ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

// TestOverflowFinishesTheFrameThatWasBegun: of a piece that was written at once
// the network took a part; the queue behind it overflows before the writer gets
// to run. The peer must be able to read up to the close frame.
func TestOverflowFinishesTheFrameThatWasBegun(t *testing.T) {
	s := mode{}.serve(t, Config{QueueBytes: 64 << 10})
	peer := s.raw(t, nil)
	c := <-s.open
	r := newRecorder()
	c.Serve(r)
	may := make(chan struct{})
	drain := c.drain
	c.drainer = func() { <-may; drain() }
	frame := []byte(strings.Repeat("z", 9000))
	begun := func() int { c.mu.Lock(); defer c.mu.Unlock(); return c.begun }
	for i := 0; begun() == 0; i++ {
		if err := c.SendNow(frame); err != nil || i > 10_000 {
			t.Fatalf("the network took %d frames whole: %v", i, err)
		}
	}
	var err error
	for err == nil {
		err = c.Send(frame)
	}
	if err != ErrTooSlow {
		t.Fatal(err)
	}
	close(may)
	got := received(t, peer)
	for i, g := range got[:len(got)-2] {
		if g != "text:"+string(frame) {
			t.Fatalf("frame %d: %.60q", i, g)
		}
	}
	if end := strings.Join(got[len(got)-2:], " "); end != "close:4003 end" {
		t.Errorf("ended with %s", end)
	}
	peer.Close()
	r.wait(t)
}
