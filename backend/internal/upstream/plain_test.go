package upstream

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/sim"
)

// spoken is a connection whose other end has said everything already.
type spoken struct {
	net.Conn
	r io.Reader
}

func (s spoken) Read(p []byte) (int, error) { return s.r.Read(p) }
func (s spoken) Close() error               { return nil }

// readPlain reads an answer with our own client.
func readPlain(r io.Reader, step int) (status int, h http.Header, body []byte, keep bool, err error) {
	c := &plainConn{nc: spoken{r: r}, buf: make([]byte, 64)}
	var f fields
	if err := c.answer(&f); err != nil {
		return 0, nil, nil, false, err
	}
	p := make([]byte, step)
	for {
		n, err := c.Read(p)
		body = append(body, p[:n]...)
		if err == io.EOF {
			return c.resp.StatusCode, c.resp.Header, body, c.keep, nil
		}
		if err != nil {
			return c.resp.StatusCode, c.resp.Header, body, false, err
		}
	}
}

// readStd reads it with net/http.
func readStd(r io.Reader) (status int, h http.Header, body []byte, close bool, err error) {
	br := bufio.NewReader(r)
	for {
		resp, err := http.ReadResponse(br, &http.Request{Method: "POST"})
		if err != nil {
			return 0, nil, nil, true, err
		}
		if resp.StatusCode >= 100 && resp.StatusCode < 200 && resp.StatusCode != 101 {
			continue
		}
		body, err := io.ReadAll(resp.Body)
		return resp.StatusCode, resp.Header, body, resp.Close, err
	}
}

const okHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"

