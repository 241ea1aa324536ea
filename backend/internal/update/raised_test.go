package update

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// everybodys is an installation of 1.2.3 for everybody with an installer of
// 1.3.0 in the person's folder.
type everybodys struct {
	*raised
	key   ed25519.PrivateKey
	setup spec
	evil  string // is there when a program ran that the makers did not sign
	data  string
}

const raisedID = "ABCDEFGHIJKLMNOP234567"

func newEverybodys(t *testing.T, start string) *everybodys {
	t.Helper()
	root := folder(t)
	public, key, err := ed25519.GenerateKey(nil)
	must(t, err)
	e := &everybodys{key: key, evil: filepath.Join(root, "evil"), data: filepath.Join(root, "data 好客")}
	e.raised = &raised{
		Raised: Raised{Version: "1.2.3", Keys: []ed25519.PublicKey{public}, Now: func() time.Time { return then }},
		home:   filepath.Join(root, "home"), dir: filepath.Join(e.data, workFolder), id: raisedID, patience: 10 * time.Second,
	}
	must(t, errors.Join(os.MkdirAll(e.dir, 0o700), os.MkdirAll(e.home, 0o755), shutFolder(e.folder())))
	payload := filepath.Join(root, "payload.exe")
	program(t, e.exe(), spec{Version: "1.2.3", Start: "serve", Dir: e.data})
	program(t, payload, spec{Version: "1.3.0", Start: start, Dir: e.data})
	e.setup = spec{Payload: payload, To: e.exe()}
	program(t, e.download(), e.setup)
	must(t, os.WriteFile(filepath.Join(e.dir, planFile), []byte("{}"), 0o600))
	e.sign(t, nil)
	must(t, e.save(raisedState{ID: raisedID, At: raisedBegun, From: "1.2.3"}))
	return e
}

func (e *everybodys) exe() string      { return filepath.Join(e.home, "haoked.exe") }
func (e *everybodys) download() string { return filepath.Join(e.dir, setupFile) }

// sign writes the notice of what lies in the person's folder.
func (e *everybodys) sign(t *testing.T, change func(*Manifest)) {
	t.Helper()
	size, sum, err := measure(e.download())
	must(t, err)
	m := Manifest{Format: Format, Version: "1.3.0", Issued: then, Expires: then.Add(90 * 24 * time.Hour), Files: []File{
		{Program: "haoke", Kind: KindSetup, OS: "windows", Arch: runtime.GOARCH, URL: "setup.exe", Size: size, SHA256: sum},
	}}
	if change != nil {
		change(&m)
	}
	text := marshal(t, m)
	must(t, errors.Join(os.WriteFile(filepath.Join(e.dir, noticeFile), text, 0o600), os.WriteFile(filepath.Join(e.dir, noticeFile+".sig"), Sign(text, e.key), 0o600)))
}

// poison puts a program of the same size where the installer lies.
func (e *everybodys) poison(t *testing.T, path string) error {
	t.Helper()
	other := filepath.Join(filepath.Dir(e.evil), "other.exe")
	program(t, other, spec{Mark: e.evil})
	data, err := os.ReadFile(other)
	must(t, err)
	info, err := os.Stat(e.download())
	must(t, err)
	// Behind the mark is what a program does: fill up in front of it.
	at := bytes.LastIndex(data, []byte(specMark))
	if more := int(info.Size()) - len(data); more > 0 {
		data = append(append(append([]byte{}, data[:at]...), bytes.Repeat([]byte{0}, more)...), data[at:]...)
	}
	return os.WriteFile(path, data, 0o755)
}

func (e *everybodys) answers(t *testing.T, word string) {
	t.Helper()
	must(t, answer(e.dir, e.id, word))
}

// left fails unless this version is in place and the state is this.
func (e *everybodys) left(t *testing.T, version, at, fault string) {
	t.Helper()
	out, err := exec.Command(e.exe(), "version").Output()
	if err != nil || !strings.Contains(string(out), version) {
		t.Errorf("the program is %q (%v), want %s", out, err, version)
	}
	s, err := loadRaised(e.home)
	if err != nil || s.ID != e.id || s.At != at || !strings.Contains(s.Fault, fault) || fault == "" && s.Fault != "" {
		t.Errorf("%+v %v, want %s %q", s, err, at, fault)
	}
	if exists(e.evil) {
		t.Error("a program that the makers did not sign was run")
	}
}

