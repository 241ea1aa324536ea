package upstream

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/sim"
	"haoke/backend/internal/testkit/faultproxy"
)

// proxied puts a fault proxy between a rig and its simulator.
func proxied(t *testing.T, cfg Config, sc sim.Config) (*rig, *faultproxy.Proxy) {
	t.Helper()
	r := newRig(t, cfg, sc)
	p, err := faultproxy.New(strings.TrimSuffix(strings.TrimPrefix(r.url, "http://"), "/v1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	r.gate.targets[0].BaseURL = "http://" + p.Addr() + "/v1"
	return r, p
}

func TestBrokenNetwork(t *testing.T) {
	cases := []struct {
		name  string
		fault faultproxy.Fault
		kind  chat.Fault
		words string
		text  bool
	}{
		{"refused", faultproxy.Fault{Refuse: true}, chat.FaultUnavailable, "refused; is the server running", false},
		{"reset on accept", faultproxy.Fault{ResetOnAccept: true}, chat.FaultUnavailable, "the connection broke", false},
		{"half-open", faultproxy.Fault{Blackhole: true}, chat.FaultTimeout, "no answer from", false},
		{"reset in the head", faultproxy.Fault{ResetAfter: 50}, chat.FaultUnavailable, "the connection broke or", false},
		{"cut in the head", faultproxy.Fault{CutAfter: 50}, chat.FaultUnavailable, "the connection broke or", false},
		{"reset in the stream", faultproxy.Fault{ResetAfter: 1500}, chat.FaultCut, "the answer was cut off", true},
		{"cut in the stream", faultproxy.Fault{CutAfter: 1500}, chat.FaultCut, "the answer was cut off", true},
		{"frozen in the stream", faultproxy.Fault{FreezeAfter: 1500}, chat.FaultCut, "sent nothing for", true},
	}
	for _, c := range cases {
		r, p := proxied(t, Config{Timeout: 500 * time.Millisecond, Rand: func() float64 { return 0.01 }}, sim.Config{Pace: time.Millisecond, Tokens: 50})
		if err := p.Set(c.fault); err != nil {
			t.Fatal(err)
		}
		got, res, err := r.ask(within(t, 20*time.Second), "hi")
		var ue *chat.UpstreamError
		if !errors.As(err, &ue) || ue.Fault != c.kind || !strings.Contains(ue.Reason, c.words) || (got != "") != c.text || res.Finish != chat.FinishError {
			t.Errorf("%s: %q %+v %v", c.name, got, res, err)
		}
		if c.kind == chat.FaultUnavailable && res.Attempts != 3 {
			t.Errorf("%s: %d attempts", c.name, res.Attempts)
		}
		p.Set(faultproxy.Fault{})
		if _, _, err := r.ask(within(t, 20*time.Second), "hi"); err != nil {
			t.Errorf("%s: it does not recover: %v", c.name, err)
		}
	}
}

// TestSlowNetwork: slow is not broken.
func TestSlowNetwork(t *testing.T) {
	r, p := proxied(t, Config{Timeout: 5 * time.Second}, sim.Config{})
	p.Set(faultproxy.Fault{Latency: 5 * time.Millisecond, Bandwidth: 100_000})
	if got, _, err := r.ask(within(t, 20*time.Second), "hi"); err != nil || !strings.HasSuffix(got, "do for you?") {
		t.Error(got, err)
	}
}

// TestStaleConnection: a kept connection that died meanwhile costs the visitor
// nothing.
func TestStaleConnection(t *testing.T) {
	r, p := proxied(t, Config{}, sim.Config{})
	for i := range 5 {
		if _, _, err := r.ask(within(t, 20*time.Second), "hi"); err != nil {
			t.Fatal(i, err)
		}
		p.DropAll()
	}
}

// TestPool: once there is a connection for each caller, hardly any call makes
// one.
func TestPool(t *testing.T) {
	r := newRig(t, Config{}, sim.Config{Latency: 20 * time.Millisecond})
	ctx := within(t, 60*time.Second)
	const workers, rounds = 200, 6
	burst := func(n int, question string) {
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for range n {
					if _, _, err := r.ask(ctx, question); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	}
	burst(1, "all at once [[slow:700ms]]")
	warm := r.Stats().Dials
	burst(rounds, "hi")
	if more := r.Stats().Dials - warm; float64(more) > 0.02*workers*rounds {
		t.Errorf("%d connections for %d calls after the first %d", more, workers*rounds, warm)
	}
}

func TestTLS(t *testing.T) {
	s := sim.New(sim.Config{})
	srv := httptest.NewUnstartedServer(s.Handler())
	srv.EnableHTTP2 = true
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are the test
	srv.StartTLS()
	defer srv.Close()
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())

	check := func(base string, tc *tls.Config, words string) {
		t.Helper()
		r := newRig(t, Config{TLS: tc, Attempts: 1, Timeout: 2 * time.Second}, sim.Config{})
		r.gate.targets[0].BaseURL = base
		got, _, err := r.ask(within(t, 20*time.Second), "hi")
		var ue *chat.UpstreamError
		if words == "" {
			if err != nil || !strings.HasSuffix(got, "do for you?") {
				t.Errorf("%q %v", got, err)
			}
		} else if !errors.As(err, &ue) || ue.Fault != chat.FaultUnavailable || !strings.Contains(ue.Reason, words) {
			t.Errorf("want %q: %v", words, err)
		}
	}
	check(srv.URL+"/v1", &tls.Config{RootCAs: roots}, "")
	check(srv.URL+"/v1", nil, "authority that this machine does not know")
	check(strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)+"/v1", &tls.Config{RootCAs: roots}, "the certificate is not for localhost")
	check(srv.URL+"/v1", &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}, "TLS handshake failed")

	plain := httptest.NewServer(s.Handler())
	defer plain.Close()
	check(strings.Replace(plain.URL, "http:", "https:", 1)+"/v1", nil, "does not speak TLS")
}

