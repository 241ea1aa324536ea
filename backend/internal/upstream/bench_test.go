package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/sim"
)

const benchChunk = `data: {"id":"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG","object":"chat.completion.chunk","created":1741570283,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_44added55e","choices":[{"index":0,"delta":{"content":" arriving"},"logprobs":null,"finish_reason":null}],"usage":null}` + "\n\n"

// repeat reads the same block over and over: an endless stream.
type repeat struct {
	s   string
	pos int
}

func (r *repeat) Read(b []byte) (int, error) {
	n := copy(b, r.s[r.pos:])
	r.pos = (r.pos + n) % len(r.s)
	return n, nil
}

// discard is a receiver that keeps nothing.
type discard struct{ n int }

func (d *discard) piece([]byte) bool { d.n++; return true }
func (d *discard) pause()            {}
func (d *discard) delivered() int    { return d.n }
func (d *discard) text() string      { return "" }
func (d *discard) admitted()         {}

func (d *discard) answered(chat.Result) {}

// benchAttempt is an attempt in the middle of an endless stream.
func benchAttempt(t testing.TB, out receiver) (*Client, *attempt) {
	c := New(Config{StreamLife: 1 << 60}, nil, nil)
	a := c.attempt(c.cfg.Load(), chat.Target{}, out)
	a.begin(t.Context(), time.Hour)
	a.start = a.cfg.Now()
	a.events.reset(&repeat{s: strings.Repeat(benchChunk, 20)}, 1<<62)
	return c, a
}

// BenchmarkChunk is a streamed piece on the clean path, from the bytes of the
// body to the receiver.
func BenchmarkChunk(b *testing.B) {
	c, a := benchAttempt(b, &discard{})
	defer c.Close()
	b.ReportAllocs()
	b.SetBytes(int64(len(benchChunk)))
	for b.Loop() {
		data, err := a.events.next()
		if err != nil {
			b.Fatal(err)
		}
		if err := a.chunk(data); err != nil {
			b.Fatal(err)
		}
	}
}

// TestChunkAllocations: the clean path takes no memory, neither for who started
// the call nor for who joined it.
func TestChunkAllocations(t *testing.T) {
	f := &flight{limit: 1 << 40, maxN: 1 << 40, buf: &answerBuf{raw: make([]byte, 0, 1<<20), ends: make([]int32, 0, 1<<16)}}
	got := 0
	f.first.own = true
	f.first.direct.sink = func(raw []byte) error { got += len(raw); return nil }
	f.add(&f.first, chat.Caller{})
	sub := &subscriber{}
	f.add(sub, chat.Caller{})
	r := reader{sink: func([]byte) error { return nil }}
	c, a := benchAttempt(t, f)
	a.events.reader = f
	defer c.Close()
	n := testing.AllocsPerRun(1000, func() {
		data, err := a.events.next()
		if err != nil {
			t.Fatal(err)
		}
		if err := a.chunk(data); err != nil {
			t.Fatal(err)
		}
		if err := r.deliver(f.buf, &sub.pos); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Fatalf("%v allocations a piece", n)
	}
	if f.pause(); got < 1000*len(`arriving`) {
		t.Fatalf("%d bytes delivered", got)
	}
}

// BenchmarkFanOut is a piece on its way to 1, 100 and 1,000 subscribers that
// wait for it; the time is for all of them together.
func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := New(Config{Merge: true}, nil, nil)
			defer c.Close()
			const pieces = 200
			raw := []byte(`" arriving"`)
			b.ReportAllocs()
			rounds := 0
			for b.Loop() {
				rounds++
				f := newFlight().(*flight)
				f.limit, f.maxN = 1<<20, pieces
				f.refs.Store(1)
				var wg, ready sync.WaitGroup
				for range n {
					sub := &subscriber{wake: make(chan struct{}, 1)}
					f.add(sub, chat.Caller{})
					ready.Add(1)
					wg.Go(func() {
						ready.Done()
						got := 0
						if _, err := c.follow(context.Background(), sub, func([]byte) error { got++; return nil }); err != nil || got != pieces {
							b.Error(got, err)
						}
					})
				}
				ready.Wait()
				for range pieces {
					f.piece(raw)
				}
				f.finish(chat.Result{}, nil)
				wg.Wait()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rounds*pieces*n), "ns/delivery")
		})
	}
}

// bare is a server without a network: what is measured is our part.
type bare struct{ body string }

func (s bare) RoundTrip(req *http.Request) (*http.Response, error) {
	io.Copy(io.Discard, req.Body)
	req.Body.Close()
	httptrace.ContextClientTrace(req.Context()).WroteRequest(httptrace.WroteRequestInfo{})
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(strings.NewReader(s.body)), Request: req}, nil
}

