package update

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Plan is what a watcher carries out while the program itself is not running:
// an installer cannot replace a running program, and a program that does not
// start cannot put its predecessor back.
type Plan struct {
	Data      string   `json:"data"` // the data folder
	From      string   `json:"from"`
	To        string   `json:"to"`
	Setup     string   `json:"setup"` // the installer's file
	SHA256    string   `json:"sha256"`
	SetupArgs []string `json:"setup_args"`
	Programs  []string `json:"programs"` // files that the installer replaces
	Exe       string   `json:"exe"`      // what is tried, and started in the end
	Try       []string `json:"try"`
	Args      []string `json:"args"`
	Ask       string   `json:"ask"` // what makes Exe tell its version
	// Aside starts the program without the watcher's rights.
	Aside bool `json:"aside,omitempty"`
	// Ready is how long the new version may take to become ready.
	Ready time.Duration `json:"ready"`
	// Settle is how long a program that was started may need until it is seen
	// to run; 0: 15 s.
	Settle time.Duration `json:"settle,omitempty"`
	// Kept: the programs from before are copied, so that from here on they can
	// be, and after a cut are, put back.
	Kept bool `json:"kept,omitempty"`
}

const (
	planFile = "plan.json"
	// waitProgram bounds how long the watcher waits for the program's end,
	// setupTime how long the installer may take.
	waitProgram = 2 * time.Minute
	setupTime   = 15 * time.Minute
)

// setup runs an installer by way of a watcher: a copy of this program.
func (j *job) setup(ctx context.Context) error {
	dir := filepath.Join(j.u.Dir, workFolder)
	if err := removeAll(dir); err != nil {
		return fmt.Errorf("make room for the update: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make room for the update: %w", err)
	}
	file := filepath.Join(dir, "setup.exe")
	if err := j.fetch(ctx, dir, file); err != nil {
		removeAll(dir)
		return err
	}
	install := filepath.Dir(j.u.Installed.Exe)
	p := Plan{
		Data: j.u.Dir, From: j.u.Version, To: j.m.Version, Setup: file, SHA256: j.f.SHA256, SetupArgs: []string{"/S", "/NOWEBVIEW", "/CURRENTUSER", "/WAIT=60"},
		Programs: []string{filepath.Join(install, "haoke.exe"), filepath.Join(install, "haoked.exe")},
		Exe:      j.u.Installed.Exe, Args: j.u.Args, Ask: "version", Ready: j.u.Ready, Aside: j.u.Installed.Machine,
	}
	if j.u.Installed.Program == "haoke" {
		p.Ask = "--version"
	}
	if j.u.Installed.Machine {
		p.SetupArgs[2] = "/ALLUSERS"
	}
	return j.rehearse(ctx, func(args []string) error {
		p.Try = args
		watcher := filepath.Join(dir, "watch.exe")
		// The one without a window, where it is: it starts on any machine.
		source := filepath.Join(install, "haoked.exe")
		if !exists(source) {
			source = j.u.Installed.Exe
		}
		if err := copyProgram(source, watcher); err != nil {
			return err
		}
		data, err := json.Marshal(p)
		if err != nil {
			return err
		}
		plan := filepath.Join(dir, planFile)
		if err := writeFile(plan, data); err != nil {
			return fmt.Errorf("write the update's plan: %w", err)
		}
		if err := detach(watcher, []string{"update-run", plan}, j.u.Installed.Machine); err != nil {
			return fmt.Errorf("start the update: %w", err)
		}
		j.u.stage(StageRestarting)
		j.machine.Restart("")
		return nil
	})
}

// RunPlan is the watcher's work: wait for the program's end, run the installer,
// start the new version on the copy of the data, then for good, and wait until
// it serves. When any of it fails the programs from before are put back and
// started. The owner finds the outcome on the page. A plan that was begun before
// and cut off (the power went) is given up in the same way.
func RunPlan(ctx context.Context, path string, now func() time.Time) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the update's plan: %w", err)
	}
	var p Plan
	if err := json.Unmarshal(data, &p); err != nil {
		return fmt.Errorf("read the update's plan: %w", err)
	}
	kept := filepath.Join(filepath.Dir(path), "previous")
	fault := p.carryOut(ctx, path, kept, now)
	var noted error
	if fault != nil {
		o := Outcome{From: p.From, To: p.To, Fault: fault.Error(), At: now().UTC()}
		noted = change(p.Data, func(m *memory) { m.Last = &o })
		fault = errors.Join(fault, start(p.Exe, p.Args, p.Aside))
	}
	_ = removeAll(filepath.Join(filepath.Dir(path), "trial")) // what is still open goes at the next start
	_ = os.Remove(p.Setup)
	_ = os.Remove(path)
	return errors.Join(fault, noted, atSignIn("", nil, p.Aside))
}

// carryOut returns nil when the new version serves; on an error the programs
// from before are in their places, and none of them runs.
func (p *Plan) carryOut(ctx context.Context, path, kept string, now func() time.Time) error {
	if p.Kept {
		return p.takeUp(ctx, kept)
	}
	if err := p.prepare(ctx, path, kept); err != nil {
		return err
	}
	err := p.install(ctx)
	if err == nil {
		err = change(p.Data, func(m *memory) {
			m.Pending = &pending{From: p.From, To: p.To, Exe: p.Exe, At: now().UTC(), Watched: true}
		})
	}
	if err == nil {
		err = p.serve(ctx)
	}
	return p.undo(ctx, kept, err)
}

