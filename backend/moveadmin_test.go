package backend

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"haoke/backend/internal/httpd"
)

// movable runs an appliance whose admin address is that of the settings.
func movable(t *testing.T, env ...string) (*appliance, string) {
	t.Helper()
	dir := t.TempDir()
	savedSetting(t, dir, "server.admin_addr", freeAddr(t))
	return runWith(t, dir, []Flag{{Name: "--public", Path: "server.public_addr", Value: "127.0.0.1:0"}}, env...), dir
}

// moved is what a change of the admin address comes to.
type moved struct {
	Status   int    `json:"-"`
	AdminURL string `json:"admin_url"`
	Anywhere bool   `json:"admin_anywhere"`
	Restart  []string
	Detail   string
	Field    string
}

// moveAdmin changes the admin address as the page does.
func (a *appliance) moveAdmin(t *testing.T, to string) moved {
	t.Helper()
	body, _ := json.Marshal(map[string]any{"path": "server.admin_addr", "value": to, "revision": -1})
	r, err := http.NewRequest(http.MethodPatch, a.at.Admin+"/api/admin/v1/settings", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+scriptToken)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("to %s: %v", to, err)
	}
	defer res.Body.Close()
	m := moved{Status: res.StatusCode}
	if err := json.NewDecoder(res.Body).Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// The owner changes the port of the very page that he sits at: he is answered,
// and told where it is now; so are the window and the commands of this machine.
func TestChangedAdminAddressIsUsedAtOnce(t *testing.T) {
	a, dir := movable(t)
	window := Attach(dir)
	from, to := a.at.Admin, freeAddr(t)
	got := a.moveAdmin(t, to)
	if got.Status != 200 || got.AdminURL != "http://"+to || got.Anywhere || len(got.Restart) > 0 {
		t.Fatalf("%+v", got)
	}
	a.at = a.b.Addresses()
	if a.at.Admin != got.AdminURL {
		t.Errorf("it says it is at %s, not %s", a.at.Admin, got.AdminURL)
	}
	if s := a.admin(t, "GET", "/status", ""); !strings.Contains(s, `"admin_url":"`+got.AdminURL+`"`) {
		t.Errorf("the status: %s", s)
	}
	if told, err := ReadRuntime(dir); err != nil || told.Admin != got.AdminURL {
		t.Errorf("other programs are told %+v, %v", told, err)
	}
	w := httptest.NewRecorder()
	window.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/admin/v1/status", nil))
	if w.Code != http.StatusOK {
		t.Errorf("the window that joined before: %d %s", w.Code, w.Body)
	}
	if c, err := net.Dial("tcp", strings.TrimPrefix(from, "http://")); err == nil {
		c.Close()
		t.Error("the old address still takes connections")
	}
	// Back again, as undo does.
	if got := a.moveAdmin(t, strings.TrimPrefix(from, "http://")); got.AdminURL != from {
		t.Errorf("back: %+v", got)
	}
}

func TestAdminAddressThatCannotBeUsedIsRefused(t *testing.T) {
	a, dir := movable(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(a.at.Admin, "http://"))
	for name, addr := range map[string]string{
		"taken": ln.Addr().String(), "of another machine": "192.0.2.77:0", "the visitors'": strings.TrimPrefix(a.at.Public, "http://"),
		"the network without a password": "0.0.0.0:" + port, "no address": "nowhere",
	} {
		got := a.moveAdmin(t, addr)
		if got.Status < 400 || got.AdminURL != "" {
			t.Errorf("%s: %+v", name, got)
		}
		if name == "taken" && (got.Field != "server.admin_addr" || !strings.Contains(got.Detail, addr)) {
			t.Errorf("the reason: %+v", got)
		}
	}
	if told, err := ReadRuntime(dir); err != nil || told.Admin != a.at.Admin || a.b.Addresses().Admin != a.at.Admin {
		t.Errorf("it moved: %+v %v", told, err)
	}
	a.admin(t, "GET", "/status", "")
}

