package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"haoke/backend/internal/sim"
	"haoke/backend/internal/wsconn"
)

// appliance is a whole running backend.
type appliance struct {
	t    *testing.T
	b    *Backend
	at   Addresses
	log  *logged
	stop func()
}

// logged collects the log.
type logged struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logged) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }
func (l *logged) String() string              { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

const scriptToken = "a-token-for-scripts-1234"

func run(t *testing.T, dir string, env ...string) *appliance {
	t.Helper()
	return runWith(t, dir, []Flag{{Name: "--public", Path: "server.public_addr", Value: "127.0.0.1:0"}, {Name: "--admin", Path: "server.admin_addr", Value: "127.0.0.1:0"}}, env...)
}

func runWith(t *testing.T, dir string, flags []Flag, env ...string) *appliance {
	t.Helper()
	a := &appliance{t: t, log: &logged{}}
	ready := make(chan Addresses, 1)
	ctx, cancel := context.WithCancel(context.Background())
	b, err := New(ctx, Config{
		DataDir: dir, LogOutput: a.log, Ready: func(at Addresses) { ready <- at },
		Environ: append([]string{"HAOKE_ADMIN_TOKEN=" + scriptToken, "HAOKE_SECRETS_STORE=file"}, env...),
		Flags:   flags,
	})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	a.b = b
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	select {
	case a.at = <-ready:
	case err := <-ended:
		cancel()
		t.Fatalf("ended before it was ready: %v", err)
	}
	var once sync.Once
	a.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("the stop was not orderly: %v", err)
			}
		})
	}
	t.Cleanup(a.stop)
	return a
}

// talk is one visitor's socket.
type talk struct {
	t     *testing.T
	c     *wsconn.Client
	ctx   context.Context
	token string
}

// asked makes the visitors' message ids unique.
var asked atomic.Int64

type event struct {
	Type, Token, ID, Text, From, Finish, Code, Data, Mode, Message string
	Seq                                                            int64
}

func (a *appliance) visit(token string) *talk {
	a.t.Helper()
	v := a.dial()
	v.send(map[string]any{"type": "hello", "token": token})
	v.token = v.next("welcome", "").Token
	return v
}

// dial opens a visitor's socket without a word.
func (a *appliance) dial() *talk {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	a.t.Cleanup(cancel)
	c, _, err := wsconn.Dial(ctx, "ws"+strings.TrimPrefix(a.at.Public, "http")+"/v1/chat", wsconn.DialConfig{Subprotocol: "haoke.v1"})
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { c.Cut() })
	return &talk{t: a.t, c: c, ctx: ctx}
}

func (v *talk) send(frame map[string]any) {
	v.t.Helper()
	data, _ := json.Marshal(frame)
	if err := v.c.Write(v.ctx, data); err != nil {
		v.t.Fatal(err)
	}
}

// next reads on to a frame of the type (and author).
func (v *talk) next(typ, from string) event {
	v.t.Helper()
	return v.frame(typ+" "+from, func(e event) bool { return e.Type == typ && (from == "" || e.From == from) })
}

// frame reads on to one that fits; what names it when none comes.
func (v *talk) frame(what string, fits func(event) bool) event {
	v.t.Helper()
	for {
		data, err := v.c.Read(v.ctx)
		if err != nil {
			v.t.Fatalf("waiting for %s: %v", what, err)
		}
		var e event
		if err := json.Unmarshal(data, &e); err != nil {
			v.t.Fatalf("%s: %v", data, err)
		}
		if fits(e) {
			return e
		}
	}
}

// ask sends a question and returns the message that ends its turn.
func (v *talk) ask(text string) event {
	v.t.Helper()
	v.send(map[string]any{"type": "message", "id": fmt.Sprint(asked.Add(1)), "text": text})
	for {
		if e := v.next("message", ""); e.From != "visitor" {
			return e
		}
	}
}

// api asks the admin API as a script.
func (a *appliance) api(method, path string, body string, into any) int {
	a.t.Helper()
	req, err := http.NewRequest(method, a.at.Admin+"/api/admin/v1"+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+scriptToken)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(data, into); err != nil {
			a.t.Fatalf("%s %s: %d %s", method, path, res.StatusCode, data)
		}
	}
	return res.StatusCode
}

