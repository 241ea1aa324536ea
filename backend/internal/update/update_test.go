package update

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// script is a program that calls itself a version and becomes ready, or not.
func script(version, trial string) string {
	return "#!/bin/sh\nif [ \"$1\" = version ]; then echo \"haoked " + version + " (test)\"; exit 0; fi\n" + trial + "\n"
}

// makers is the makers' server and their key.
type makers struct {
	*httptest.Server
	t    *testing.T
	key  ed25519.PrivateKey
	mu   sync.Mutex
	file map[string][]byte
}

func newMakers(t *testing.T) *makers {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	m := &makers{t: t, key: key, file: map[string][]byte{}}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		data, ok := m.file[r.URL.Path]
		m.mu.Unlock()
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Write(data)
	}))
	t.Cleanup(m.Close)
	return m
}

func (m *makers) put(path string, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.file[path] = data
}

func (m *makers) public() ed25519.PublicKey { return m.key.Public().(ed25519.PublicKey) }

func pack(t *testing.T, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, e := range []struct{ name, data string }{{"haoked-x/share/haoked.1.gz", "manual"}, {"haoked-x/" + name, content}} {
		if err := w.WriteHeader(&tar.Header{Name: e.name, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(e.data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// release publishes a version whose archive holds this program; change may
// spoil the manifest before it is signed.
func (m *makers) release(version, program string, issued time.Time, change func(*Manifest)) []byte {
	m.t.Helper()
	data := pack(m.t, "haoked", program)
	sum := sha256.Sum256(data)
	name := "haoked-" + version + ".tar.gz"
	m.put("/"+name, data)
	man := Manifest{
		Format: Format, Version: version, Issued: issued, Expires: issued.Add(90 * 24 * time.Hour), Notes: "Faster.", NotesZH: "更快。", URL: "https://haoke.example/" + version,
		Files: []File{{Program: "haoked", Kind: KindTar, OS: runtime.GOOS, Arch: runtime.GOARCH, URL: name, Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}},
	}
	if change != nil {
		change(&man)
	}
	text, err := json.Marshal(man)
	if err != nil {
		m.t.Fatal(err)
	}
	m.put("/latest.json", text)
	m.put("/latest.json.sig", Sign(text, m.key))
	return data
}

// host is the appliance around an updater.
type host struct {
	kept      int
	keepErr   error
	rehearsed string
	restarted []string
}

func (h *host) Rehearse(_ context.Context, dir string) ([]string, error) {
	h.rehearsed = dir
	return []string{"serve", "--data", dir}, os.WriteFile(filepath.Join(dir, "haoke.db"), []byte("copy"), 0o600)
}
func (h *host) Keep(context.Context) error { h.kept++; return h.keepErr }
func (h *host) Restart(exe string)         { h.restarted = append(h.restarted, exe) }

// shop is one installation that can be updated.
type shop struct {
	*Updater
	host *host
	exe  string
	now  time.Time
}

var then = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newShop(t *testing.T, keys ...ed25519.PublicKey) *shop {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the programs of this test are shell scripts")
	}
	s := &shop{host: &host{}, exe: filepath.Join(t.TempDir(), "haoked"), now: then}
	if err := os.WriteFile(s.exe, []byte(script("1.2.3", "exit 0")), 0o755); err != nil {
		t.Fatal(err)
	}
	s.Updater = New(Config{
		Dir: t.TempDir(), Version: "1.2.3", Keys: keys, Ready: 20 * time.Second, Now: func() time.Time { return s.now },
		Installed: Installed{Way: WayReplace, Kind: KindTar, Program: "haoked", Exe: s.exe},
	})
	s.Serve(s.host)
	return s
}

// untouched fails unless the program is the one from before and nothing lies
// around.
func (s *shop) untouched(t *testing.T) {
	t.Helper()
	if got, err := os.ReadFile(s.exe); err != nil || string(got) != script("1.2.3", "exit 0") {
		t.Errorf("the program was changed: %.80q %v", got, err)
	}
	if left, _ := os.ReadDir(filepath.Dir(s.exe)); len(left) != 1 {
		t.Errorf("left beside the program: %v", left)
	}
	if exists(filepath.Join(s.Dir, workFolder)) {
		t.Error("the work folder is left")
	}
	if len(s.host.restarted) != 0 {
		t.Errorf("restarted: %v", s.host.restarted)
	}
	if s.State().Stage != StageNone {
		t.Errorf("stage %q", s.State().Stage)
	}
}

func TestFoundTriedSwappedAndServed(t *testing.T) {
	m := newMakers(t)
	s := newShop(t, m.public())
	m.release("1.3.0", script("1.3.0", `[ -f "$3/haoke.db" ]`), then, nil)
	if st := s.State(); st.Latest != "" || st.CanApply {
		t.Fatalf("before the first look: %+v", st)
	}
	if err := s.Request(); !errors.Is(err, ErrNothing) {
		t.Errorf("asked for nothing: %v", err)
	}
	st, err := s.Check(context.Background(), m.URL+"/latest.json")
	if err != nil || st.Latest != "1.3.0" || !st.CanApply || st.Notes != "Faster." || st.Address != m.URL+"/haoked-1.3.0.tar.gz" {
		t.Fatalf("%+v %v", st, err)
	}
	if err := s.Apply(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(s.host.restarted) != 1 || s.host.restarted[0] != s.exe+nextName || s.host.kept != 1 {
		t.Fatalf("%+v", s.host)
	}
	s.runs(t, "1.2.3") // until the other one serves
	if exists(s.host.rehearsed) {
		t.Error("the copy for the trial is left")
	}
	back := func(time.Time) error { t.Error("the data is put back"); return nil }
	if err := Starting(s.Dir, "1.3.0", then, back); err != nil {
		t.Fatalf("the first start: %v", err)
	}
	s.runs(t, "1.2.3")
	if err := Serving(s.Dir, "1.3.0", then); err != nil {
		t.Fatal(err)
	}
	s.runs(t, "1.3.0")
	if old, _ := os.ReadFile(s.exe + ".previous"); !strings.Contains(string(old), "1.2.3") {
		t.Error("the previous version is not kept")
	}
	if exists(s.exe + nextName) {
		t.Error("the new version lies there twice")
	}
	for range 3 { // it stays
		if err := Starting(s.Dir, "1.3.0", then, back); err != nil {
			t.Fatal(err)
		}
	}
	if o := New(Config{Dir: s.Dir, Version: "1.3.0"}).State().Last; o == nil || !o.OK || o.From != "1.2.3" || o.To != "1.3.0" {
		t.Errorf("outcome: %+v", o)
	}
}

func TestWhatIsNotSignedIsNotBelieved(t *testing.T) {
	stranger, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		spoil func(m *makers)
		want  error
		key   ed25519.PublicKey
	}{
		"one byte of the notice": {spoil: func(m *makers) {
			m.file["/latest.json"] = bytes.Replace(m.file["/latest.json"], []byte("1.3.0"), []byte("1.3.1"), 1)
		}, want: ErrSignature},
		"one byte of the signature": {spoil: func(m *makers) { m.file["/latest.json.sig"][5] ^= 1 }, want: ErrSignature},
		"no signature":              {spoil: func(m *makers) { delete(m.file, "/latest.json.sig") }},
		"an empty signature":        {spoil: func(m *makers) { m.file["/latest.json.sig"] = nil }, want: ErrSignature},
		"a stranger's key":          {spoil: func(*makers) {}, key: stranger, want: ErrSignature},
		"cut": {spoil: func(m *makers) {
			m.file["/latest.json"] = m.file["/latest.json"][:len(m.file["/latest.json"])-1]
		}, want: ErrSignature},
		"too long":    {spoil: func(m *makers) { m.file["/latest.json"] = bytes.Repeat([]byte(" "), maxManifest+1) }},
		"nobody home": {spoil: func(m *makers) { m.Close() }},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMakers(t)
			key := m.public()
			if c.key != nil {
				key = c.key
			}
			s := newShop(t, key)
			m.release("1.3.0", script("1.3.0", "exit 0"), then, nil)
			c.spoil(m)
			st, err := s.Check(context.Background(), m.URL+"/latest.json")
			if err == nil || c.want != nil && !errors.Is(err, c.want) || st.Latest != "" || st.Fault == "" || st.CanApply {
				t.Errorf("%+v, %v", st, err)
			}
			if mem, _ := loadMemory(s.Dir); !mem.Seen.IsZero() {
				t.Error("what was not believed is remembered")
			}
		})
	}
}

// TestTheNextKey: a program with two keys believes either, so that the makers
// can change theirs.
func TestTheNextKey(t *testing.T) {
	m := newMakers(t)
	other, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.StdEncoding.EncodeToString
	keys, err := ParseKeys(enc(other) + "," + enc(m.public()))
	if err != nil || len(keys) != 2 {
		t.Fatal(keys, err)
	}
	s := newShop(t, keys...)
	m.release("1.3.0", script("1.3.0", "exit 0"), then, nil)
	if st, err := s.Check(context.Background(), m.URL+"/latest.json"); err != nil || st.Latest == "" {
		t.Errorf("%+v %v", st, err)
	}
	if _, err := ParseKeys("no key"); err == nil {
		t.Error("junk is taken for a key")
	}
	if keys, err := ParseKeys(""); err != nil || keys != nil {
		t.Errorf("%v %v", keys, err)
	}
}

func TestOldNewsAndOldVersions(t *testing.T) {
	m := newMakers(t)
	s := newShop(t, m.public())
	ask := func() (State, error) { return s.Check(context.Background(), m.URL+"/latest.json") }
	good := script("1.4.0", "exit 0")
	m.release("1.4.0", good, then, nil)
	if st, err := ask(); err != nil || st.Latest != "1.4.0" {
		t.Fatalf("%+v %v", st, err)
	}
	// A genuine notice from last month, played again.
	m.release("1.3.0", good, then.Add(-30*24*time.Hour), nil)
	if st, err := ask(); !errors.Is(err, ErrReplay) || st.Latest != "1.4.0" {
		t.Errorf("a replay: %+v %v", st, err)
	}
	// Also after a restart.
	again := New(Config{Dir: s.Dir, Version: "1.2.3", Keys: s.Keys, Now: s.Now})
	if st, err := again.Check(context.Background(), m.URL+"/latest.json"); !errors.Is(err, ErrReplay) || st.Latest != "" {
		t.Errorf("a replay after a restart: %+v %v", st, err)
	}
	// Newer notices of versions that are none for us.
	for i, v := range []string{"1.2.3", "1.2.2", "0.9.0", "1.2.3-rc.1"} {
		m.release(v, good, then.Add(time.Duration(i+1)*time.Minute), nil)
		if st, err := ask(); err != nil || st.Latest != "" || st.CanApply {
			t.Errorf("%s: %+v %v", v, st, err)
		}
		if err := s.Apply(context.Background()); !errors.Is(err, ErrNothing) {
			t.Errorf("%s was carried out: %v", v, err)
		}
	}
	// Time.
	m.release("1.5.0", good, then.Add(time.Hour), nil)
	s.now = then.Add(91 * 24 * time.Hour)
	if st, err := ask(); !errors.Is(err, ErrExpired) || st.Latest != "" {
		t.Errorf("expired: %+v %v", st, err)
	}
	s.now = then.Add(-72 * time.Hour)
	if _, err := ask(); !errors.Is(err, ErrExpired) {
		t.Errorf("from the future: %v", err)
	}
	s.now = then
	if st, err := ask(); err != nil || st.Latest != "1.5.0" {
		t.Errorf("in its time: %+v %v", st, err)
	}
	s.untouched(t)
}

func TestManifestsThatAreSignedAndWrong(t *testing.T) {
	m := newMakers(t)
	s := newShop(t, m.public())
	i := 0
	for name, change := range map[string]func(*Manifest){
		"version": func(x *Manifest) { x.Version = "soon" }, "form": func(x *Manifest) { x.Format = 2 }, "page": func(x *Manifest) { x.URL = "http://x.example/" },
		"sum": func(x *Manifest) { x.Files[0].SHA256 = "00" }, "size": func(x *Manifest) { x.Files[0].Size = 0 }, "huge": func(x *Manifest) { x.Files[0].Size = maxFile + 1 },
		"no expiry": func(x *Manifest) { x.Expires = time.Time{} }, "notes": func(x *Manifest) { x.Notes = strings.Repeat("x", maxText+1) },
		"no arch": func(x *Manifest) { x.Files[0].Arch = "" }, "from": func(x *Manifest) { x.From = "x" },
	} {
		i++
		m.release("1.3.0", "x", then.Add(time.Duration(i)*time.Second), change)
		if st, err := s.Check(context.Background(), m.URL+"/latest.json"); !errors.Is(err, ErrManifest) || st.Latest != "" {
			t.Errorf("%s: %+v %v", name, st, err)
		}
	}
}

// TestSpoiledOnTheWay: whatever arrives in the place of the signed file, the
// program that runs stays as it is.
func TestSpoiledOnTheWay(t *testing.T) {
	good := script("1.3.0", "exit 0")
	const at = "/haoked-1.3.0.tar.gz"
	for name, c := range map[string]struct {
		program string
		spoil   func(t *testing.T, m *makers, s *shop)
		change  func(*Manifest)
		want    string
	}{
		"a byte of the file":    {spoil: func(_ *testing.T, m *makers, _ *shop) { m.file[at][40] ^= 1 }, want: "SHA-256"},
		"the file is cut":       {spoil: func(_ *testing.T, m *makers, _ *shop) { m.file[at] = m.file[at][:50] }, want: "bytes"},
		"the file is longer":    {spoil: func(_ *testing.T, m *makers, _ *shop) { m.file[at] = append(m.file[at], 'x') }, want: "bytes"},
		"another file":          {spoil: func(t *testing.T, m *makers, _ *shop) { m.file[at] = pack(t, "haoked", "#!/bin/sh\nrm -rf /") }, want: "not the file"},
		"the file is gone":      {spoil: func(_ *testing.T, m *makers, _ *shop) { delete(m.file, at) }, want: "404"},
		"the server goes":       {spoil: func(_ *testing.T, m *makers, _ *shop) { m.Close() }, want: "download"},
		"no program in it":      {change: func(x *Manifest) { x.Files[0].Program = "haoked" }, spoil: func(_ *testing.T, _ *makers, s *shop) {}, program: "-", want: "there is no haoked"},
		"the disk is too small": {spoil: func(_ *testing.T, _ *makers, s *shop) { s.Free = func(string) (int64, bool) { return 1000, true } }, want: "too full"},
		"the backup fails":      {spoil: func(_ *testing.T, _ *makers, s *shop) { s.host.keepErr = errors.New("no room") }, want: "no room"},
		"it does not start":     {program: script("1.3.0", "echo 'open store: boom' >&2; exit 1"), want: "boom"},
		"it hangs":              {program: script("1.3.0", "exec sleep 60"), spoil: func(_ *testing.T, _ *makers, s *shop) { s.Ready = time.Second }, want: "not within"},
		"it is another version": {program: script("1.2.9", "exit 0"), want: "calls itself"},
		"it is no program":      {program: "junk", want: "does not run"},
		"a step too far":        {change: func(x *Manifest) { x.From = "1.2.9" }, want: "install 1.2.9 first"},
		"another system":        {change: func(x *Manifest) { x.Files[0].OS = "plan9" }, want: ErrManual.Error()},
		"not https":             {change: func(x *Manifest) { x.Files[0].URL = "ftp://127.0.0.1/x" }, want: "not https"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMakers(t)
			s := newShop(t, m.public())
			program := c.program
			if program == "" {
				program = good
			}
			m.release("1.3.0", program, then, c.change)
			if program == "-" {
				data := pack(t, "other", good)
				sum := sha256.Sum256(data)
				m.release("1.3.0", "", then, func(x *Manifest) { x.Files[0].Size, x.Files[0].SHA256 = int64(len(data)), hex.EncodeToString(sum[:]) })
				m.put(at, data)
			}
			if _, err := s.Check(context.Background(), m.URL+"/latest.json"); err != nil {
				t.Fatal(err)
			}
			if c.spoil != nil {
				c.spoil(t, m, s)
			}
			err := s.Apply(context.Background())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v; want %q in it", err, c.want)
			}
			if st := s.State(); st.ApplyFault == "" && !errors.Is(err, ErrManual) || st.Latest != "1.3.0" {
				t.Errorf("%+v", st)
			}
			s.untouched(t)
			if err := Starting(s.Dir, "1.2.3", then, nil); err != nil {
				t.Errorf("the next start: %v", err)
			}
		})
	}
}

func TestRequestIsCarriedOutByRun(t *testing.T) {
	m := newMakers(t)
	s := newShop(t, m.public())
	m.release("1.3.0", script("1.3.0", "exit 0"), then, nil)
	if _, err := s.Check(context.Background(), m.URL+"/latest.json"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.Serve(&stopping{host: s.host, stop: cancel})
	left := filepath.Join(s.Dir, workFolder, "trial", "haoke.db")
	if err := errors.Join(os.MkdirAll(filepath.Dir(left), 0o700), os.WriteFile(left, []byte("copy"), 0o600)); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if exists(left) {
			t.Error("a copy of the data is left from an earlier update")
		}
	}()
	if err := s.Request(); err != nil {
		t.Fatal(err)
	}
	if err := s.Request(); !errors.Is(err, ErrBusy) {
		t.Errorf("asked twice: %v", err)
	}
	if err := s.Run(ctx); err != nil || len(s.host.restarted) != 1 {
		t.Errorf("%v %v", err, s.host.restarted)
	}
}

type stopping struct {
	*host
	stop func()
}

func (s *stopping) Restart(exe string) { s.host.Restart(exe); s.stop() }