// TestRaised: whatever lies in the person's folder, with an administrator's
// rights only the makers' installer is run.
func TestRaised(t *testing.T) {
	for name, c := range map[string]struct {
		spoil  func(t *testing.T, e *everybodys)
		proven func(t *testing.T, e *everybodys)
		answer string
		after  string // the version
		at     string
		fault  string
	}{
		"goes well":         {answer: answerServes, after: "1.3.0", at: raisedServes},
		"it does not serve": {answer: answerBack, after: "1.2.3", at: raisedBack, fault: "did not serve"},
		"exchanged between the proof and the start": {proven: func(t *testing.T, e *everybodys) {
			must(t, e.poison(t, e.download()))
			if runtime.GOOS != "windows" {
				return
			}
			held := filepath.Join(e.folder(), setupFile)
			for what, err := range map[string]error{"written": e.poison(t, held), "renamed": os.Rename(held, held+".old"), "removed": os.Remove(held)} {
				if err == nil {
					t.Errorf("the installer could be %s before it was started", what)
				}
			}
		}, answer: answerServes, after: "1.3.0", at: raisedServes},
		"exchanged before": {spoil: func(t *testing.T, e *everybodys) { must(t, e.poison(t, e.download())) }, after: "1.2.3", at: raisedBack, fault: ErrTampered.Error()},
		"another size":     {spoil: func(t *testing.T, e *everybodys) { program(t, e.download(), spec{Mark: e.evil}) }, after: "1.2.3", at: raisedBack, fault: ErrTampered.Error()},
		"no file": {spoil: func(t *testing.T, e *everybodys) {
			must(t, errors.Join(os.Remove(e.download()), os.Mkdir(e.download(), 0o700)))
		}, after: "1.2.3", at: raisedBack, fault: "copy the installer"},
		"a plan that names other programs": {spoil: func(t *testing.T, e *everybodys) {
			other := filepath.Join(e.data, "other.exe")
			program(t, other, spec{Mark: e.evil})
			sum, err := sumOf(other)
			must(t, err)
			p := Plan{Setup: other, SHA256: sum, SetupArgs: []string{"/S"}, Exe: other, Programs: []string{other}, Try: []string{"/S"}, Args: []string{"/S"}, Ask: "/S", Kept: true, Machine: true, ID: e.id}
			must(t, os.WriteFile(filepath.Join(e.dir, planFile), marshal(t, p), 0o600))
			must(t, keep([]string{other}, filepath.Join(e.dir, "previous")))
			must(t, os.Rename(filepath.Join(e.dir, "previous", "other.exe"), filepath.Join(e.dir, "previous", "haoked.exe")))
		}, answer: answerBack, after: "1.2.3", at: raisedBack, fault: "did not serve"},
		"unsigned": {spoil: func(t *testing.T, e *everybodys) {
			must(t, os.WriteFile(filepath.Join(e.dir, noticeFile+".sig"), nil, 0o600))
		}, after: "1.2.3", at: raisedBack, fault: ErrSignature.Error()},
		"signed by somebody": {spoil: func(t *testing.T, e *everybodys) {
			var err error
			_, e.key, err = ed25519.GenerateKey(nil)
			must(t, err)
			must(t, e.poison(t, e.download()))
			e.sign(t, nil)
		}, after: "1.2.3", at: raisedBack, fault: ErrSignature.Error()},
		"changed after it was signed": {spoil: func(t *testing.T, e *everybodys) {
			path := filepath.Join(e.dir, noticeFile)
			data, err := os.ReadFile(path)
			must(t, err)
			must(t, os.WriteFile(path, bytes.Replace(data, []byte("1.3.0"), []byte("1.4.0"), 1), 0o600))
		}, after: "1.2.3", at: raisedBack, fault: ErrSignature.Error()},
		"the same version": {spoil: func(t *testing.T, e *everybodys) { e.sign(t, func(m *Manifest) { m.Version = "1.2.3" }) }, after: "1.2.3", at: raisedBack, fault: ErrNothing.Error()},
		"an older version": {spoil: func(t *testing.T, e *everybodys) { e.sign(t, func(m *Manifest) { m.Version = "1.2.2" }) }, after: "1.2.3", at: raisedBack, fault: ErrNothing.Error()},
		"too far a step":   {spoil: func(t *testing.T, e *everybodys) { e.sign(t, func(m *Manifest) { m.From = "1.2.9" }) }, after: "1.2.3", at: raisedBack, fault: "in one step"},
		"expired": {spoil: func(t *testing.T, e *everybodys) {
			e.sign(t, func(m *Manifest) { m.Issued, m.Expires = then.Add(-48*time.Hour), then.Add(-time.Hour) })
		}, after: "1.2.3", at: raisedBack, fault: ErrExpired.Error()},
		"an older notice than one before": {spoil: func(t *testing.T, e *everybodys) {
			must(t, e.save(raisedState{ID: raisedID, At: raisedBegun, From: "1.2.3", Seen: then.Add(time.Hour)}))
		}, after: "1.2.3", at: raisedBack, fault: ErrReplay.Error()},
		"a notice without end": {spoil: func(t *testing.T, e *everybodys) {
			must(t, os.WriteFile(filepath.Join(e.dir, noticeFile), make([]byte, maxManifest+1), 0o600))
		}, after: "1.2.3", at: raisedBack, fault: "not a file of at most"},
		"a tar is no installer": {spoil: func(t *testing.T, e *everybodys) { e.sign(t, func(m *Manifest) { m.Files[0].Kind = KindTar }) }, after: "1.2.3", at: raisedBack, fault: ErrTampered.Error()},
		"called off":            {spoil: func(t *testing.T, e *everybodys) { e.answers(t, answerBack) }, after: "1.2.3", at: raisedBack, fault: errStopped.Error()},
		"the plan is gone": {spoil: func(t *testing.T, e *everybodys) {
			must(t, os.Remove(filepath.Join(e.dir, planFile)))
		}, after: "1.2.3", at: raisedBack, fault: errStopped.Error()},
		"the installer fails half way": {spoil: func(t *testing.T, e *everybodys) {
			e.setup.Fail = true
			program(t, e.download(), e.setup)
			e.sign(t, nil)
		}, after: "1.2.3", at: raisedBack, fault: "did not get through"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEverybodys(t, "serve")
			if c.spoil != nil {
				c.spoil(t, e)
			}
			e.proven = func() {
				if c.proven != nil {
					c.proven(t, e)
				}
				if c.answer != "" {
					e.answers(t, c.answer)
				}
			}
			_ = e.carryOut(t.Context(), orderInstall) // the state says it
			e.left(t, c.after, c.at, c.fault)
			if exists(e.kept()) || exists(filepath.Join(e.folder(), setupFile)) {
				t.Error("the installer or the programs from before are left")
			}
		})
	}
}