// TestHTTP2: many calls share one connection where HTTP/2 is offered, and a
// reset stream leaves the others alone.
func TestHTTP2(t *testing.T) {
	s := sim.New(sim.Config{Latency: 5 * time.Millisecond})
	srv := httptest.NewUnstartedServer(s.Handler())
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	r := newRig(t, Config{TLS: &tls.Config{RootCAs: roots}, Attempts: 1}, sim.Config{})
	r.gate.targets[0].BaseURL = srv.URL + "/v1"
	ctx := within(t, 20*time.Second)
	if _, _, err := r.ask(ctx, "warm up"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			q, want := "fine", chat.Fault("")
			if i%5 == 0 {
				q, want = "[[cut]]", chat.FaultCut
			}
			if _, _, err := r.ask(ctx, q); chat.FaultOf(err) != want || want == "" && err != nil {
				t.Error(q, err)
			}
		})
	}
	wg.Wait()
	if d := r.Stats().Dials; d > 2 {
		t.Errorf("%d connections", d)
	}
}

func TestGuard(t *testing.T) {
	cases := []struct {
		host, ip       string
		allow, allowed bool
	}{
		{"api.openai.com", "104.18.6.192", false, true},
		{"api.openai.com", "2606:4700::1", false, true},
		{"api.openai.com", "127.0.0.1", false, false},
		{"api.openai.com", "10.1.2.3", false, false},
		{"api.openai.com", "10.1.2.3", true, true},
		{"api.openai.com", "::ffff:10.1.2.3", false, false},
		{"api.openai.com", "172.16.0.1", false, false},
		{"api.openai.com", "192.168.1.1", false, false},
		{"api.openai.com", "100.64.1.1", false, false},
		{"api.openai.com", "fd12::1", false, false},
		{"api.openai.com", "0.0.0.0", false, false},
		{"api.openai.com", "224.0.0.1", false, false},
		{"127.0.0.1.nip.io", "127.0.0.1", false, false},
		{"10.0.0.1.nip.io", "10.0.0.1", false, false},
		{"127.0.0.1", "127.0.0.1", false, true},
		{"localhost", "::1", false, true},
		{"ollama", "172.18.0.3", false, true},
		{"gpu.lan", "192.168.1.7", false, true},
		{"host.docker.internal", "192.168.65.2", false, true},
		{"192.168.1.7", "192.168.1.7", false, true},
		{"169.254.169.254", "169.254.169.254", true, false},
		{"metadata", "169.254.169.254", true, false},
		{"api.example.com", "64:ff9b::a9fe:a9fe", true, false},
		{"api.example.com", "64:ff9b::7f00:1", false, false},
		{"api.example.com", "64:ff9b::808:808", false, true},
		{"metadata.google.internal", "169.254.169.254", true, false},
		{"ecs", "100.100.100.200", true, false},
		{"aws", "fd00:ec2::254", true, false},
		{"printer", "fe80::1", true, false},
		{"printer", "::ffff:169.254.169.254", true, false},
	}
	for _, c := range cases {
		err := guard{host: c.host, allowLocal: c.allow}.check(netip.MustParseAddr(c.ip))
		if (err == nil) != c.allowed || err != nil && !errors.Is(err, errForbiddenAddress) {
			t.Errorf("%s -> %s (allow %v): %v", c.host, c.ip, c.allow, err)
		}
	}
}

// TestGuardAtDial: what counts is the address that is dialled.
func TestGuardAtDial(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for host, allowed := range map[string]bool{"api.example.com": false, "localhost": true} {
		d := net.Dialer{Control: guard{host: host}.control}
		conn, err := d.DialContext(within(t, 5*time.Second), "tcp", l.Addr().String())
		if conn != nil {
			conn.Close()
		}
		if (err == nil) != allowed || err != nil && !errors.Is(err, errForbiddenAddress) {
			t.Errorf("%s: %v", host, err)
		}
	}
	if err := (guard{}).control("tcp", "nonsense", nil); err == nil {
		t.Error("nonsense was allowed")
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for in, want := range map[string]time.Duration{
		"": 0, "0": 0, "-1": 0, "1": time.Second, "1.5": 1500 * time.Millisecond, "6m0s": 6 * time.Minute, "20ms": 20 * time.Millisecond,
		"Fri, 02 Jan 2026 03:04:35 GMT": 30 * time.Second, "Fri, 02 Jan 2026 03:00:00 GMT": 0,
		"99999999999": maxRetryAfter, "1e300": maxRetryAfter, "NaN": 0, "Inf": maxRetryAfter, "soon": 0, "2562047h": maxRetryAfter,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {in}}, now); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	h := http.Header{}
	h.Set("retry-after-ms", "250")
	h.Set("Retry-After", "9")
	if got := RetryAfter(h, now); got != 250*time.Millisecond {
		t.Error(got)
	}
}

func TestScrub(t *testing.T) {
	a := &attempt{try: try{target: chat.Target{Secret: "topsecret"}}}
	for in, want := range map[string]string{
		"key topsecret here topsecret":           "key ••• here •••",
		"Incorrect API key: sk-abc123***xyz789.": "Incorrect API key: •••.",
		"sk-proj-0123456789 and sk-or-v1-abcdef": "••• and •••",
		"ask-me sk-1":                            "ask-me sk-1",
	} {
		if got := a.scrub(in); got != want {
			t.Errorf("%q became %q", in, got)
		}
	}
}
