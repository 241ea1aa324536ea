package adminapi_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"haoke/backend/internal/update"
	"haoke/backend/internal/wire"
)

// TestBundleHoldsNoSecret puts secrets wherever they can be and looks for them
// in every file of the diagnostics.
func TestBundleHoldsNoSecret(t *testing.T) {
	h := open(t, options{config: "[site]\nidentity_secret = \"identity-secret-of-the-shop-1\"\n[upstream]\nproxy = \"http://proxyname:proxypassword@127.0.0.1:1\"\n" +
		"[archive]\nclickhouse = \"clickhouse://ch:chpassword99@127.0.0.1:9000/haoke\"\n[[upstream.keys]]\nname = \"file\"\nvalue = \"sk-from-the-file-123456\"\n"})
	owner := h.script()
	decode[wire.Key](t, owner.send("POST", "/keys", wire.KeyNew{Name: "w", Value: "plainlookingkeyvalue77"}))
	secrets := []string{"identity-secret-of-the-shop-1", "proxypassword", "chpassword99", "sk-from-the-file-123456", "plainlookingkeyvalue77", scriptToken, "9f8e7d"}
	h.logs.Logger().Warn("upstream refused plainlookingkeyvalue77", "dsn", "clickhouse://ch:chpassword99@127.0.0.1:9000", "authorization", "Bearer "+scriptToken, "password", "9f8e7d6c")
	h.logs.Logger().Info("a line to be found")
	deadline := time.Now().Add(10 * time.Second)
	for {
		got := owner.send("GET", "/logs/bundle", nil)
		z, err := zip.NewReader(bytes.NewReader(got.body), int64(len(got.body)))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(f.Name, ".json") && !json.Valid(data) {
				t.Errorf("%s is not JSON", f.Name)
			}
			for _, s := range secrets {
				if bytes.Contains(data, []byte(s)) {
					t.Errorf("%q stands in %s", s, f.Name)
				}
			}
			found = found || bytes.Contains(data, []byte("a line to be found"))
		}
		if found {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the log's line is not in the bundle")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestUpdates(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	var manifest, signature []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".sig") {
			w.Write(signature)
		} else {
			w.Write(manifest)
		}
	}))
	defer server.Close()
	issued := time.Now()
	sign := func(text string) {
		issued = issued.Add(time.Second) // a later notice each time
		times := fmt.Sprintf(`{"format":1,"issued":%q,"expires":%q,`, issued.Format(time.RFC3339), issued.Add(time.Hour).Format(time.RFC3339))
		manifest = []byte(strings.Replace(text, "{", times, 1))
		signature = update.Sign(manifest, private)
	}
	h := open(t, options{updateKey: public, config: "[updates]\nmanifest = \"" + server.URL + "/latest.json\"\n"})
	owner := h.script()
	check := func() wire.UpdateState {
		return decode[wire.UpdateState](t, owner.send("POST", "/updates/check", nil))
	}
	sign(`{"version":"1.3.0","notes":"Faster.","url":"https://haoke.example/1.3.0"}`)
	if u := check(); u.Latest != "1.3.0" || u.Fault != "" || u.Notes != "Faster." || u.CheckedAt == nil {
		t.Errorf("a newer one: %+v", u)
	}
	if s := decode[wire.Status](t, owner.send("GET", "/status", nil)); !strings.Contains(trouble(s), "update") {
		t.Errorf("the owner is not told: %+v", s.Problems)
	}
	manifest[len(manifest)-3] ^= 1 // one byte
	if u := check(); !strings.Contains(u.Fault, "not signed") || u.Latest != "1.3.0" {
		t.Errorf("a forged one: %+v", u)
	}
	for text, latest := range map[string]string{
		`{"version":"1.2.3"}`: "", `{"version":"1.1.9"}`: "", `{"version":"1.2.4-rc.1"}`: "1.2.4-rc.1", `{"version":"v1.10.0"}`: "v1.10.0",
	} {
		sign(text)
		if u := check(); u.Latest != latest || u.Fault != "" {
			t.Errorf("%s: %+v", text, u)
		}
	}
	for _, text := range []string{`{"version":"soon"}`, `{"version":"2.0.0","url":"http://x.example"}`, `[]`, strings.Repeat("x", 70_000)} {
		sign(text)
		if u := check(); u.Fault == "" {
			t.Errorf("%.40s is believed: %+v", text, u)
		}
	}
	takenBack(t, h, sign)
	applyUpdate(t, h, sign)
	server.Close()
	if u := check(); u.Fault == "" {
		t.Errorf("nobody there: %+v", u)
	}
}

// takenBack: a version that did not succeed here is not news again, whoever
// looks how often; the page still offers it, and the next version is news.
func takenBack(t *testing.T, h *house, sign func(string)) {
	t.Helper()
	owner := h.script()
	told := func() bool {
		return slices.Contains(strings.Fields(trouble(decode[wire.Status](t, owner.send("GET", "/status", nil)))), "update")
	}
	for _, c := range []struct {
		latest, failed string
		told           bool
	}{{"1.3.0", "1.2.9", true}, {"1.3.0", "1.3.0", false}, {"1.3.0", "1.3.0", false}, {"1.4.0", "1.3.0", true}} {
		failedUpdate(t, h, c.failed, time.Now())
		sign(fmt.Sprintf(`{"version":%q}`, c.latest))
		if u := decode[wire.UpdateState](t, owner.send("POST", "/updates/check", nil)); u.Latest != c.latest || u.Fault != "" || told() != c.told {
			t.Errorf("%s after %s failed: told %t, page %+v", c.latest, c.failed, told(), u)
		}
	}
}

// still is a machine that is never restarted: what Request does stays visible.
type still struct{}