// BenchmarkCall is a whole call of 20 pieces with a prompt of 4 KB: "own" is
// our part, over a transport that answers from memory; "http" is the same over
// loopback with net/http on both sides; "bare" is that way without us, for
// comparison.
func BenchmarkCall(b *testing.B) {
	call := question(strings.Repeat("Where is my order? ", 210))
	answer := strings.Repeat(benchChunk, 20) +
		`data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n" +
		`data: {"choices":[],"usage":{"prompt_tokens":900,"completion_tokens":20}}` + "\n\ndata: [DONE]\n\n"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, answer)
	}))
	defer srv.Close()
	g := &gate{targets: []chat.Target{{BaseURL: srv.URL + "/v1", Key: "k", Secret: "s", Model: "m"}}}
	run := func(b *testing.B, c *Client) {
		defer c.Close()
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			res, err := c.Answer(context.Background(), call, chat.Caller{}, func([]byte) error { n++; return nil })
			if err != nil || n == 0 || res.Usage.Completion != 20 {
				b.Fatal(n, res, err)
			}
			g.asks, g.outcomes = g.asks[:0], g.outcomes[:0]
		}
	}
	b.Run("own", func(b *testing.B) {
		c := New(Config{Merge: true}, g, nil)
		c.pools.replace = bare{answer}
		run(b, c)
	})
	b.Run("http", func(b *testing.B) { run(b, New(Config{Merge: true}, g, nil)) })
	b.Run("bare", func(b *testing.B) {
		body := string((&request{call: &call, stream: true}).body(nil, &g.targets[0], 0))
		client := &http.Client{Transport: &http.Transport{}}
		defer client.CloseIdleConnections()
		b.ReportAllocs()
		for b.Loop() {
			req, _ := http.NewRequest("POST", srv.URL+"/v1/chat/completions", strings.NewReader(body))
			resp, err := client.Do(req)
			if err != nil {
				b.Fatal(err)
			}
			if n, _ := io.Copy(io.Discard, resp.Body); n != int64(len(answer)) {
				b.Fatal(n)
			}
			resp.Body.Close()
		}
	})
}

// BenchmarkIdentify hashes a prompt of 4 KB.
func BenchmarkIdentify(b *testing.B) {
	call := question(strings.Repeat("Where is my order? ", 210))
	b.ReportAllocs()
	for b.Loop() {
		identify(&Config{}, &call)
	}
}

// BenchmarkFiveHundred is 500 calls at once, again and again, against an
// upstream that takes 60 ms: ours ("client") beside a bare transport with the
// same figures ("bare"), over plain HTTP/1.1, TLS with HTTP/1.1, and HTTP/2.
// It reports the calls' standard deviation in milliseconds and the connections
// made for a call after the warm-up; upstream and client share the machine.
func BenchmarkFiveHundred(b *testing.B) {
	for _, mode := range []string{"plain", "tls", "http2"} {
		s := sim.New(sim.Config{Latency: 60 * time.Millisecond})
		srv := httptest.NewUnstartedServer(s.Handler())
		srv.Config.ErrorLog = log.New(io.Discard, "", 0)
		cfg := Config{Timeout: time.Minute}
		if mode == "plain" {
			srv.Start()
		} else {
			srv.EnableHTTP2 = mode == "http2"
			srv.StartTLS()
			roots := x509.NewCertPool()
			roots.AddCert(srv.Certificate())
			cfg.TLS = &tls.Config{RootCAs: roots}
		}
		g := &gate{targets: []chat.Target{{BaseURL: srv.URL + "/v1", Key: "k", Model: "m"}}}
		c := New(cfg, g, nil)
		call := question("Where is my order?")
		b.Run(mode+"/client", func(b *testing.B) {
			burst(b, &c.pools.dials, func() error {
				_, err := c.Answer(context.Background(), call, chat.Caller{}, func([]byte) error { return nil })
				return err
			})
		})
		u, _ := endpoint(&g.targets[0], "/chat/completions")
		var bare pools
		bare.dialed = func(string) {}
		tr := bare.make(cfg.withDefaults(), u)
		body := (&request{call: &call, stream: true}).body(nil, &g.targets[0], 0)
		b.Run(mode+"/bare", func(b *testing.B) {
			burst(b, &bare.dials, func() error {
				req := newRequest(context.Background(), &g.targets[0], u, body, true, nil)
				resp, err := tr.RoundTrip(req)
				if err != nil {
					return err
				}
				defer resp.Body.Close()
				_, err = io.Copy(io.Discard, resp.Body)
				return err
			})
		})
		tr.CloseIdleConnections()
		c.Close()
		srv.Close()
	}
}

// burst lets 500 workers call in a loop.
func burst(b *testing.B, dials *atomic.Int64, call func() error) {
	const workers, rounds = 500, 4
	run := func(n int) []float64 {
		times := make([]float64, workers*n)
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for i := range n {
					start := time.Now()
					if err := call(); err != nil {
						b.Error(err)
					}
					times[w*n+i] = float64(time.Since(start).Microseconds()) / 1000
				}
			})
		}
		wg.Wait()
		return times
	}
	run(1)
	warm, calls := dials.Load(), 0
	var sd, mean float64
	b.ReportAllocs()
	for b.Loop() {
		times := run(rounds)
		calls += len(times)
		sum, square := 0.0, 0.0
		for _, t := range times {
			sum += t
			square += t * t
		}
		mean = sum / float64(len(times))
		sd = math.Sqrt(square/float64(len(times)) - mean*mean)
	}
	b.ReportMetric(sd, "sd-ms")
	b.ReportMetric(mean, "mean-ms")
	b.ReportMetric(float64(dials.Load()-warm)/float64(calls), "dials/call")
	b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(calls), "us/call")
}
