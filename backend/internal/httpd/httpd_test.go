package httpd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"
)

func config(addr string, h http.Handler) Config {
	return Config{Name: "public", Addr: addr, Setting: "server.public_addr", Flag: "--public", Handler: h, Log: slog.New(slog.DiscardHandler)}
}

// TestAddressErrorsNameTheRemedy: which port, who has it, which flag and which
// setting.
func TestAddressErrorsNameTheRemedy(t *testing.T) {
	first, err := Open(config("127.0.0.1:0", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	for addr, want := range map[string][]string{
		first.Addr():       {"port in use", first.Addr(), "--public", "server.public_addr"},
		"203.0.113.7:8787": {"not an address of this machine", "--public"},
		"nonsense":         {"cannot listen on nonsense", "server.public_addr"},
	} {
		_, err := Open(config(addr, nil))
		var ae *AddrError
		if !errors.As(err, &ae) {
			t.Fatalf("%s: %v", addr, err)
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q lacks %q", addr, err, w)
			}
		}
	}
}

// TestRunAnswersAndStops: running requests are waited for, new ones are not
// taken.
func TestRunAnswersAndStops(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	l, err := Open(config("127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		io.WriteString(w, "late but whole")
	})))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx, 10*time.Second) }()
	got := make(chan string, 1)
	go func() {
		res, err := http.Get(l.URL())
		if err != nil {
			got <- err.Error()
			return
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		got <- string(b)
	}()
	<-entered
	stop()
	for { // the door closes at once
		c, err := net.Dial("tcp", l.Addr())
		if err != nil {
			break
		}
		c.Close()
		time.Sleep(time.Millisecond)
	}
	close(leave)
	if s := <-got; s != "late but whole" {
		t.Errorf("%q", s)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
}

func public(cfg Public) http.Handler {
	name := func(s string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, s+" "+ClientIP(r)) })
	}
	cfg.Chat, cfg.Site, cfg.Offline, cfg.Upload, cfg.Files = name("chat"), name("site"), name("offline"), name("upload"), name("files")
	cfg.Health, cfg.Ready = name("health"), name("ready")
	cfg.Static = fstest.MapFS{"widget.js": {Data: []byte("js")}, "demo.html": {Data: []byte("demo")}, "chat.html": {Data: []byte("page")}, "assets/a.css": {Data: []byte("css")}}
	return cfg.Router()
}

func get(h http.Handler, url string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, url, nil)
	r.RemoteAddr = "198.51.100.9:4000"
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestPublicPaths: what visitors get, and that nothing of the admin side is
// there.
func TestPublicPaths(t *testing.T) {
	h := public(Public{HostAllowed: func(host string) bool { return host == "shop.example" }})
	for path, want := range map[string]string{
		"/v1/chat": "chat", "/v1/site": "site", "/healthz": "health", "/readyz": "ready", "/": "demo", "/demo": "demo", "/chat": "page",
		"/widget.js": "js", "/assets/a.css": "css", "/v1/files/x": "files",
	} {
		if w := get(h, "http://shop.example"+path); w.Code != 200 || !strings.HasPrefix(w.Body.String(), want) || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
	}
	for _, path := range []string{"/api/admin/v1/status", "/metrics", "/admin", "/assets/../demo.html", "/assets/chat.html", "/.env", "/v1/nothing"} {
		if w := get(h, "http://shop.example"+path); w.Code != 404 {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
	}
	if w := get(h, "http://evil.example/"); w.Code != http.StatusMisdirectedRequest {
		t.Errorf("a foreign host gets %d", w.Code)
	}
	if w := get(h, "http://10.0.0.1/healthz"); w.Code != 200 {
		t.Errorf("a probe by address gets %d", w.Code)
	}
}

// TestForwardedAddresses are believed of trusted proxies alone, and of the last
// entry that is not one of them.
func TestForwardedAddresses(t *testing.T) {
	from := func(remote, forwarded string) func(*http.Request) {
		return func(r *http.Request) {
			r.RemoteAddr = remote
			if forwarded != "" {
				r.Header.Set("X-Forwarded-For", forwarded)
			}
		}
	}
	h := public(Public{Proxies: []string{"127.0.0.1/32", "10.0.0.0/8"}})
	for _, c := range []struct{ remote, forwarded, want string }{
		{"198.51.100.9:1", "", "198.51.100.9"},
		{"198.51.100.9:1", "1.2.3.4", "198.51.100.9"},
		{"127.0.0.1:1", "1.2.3.4", "1.2.3.4"},
		{"127.0.0.1:1", "6.6.6.6, 1.2.3.4, 10.1.1.1", "1.2.3.4"},
		{"127.0.0.1:1", "", "127.0.0.1"},
	} {
		if w := get(h, "http://x/v1/chat", from(c.remote, c.forwarded)); w.Body.String() != "chat "+c.want {
			t.Errorf("%s with %q: %q", c.remote, c.forwarded, w.Body)
		}
	}
}

// TestAdminPages: the page with its policy; a header cannot be smuggled in by
// the host's name.
func TestAdminPages(t *testing.T) {
	name := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "api") })
	a := Admin{API: name, Metrics: name, Static: fstest.MapFS{"index.html": {Data: []byte("<html>")}, "assets/x-1.js": {Data: []byte("js")}}, Public: func() string { return "http://127.0.0.1:8787" }}
	h := a.Router()
	w := get(h, "http://127.0.0.1:8788/")
	csp := w.Header().Get("Content-Security-Policy")
	if w.Code != 200 || !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "ws://127.0.0.1:8788") || w.Header().Get("X-Frame-Options") != "DENY" {
		t.Errorf("%d %q", w.Code, csp)
	}
	if w := get(h, "http://x/assets/x-1.js"); !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("%v", w.Header())
	}
	if w := get(h, "http://x/nothing"); w.Code != 404 {
		t.Errorf("%d", w.Code)
	}
	w = get(h, "http://x/", func(r *http.Request) { r.Host = "a; script-src *" })
	if csp := w.Header().Get("Content-Security-Policy"); strings.Contains(csp, "script-src *") {
		t.Errorf("%q", csp)
	}
}

// TestInUseIsKnown by the error number or by its words.
func TestInUseIsKnown(t *testing.T) {
	e := &AddrError{Addr: "127.0.0.1:1", Setting: "s", Flag: "--f", Holder: "nginx (process 7)", Err: syscall.EADDRINUSE}
	if !strings.Contains(e.Error(), "taken by nginx (process 7)") || !errors.Is(e, syscall.EADDRINUSE) {
		t.Error(e)
	}
	e.Err = syscall.EACCES
	if !strings.Contains(e.Error(), "no right") {
		t.Error(e)
	}
}
