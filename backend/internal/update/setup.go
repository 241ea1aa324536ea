package update

import (
	"context"
	"crypto/rand"
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
	// Machine: the programs are everybody's, so that a Raised installs them and
	// puts them back; ID is what it is asked by.
	Machine bool   `json:"machine,omitempty"`
	ID      string `json:"id,omitempty"`
	// Ready is how long the new version may take to become ready.
	Ready time.Duration `json:"ready"`
	// Settle is how long a program that was started may need until it is seen
	// to run; 0: 15 s.
	Settle time.Duration `json:"settle,omitempty"`
	// Kept: the programs from before are copied, so that from here on they can
	// be, and after a cut are, put back.
	Kept bool `json:"kept,omitempty"`

	// raise asks the person for an administrator's rights and starts a Raised;
	// nil: the installed program.
	raise func(order, dir, id string) error
	path  string // where the plan lies
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
	file := filepath.Join(dir, setupFile)
	if err := j.fetch(ctx, dir, file); err != nil {
		removeAll(dir)
		return err
	}
	install := filepath.Dir(j.u.Installed.Exe)
	p := Plan{
		Data: j.u.Dir, From: j.u.Version, To: j.m.Version, Setup: file, SHA256: j.f.SHA256, SetupArgs: []string{"/S", "/NOWEBVIEW", "/CURRENTUSER", "/WAIT=60"},
		Programs: []string{filepath.Join(install, "haoke.exe"), filepath.Join(install, "haoked.exe")},
		Exe:      j.u.Installed.Exe, Args: j.u.Args, Ask: "version", Ready: j.u.Ready, Machine: j.u.Installed.Machine,
	}
	if j.u.Installed.Program == "haoke" {
		p.Ask = "--version"
	}
	if j.u.Installed.Machine {
		p.ID = rand.Text()
		if err := j.layNotice(dir); err != nil {
			removeAll(dir)
			return err
		}
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
		if p.Machine { // first, since the person may say no
			if err := raiseInstalled(orderInstall, dir, p.ID); err != nil {
				return fmt.Errorf("start the update with an administrator's rights: %w", err)
			}
		}
		if err := detach(watcher, []string{"update-run", plan}); err != nil {
			return errors.Join(fmt.Errorf("start the update: %w", err), answer(dir, p.ID, answerBack))
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
	return runPlan(ctx, path, now, raiseInstalled)
}

func runPlan(ctx context.Context, path string, now func() time.Time, raise func(order, dir, id string) error) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the update's plan: %w", err)
	}
	p := Plan{raise: raise, path: path}
	if err := json.Unmarshal(data, &p); err != nil {
		return fmt.Errorf("read the update's plan: %w", err)
	}
	kept := filepath.Join(filepath.Dir(path), "previous")
	fault := p.carryOut(ctx, kept, now)
	var noted error
	if fault != nil {
		o := Outcome{From: p.From, To: p.To, Fault: fault.Error(), At: now().UTC()}
		noted = change(p.Data, func(m *memory) { m.Last = &o })
		fault = errors.Join(fault, detach(p.Exe, p.Args))
	}
	_ = removeAll(filepath.Join(filepath.Dir(path), "trial")) // what is still open goes at the next start
	_ = os.Remove(p.Setup)
	_ = os.Remove(path)
	return errors.Join(fault, noted, atSignIn("", nil))
}

// carryOut returns nil when the new version serves; on an error the programs
// from before are in their places, and none of them runs.
func (p *Plan) carryOut(ctx context.Context, kept string, now func() time.Time) error {
	if p.Kept {
		return p.takeUp(ctx, kept)
	}
	if err := p.prepare(ctx, kept); err != nil {
		return err
	}
	err := p.install(ctx)
	if err == nil {
		err = p.try(ctx)
	}
	if err == nil {
		err = change(p.Data, func(m *memory) {
			m.Pending = &pending{From: p.From, To: p.To, Exe: p.Exe, At: now().UTC(), Watched: true}
		})
	}
	if err == nil {
		err = p.serve(ctx)
	}
	if err == nil {
		return p.saysServes()
	}
	return p.undo(ctx, kept, err)
}

// prepare copies the programs, and sees to it that a power cut is no end.
func (p *Plan) prepare(ctx context.Context, kept string) error {
	if p.Machine {
		return p.note()
	}
	if err := waitFree(ctx, waitProgram, p.Programs, goesOn); err != nil {
		return err
	}
	if err := proveSum(p.Setup, p.SHA256); err != nil {
		return fmt.Errorf("the installer was changed on the disk: %w", err)
	}
	if err := keep(p.Programs, kept); err != nil {
		return fmt.Errorf("keep the previous version: %w", err)
	}
	return p.note()
}

// note lets the next sign-in take the plan up, should the power go.
func (p *Plan) note() error {
	p.Kept = true
	data, err := json.Marshal(p)
	if err == nil {
		err = writeFile(p.path, data)
	}
	if err != nil {
		return fmt.Errorf("write the update's plan: %w", err)
	}
	watcher, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	return atSignIn(watcher, []string{"update-run", p.path})
}

// serve starts the new version for good and waits until it serves.
func (p *Plan) serve(ctx context.Context) error {
	if err := detach(p.Exe, p.Args); err != nil {
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
			if p.idle() {
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
		return served || p.idle(), nil
	}); err != nil {
		return err
	}
	if served {
		return p.saysServes()
	}
	return p.undo(ctx, kept, errCut)
}

// undo puts the programs from before back because of a fault; nil: there is
// nothing to undo.
func (p *Plan) undo(ctx context.Context, kept string, fault error) error {
	if fault == nil {
		return nil
	}
	if p.Machine {
		return p.undoRaised(ctx, fault)
	}
	return p.undone(fault, bringBack(ctx, p.Programs, kept, p.From))
}

// undone notes a fault when the programs from before are back, or err.
func (p *Plan) undone(fault, err error) error {
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

// install runs the installer, or waits until a Raised has.
func (p *Plan) install(ctx context.Context) error {
	if p.Machine {
		return p.awaitInstalled(ctx)
	}
	setup, cancel := context.WithTimeout(ctx, setupTime)
	defer cancel()
	if err := exec.CommandContext(setup, p.Setup, p.SetupArgs...).Run(); err != nil {
		return fmt.Errorf("the installer did not get through: %w", err)
	}
	return nil
}

// try starts what was installed on the copy of the data.
func (p *Plan) try(ctx context.Context) error {
	program := "haoked"
	if p.Ask == "--version" {
		program = "haoke"
	}
	u := New(Config{Installed: Installed{Program: program}, Ready: p.Ready})
	return u.try(ctx, p.Exe, p.To, p.Try)
}
