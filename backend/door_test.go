package backend

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"haoke/backend/internal/httpd"
	"haoke/backend/internal/sqlite"
)

// freeAddr is an address that nobody has at the moment.
func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func openTestDoor(t *testing.T, addr string) *door {
	t.Helper()
	return openTestDoorWith(t, addr, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "here") })
}

func openTestDoorWith(t *testing.T, addr string, serve http.HandlerFunc) *door {
	t.Helper()
	d, err := openDoor(httpd.Config{Name: "public", Addr: addr, Setting: "server.public_addr", Flag: "--public", Log: slog.New(slog.DiscardHandler), Handler: serve})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx, time.Second) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the end was not orderly: %v", err)
		}
		if err := d.Move(freeAddr(t)); !errors.Is(err, errDoorClosed) {
			t.Errorf("a move after the end: %v", err)
		}
	})
	for range 1000 { // Run takes hold in its own time
		d.mu.Lock()
		running := d.start != nil
		d.mu.Unlock()
		if running {
			return d
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the door does not run")
	return nil
}

func here(t *testing.T, url string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); string(body) != "here" {
		t.Fatalf("%s answers %q", url, body)
	}
}

func TestDoorMoves(t *testing.T) {
	d := openTestDoor(t, "127.0.0.1:0")
	first := d.URL()
	here(t, first)
	to := freeAddr(t)
	if err := d.Move(to); err != nil {
		t.Fatal(err)
	}
	if d.URL() != "http://"+to {
		t.Errorf("it says it is at %s, not %s", d.URL(), to)
	}
	here(t, d.URL())
	http.DefaultClient.CloseIdleConnections()
	for range 200 { // the old one ends in its own time
		c, err := net.Dial("tcp", strings.TrimPrefix(first, "http://"))
		if err != nil {
			return
		}
		c.Close()
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the old address still answers")
}

func TestDoorStaysWhenTheNewAddressIsTaken(t *testing.T) {
	d := openTestDoor(t, "127.0.0.1:0")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	was := d.URL()
	err = d.Move(ln.Addr().String())
	var taken *httpd.AddrError
	if !errors.As(err, &taken) || taken.Addr != ln.Addr().String() {
		t.Errorf("a move to a taken address: %v", err)
	}
	if d.URL() != was {
		t.Errorf("it says it is at %s, not %s", d.URL(), was)
	}
	here(t, was)
}

// From this machine alone to the whole network, on the same port: both cannot
// be open at once.
func TestDoorWidensOnItsPort(t *testing.T) {
	d := openTestDoor(t, "127.0.0.1:0")
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(d.URL(), "http://"))
	if err := d.Move("0.0.0.0:" + port); err != nil {
		t.Fatal(err)
	}
	here(t, "http://127.0.0.1:"+port)
	if err := d.Move("192.0.2.77:" + port); err == nil {
		t.Error("moved to an address that this machine does not have")
	}
	here(t, "http://127.0.0.1:"+port)
}

// The owner changes the visitors' port in the window: who is connected stays,
// new visitors come by the new one, other programs are told.
func TestChangedPortIsUsedAtOnce(t *testing.T) {
	dir, old, to := t.TempDir(), freeAddr(t), freeAddr(t)
	savedSetting(t, dir, "server.public_addr", old)
	a := runWith(t, dir, []Flag{{Name: "--admin", Path: "server.admin_addr", Value: "127.0.0.1:0"}})
	if a.at.Public != "http://"+old {
		t.Fatalf("served at %s, not %s", a.at.Public, old)
	}
	before := a.visit("")
	answer := a.admin(t, "PUT", "/settings", `{"revision":0,"values":{"server.public_addr":"`+to+`"}}`)
	if strings.Contains(answer, `"restart":["server.public_addr"]`) {
		t.Errorf("it still asks for a restart: %s", answer)
	}
	a.at = a.b.Addresses()
	if a.at.Public != "http://"+to {
		t.Fatalf("served at %s, not %s", a.at.Public, to)
	}
	a.visit("")
	before.send(map[string]any{"type": "message", "id": "m1", "text": "Are you still there?"})
	if got := before.next("ack", ""); got.ID != "m1" {
		t.Errorf("who was connected before: %+v", got)
	}
	data, err := os.ReadFile(filepath.Join(dir, "runtime.json"))
	var told Runtime
	if err != nil || json.Unmarshal(data, &told) != nil || told.Public != "http://"+to {
		t.Errorf("other programs are told %s, %v", data, err)
	}
}

// savedSetting puts a setting into a fresh data folder as the window saves it.
func savedSetting(t *testing.T, dir, path, value string) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(dir, fileDatabase), Reserve: -1, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- db.Run(ctx) }()
	raw, err := json.Marshal(value)
	if err == nil {
		err = db.Settings().Save(ctx, []sqlite.Setting{{Path: path, Value: raw, Revision: 1}})
	}
	cancel()
	<-ended
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// admin makes one call of the admin API with the script token.
func (a *appliance) admin(t *testing.T, method, path, body string) string {
	t.Helper()
	r, err := http.NewRequest(method, a.at.Admin+"/api/admin/v1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+scriptToken)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s %v", method, path, res.StatusCode, got, err)
	}
	return string(got)
}