// TestRaisedKeepsToItself: what is put back is what was kept, and nothing when
// that was damaged or nothing is under way.
func TestRaisedKeepsToItself(t *testing.T) {
	e := newEverybodys(t, "serve")
	must(t, keep(e.programs(), e.kept()))
	kept, err := sums(e.kept())
	must(t, err)
	program(t, e.exe(), spec{Version: "1.3.0"})
	s := raisedState{ID: raisedID, At: raisedInstalled, From: "1.2.3", To: "1.3.0", Kept: kept}
	must(t, e.save(s))
	must(t, os.WriteFile(filepath.Join(e.kept(), "haoked.exe"), []byte("half"), 0o755))
	if err := e.carryOut(t.Context(), orderBack); err == nil || !strings.Contains(err.Error(), "is gone") {
		t.Error(err)
	}
	e.left(t, "1.3.0", raisedFailed, "is gone")
	s.At = raisedServes
	must(t, e.save(s))
	if err := e.carryOut(t.Context(), orderBack); err == nil {
		t.Error("put back although nothing is under way")
	}
	if err := e.stepAside(e.exe(), orderBack); err == nil {
		t.Error("put back although nothing is under way")
	}
	e.left(t, "1.3.0", raisedFailed, "no version from before")
}

func TestRaisedOrders(t *testing.T) {
	dir := folder(t)
	must(t, orderly(orderInstall, dir, raisedID))
	for name, c := range map[string][3]string{
		"order": {"run", dir, raisedID}, "relative": {orderBack, "x", raisedID}, "another machine": {orderBack, "//host/share", raisedID},
		"short id": {orderBack, dir, "ABC"}, "id with a path": {orderBack, dir, `..\..\AAAAAAAAAAAAAAAAAA`},
	} {
		if err := orderly(c[0], c[1], c[2]); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	// This program is not the installed one.
	if err := RunRaised(t.Context(), Raised{Version: "1.2.3"}, orderInstall, dir, raisedID); err == nil {
		t.Error("a program that is not the installed one was taken")
	}
}

// TestPlanForEverybody: the person's side and the administrator's together,
// each with programs that really run.
func TestPlanForEverybody(t *testing.T) {
	declined := errors.New("declined")
	for name, c := range map[string]struct {
		start   string
		cut     bool
		decline bool
		forged  bool
		version string
		started string
		fault   string
		asked   int
	}{
		"serves":            {start: "serve", version: "1.3.0", started: "1.3.0"},
		"dies":              {start: "die", version: "1.2.3", started: "1.3.0 1.2.3", fault: "it ended before it served"},
		"forged":            {start: "serve", forged: true, version: "1.2.3", started: "1.2.3", fault: ErrSignature.Error()},
		"cut off":           {start: "serve", cut: true, version: "1.2.3", started: "1.2.3", fault: errCut.Error(), asked: 1},
		"cut off, declined": {start: "hang", cut: true, decline: true, version: "1.3.0", started: "1.3.0", fault: "declined", asked: 1},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEverybodys(t, c.start)
			p := Plan{
				Data: e.data, From: "1.2.3", To: "1.3.0", Setup: e.download(), SHA256: "of no importance", Programs: e.programs(), Exe: e.exe(),
				Try: []string{"serve"}, Args: []string{"again"}, Ask: "version", Ready: 10 * time.Second, Settle: time.Second, Machine: true, ID: e.id, Kept: c.cut,
			}
			path := filepath.Join(e.dir, planFile)
			must(t, os.WriteFile(path, marshal(t, p), 0o600))
			ended := make(chan error, 2)
			side := func(r raised, order string) { ended <- r.carryOut(context.Background(), order) }
			switch {
			case c.cut: // after the installer, with nobody left
				must(t, keep(e.programs(), e.kept()))
				kept, err := sums(e.kept())
				must(t, err)
				must(t, exec.Command(e.download(), "/S").Run())
				must(t, e.save(raisedState{ID: e.id, At: raisedInstalled, From: "1.2.3", To: "1.3.0", Kept: kept}))
			case c.forged:
				must(t, os.WriteFile(filepath.Join(e.dir, noticeFile+".sig"), []byte("x"), 0o600))
				fallthrough
			default:
				go side(*e.raised, orderInstall)
			}
			asked := 0
			err := runPlan(t.Context(), path, func() time.Time { return then }, func(order, dir, id string) error {
				asked++
				if c.decline {
					return declined
				}
				r := *e.raised
				r.id, e.id = id, id
				s, err := loadRaised(r.home)
				if err != nil || order != orderBack || dir != r.dir {
					t.Errorf("asked for %s in %s: %v", order, dir, err)
				}
				s.ID = id
				must(t, r.save(s))
				go side(r, order)
				return nil
			})
			if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) || asked != c.asked {
				t.Fatalf("%v, asked %d times", err, asked)
			}
			if !c.decline {
				<-ended
			}
			if c.decline {
				must(t, endRunning(e.exe()))
				return
			}
			p.at(t, c.version, c.started, c.fault)
			if exists(path) || atNextSignIn(t) != "" {
				t.Error("the plan is left")
			}
		})
	}
}
