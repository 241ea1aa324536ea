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
// start the new version on the copy of the data, and put the programs from
// before back when any of it fails. At the end the program is started, new or
// old. The owner finds the outcome on the page.
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
	fault := p.run(ctx, kept)
	o := Outcome{From: p.From, To: p.To, OK: fault == nil, At: now().UTC()}
	if fault != nil {
		o.Fault = fault.Error()
	}
	noted := change(p.Data, func(m *memory) { m.Last = &o })
	removeAll(filepath.Join(filepath.Dir(path), "trial"))
	os.Remove(p.Setup)
	return errors.Join(fault, noted, start(p.Exe, p.Args, p.Aside))
}

// run installs and tries; on an error the programs from before are back.
func (p *Plan) run(ctx context.Context, kept string) error {
	if err := p.waitFree(ctx); err != nil {
		return err
	}
	if err := proveSum(p.Setup, p.SHA256); err != nil {
		return fmt.Errorf("the installer was changed on the disk: %w", err)
	}
	if err := os.MkdirAll(kept, 0o700); err != nil {
		return fmt.Errorf("keep the previous version: %w", err)
	}
	for _, name := range p.Programs {
		if !exists(name) {
			continue
		}
		to := filepath.Join(kept, filepath.Base(name))
		if err := os.Remove(to); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("keep the previous version: %w", err)
		}
		if err := copyProgram(name, to); err != nil {
			return fmt.Errorf("keep the previous version: %w", err)
		}
	}
	err := p.install(ctx)
	if err == nil {
		return nil
	}
	if back := p.putBack(kept); back != nil {
		return fmt.Errorf("%w; and the previous version could not be put back: %w", err, back)
	}
	return err
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
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return false
	}
	f.Close()
	return true
}
