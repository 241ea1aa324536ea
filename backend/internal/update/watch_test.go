package update

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// serving is what a program's start does to the data folder when it serves. The
// file is there whole or not at all, as the program itself writes it.
func serving(dir, version string) string {
	note, file := `{"last":{"from":"1.2.3","to":"`+version+`","ok":true,"at":"2026-03-01T12:00:00Z"}}`, filepath.Join(dir, memoryFile)
	return "printf '%s' '" + note + "' > '" + file + ".new' && mv '" + file + ".new' '" + file + "'\n"
}

// startedNote is where a program of these tests says that it was started.
func startedNote(dir string) string { return filepath.Join(dir, "started") }

// again is a program that says so when it is started for good, then does more.
func again(dir, version, more string) string {
	return script(version, "if [ \"$1\" = again ]; then echo "+version+" >> '"+startedNote(dir)+"'\n"+more+"\nfi\nexit 0")
}

// starts waits until the programs that were started for good are these.
func starts(t *testing.T, dir, want string) {
	t.Helper()
	got := ""
	if ok, _ := wait(t.Context(), 20*time.Second, func() (bool, error) {
		data, _ := os.ReadFile(startedNote(dir))
		got = strings.Join(strings.Fields(string(data)), " ")
		return got == want, nil
	}); !ok {
		t.Errorf("started: %q, want %q", got, want)
	}
}

// TestPlan carries an installer's plan out with an installer that is a script.
func TestPlan(t *testing.T) {
	install := func(body string) string { return "#!/bin/sh\n[ \"$1\" = /S ] || exit 9\n" + body + "\n" }
	put := func(s *shop, program string) string {
		return install("cat > '" + s.exe + "' <<'X'\n" + program + "X\n")
	}
	for name, c := range map[string]struct {
		setup   func(s *shop) string
		spoil   func(s *shop, p *Plan)
		want    string // the fault; "": none
		started string
	}{
		"goes well": {setup: func(s *shop) string { return put(s, again(s.Dir, "1.3.0", serving(s.Dir, "1.3.0"))) }, started: "1.3.0"},
		"the installer fails": {
			setup: func(s *shop) string { return install("echo junk > '" + s.exe + "'; exit 67") }, want: "did not get through", started: "1.2.3",
		},
		"the new one does not start": {setup: func(s *shop) string { return put(s, script("1.3.0", "exit 3")) }, want: "did not become ready", started: "1.2.3"},
		"the installer is exchanged": {setup: func(*shop) string { return install("exit 0") }, spoil: func(_ *shop, p *Plan) {
			os.WriteFile(p.Setup, []byte("#!/bin/sh\nexit 0\n# evil"), 0o755)
		}, want: "changed on the disk", started: "1.2.3"},
		"the new one dies when it is started for good": {
			setup: func(s *shop) string { return put(s, again(s.Dir, "1.3.0", "kill -9 $$")) }, want: "ended before it served", started: "1.3.0 1.2.3",
		},
		"the new one says what is wrong": {
			setup: func(s *shop) string {
				fault := `sed -i 's/"watched": true/"watched": true, "fault": "schema 9: boom"/' '` + filepath.Join(s.Dir, memoryFile) + "'; sleep 5"
				return put(s, again(s.Dir, "1.3.0", fault))
			}, want: "schema 9: boom", started: "1.3.0 1.2.3",
		},
		"cut off after the programs were replaced": {setup: func(s *shop) string { return install("exit 1") }, spoil: func(s *shop, p *Plan) {
			kept := filepath.Join(s.Dir, workFolder, "previous")
			if os.MkdirAll(kept, 0o700) == nil && os.Rename(s.exe, filepath.Join(kept, "haoked")) == nil {
				os.WriteFile(s.exe, []byte(script("1.3.0", "exit 1")), 0o755)
			}
			p.Kept = true
		}, want: errCut.Error(), started: "1.2.3"},
		"cut off, and the new one serves since": {setup: func(s *shop) string { return install("exit 1") }, spoil: func(s *shop, p *Plan) {
			os.WriteFile(s.exe, []byte(script("1.3.0", "exit 0")), 0o755)
			change(s.Dir, func(m *memory) { m.Last = &Outcome{To: "1.3.0", OK: true} })
			p.Kept = true
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			must(t, os.WriteFile(s.exe, []byte(again(s.Dir, "1.2.3", "")), 0o755))
			work := filepath.Join(s.Dir, workFolder)
			must(t, os.MkdirAll(work, 0o700))
			p := Plan{Data: s.Dir, From: "1.2.3", To: "1.3.0", Setup: filepath.Join(work, "setup.exe"), SetupArgs: []string{"/S"}, Programs: []string{s.exe, s.exe + "-none"},
				Exe: s.exe, Try: []string{"serve"}, Args: []string{"again"}, Ask: "version", Ready: 10 * time.Second, Settle: time.Second}
			must(t, os.WriteFile(p.Setup, []byte(c.setup(s)), 0o755))
			sum, err := sumOf(p.Setup)
			must(t, err)
			p.SHA256 = sum
			if c.spoil != nil {
				c.spoil(s, &p)
			}
			plan := filepath.Join(work, planFile)
			must(t, os.WriteFile(plan, marshal(t, p), 0o600))
			err = RunPlan(context.Background(), plan, func() time.Time { return then })
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v; want %q", err, c.want)
			}
			o := s.State().Last
			if o == nil || o.OK != (c.want == "") || o.To != "1.3.0" || !strings.Contains(o.Fault, c.want) {
				t.Fatalf("outcome: %+v", o)
			}
			want := "1.2.3"
			if c.want == "" {
				want = "1.3.0"
			}
			s.runs(t, want)
			starts(t, s.Dir, c.started)
			if exists(p.Setup) || exists(plan) {
				t.Error("the installer or the plan is left")
			}
		})
	}
}

