package backend

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkTurn is one whole streamed answer, from the visitor's frame to the
// durable message: socket, filter, storage, prompt, a call over HTTP, the
// pieces through the filter to the socket, storage. The visitors and the
// upstream are part of the process and take no memory themselves, so B/op and
// allocs/op are the appliance's. cpu-µs/turn is the whole process, visitors and
// upstream included.
func BenchmarkTurn(b *testing.B) {
	for _, pieces := range []int{20, 100} {
		b.Run(fmt.Sprintf("pieces=%d", pieces), func(b *testing.B) { benchmarkTurn(b, pieces) })
	}
}

// asks is how many questions one visitor asks: conversations stay short, as they
// are. parallel is how many visitors wait for an answer at any moment.
const asks, parallel = 6, 32

func benchmarkTurn(b *testing.B, pieces int) {
	up := cannedUpstream(b, pieces)
	at := startForBench(b, "HAOKE_UPSTREAM_BASE_URL=http://"+up+"/v1", "HAOKE_UPSTREAM_KEY=bench", "HAOKE_LOG_LEVEL=warn",
		"HAOKE_LIMITS_MESSAGES_PER_MINUTE=0", "HAOKE_LIMITS_CONNECTIONS_PER_IP=0")
	addr := strings.TrimPrefix(at.Public, "http://")
	warm := newAsker(b, addr, 0)
	for range asks { // the tokenizer is loaded, the pools are filled
		if err := warm.ask(); err != nil {
			b.Fatal(err)
		}
	}
	waiting := make(chan *asker, b.N/asks+parallel)
	for i := range cap(waiting) {
		waiting <- newAsker(b, addr, i+1)
	}
	time.Sleep(1200 * time.Millisecond)
	b.ReportAllocs()
	runtime.GC()
	cpu := processTime()
	b.ResetTimer()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range parallel {
		wg.Go(func() {
			for next.Add(1) <= int64(b.N) {
				a := <-waiting
				if err := a.ask(); err != nil {
					b.Error(err)
					return
				}
				waiting <- a
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64((processTime()-cpu).Microseconds())/float64(b.N), "cpu-µs/turn")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "turns/s")
}

// TestATurnTakesLittleMemory keeps what a whole turn allocates where it is: what
// stays is the answer itself, its place in the conversation, and how it was
// made. Pools that the collector empties and what happens once a second count
// too, which is why the bound is not tighter.
func TestATurnTakesLittleMemory(t *testing.T) {
	up := cannedUpstream(t, 100)
	at := startForBench(t, "HAOKE_UPSTREAM_BASE_URL=http://"+up+"/v1", "HAOKE_UPSTREAM_KEY=bench", "HAOKE_LOG_LEVEL=warn",
		"HAOKE_LIMITS_MESSAGES_PER_MINUTE=0", "HAOKE_LIMITS_CONNECTIONS_PER_IP=0")
	const visitors = 60
	var askers [visitors]*asker
	for i := range askers {
		askers[i] = newAsker(t, strings.TrimPrefix(at.Public, "http://"), i)
	}
	round := func() {
		for _, a := range askers {
			if err := a.ask(); err != nil {
				t.Fatal(err)
			}
		}
	}
	round() // the tokenizer is loaded, the pools are filled
	time.Sleep(1200 * time.Millisecond)
	round()
	const rounds = 5
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range rounds {
		round()
	}
	runtime.ReadMemStats(&after)
	size := float64(after.TotalAlloc-before.TotalAlloc) / (rounds * visitors)
	objects := float64(after.Mallocs-before.Mallocs) / (rounds * visitors)
	t.Logf("%.0f bytes, %.1f objects a turn", size, objects)
	if raceDetector {
		return // pools forget at random under it
	}
	if size > 8<<10 || objects > 60 {
		t.Errorf("a turn takes %.0f bytes in %.1f objects", size, objects)
	}
}

func startForBench(b testing.TB, env ...string) Addresses {
	ready := make(chan Addresses, 1)
	ctx, cancel := context.WithCancel(context.Background())
	be, err := New(ctx, Config{
		DataDir: b.TempDir(), LogOutput: io.Discard, Ready: func(at Addresses) { ready <- at },
		Environ: append([]string{"HAOKE_ADMIN_TOKEN=" + scriptToken, "HAOKE_SECRETS_STORE=file"}, env...),
		Flags:   []Flag{{Name: "--public", Path: "server.public_addr", Value: "127.0.0.1:0"}, {Name: "--admin", Path: "server.admin_addr", Value: "127.0.0.1:0"}},
	})
	if err != nil {
		cancel()
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- be.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	select {
	case at := <-ready:
		return at
	case err := <-ended:
		b.Fatal(err)
		return Addresses{}
	}
}

// cannedUpstream answers every request with the same stream, one write a piece,
// and takes no memory for it.
func cannedUpstream(b testing.TB, pieces int) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	chunk := func(s string) []byte { return fmt.Appendf(nil, "%x\r\n%s\r\n", len(s), s) }
	head := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
	piece := chunk(`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1741570283,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":" arriving"},"logprobs":null,"finish_reason":null}]}` + "\n\n")
	end := append(chunk(`data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+"\n\n"+
		`data: {"choices":[],"usage":{"prompt_tokens":900,"completion_tokens":20}}`+"\n\ndata: [DONE]\n\n"), "0\r\n\r\n"...)
	serve := func(c net.Conn) {
		defer c.Close()
		r := bufio.NewReaderSize(c, 64<<10)
		for {
			left := 0
			for {
				line, err := r.ReadSlice('\n')
				if err != nil {
					return
				}
				if n, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
					for _, d := range bytes.TrimSpace(n) {
						left = 10*left + int(d-'0')
					}
				}
				if len(line) <= 2 {
					break
				}
			}
			if _, err := r.Discard(left); err != nil {
				return
			}
			c.Write(head)
			for range pieces {
				c.Write(piece)
			}
			if _, err := c.Write(end); err != nil {
				return
			}
		}
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return l.Addr().String()
}

// asker is a visitor on a bare socket.
type asker struct {
	conn net.Conn
	r    *bufio.Reader
	n    int
	name int
	buf  []byte
}

func newAsker(b testing.TB, addr string, name int) *asker {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "GET /v1/chat HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: haoke.v1\r\n\r\n", addr)
	a := &asker{conn: c, r: bufio.NewReaderSize(c, 8<<10), name: name}
	for {
		line, err := a.r.ReadSlice('\n')
		if err != nil {
			b.Fatal(err)
		}
		if len(line) <= 2 {
			break
		}
	}
	a.send([]byte(`{"type":"hello"}`))
	if err := a.until([]byte(`"type":"welcome"`), nil); err != nil {
		b.Fatal(err)
	}
	return a
}

// ask sends a question that nobody asked before and reads to the durable answer.
func (a *asker) ask() error {
	a.n++
	b := append(a.buf[:0], `{"type":"message","id":"m`...)
	b = strconv.AppendInt(b, int64(a.n), 10)
	b = append(b, `","text":"Where is the parcel w`...)
	b = strconv.AppendInt(b, int64(a.name*1_000_003+a.n*7919), 36)
	b = append(b, `?"}`...)
	a.buf = b
	a.send(b)
	return a.until([]byte(`"type":"message"`), []byte(`"from":"ai"`))
}

// send writes a masked text frame; the mask is zero.
func (a *asker) send(text []byte) {
	var head [8]byte
	head[0] = 0x81
	n := 2
	if len(text) < 126 {
		head[1] = 0x80 | byte(len(text))
	} else {
		head[1] = 0x80 | 126
		binary.BigEndian.PutUint16(head[2:], uint16(len(text)))
		n = 4
	}
	a.conn.Write(head[:n+4])
	a.conn.Write(text)
}

// until reads frames to one that contains both.
func (a *asker) until(one, other []byte) error {
	a.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	for {
		head, err := a.r.Peek(4)
		if err != nil {
			return err
		}
		size, skip := int(head[1]&0x7f), 2
		if size == 126 {
			size, skip = int(binary.BigEndian.Uint16(head[2:4])), 4
		}
		frame, err := a.r.Peek(skip + size)
		if err != nil {
			return err
		}
		if bytes.Contains(frame, []byte(`"type":"error"`)) {
			return fmt.Errorf("%s", frame)
		}
		found := bytes.Contains(frame, one) && bytes.Contains(frame, other)
		if _, err := a.r.Discard(skip + size); err != nil || found {
			return err
		}
	}
}
