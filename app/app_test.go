package app

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"haoke/backend"
)

func TestDoor(t *testing.T) {
	wails := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "wails") })
	get := func(d *door, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		d.middleware(wails).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	d := &door{}
	if w := get(d, "/"); w.Code != 200 || !strings.Contains(w.Body.String(), `http-equiv="refresh"`) {
		t.Errorf("a page that comes before the appliance does not look again: %d %s", w.Code, w.Body)
	}
	if w := get(d, "/api/admin/v1/status"); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("the API before the start: %d", w.Code)
	}
	if w := get(d, "/wails/ipc.js"); w.Body.String() != "wails" {
		t.Errorf("Wails' scripts: %q", w.Body)
	}
	d.set(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "page") }))
	if w := get(d, "/"); w.Body.String() != "page" {
		t.Errorf("the page: %q", w.Body)
	}
	d.fail(errors.New("<b>port taken</b>"))
	w := get(d, "/")
	if strings.Contains(w.Body.String(), "<b>") || !strings.Contains(w.Body.String(), "&lt;b&gt;port taken") {
		t.Errorf("the reason must be text: %s", w.Body)
	}
	if w := get(d, "/api/admin/v1/status"); w.Code != 503 {
		t.Errorf("the API of a broken appliance: %d", w.Code)
	}
}