func TestPlainFramings(t *testing.T) {
	for name, c := range map[string]struct {
		raw  string
		body string
		keep bool
		bad  bool
	}{
		"chunked":           {raw: okHead + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n", body: "abc0123456789", keep: true},
		"extension":         {raw: okHead + "transfer-encoding: Chunked\r\n\r\n3;x=\"y\"\r\nabc\r\n0\r\nTrailer: v\r\n\r\n", body: "abc", keep: true},
		"counted":           {raw: okHead + "Content-Length: 5\r\n\r\nhello", body: "hello", keep: true},
		"counted twice":     {raw: okHead + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", body: "hello", keep: true},
		"nothing":           {raw: okHead + "Content-Length: 0\r\n\r\n", keep: true},
		"no content":        {raw: "HTTP/1.1 204 No Content\r\n\r\n", keep: false},
		"to the end":        {raw: okHead + "\r\nall of it", body: "all of it"},
		"connection: close": {raw: okHead + "Connection: Close\r\nContent-Length: 2\r\n\r\nhi", body: "hi"},
		"HTTP/1.0":          {raw: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", body: "hi"},
		"interim":           {raw: "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + okHead + "Content-Length: 2\r\n\r\nhi", body: "hi", keep: true},
		"bare line ends":    {raw: "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", body: "hi", keep: true},
		"both lengths":      {raw: okHead + "Content-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", body: "hi"},

		"lengths that differ": {raw: okHead + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", bad: true},
		"length of nonsense":  {raw: okHead + "Content-Length: +5\r\n\r\nhello", bad: true},
		"unknown coding":      {raw: okHead + "Transfer-Encoding: gzip, chunked\r\n\r\n", bad: true},
		"chunk of nonsense":   {raw: okHead + "Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n", bad: true},
		"chunk too long":      {raw: okHead + "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", bad: true},
		"chunk huge":          {raw: okHead + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", bad: true},
		"cut in a chunk":      {raw: okHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nabc", bad: true},
		"cut behind chunks":   {raw: okHead + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", bad: true},
		"cut in the body":     {raw: okHead + "Content-Length: 5\r\n\r\nhel", bad: true},
		"cut in the header":   {raw: okHead, bad: true},
		"continued line":      {raw: okHead + "X-A: b\r\n c\r\n\r\n", bad: true},
		"no colon":            {raw: okHead + "nonsense\r\n\r\n", bad: true},
		"blank in a name":     {raw: okHead + "Content-Length : 2\r\n\r\nhi", bad: true},
		"not HTTP":            {raw: "SSH-2.0-OpenSSH_9.2\r\n", bad: true},
		"not HTTP, no line":   {raw: "\x15\x03\x01\x00\x02\x02\x46", bad: true},
		"status of nonsense":  {raw: "HTTP/1.1 2xx OK\r\n\r\n", bad: true},
		"switching":           {raw: "HTTP/1.1 101 Switching Protocols\r\n\r\n", bad: true},
		"interim for ever":    {raw: strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 40) + okHead + "\r\n", bad: true},
		"header for ever":     {raw: okHead + strings.Repeat("X-Padding: "+strings.Repeat("x", 900)+"\r\n", 90) + "\r\n", bad: true},
		"silence":             {raw: "", bad: true},
	} {
		for step := 1; step < 40; step += 6 {
			for _, r := range []io.Reader{strings.NewReader(c.raw), iotest.OneByteReader(strings.NewReader(c.raw))} {
				_, _, body, keep, err := readPlain(r, step)
				if (err != nil) != c.bad || !c.bad && (string(body) != c.body || keep != c.keep) {
					t.Errorf("%s in steps of %d: %q, keep %v, %v", name, step, body, keep, err)
				}
			}
		}
	}
}

// FuzzPlainAnswer: whatever a server says, what our own client takes for a whole
// answer net/http takes for the same one.
func FuzzPlainAnswer(f *testing.F) {
	for _, s := range []string{
		okHead + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", okHead + "Content-Length: 2\r\n\r\nhi", okHead + "\r\nx",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n", "HTTP/1.0 200 OK\r\nX: y\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		status, h, body, keep, err := readPlain(bytes.NewReader(raw), 7)
		if err != nil {
			return
		}
		wantStatus, wantHeader, want, closes, err := readStd(bytes.NewReader(raw))
		if err != nil {
			t.Skip() // net/http is stricter in what it names; the framing is what matters
		}
		if status != wantStatus || !bytes.Equal(body, want) || keep && closes {
			t.Fatalf("%q: %d %q keep %v, net/http: %d %q close %v", raw, status, body, keep, wantStatus, want, closes)
		}
		for _, name := range []string{"Content-Type", "Content-Encoding", "Retry-After", "Location", "X-Ratelimit-Remaining-Requests"} {
			if h.Get(name) != wantHeader.Get(name) {
				t.Fatalf("%q: %s: %q, net/http: %q", raw, name, h.Get(name), wantHeader.Get(name))
			}
		}
	})
}

// rawServer answers each connection's requests with the given function until it
// returns false.
func rawServer(t *testing.T, answer func(conn, n int, head string, c net.Conn) bool) (base string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for i := 0; ; i++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				for n := 0; ; n++ {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					var head bytes.Buffer
					req.Header.Write(&head)
					io.Copy(io.Discard, req.Body)
					if !answer(i, n, head.String(), c) {
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String() + "/v1"
}

var plainAnswer = func() string {
	b := okHead + "Transfer-Encoding: chunked\r\n\r\n"
	for _, data := range []string{`{"choices":[{"index":0,"delta":{"content":"here it is"}}]}`, `{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`, "[DONE]"} {
		b += fmt.Sprintf("%x\r\ndata: %s\n\n\r\n", len(data)+8, data)
	}
	return b + "0\r\n\r\n"
}()

func plainRig(t *testing.T, cfg Config, base string) *rig {
	r := newRig(t, cfg, sim.Config{})
	r.gate.targets[0].BaseURL = base
	return r
}

// TestPlainConnections: a connection is used again after a whole answer, and
// anew when the server closed it, said so, or was cut off.
func TestPlainConnections(t *testing.T) {
	var conns atomic.Int64
	var closes atomic.Bool
	base := rawServer(t, func(conn, n int, head string, c net.Conn) bool {
		conns.Store(int64(conn) + 1)
		if !strings.Contains(head, "Content-Type: application/json\r\n") || !strings.Contains(head, "Authorization: Bearer ") {
			t.Errorf("header %q", head)
		}
		last := closes.Load() // before the answer is there, and the next question asked
		io.WriteString(c, plainAnswer)
		return !last
	})
	r := plainRig(t, Config{}, base)
	ask := func() {
		t.Helper()
		got, res, err := r.ask(within(t, 10*time.Second), "hi")
		if err != nil || got != "here it is" || res.Finish != chat.FinishStop {
			t.Fatalf("%q %+v %v", got, res, err)
		}
	}
	for range 5 {
		ask()
	}
	if conns.Load() != 1 || r.Stats().Dials != 1 {
		t.Errorf("%d connections, %d dials", conns.Load(), r.Stats().Dials)
	}
	closes.Store(true) // silently, behind the answer
	ask()
	for range 3 {
		waitClosed(t, r)
		ask()
	}
	if conns.Load() != 4 || r.Stats().Dials != 4 {
		t.Errorf("%d connections, %d dials", conns.Load(), r.Stats().Dials)
	}
	r.Reconfigure(Config{MaxIdleConns: 7}) // other figures: other pools
	ask()
	if r.Stats().Dials != 5 {
		t.Errorf("%d dials", r.Stats().Dials)
	}
}

// waitClosed waits until the kept connection's other end is closed.
func waitClosed(t *testing.T, r *rig) {
	t.Helper()
	for _, p := range r.pools.plains {
		p.mu.Lock()
		idle := append([]*plainConn(nil), p.idle...)
		p.mu.Unlock()
		for _, c := range idle {
			for deadline := time.Now().Add(5 * time.Second); lookAt(c.nc).alive(); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("the server does not close")
				}
			}
		}
	}
}

// TestPlainExpires: what is idle for long is closed, and nothing is left when
// the client ends (the package's leak check looks).
func TestPlainExpires(t *testing.T) {
	closed := make(chan struct{})
	base := rawServer(t, func(_, n int, _ string, c net.Conn) bool {
		io.WriteString(c, plainAnswer)
		one := make([]byte, 1)
		if _, err := c.Read(one); err != nil {
			close(closed)
		}
		return false
	})
	r := plainRig(t, Config{IdleConnTimeout: 20 * time.Millisecond}, base)
	if _, _, err := r.ask(within(t, 10*time.Second), "hi"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Fatal("an idle connection stays open")
	}
}

// TestPlainCancel: a call that is given up ends at once and takes its connection
// with it.
func TestPlainCancel(t *testing.T) {
	closed := make(chan struct{})
	base := rawServer(t, func(_, n int, _ string, c net.Conn) bool {
		io.WriteString(c, plainAnswer[:len(plainAnswer)-60])
		one := make([]byte, 1)
		if _, err := c.Read(one); err != nil {
			close(closed)
		}
		return false
	})
	r := plainRig(t, Config{}, base)
	ctx, cancel := context.WithCancel(within(t, 20*time.Second))
	_, err := r.Answer(ctx, question("hi"), chat.Caller{}, func([]byte) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	<-closed
}

// TestPlainOddTargets: words that may not stand in a header go net/http's way,
// which refuses them, and a name of a header of the owner's own is sent.
func TestPlainOddTargets(t *testing.T) {
	heads := make(chan string, 10)
	base := rawServer(t, func(_, _ int, head string, c net.Conn) bool {
		heads <- head
		io.WriteString(c, plainAnswer)
		return true
	})
	r := plainRig(t, Config{Attempts: 1}, base)
	r.gate.targets[0].Secret = "a\r\nX-Injected: 1"
	if _, _, err := r.ask(within(t, 10*time.Second), "hi"); err == nil || len(heads) != 0 {
		t.Fatalf("%v, %d requests", err, len(heads))
	}
	r.gate.targets[0].Secret, r.gate.targets[0].AuthHeader = "s3cret", "api-key"
	if _, _, err := r.ask(within(t, 10*time.Second), "hi"); err != nil {
		t.Fatal(err)
	}
	if h := <-heads; !strings.Contains(h, "Api-Key: s3cret\r\n") || strings.Contains(h, "Authorization") {
		t.Errorf("header %q", h)
	}
}

// BenchmarkPlainCall is a whole call with 20 pieces on our own connection, the
// server's part without memory.
func BenchmarkPlainCall(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	var piece bytes.Buffer
	fmt.Fprintf(&piece, "%x\r\n%s\r\n", len(benchChunk), benchChunk)
	tail := `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n" + `data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":20}}` + "\n\ndata: [DONE]\n\n"
	answer := []byte(okHead + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat(piece.String(), 20) + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(tail), tail))
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				buf := make([]byte, 16<<10)
				for {
					n, err := c.Read(buf)
					if err != nil {
						return
					}
					if bytes.HasSuffix(buf[:n], []byte("}")) { // the end of a request
						c.Write(answer)
					}
				}
			}()
		}
	}()
	g := &gate{targets: []chat.Target{{BaseURL: "http://" + l.Addr().String() + "/v1", Key: "k", Secret: "s", Model: "m"}}}
	c := New(Config{Merge: true}, g, nil)
	defer c.Close()
	call := question("Where is my order?")
	b.ReportAllocs()
	for b.Loop() {
		if res, err := c.Answer(context.Background(), call, chat.Caller{}, func([]byte) error { return nil }); err != nil || res.Usage.Completion != 20 {
			b.Fatal(res, err)
		}
		g.asks, g.outcomes = g.asks[:0], g.outcomes[:0]
	}
}

// TestPlainReadTakesNoMemory: a chunk on its way into the reader of events.
func TestPlainReadTakesNoMemory(t *testing.T) {
	chunk := fmt.Sprintf("%x\r\n%s\r\n", len(benchChunk), benchChunk)
	c := &plainConn{nc: spoken{r: &repeat{s: chunk}}, buf: make([]byte, plainBuffer), state: sized}
	p := make([]byte, 8<<10)
	got := 0
	if n := testing.AllocsPerRun(1000, func() {
		n, err := c.Read(p)
		if err != nil {
			t.Fatal(err)
		}
		got += n
	}); n != 0 || got < 1000*len(benchChunk) {
		t.Fatalf("%v allocations, %d bytes", n, got)
	}
}