func (still) Rehearse(context.Context, string) ([]string, error) { return nil, nil }
func (still) Keep(context.Context) error                         { return nil }
func (still) Restart(string)                                     {}

func applyUpdate(t *testing.T, h *house, sign func(string)) {
	t.Helper()
	owner := h.script()
	sign(`{"version":"1.3.0"}`)
	owner.send("POST", "/updates/check", nil)
	if got := owner.send("POST", "/updates/apply", nil); got.status != http.StatusConflict {
		t.Errorf("without a file for this machine: %d %s", got.status, got.body)
	}
	h.updates.Serve(still{})
	sign(fmt.Sprintf(`{"version":"1.3.0","files":[{"program":"haoked","kind":"tar","os":%q,"arch":%q,"url":"x.tar.gz","size":9,"sha256":%q}]}`,
		runtime.GOOS, runtime.GOARCH, strings.Repeat("ab", 32)))
	if u := decode[wire.UpdateState](t, owner.send("POST", "/updates/check", nil)); !u.CanApply {
		t.Fatalf("not offered: %+v", u)
	}
	if got := owner.send("POST", "/updates/apply", nil); got.status != http.StatusAccepted || decode[wire.UpdateState](t, got).Stage == "" {
		t.Errorf("not begun: %d %s", got.status, got.body)
	}
	if got := owner.send("POST", "/updates/apply", nil); got.status != http.StatusConflict {
		t.Errorf("begun twice: %d", got.status)
	}
}

// failedUpdate notes an update that did not succeed.
func failedUpdate(t *testing.T, h *house, to string, at time.Time) {
	t.Helper()
	note := fmt.Sprintf(`{"last":{"from":"1.2.3","to":%q,"ok":false,"fault":"migrate: boom","at":%q}}`, to, at.Format(time.RFC3339))
	if err := os.WriteFile(filepath.Join(h.dir, "update.json"), []byte(note), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestUpdateThatFailedIsSeen: told until somebody takes notice, and of the next
// failure again. The page of updates keeps it.
func TestUpdateThatFailedIsSeen(t *testing.T) {
	h := open(t, options{})
	at := time.Now()
	failedUpdate(t, h, "1.3.0", at)
	owner := h.script()
	told := func() bool {
		return strings.Contains(trouble(decode[wire.Status](t, owner.send("GET", "/status", nil))), "update_failed")
	}
	if u := decode[wire.UpdateState](t, owner.send("GET", "/updates", nil)); !told() || u.Last == nil || u.Last.Seen {
		t.Fatalf("not told: %+v", u.Last)
	}
	u := decode[wire.UpdateState](t, owner.send("POST", "/updates/seen", nil))
	if told() || u.Last == nil || !u.Last.Seen || u.Last.Fault != "migrate: boom" {
		t.Errorf("seen: %+v", u.Last)
	}
	failedUpdate(t, h, "1.3.0", at.Add(time.Hour))
	if !told() {
		t.Error("a second failure is not told")
	}
}

// TestUpdateThatFailedIsTold: the owner learns of it for a week.
func TestUpdateThatFailedIsTold(t *testing.T) {
	h := open(t, options{})
	at := time.Now()
	failedUpdate(t, h, "1.3.0", at)
	owner := h.script()
	if s := decode[wire.Status](t, owner.send("GET", "/status", nil)); !strings.Contains(trouble(s), "update_failed") {
		t.Errorf("not told: %+v", s.Problems)
	}
	h.mu.Lock()
	h.now = at.Add(8 * 24 * time.Hour)
	h.mu.Unlock()
	if s := decode[wire.Status](t, owner.send("GET", "/status", nil)); strings.Contains(trouble(s), "update_failed") {
		t.Errorf("told for ever: %+v", s.Problems)
	}
}

func trouble(s wire.Status) string {
	var codes []string
	for _, p := range s.Problems {
		codes = append(codes, p.Code)
	}
	return strings.Join(codes, " ")
}

// TestSchedule moves the clock through some days with the schedule on.
func TestSchedule(t *testing.T) {
	h := open(t, options{config: "[backup]\nschedule = \"daily\"\nat = \"03:30\"\nkeep = 2\n"})
	owner := h.script()
	list := func() []wire.Backup {
		return decode[wire.Backups](t, owner.send("GET", "/backups", nil)).Items
	}
	at := func(s string) {
		now, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		h.mu.Lock()
		h.now = now
		h.mu.Unlock()
		h.api.Look(context.Background())
	}
	for _, step := range []struct {
		now  string
		want int
	}{
		{"2026-03-01T12:00:00Z", 1}, // none yet: at once
		{"2026-03-01T23:00:00Z", 1},
		{"2026-03-02T03:29:00Z", 1},
		{"2026-03-02T03:30:00Z", 2},
		{"2026-03-02T03:31:00Z", 2},
		{"2026-03-05T08:00:00Z", 2}, // the machine was off; the oldest goes
	} {
		at(step.now)
		if got := list(); len(got) != step.want || !got[0].Auto {
			t.Fatalf("at %s: %+v", step.now, got)
		}
	}
	if got := list(); got[0].At.Format(time.DateOnly) != "2026-03-05" || got[1].At.Format(time.DateOnly) != "2026-03-02" {
		t.Errorf("kept: %+v", got)
	}
	byHand := decode[wire.Backup](t, owner.send("POST", "/backups", wire.BackupNew{}))
	at("2026-03-06T08:00:00Z")
	at("2026-03-07T08:00:00Z")
	found := false
	for _, b := range list() {
		found = found || b.Name == byHand.Name
	}
	if got := list(); len(got) != 3 || !found {
		t.Errorf("the schedule removed what was made by hand: %+v", got)
	}
}
