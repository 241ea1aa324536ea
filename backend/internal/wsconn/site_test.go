package wsconn

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// site is a server whose sockets are handed to accepted.
type site struct {
	url  string
	open chan *Conn
}

// mode is how silent sockets wait.
type mode struct{ blocking bool }

// eachMode runs a test with the poller, where there is one, and without.
func eachMode(t *testing.T, test func(*testing.T, mode)) {
	t.Run("polled", func(t *testing.T) { test(t, mode{}) })
	t.Run("blocking", func(t *testing.T) { test(t, mode{blocking: true}) })
}

func (m mode) serve(t testing.TB, cfg Config) *site {
	t.Helper()
	cfg.Blocking = m.blocking
	s := &site{open: make(chan *Conn, 64)}
	a := NewAcceptor(cfg)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := a.Accept(w, r)
		if err == nil {
			s.open <- c
		}
	}))
	t.Cleanup(srv.Close)
	s.url = "ws" + strings.TrimPrefix(srv.URL, "http")
	return s
}

// pair is both ends of a socket.
func (s *site) pair(t testing.TB) (*Conn, *Client) {
	t.Helper()
	cl, _, err := Dial(t.Context(), s.url, DialConfig{Subprotocol: "haoke.v1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cl.Cut() })
	return <-s.open, cl
}

// raw opens a socket without a library and returns the connection after the
// upgrade. more is sent in the same packet as the request.
func (s *site) raw(t *testing.T, more []byte) net.Conn {
	t.Helper()
	host := strings.TrimPrefix(s.url, "ws://")
	c, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	key := make([]byte, 16)
	rand.Read(key)
	req := "GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
		base64.StdEncoding.EncodeToString(key) + "\r\n\r\n"
	if _, err := c.Write(append([]byte(req), more...)); err != nil {
		t.Fatal(err)
	}
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	var head []byte
	for b := make([]byte, 1); !bytes.HasSuffix(head, []byte("\r\n\r\n")); {
		if _, err := c.Read(b); err != nil {
			t.Fatalf("%v after %q", err, head)
		}
		head = append(head, b[0])
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) {
		t.Fatalf("%s", head)
	}
	return c
}

// masked is a client's frame.
func masked(op byte, payload []byte) []byte {
	b := []byte{0x80 | op}
	switch {
	case len(payload) < 126:
		b = append(b, 0x80|byte(len(payload)))
	default:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(len(payload)))
	}
	mask := [4]byte{1, 2, 3, 4}
	b = append(b, mask[:]...)
	for i, x := range payload {
		b = append(b, x^mask[i%4])
	}
	return b
}

// recorder is a Handler that keeps what came.
type recorder struct {
	mu     sync.Mutex
	frames []string
	came   chan string
	ended  chan error
	refuse string // a frame that ends the socket
}

func newRecorder() *recorder {
	return &recorder{came: make(chan string, 1024), ended: make(chan error, 2)}
}

func (r *recorder) Frame(b []byte) bool {
	s := string(b)
	r.mu.Lock()
	r.frames = append(r.frames, s)
	r.mu.Unlock()
	r.came <- s
	return s != r.refuse
}

func (r *recorder) Ended(err error) { r.ended <- err }

func (r *recorder) wait(t *testing.T) {
	t.Helper()
	select {
	case <-r.ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the socket did not end")
	}
}