// Attached to a server that is gone, the page says so and comes again by
// itself, while the API's answer passes as it is.
func TestDoorAttachedToNobody(t *testing.T) {
	d := &door{}
	d.attach(backend.Attach(t.TempDir()))
	w := httptest.NewRecorder()
	d.middleware(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != 200 || !strings.Contains(w.Body.String(), `http-equiv="refresh"`) || strings.Contains(w.Body.String(), "haoke:gone") {
		t.Errorf("page: %d %s", w.Code, w.Body)
	}
	w = httptest.NewRecorder()
	d.middleware(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/admin/v1/status", nil))
	if w.Code != 503 || !strings.Contains(w.Body.String(), "haoke:gone") {
		t.Errorf("API: %d %s", w.Code, w.Body)
	}
	if _, err := backend.NewDesk(backend.Attach(t.TempDir())).Status(context.Background()); !errors.Is(err, backend.ErrGone) {
		t.Errorf("status: %v", err)
	}
}

func TestAPIRequest(t *testing.T) {
	for path, ok := range map[string]bool{
		"/api/admin/v1/backup/file?name=a%20b": true,
		"/api/admin/v1/../../metrics":          false,
		"/api/admin/v1/%2e%2e/x":               false,
		"/metrics":                             false,
		"http://evil.example/api/admin/v1/x":   false,
		"//evil.example/api/admin/v1/x":        false,
		"/api/admin/v1/a b":                    true,
		"/api/admin/v1/\x00":                   false,
	} {
		if _, err := apiRequest(path); (err == nil) != ok {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func TestMayReveal(t *testing.T) {
	dir := t.TempDir()
	b := &Bridge{app: &App{cfg: backend.Config{DataDir: dir}}, saved: []string{"/home/x/export.csv"}}
	for path, ok := range map[string]bool{
		dir: true, filepath.Join(dir, "backups", "a"): true, "/home/x/export.csv": true,
		filepath.Dir(dir): false, "/etc/passwd": false, dir + "-other": false,
	} {
		if b.mayReveal(path) != ok {
			t.Errorf("%s: want %v", path, ok)
		}
	}
}

func TestNamesAndLinks(t *testing.T) {
	for in, want := range map[string]string{"../../etc/passwd": "etc-passwd", `a:b?.csv`: "a-b-.csv", "...": "haoke", "会话.csv": "会话.csv"} {
		if got := fileName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for in, ok := range map[string]bool{
		"https://shop.example/a": true, "mailto:a@b.example": true, "javascript:alert(1)": false, "file:///etc/passwd": false,
		"http:foo": false, "ms-settings:x": false,
	} {
		if safeLink(in) != ok {
			t.Errorf("link %q", in)
		}
	}
	for in, ok := range map[string]bool{"#/conversations/4f2a": true, "#/x'+alert(1)+'": false, "javascript:1": false, "#/a b": false} {
		if pageHash(in) != ok {
			t.Errorf("hash %q", in)
		}
	}
}

func TestWriteWhole(t *testing.T) {
	target := filepath.Join(t.TempDir(), "好客 export.csv")
	if err := os.WriteFile(target, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	full := errors.New("disk full")
	if err := writeWhole(target, func(io.Writer) error { return full }); !errors.Is(err, full) {
		t.Errorf("error: %v", err)
	}
	if data, _ := os.ReadFile(target); string(data) != "before" {
		t.Errorf("a failed save left %q", data)
	}
	if err := writeWhole(target, func(w io.Writer) error { _, err := io.WriteString(w, "after"); return err }); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(filepath.Dir(target))
	if data, _ := os.ReadFile(target); string(data) != "after" || len(entries) != 1 {
		t.Errorf("%q, %d files", data, len(entries))
	}
}

func TestPlace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if p := loadPlace(dir); p != (place{}) {
		t.Errorf("without a file: %+v", p)
	}
	want := place{X: 5, Y: 6, Width: 1000, Height: 700, Zoom: 125, TrayExplained: true}
	want.save(dir)
	if got := loadPlace(dir); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for _, bad := range []string{"{", `{"width":-5,"zoom":9000}`, ""} {
		if err := os.WriteFile(filepath.Join(dir, placeFile), []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if p := loadPlace(dir); p.Width != 0 || p.Zoom > 200 {
			t.Errorf("%q: %+v", bad, p)
		}
	}
}

func TestWaiters(t *testing.T) {
	now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	on := backend.Desktop{Notifications: true}
	w := &waiters{}
	one := w.next(backend.Status{Waiting: 1, WaitingID: "4f2a"}, on, now)
	if one == nil || one.hash != "#/conversations/4f2a" {
		t.Fatalf("the first: %+v", one)
	}
	if w.next(backend.Status{Waiting: 1}, on, now.Add(time.Minute)) != nil {
		t.Error("said twice")
	}
	if w.next(backend.Status{Waiting: 4}, on, now.Add(10*time.Second)) != nil {
		t.Error("too soon after the first")
	}
	if n := w.next(backend.Status{Waiting: 4}, on, now.Add(40*time.Second)); n == nil || !strings.Contains(n.title, "4") {
		t.Errorf("three more come as one: %+v", n)
	}
	w.next(backend.Status{}, on, now.Add(2*time.Minute))
	if w.next(backend.Status{Waiting: 1}, on, now.Add(3*time.Minute)) == nil {
		t.Error("a new one after all had left")
	}
	night := backend.Desktop{Notifications: true, QuietFrom: "22:00", QuietTo: "07:30"}
	for clock, want := range map[string]bool{"23:10": true, "07:29": true, "07:30": false, "21:59": false, "12:00": false} {
		at, _ := time.Parse("15:04", clock)
		if quiet(night.QuietFrom, night.QuietTo, at) != want {
			t.Errorf("quiet at %s: want %v", clock, want)
		}
	}
	if (&waiters{}).next(backend.Status{Waiting: 2}, backend.Desktop{}, now) != nil {
		t.Error("switched off")
	}
}

func TestLoginEntries(t *testing.T) {
	l := login{exe: `/opt/My "Haoke"/haoke`, args: []string{"--hidden", "--data", "/srv/100% 好客"}}
	want := `"/opt/My \\"Haoke\\"/haoke" "--hidden" "--data" "/srv/100%% 好客"`
	if got := l.quoted(); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if a := (login{exe: "/a&b"}).launchAgent(); !strings.Contains(a, "/a&amp;b") {
		t.Error(a)
	}
	path := filepath.Join(t.TempDir(), "autostart", "haoke.desktop")
	for _, on := range []bool{true, true, false, false} {
		if err := writeEntry(path, l.desktopEntry(), on); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); (err == nil) != on {
			t.Errorf("on %v: %v", on, err)
		}
	}
}

// Both languages know every sentence.
func TestWordsComplete(t *testing.T) {
	for key := range english {
		if chinese[key] == "" {
			t.Errorf("Chinese lacks %q", key)
		}
	}
	for _, state := range []string{"ok", "degraded", "paused", "stopped"} {
		if english["status-"+state] == "" || len(trayIcon(state, 0)) < 500 {
			t.Errorf("state %s", state)
		}
	}
}