// prepare copies the programs, and sees to it that a power cut is no end.
func (p *Plan) prepare(ctx context.Context, path, kept string) error {
	if err := p.waitFree(ctx); err != nil {
		return err
	}
	if err := proveSum(p.Setup, p.SHA256); err != nil {
		return fmt.Errorf("the installer was changed on the disk: %w", err)
	}
	if err := p.keep(kept); err != nil {
		return fmt.Errorf("keep the previous version: %w", err)
	}
	p.Kept = true
	data, err := json.Marshal(p)
	if err == nil {
		err = writeFile(path, data)
	}
	if err != nil {
		return fmt.Errorf("write the update's plan: %w", err)
	}
	watcher, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	return atSignIn(watcher, []string{"update-run", path}, p.Aside)
}

func (p *Plan) keep(kept string) error {
	if err := os.MkdirAll(kept, 0o700); err != nil {
		return err
	}
	for _, name := range p.Programs {
		if !exists(name) {
			continue
		}
		to := filepath.Join(kept, filepath.Base(name))
		if err := os.Remove(to); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err := copyProgram(name, to); err != nil {
			return err
		}
	}
	return nil
}

// serve starts the new version for good and waits until it serves.
func (p *Plan) serve(ctx context.Context) error {
	if err := start(p.Exe, p.Args, p.Aside); err != nil {
		return fmt.Errorf("start the new version: %w", err)
	}
	settled := time.NewTimer(p.settle())
	defer settled.Stop()
	var fault error
	ok, err := wait(ctx, p.Ready, func() (bool, error) {
		m, err := loadMemory(p.Data)
		switch {
		case errors.Is(err, os.ErrPermission): // Windows, while the file is being replaced
			return false, nil
		case err != nil:
			return false, err
		case m.Pending == nil:
			return true, nil
		case m.Pending.Fault != "":
			fault = errors.New(m.Pending.Fault)
			return true, nil
		}
		select {
		case <-settled.C: // time enough to be seen
			settled.Reset(lookEvery)
			if free(p.Exe) {
				fault = errors.New("it ended before it served")
			}
		default:
		}
		return fault != nil, nil
	})
	switch {
	case err != nil:
		return err
	case !ok:
		fault = fmt.Errorf("it did not serve within %v", p.Ready)
	}
	return fault
}

func (p *Plan) settle() time.Duration {
	if p.Settle > 0 {
		return p.Settle
	}
	return 15 * time.Second
}

// takeUp ends a plan that was cut off. A version that was started by hand in
// the meantime and serves stays.
func (p *Plan) takeUp(ctx context.Context, kept string) error {
	served := false
	if _, err := wait(ctx, p.Ready, func() (bool, error) {
		m, err := loadMemory(p.Data)
		if err == nil && m.Last != nil && m.Last.OK && m.Last.To == p.To && m.Pending == nil {
			served = true
		}
		return served || free(p.Exe), nil
	}); err != nil || served {
		return err
	}
	return p.undo(ctx, kept, errCut)
}

// undo puts the programs from before back because of a fault; nil: there is
// nothing to undo.
func (p *Plan) undo(ctx context.Context, kept string, fault error) error {
	if fault == nil {
		return nil
	}
	err := endPrograms(p.Programs)
	if err == nil {
		err = p.waitFree(ctx)
	}
	if err == nil {
		err = p.putBack(kept)
	}
	if err == nil {
		// The data is put back at the old version's start.
		err = change(p.Data, func(m *memory) {
			if m.Pending != nil && m.Pending.Fault == "" {
				m.Pending.Fault = fault.Error()
			}
		})
	}
	if err != nil {
		return fmt.Errorf("%w; and the previous version could not be put back: %w", fault, err)
	}
	return fault
}

func (p *Plan) install(ctx context.Context) error {
	setup, cancel := context.WithTimeout(ctx, setupTime)
	defer cancel()
	cmd := exec.CommandContext(setup, p.Setup, p.SetupArgs...)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the installer did not get through: %w", err)
	}
	program := "haoked"
	if p.Ask == "--version" {
		program = "haoke"
	}
	u := New(Config{Installed: Installed{Program: program}, Ready: p.Ready})
	return u.try(ctx, p.Exe, p.To, p.Try)
}

// putBack copies the programs from before to their places.
func (p *Plan) putBack(kept string) error {
	for _, name := range p.Programs {
		from := filepath.Join(kept, filepath.Base(name))
		if !exists(from) || same(from, name) {
			continue // the installer never came to it
		}
		fresh := name + ".back"
		if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err := copyProgram(from, fresh); err != nil {
			return err
		}
		if err := unswap(name, fresh); err != nil {
			return err
		}
	}
	return noteVersion(p.From)
}

// same reports whether two files are one program.
func same(a, b string) bool {
	sum, err := sumOf(a)
	return err == nil && proveSum(b, sum) == nil
}

// waitFree waits until none of the programs runs.
func (p *Plan) waitFree(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, waitProgram)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		busy := ""
		for _, name := range p.Programs {
			if exists(name) && !free(name) {
				busy = name
			}
		}
		if busy == "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is still running", busy)
		case <-tick.C:
		}
	}
}

// free reports whether a program's file could be changed: one that runs cannot.
func free(name string) bool {
	if pids, err := whoRuns(name); err == nil && len(pids) > 0 {
		return false
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return false
	}
	f.Close()
	return true
}

// endPrograms ends whoever runs one of these files.
func endPrograms(files []string) error {
	for _, f := range files {
		pids, err := whoRuns(f)
		if err != nil {
			return err
		}
		for _, pid := range pids {
			if err := end(pid); err != nil {
				return fmt.Errorf("end %s: %w", f, err)
			}
		}
	}
	return nil
}
