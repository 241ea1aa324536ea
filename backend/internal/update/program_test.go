package update

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// spec is what a copy of this test's program does when it is run: it lies
// behind the program's own bytes, so that real programs are started, replaced
// while they run, and ended, on every system.
type spec struct {
	Version string
	Start   string // when started for good: "serve", "die", "hang", "fail"
	Dir     string // the data folder
	Payload string // of an installer: what it puts
	To      string // ... where
	Mark    string // ... a file that tells that it ran
	Fail    bool   // ... it spoils what is there and fails
}

const specMark = "\n#haoke-test-program#"

func TestMain(m *testing.M) {
	if s, ok := ownSpec(); ok {
		os.Exit(s.run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

func ownSpec() (s spec, ok bool) {
	exe, err := os.Executable()
	if err != nil {
		return s, false
	}
	f, err := os.Open(exe)
	if err != nil {
		return s, false
	}
	defer f.Close()
	tail := make([]byte, 4096)
	if _, err := f.Seek(-int64(len(tail)), io.SeekEnd); err != nil {
		return s, false
	}
	if _, err := io.ReadFull(f, tail); err != nil {
		return s, false
	}
	at := bytes.LastIndex(tail, []byte(specMark))
	return s, at >= 0 && json.Unmarshal(tail[at+len(specMark):], &s) == nil
}

func (s *spec) run(args []string) int {
	switch {
	case len(args) == 0:
	case args[0] == "version":
		fmt.Println("haoked", s.Version, "(test)")
	case args[0] == "/S":
		if s.Mark != "" && os.WriteFile(s.Mark, []byte("ran"), 0o600) != nil {
			return 65
		}
		if s.To == "" {
			return 0
		}
		if err := os.Remove(s.To); err != nil {
			return 66
		}
		if s.Fail {
			os.WriteFile(s.To, []byte("junk"), 0o755)
			return 3
		}
		if err := copyProgram(s.Payload, s.To); err != nil {
			return 67
		}
	case args[0] == "update-run":
		if err := RunPlan(context.Background(), args[1], time.Now); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	case args[0] == "again":
		return s.serve()
	}
	return 0
}

// serve is a start for good.
func (s *spec) serve() int {
	f, err := os.OpenFile(startedNote(s.Dir), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 1
	}
	fmt.Fprintln(f, s.Version)
	f.Close()
	none := func(time.Time) error { return nil }
	if err := Starting(s.Dir, s.Version, then, none); err != nil {
		return 1
	}
	switch s.Start {
	case "serve":
		if Serving(s.Dir, s.Version, then) != nil {
			return 1
		}
	case "die":
		return 3
	case "fail": // and a window stays that shows it
		if Failed(s.Dir, s.Version, then, fmt.Errorf("schema 9: boom"), none) != nil {
			return 1
		}
		time.Sleep(time.Minute)
	case "hang":
		time.Sleep(time.Minute)
	}
	return 0
}

// program makes a copy of this test's program that does what s says.
func program(t *testing.T, path string, s spec) {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	data, err := os.ReadFile(self)
	must(t, err)
	data = append(append(data, specMark...), marshal(t, s)...)
	must(t, os.WriteFile(path, data, 0o755))
}

// folder is t.TempDir also where os.RemoveAll does not work (Wine).
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "haoke-update-")
	must(t, err)
	t.Cleanup(func() {
		if ok, _ := wait(context.Background(), 10*time.Second, func() (bool, error) { return removeAll(dir) == nil, nil }); !ok {
			t.Errorf("%s is still in use", dir)
		}
	})
	return dir
}

// planned is an installation of 1.2.3 with a plan for 1.3.0, whose installer
// and programs are real ones.
func planned(t *testing.T, start string, ready time.Duration) (p Plan, path string) {
	t.Helper()
	root := folder(t)
	dir := filepath.Join(root, "data 好客")
	work := filepath.Join(dir, workFolder)
	must(t, os.MkdirAll(work, 0o700))
	exe, payload := filepath.Join(root, "haoked.exe"), filepath.Join(root, "payload.exe")
	program(t, exe, spec{Version: "1.2.3", Start: "serve", Dir: dir})
	program(t, payload, spec{Version: "1.3.0", Start: start, Dir: dir})
	p = Plan{Data: dir, From: "1.2.3", To: "1.3.0", Setup: filepath.Join(work, "setup.exe"), SetupArgs: []string{"/S"}, Programs: []string{exe},
		Exe: exe, Try: []string{"serve"}, Args: []string{"again"}, Ask: "version", Ready: ready, Settle: time.Second}
	program(t, p.Setup, spec{Payload: payload, To: exe})
	sum, err := sumOf(p.Setup)
	must(t, err)
	p.SHA256 = sum
	path = filepath.Join(work, planFile)
	must(t, os.WriteFile(path, marshal(t, p), 0o600))
	return p, path
}

func (p *Plan) at(t *testing.T, version, started, fault string) {
	t.Helper()
	starts(t, p.Data, started)
	out, err := exec.Command(p.Exe, "version").Output()
	if err != nil || !strings.Contains(string(out), version) {
		t.Errorf("the program is %q (%v), want %s", out, err, version)
	}
	var m memory
	if over, err := wait(t.Context(), 20*time.Second, func() (bool, error) { // the start that was seen goes on
		m, err = loadMemory(p.Data)
		return err == nil && m.Pending == nil, nil
	}); !over || err != nil || m.Last == nil || m.Last.OK != (fault == "") || !strings.Contains(m.Last.Fault, fault) {
		t.Errorf("%+v %+v %v", m.Pending, m.Last, err)
	}
}

// TestPlanWithRealPrograms: what a plan's watcher does when the new version
// does not serve, with programs that run and are in each other's way.
func TestPlanWithRealPrograms(t *testing.T) {
	for _, c := range []struct {
		start, version, started, fault string
		windows                        bool // elsewhere nothing ends what an installer left running
	}{
		{start: "serve", version: "1.3.0", started: "1.3.0"},
		{start: "die", version: "1.2.3", started: "1.3.0 1.2.3", fault: "it ended before it served"},
		{start: "hang", version: "1.2.3", started: "1.3.0 1.2.3", fault: "it did not serve within", windows: true},
		{start: "fail", version: "1.2.3", started: "1.3.0 1.2.3", fault: "schema 9: boom", windows: true},
	} {
		t.Run(c.start, func(t *testing.T) {
			if c.windows && runtime.GOOS != "windows" {
				t.Skip("for Windows (wine)")
			}
			p, path := planned(t, c.start, 10*time.Second)
			if err := RunPlan(t.Context(), path, time.Now); (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
				t.Fatalf("%v, want %q", err, c.fault)
			}
			p.at(t, c.version, c.started, c.fault)
			if atNextSignIn(t) != "" {
				t.Error("the note for the next sign-in is left")
			}
		})
	}
}

// TestPlanIsCutOff: the watcher and the new version are killed while that one
// starts. What the next sign-in starts puts the version from before back.
func TestPlanIsCutOff(t *testing.T) {
	p, path := planned(t, "hang", time.Minute)
	watch := filepath.Join(folder(t), "watch.exe")
	program(t, watch, spec{})
	cmd := exec.Command(watch, "update-run", path)
	must(t, cmd.Start())
	starts(t, p.Data, "1.3.0")
	if ok, err := wait(t.Context(), 10*time.Second, func() (bool, error) {
		m, err := loadMemory(p.Data)
		return err == nil && m.Pending != nil && m.Pending.Starts == 1, nil
	}); !ok || err != nil {
		t.Fatal("the new version did not note its start", err)
	}
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	must(t, endRunning(p.Exe))
	words := []string{watch, "update-run", path}
	if runtime.GOOS == "windows" {
		if line := atNextSignIn(t); !strings.Contains(line, watch) || !strings.Contains(line, path) {
			t.Fatalf("at the next sign-in: %q", line)
		}
	}
	out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), errCut.Error()) {
		t.Errorf("%v %s", err, out)
	}
	p.at(t, "1.2.3", "1.3.0 1.2.3", errCut.Error())
	if atNextSignIn(t) != "" {
		t.Error("the note for the next sign-in is left")
	}
}
