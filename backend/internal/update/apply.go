package update

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// workFolder is where downloads for an installer and the copy for the trial
// lie, inside the data folder.
const workFolder = "update"

// Apply carries the known update out: download and prove, make a backup, start
// the new version on a copy of the data, and only then put it in the place of
// this one and restart. Until the restart an error leaves everything as it was.
func (u *Updater) Apply(ctx context.Context) error {
	if err := u.begin(); err != nil {
		return err
	}
	return u.carryOut(ctx)
}

// carryOut does what begin made room for.
func (u *Updater) carryOut(ctx context.Context) (err error) {
	u.mu.Lock()
	m, from, notice, machine := *u.manifest, u.from, u.notice, u.machine
	f, ok := u.file()
	u.mu.Unlock()
	defer func() {
		if err != nil {
			u.mu.Lock()
			u.state.Stage, u.state.ApplyFault = StageNone, err.Error()
			u.mu.Unlock()
		}
	}()
	if !ok || machine == nil {
		return ErrManual
	}
	if err := m.follows(u.Version); err != nil { // asked again here: never backwards
		return err
	}
	address, err := f.address(from)
	if err != nil {
		return err
	}
	u.Log.Info("an update is carried out", "from", u.Version, "to", m.Version, "way", u.Installed.Way)
	j := job{u: u, m: m, f: f, address: address, notice: notice, machine: machine}
	switch u.Installed.Way {
	case WayReplace:
		return j.replace(ctx)
	case WaySetup:
		return j.setup(ctx)
	}
	return ErrManual
}

// job is one update.
type job struct {
	u       *Updater
	m       Manifest
	f       File
	address string
	notice  signed
	machine Machine
}

// replace puts a new file in the place of the program's.
func (j *job) replace(ctx context.Context) error {
	exe := j.u.Installed.Exe
	// Beside the program: the same disk, so that the last step is a rename.
	tmp, err := os.MkdirTemp(filepath.Dir(exe), ".haoke-update-*")
	if err != nil {
		return fmt.Errorf("the folder of the program cannot be written by this account (%w); start the update as its owner, or put the new version there by hand", err)
	}
	defer removeAll(tmp)
	file := filepath.Join(tmp, "download")
	if err := j.fetch(ctx, tmp, file); err != nil {
		return err
	}
	fresh := filepath.Join(tmp, filepath.Base(exe))
	if j.f.Kind == KindTar {
		if err := unpack(file, j.m.program(j.f), fresh); err != nil {
			return err
		}
	} else if err := copyProgram(file, fresh); err != nil {
		return err
	}
	if err := os.Remove(file); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	if err := j.rehearse(ctx, func(args []string) error { return j.u.try(ctx, fresh, j.m.Version, args) }); err != nil {
		return err
	}
	return j.hand(fresh)
}

// nextName is put behind a program's name while it waits for its first start.
const nextName = ".next"

// hand lays the new program beside this one and lets it take over. This one
// keeps its place until the other serves: whatever happens in between, a start
// by that name is a start of the version that is known to work.
func (j *job) hand(fresh string) error {
	exe := j.u.Installed.Exe
	p := pending{
		From: j.u.Version, To: j.m.Version, Exe: exe, Next: exe + nextName, Previous: exe + ".previous", At: j.u.Now().UTC(),
		PID: os.Getpid(), Args: j.u.Args, Ready: j.u.Ready,
	}
	if err := os.Rename(fresh, p.Next); err != nil {
		return fmt.Errorf("put the new version beside this one: %w", err)
	}
	err := syncDir(filepath.Dir(exe))
	if err == nil {
		err = change(j.u.Dir, func(m *memory) { m.Pending = &p })
	}
	if err == nil {
		// What sees to it that the old one is started when the new one is not.
		err = detach(exe, []string{watchWord, j.u.Dir})
	}
	if err != nil {
		return errors.Join(fmt.Errorf("put the new version beside this one: %w", err), os.Remove(p.Next), change(j.u.Dir, func(m *memory) { m.Pending = nil }))
	}
	j.u.stage(StageRestarting)
	j.machine.Restart(p.Next)
	return nil
}

// program is the name of the program inside an archive.
func (m *Manifest) program(f File) string {
	if f.OS == "windows" {
		return f.Program + ".exe"
	}
	return f.Program
}