func simulator(t *testing.T, cfg sim.Config) (string, *sim.Server) {
	t.Helper()
	s := sim.New(cfg)
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	return srv.URL + "/v1", s
}

func TestOfflineAnswererAndRestart(t *testing.T) {
	dir := t.TempDir()
	a := run(t, dir)
	v := a.visit("")
	if e := v.ask("How can I return something?"); e.From != "ai" || !strings.Contains(e.Text, "30 days") {
		t.Fatalf("answer from the FAQ: %+v", e)
	}
	if e := v.ask("请问怎么退货？"); e.From != "ai" || !strings.Contains(e.Text, "30") {
		t.Fatalf("Chinese answer: %+v", e)
	}
	a.stop()
	if _, err := os.Stat(filepath.Join(dir, "runtime.json")); err == nil {
		t.Error("runtime.json was left behind")
	}
	a = run(t, dir)
	v = a.visit(v.token)
	for seq := int64(1); seq <= 4; seq++ {
		if e := v.next("message", ""); e.Seq != seq {
			t.Fatalf("after the restart: %+v, want seq %d", e, seq)
		}
	}
}

func TestThroughAnUpstream(t *testing.T) {
	url, s := simulator(t, sim.Config{Keys: []string{"sk-good"}})
	a := run(t, t.TempDir(), "HAOKE_UPSTREAM_BASE_URL="+url, "HAOKE_UPSTREAM_KEY=sk-good")
	v := a.visit("")
	if e := v.ask("Is the blue teapot [[say:made in Jingdezhen]]"); e.From != "ai" || e.Finish != "stop" || !strings.Contains(e.Text, "Jingdezhen") {
		t.Fatalf("%+v", e)
	}
	if n := s.Stats().Calls; n != 1 {
		t.Errorf("%d upstream calls", n)
	}
	var list struct{ Items []struct{ ID string } }
	if code := a.api("GET", "/conversations", "", &list); code != 200 || len(list.Items) != 1 {
		t.Fatalf("the owner sees %d conversations (%d)", len(list.Items), code)
	}
	var detail struct {
		Messages []struct {
			Turn *struct{ Model, Key string }
		}
	}
	a.api("GET", "/conversations/"+list.Items[0].ID, "", &detail)
	if len(detail.Messages) != 2 || detail.Messages[1].Turn == nil || detail.Messages[1].Turn.Key == "" {
		t.Errorf("how the answer was made is missing: %+v", detail)
	}
}

func TestAWrongKeyIsAnApologyForOneAndAReasonForTheOther(t *testing.T) {
	url, _ := simulator(t, sim.Config{Keys: []string{"sk-good"}})
	a := run(t, t.TempDir(), "HAOKE_UPSTREAM_BASE_URL="+url, "HAOKE_UPSTREAM_KEY=sk-this-one-is-wrong")
	e := a.visit("").ask("zxcvb qwerty asdfgh")
	if e.From != "system" || e.Finish != "error" || strings.Contains(e.Text, "401") || strings.Contains(strings.ToLower(e.Text), "key") {
		t.Errorf("the visitor reads %+v", e)
	}
	var status struct{ Problems []struct{ Code, Text string } }
	a.api("GET", "/status", "", &status)
	found := false
	for _, p := range status.Problems {
		found = found || p.Code == "key_refused" && strings.Contains(p.Text, "401")
	}
	if !found {
		t.Errorf("the owner does not see the 401: %+v", status)
	}
	if strings.Contains(a.log.String(), "this-one-is-wrong") {
		t.Error("the key is in the log")
	}
}

// TestEveryFaultEndsInASentence covers what an upstream can do wrong; each ends
// in a durable message within the time-out and leaves no lease behind.
func TestEveryFaultEndsInASentence(t *testing.T) {
	url, _ := simulator(t, sim.Config{})
	a := run(t, t.TempDir(), "HAOKE_UPSTREAM_BASE_URL="+url, "HAOKE_UPSTREAM_KEY=k", "HAOKE_UPSTREAM_TIMEOUT=2s", "HAOKE_UPSTREAM_RETRIES=1")
	v := a.visit("")
	for _, fault := range []string{"500", "html", "garbage", "silence", "half", "bigline", "cut", "nodone", "tool", "429", "filter", "length", "chunkerr"} {
		e := v.ask("qqq [[" + fault + "]]")
		if e.Text == "" || e.Finish == "" {
			t.Errorf("%s: %+v", fault, e)
		}
		for _, word := range []string{"500", "html", "http", "upstream", "json", "timeout"} {
			if e.From == "system" && strings.Contains(strings.ToLower(e.Text), word) {
				t.Errorf("%s: the visitor reads a machine's word: %q", fault, e.Text)
			}
		}
	}
	if n := a.b.parts.gate.Snapshot().InFlight; n != 0 {
		t.Errorf("%d leases were not returned", n)
	}
}