// TestWatch: whatever becomes of the new version, some version serves in the
// end, and not two. The processes are real ones.
func TestWatch(t *testing.T) {
	for name, c := range map[string]struct {
		then    func(s *shop, p *exec.Cmd) // what becomes of the new version
		started string
		fault   string
	}{
		"it serves":                            {then: func(s *shop, _ *exec.Cmd) { Serving(s.Dir, "1.3.0", then) }},
		"it dies":                              {then: func(_ *shop, p *exec.Cmd) { p.Process.Kill(); p.Wait() }, started: "1.2.3", fault: "it ended before it served"},
		"it dies and nobody asks for its code": {then: func(_ *shop, p *exec.Cmd) { p.Process.Kill() }, started: "1.2.3", fault: "it ended before it served"},
		"it hangs":                             {then: func(*shop, *exec.Cmd) {}, started: "1.2.3", fault: "it did not serve within"},
		"it fails and goes back by itself": {then: func(s *shop, p *exec.Cmd) {
			Failed(s.Dir, "1.3.0", then, fmt.Errorf("boom"), func(time.Time) error { return nil })
			p.Process.Kill()
			p.Wait()
		}},
		"it is stopped": {then: func(s *shop, p *exec.Cmd) { Interrupted(s.Dir, "1.3.0"); p.Process.Kill(); p.Wait() }},
		"a service manager is there": {then: func(s *shop, p *exec.Cmd) {
			p.Process.Kill()
			p.Wait()
			Starting(s.Dir, "1.2.3", then, func(time.Time) error { return nil })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			must(t, os.WriteFile(s.exe, []byte(again(s.Dir, "1.2.3", "")), 0o755))
			must(t, os.WriteFile(s.exe+nextName, []byte(script("1.3.0", "sleep 60")), 0o755))
			p := exec.Command("sleep", "60")
			must(t, p.Start())
			defer func() { p.Process.Kill(); p.Wait() }()
			must(t, change(s.Dir, func(m *memory) {
				m.Pending = &pending{From: "1.2.3", To: "1.3.0", Exe: s.exe, Next: s.exe + nextName, Previous: s.exe + ".previous", At: then, PID: p.Process.Pid, Args: []string{"again"}, Ready: 500 * time.Millisecond}
			}))
			ended := make(chan error, 1)
			go func() { ended <- watcher{handOver: 2 * time.Second, manager: time.Second}.run(t.Context(), s.Dir) }()
			time.Sleep(2 * lookEvery) // it has looked at least once; a later look changes nothing
			c.then(s, p)
			must(t, <-ended)
			starts(t, s.Dir, c.started)
			if c.fault == "" {
				return
			}
			if m, err := loadMemory(s.Dir); err != nil || m.Pending == nil || !strings.Contains(m.Pending.Fault, c.fault) {
				t.Errorf("%+v %v", m.Pending, err)
			}
			must(t, Starting(s.Dir, "1.2.3", then, func(time.Time) error { return nil }))
			s.told(t, c.fault)
		})
	}
	if err := Watch(t.Context(), t.TempDir()); err != nil {
		t.Errorf("where nothing is under way: %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