// With a password the page may go to the network, on the same port: both
// cannot be open at once, and whoever asked is answered all the same.
func TestAdminPageWidensOnItsPort(t *testing.T) {
	for try := 1; ; try++ {
		a, _ := movable(t, "HAOKE_ADMIN_PASSWORD=a long enough password")
		_, port, _ := net.SplitHostPort(strings.TrimPrefix(a.at.Admin, "http://"))
		got := a.moveAdmin(t, "0.0.0.0:"+port)
		if got.Status >= 400 && got.Field == "server.admin_addr" && try < 5 {
			continue // a connection of another program has that port at another address of this machine
		}
		if got.Status != 200 || !got.Anywhere || got.AdminURL != a.at.Admin {
			t.Fatalf("%+v", got)
		}
		if at := a.b.admin.now.Addr(); !strings.HasPrefix(at, "[::]:") && !strings.HasPrefix(at, "0.0.0.0:") {
			t.Errorf("it listens on %s", at)
		}
		a.admin(t, "GET", "/status", "")
		if got := a.moveAdmin(t, "127.0.0.1:"+port); got.Status != 200 || got.Anywhere || got.AdminURL == "" {
			t.Fatalf("back: %+v", got)
		}
		a.admin(t, "GET", "/status", "")
		return
	}
}

// A port that is free here and taken at another address of this machine is only
// found out by going there: the change is refused and taken back, and the page
// stays where it is.
func TestAdminPageThatCannotWidenStays(t *testing.T) {
	a, dir := movable(t, "HAOKE_ADMIN_PASSWORD=a long enough password")
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(a.at.Admin, "http://"))
	other, err := net.Listen("tcp", "127.0.0.2:"+port)
	if err != nil {
		t.Skip("this system has no second address of its own, or that one is taken: ", err)
	}
	defer other.Close()
	saved := a.b.settings.Current().Server.AdminAddr
	got := a.moveAdmin(t, "0.0.0.0:"+port)
	if got.Status < 400 || got.Field != "server.admin_addr" || !strings.Contains(got.Detail, "0.0.0.0:"+port) {
		t.Errorf("%+v", got)
	}
	if now := a.b.settings.Current().Server.AdminAddr; now != saved {
		t.Errorf("the setting is %s, was %s", now, saved)
	}
	if told, err := ReadRuntime(dir); err != nil || told.Admin != a.at.Admin || a.b.Addresses().Admin != a.at.Admin {
		t.Errorf("it moved: %+v %v", told, err)
	}
	a.admin(t, "GET", "/status", "")
	if got := a.moveAdmin(t, "127.0.0.1:"+port); got.Status != 200 {
		t.Errorf("what it was is refused afterwards: %+v", got)
	}
}

// What is under way at the old address is not cut off, and the address is free
// meanwhile.
func TestMoveLetsRequestsFinish(t *testing.T) {
	begun, go_ := make(chan struct{}), make(chan struct{})
	d := openTestDoorWith(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(begun)
			<-go_
		}
		io.WriteString(w, "here")
	})
	old := d.URL()
	answer := make(chan error, 1)
	go func() {
		res, err := http.Get(old + "/slow")
		if err == nil {
			var body []byte
			if body, err = io.ReadAll(res.Body); err == nil && string(body) != "here" {
				err = errors.New(string(body))
			}
			res.Body.Close()
		}
		answer <- err
	}()
	<-begun
	if err := d.Move(freeAddr(t)); err != nil {
		t.Fatal(err)
	}
	again, err := httpd.Open(httpd.Config{Addr: strings.TrimPrefix(old, "http://"), Log: d.cfg.Log})
	if err != nil {
		t.Errorf("the old address is not free: %v", err)
	} else {
		again.Close()
	}
	here(t, d.URL())
	close(go_)
	if err := <-answer; err != nil {
		t.Errorf("who was under way: %v", err)
	}
}