func TestNoNetworkAtAll(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close() // nobody listens there now
	a := run(t, t.TempDir(), "HAOKE_UPSTREAM_BASE_URL=http://"+addr+"/v1", "HAOKE_UPSTREAM_KEY=k", "HAOKE_UPSTREAM_TIMEOUT=2s")
	v := a.visit("")
	if e := v.ask("qwe rty uio"); e.From != "system" || e.Finish != "error" {
		t.Errorf("%+v", e)
	}
	a.api("POST", "/faq", `{"lang":"en","question":"Do you repair teapots?","alternatives":[],"answer":"Yes, bring it to the shop.","enabled":true}`, nil)
	if e := v.ask("Can you repair a teapot?"); e.From != "ai" || e.Text != "Yes, bring it to the shop." {
		t.Errorf("the FAQ does not step in: %+v", e)
	}
}

func TestSecondServerOnTheSameFolder(t *testing.T) {
	dir := t.TempDir()
	a := run(t, dir)
	_, err := New(context.Background(), Config{DataDir: dir, LogOutput: io.Discard, Environ: []string{}})
	if err == nil || !strings.Contains(err.Error(), a.at.Admin) {
		t.Fatalf("a second server could start: %v", err)
	}
	// The window attaches to it instead, as the owner.
	w := httptest.NewRecorder()
	Attach(dir).ServeHTTP(w, httptest.NewRequest("GET", "/api/admin/v1/session", nil))
	var s struct{ State string }
	if json.Unmarshal(w.Body.Bytes(), &s) != nil || s.State != "signed_in" {
		t.Errorf("the attached window is not signed in: %d %s", w.Code, w.Body)
	}
	a.stop()
	w = httptest.NewRecorder()
	Attach(dir).ServeHTTP(w, httptest.NewRequest("GET", "/api/admin/v1/session", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("without a server: %d", w.Code)
	}
}

func TestPublicListenerHidesTheAdminSide(t *testing.T) {
	a := run(t, t.TempDir())
	for path, want := range map[string]int{
		"/healthz": 200, "/readyz": 200, "/v1/site": 200,
		"/api/admin/v1/status": 404, "/metrics": 404, "/assets/../../go.mod": 404, "/.gitkeep": 404,
	} {
		res, err := http.Get(a.at.Public + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, res.StatusCode, want)
		}
	}
	req, _ := http.NewRequest("GET", a.at.Admin+"/api/admin/v1/status", nil)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 401 {
		t.Errorf("the admin API without a token: %d", res.StatusCode)
	}
	req.Host = "evil.example"
	if res, err = http.DefaultClient.Do(req); err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 421 {
		t.Errorf("a rebound name: %d", res.StatusCode)
	}
}

func TestBackupAndRestore(t *testing.T) {
	dir := t.TempDir()
	a := run(t, dir)
	v := a.visit("")
	v.ask("How can I return something?")
	file := filepath.Join(t.TempDir(), "shop.backup")
	if _, err := Backup(context.Background(), dir, file); err != nil {
		t.Fatal(err)
	}
	if _, err := Backup(context.Background(), dir, file); err == nil {
		t.Error("a backup was overwritten")
	}
	v.ask("Do you gift wrap?")
	if _, err := Restore(context.Background(), dir, file); err == nil {
		t.Error("restored under a running server")
	}
	a.stop()
	kept, err := Restore(context.Background(), dir, file)
	if err != nil || kept == "" {
		t.Fatalf("restore: %q, %v", kept, err)
	}
	a = run(t, dir)
	v = a.visit(v.token)
	var last int64
	for last < 2 {
		last = v.next("message", "").Seq
	}
	if e := v.ask("Do you gift wrap?"); e.Seq != 4 {
		t.Errorf("after the restore the conversation goes on at %d", e.Seq)
	}
}