// fetch downloads and proves the file, if there is room.
func (j *job) fetch(ctx context.Context, dir, to string) error {
	// The archive, what it unpacks to, and the previous version.
	need := 4*j.f.Size + 32<<20
	if j.u.Free != nil {
		if free, ok := j.u.Free(dir); ok && free < need {
			return fmt.Errorf("the disk is too full for the update: %d bytes are left, %d are needed", free, need)
		}
	}
	if err := j.u.download(ctx, j.address, j.f, to); err != nil {
		return err
	}
	j.u.stage(StageChecking)
	return nil
}

// rehearse makes a backup and a copy of the data, and lets with use it.
func (j *job) rehearse(ctx context.Context, with func(args []string) error) error {
	j.u.stage(StageKeeping)
	if err := j.machine.Keep(ctx); err != nil {
		return fmt.Errorf("make a backup before the update: %w", err)
	}
	j.u.stage(StageTrying)
	dir := filepath.Join(j.u.Dir, workFolder, "trial")
	if err := removeAll(dir); err != nil {
		return fmt.Errorf("copy the data for a trial: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("copy the data for a trial: %w", err)
	}
	args, err := j.machine.Rehearse(ctx, dir)
	if err == nil {
		err = with(args)
	} else {
		err = fmt.Errorf("copy the data for a trial: %w", err)
	}
	if err != nil {
		removeAll(filepath.Join(j.u.Dir, workFolder))
	} else if j.u.Installed.Way == WayReplace {
		err = removeAll(filepath.Join(j.u.Dir, workFolder))
	}
	return err
}

// try starts the program on the copy of the data. It must say the version that
// was promised, and be ready in time.
func (u *Updater) try(ctx context.Context, exe, version string, args []string) error {
	ask := "version"
	if u.Installed.Program == "haoke" {
		ask = "--version"
	}
	out, err := quiet(ctx, u.Ready, exe, ask)
	if err != nil {
		return fmt.Errorf("the new version does not run on this machine: %w", err)
	}
	if words := strings.Fields(out); len(words) < 2 || words[1] != version {
		return fmt.Errorf("the new program calls itself %q, not version %s", strings.TrimSpace(out), version)
	}
	if _, err := quiet(ctx, u.Ready, exe, args...); err != nil {
		return fmt.Errorf("the new version did not become ready on a copy of the data: %w", err)
	}
	return nil
}

// quiet runs a program to its end, with a limit in time. Its error carries the
// last words of the program.
func quiet(ctx context.Context, most time.Duration, exe string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, args...)
	cmd.Env = childEnv(os.Environ())
	cmd.WaitDelay = time.Second
	var out, said limited
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	if err == nil {
		return string(out.tail), nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("not within %v", most)
	}
	if last := lastLine(said.tail); last != "" {
		err = fmt.Errorf("%w: %s", err, last)
	}
	return "", err
}

// childEnv leaves out what speaks to the manager of this process.
func childEnv(env []string) []string {
	var out []string
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		if name != "NOTIFY_SOCKET" && name != "WATCHDOG_USEC" && name != "WATCHDOG_PID" {
			out = append(out, e)
		}
	}
	return out
}

func lastLine(b []byte) string {
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	return strings.TrimSpace(string(lines[len(lines)-1]))
}

// swap puts fresh in the place of exe and keeps what was there as previous.
// There is always a whole program under the name exe, on Windows but for a
// moment in which a fault puts the old one back.
func swap(fresh, exe, previous string) error {
	if err := os.Remove(previous); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("keep the previous version: %w", err)
	}
	if runtime.GOOS == "windows" { // a running program can be renamed, not replaced
		if err := os.Rename(exe, previous); err != nil {
			return fmt.Errorf("keep the previous version: %w", err)
		}
		if err := os.Rename(fresh, exe); err != nil {
			return errors.Join(fmt.Errorf("put the new version in place: %w", err), os.Rename(previous, exe))
		}
		return nil
	}
	if err := os.Link(exe, previous); err != nil {
		if err := copyProgram(exe, previous); err != nil { // a disk without hard links
			return fmt.Errorf("keep the previous version: %w", err)
		}
	}
	if err := os.Rename(fresh, exe); err != nil {
		return fmt.Errorf("put the new version in place: %w", err)
	}
	return syncDir(filepath.Dir(exe))
}

// syncDir makes renames in a folder outlive a power cut, where the system can.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("put the new version in place: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("put the new version in place: %w", err)
	}
	return nil
}
