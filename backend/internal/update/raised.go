package update

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// raiseWord is the subcommand of haoked that carries RunRaised out.
const raiseWord = "update-raised"

// What a Raised is asked for.
const (
	orderInstall = "install"
	orderBack    = "back"
)

// What it is answered about the new version.
const (
	answerServes = "serves"
	answerBack   = "back"
)

// What its state says.
const (
	raisedBegun     = "begun"
	raisedInstalled = "installed" // and waits for the answer
	raisedServes    = "serves"
	raisedBack      = "back"   // the programs from before are there, and why is said
	raisedFailed    = "failed" // nothing was changed, or it could not be put back
)

const (
	noticeFile = "notice.json"
	setupFile  = "setup.exe"
	answerFile = "answer"
	// raisedFolder and raisedFile lie in the folder of the installed programs,
	// which only an administrator can write.
	raisedFolder = "update"
	raisedFile   = "update-state.json"
	// answerTime is how long a Raised waits to be told that the new version
	// serves; after that it leaves things as they are.
	answerTime = 30 * time.Minute
	// sharedTime is how long a file may be in another process's hands.
	sharedTime = 10 * time.Second
)

// Raised is what a process with an administrator's rights goes by: only what
// was compiled into it.
type Raised struct {
	Version string
	Keys    []ed25519.PublicKey
	Now     func() time.Time // nil: time.Now
}

// raised is one such process.
type raised struct {
	Raised
	home string // the folder of the installed programs
	dir  string // the person's folder, which anybody's program may have written
	id   string
	// patience is how long the programs may take to end.
	patience time.Duration
	proven   func() // tests: the installer is proven and not yet started
}

// raisedState is what a Raised tells everybody, and remembers.
type raisedState struct {
	ID    string    `json:"id"`
	At    string    `json:"at"`
	Fault string    `json:"fault,omitempty"`
	From  string    `json:"from"`
	To    string    `json:"to,omitempty"`
	Seen  time.Time `json:"seen,omitzero"` // the newest notice that was installed
	// Kept are the sums of the programs from before, by their names.
	Kept map[string]string `json:"kept,omitempty"`
}

// open reports whether programs from before are there to be put back.
func (s *raisedState) open() bool { return s.At == raisedBegun || s.At == raisedInstalled }

// RunRaised installs an update for everybody on a Windows machine, or puts the
// version from before back. It has an administrator's rights and does for any
// program that asks nothing but that: it must be the installed program, knows
// itself what it replaces, and takes from the folder dir only a notice that the
// makers signed and the installer that this notice names, which it copies to a
// folder that only administrators can write, proves there, and holds until it
// is started. It starts a copy of itself, since it is in the installer's way.
func RunRaised(ctx context.Context, cfg Raised, order, dir, id string) error {
	exe, err := executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	home, second := filepath.Dir(exe), false
	if filepath.Base(home) == raisedFolder && filepath.Base(exe) == watchName(id) {
		home, second = filepath.Dir(home), true
	}
	if err := protected(home); err != nil {
		return err
	}
	if err := orderly(order, dir, id); err != nil {
		return err
	}
	r := &raised{Raised: cfg, home: home, dir: dir, id: id, patience: waitProgram}
	if second {
		return r.carryOut(ctx, order)
	}
	return r.stepAside(exe, order)
}

// orderly refuses what the program itself never asks for. A folder on another
// machine would be told the administrator's name.
func orderly(order, dir, id string) error {
	plain := len(id) >= 16 && len(id) <= 64 && strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
	if order != orderInstall && order != orderBack || !plain || !filepath.IsAbs(dir) || strings.HasPrefix(filepath.ToSlash(dir), "//") {
		return errors.New("this is not what an update asks for")
	}
	return nil
}

func watchName(id string) string { return "watch-" + id + ".exe" }

func (r *raised) folder() string { return filepath.Join(r.home, raisedFolder) }

func (r *raised) kept() string { return filepath.Join(r.folder(), "previous") }

func (r *raised) programs() []string {
	return []string{filepath.Join(r.home, "haoke.exe"), filepath.Join(r.home, "haoked.exe")}
}

func loadRaised(home string) (raisedState, error) {
	var s raisedState
	data, err := os.ReadFile(filepath.Join(home, raisedFile))
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read the installer's state: %w", err)
	}
	if json.Unmarshal(data, &s) != nil {
		return raisedState{}, nil
	}
	return s, nil
}

func (r *raised) save(s raisedState) error {
	data, err := json.Marshal(s)
	if err == nil {
		err = writeShared(filepath.Join(r.home, raisedFile), data)
	}
	if err == nil {
		err = everybodyReads(filepath.Join(r.home, raisedFile))
	}
	if err != nil {
		return fmt.Errorf("write the installer's state: %w", err)
	}
	return nil
}

// writeShared is writeFile for what another process looks at all the time:
// Windows does not replace a file while it is open.
func writeShared(path string, data []byte) error {
	var fault error
	ok, err := wait(context.Background(), sharedTime, func() (bool, error) {
		fault = writeFile(path, data)
		return fault == nil, nil
	})
	if ok || err != nil {
		return err
	}
	return fault
}

// stepAside makes a folder that only administrators can write, unless there is
// one with what is to be put back, and lets a copy of this program go on there.
func (r *raised) stepAside(exe, order string) error {
	s, err := loadRaised(r.home)
	if err != nil {
		return err
	}
	if r.busy() {
		return ErrBusy
	}
	s.ID, s.Fault = r.id, ""
	given := raisedFailed
	switch {
	case order == orderInstall:
		s = raisedState{ID: r.id, At: raisedBegun, From: r.Version, Seen: s.Seen}
		given = raisedBack // nothing was touched
		if err = removeAll(r.folder()); err == nil {
			err = shutFolder(r.folder())
		}
	case !s.open() || len(s.Kept) == 0:
		err = errors.New("there is no version from before to put back")
	}
	if err == nil {
		err = copyProgram(exe, filepath.Join(r.folder(), watchName(r.id)))
	}
	if err == nil {
		err = r.save(s)
	}
	if err == nil {
		cmd := exec.Command(filepath.Join(r.folder(), watchName(r.id)), raiseWord, order, r.dir, r.id)
		cmd.Dir = r.folder()
		err = detached(cmd)
	}
	if err != nil {
		s.At, s.Fault = given, "make room for the update: "+err.Error()
		return errors.Join(err, r.save(s))
	}
	return nil
}

// busy reports whether another one is at work.
func (r *raised) busy() bool {
	entries, _ := os.ReadDir(r.folder())
	for _, e := range entries {
		if pids, err := whoRuns(filepath.Join(r.folder(), e.Name())); err != nil || len(pids) > 0 {
			return true
		}
	}
	return false
}

// carryOut is the work of the copy.
func (r *raised) carryOut(ctx context.Context, order string) error {
	s, err := loadRaised(r.home)
	if err != nil {
		return err
	}
	if s.ID != r.id || !s.open() {
		return errors.New("this is not what an update asks for")
	}
	if order == orderBack {
		return r.back(ctx, s, errCut)
	}
	if err := r.install(ctx, &s); err != nil {
		if len(s.Kept) > 0 {
			return r.back(ctx, s, err)
		}
		s.At, s.Fault = raisedBack, err.Error() // nothing was touched
		return errors.Join(err, r.save(s), r.clear())
	}
	word, err := r.await(ctx)
	switch {
	case err != nil || word == "": // it may be asked again, with what is kept
		return err
	case word == answerServes:
		s.At = raisedServes
		return errors.Join(r.save(s), r.clear())
	}
	return r.back(ctx, s, errors.New("the new version did not serve"))
}

// install proves the installer, keeps the programs and runs it.
func (r *raised) install(ctx context.Context, s *raisedState) error {
	m, err := r.notice(s.Seen)
	if err != nil {
		return err
	}
	setup, err := r.take(&m)
	if err != nil {
		return err
	}
	defer setup.Close() // held: nobody changes it before it is started
	if err := r.waitFree(ctx); err != nil {
		return err
	}
	if err := keep(r.programs(), r.kept()); err != nil {
		return fmt.Errorf("keep the previous version: %w", err)
	}
	if s.Kept, err = sums(r.kept()); err != nil {
		return fmt.Errorf("keep the previous version: %w", err)
	}
	s.To, s.Seen = m.Version, m.Issued
	if err := r.save(*s); err != nil {
		return err
	}
	if r.proven != nil {
		r.proven()
	}
	if err := r.run(ctx, setup.Name()); err != nil {
		return err
	}
	s.At = raisedInstalled
	return r.save(*s)
}

// run starts the installer with nothing of the person's surroundings.
func (r *raised) run(ctx context.Context, setup string) error {
	ctx, cancel := context.WithTimeout(ctx, setupTime)
	defer cancel()
	temp := filepath.Join(r.folder(), "temp")
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return fmt.Errorf("make room for the update: %w", err)
	}
	env, err := bareEnv(temp)
	if err != nil {
		return fmt.Errorf("the installer did not get through: %w", err)
	}
	cmd := exec.CommandContext(ctx, setup, "/S", "/NOWEBVIEW", "/ALLUSERS", "/WAIT=60")
	cmd.Dir, cmd.Env = r.folder(), env
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the installer did not get through: %w", err)
	}
	return nil
}

// waitFree waits until the programs do not run, unless the update is called off.
func (r *raised) waitFree(ctx context.Context) error {
	return waitFree(ctx, r.patience, r.programs(), func() error {
		if r.answer() == answerBack || !exists(filepath.Join(r.dir, planFile)) {
			return errStopped
		}
		return nil
	})
}

// answer is what the person's side said; "": nothing yet.
func (r *raised) answer() string {
	data, err := small(filepath.Join(r.dir, answerFile), 200)
	if err != nil {
		return ""
	}
	if id, word, _ := strings.Cut(string(data), " "); id == r.id && (word == answerServes || word == answerBack) {
		return word
	}
	return ""
}

func (r *raised) await(ctx context.Context) (word string, err error) {
	_, err = wait(ctx, answerTime, func() (bool, error) {
		word = r.answer()
		return word != "", nil
	})
	return word, err
}

// back puts the programs from before back, from where only administrators can
// write, if they are still what they were.
func (r *raised) back(ctx context.Context, s raisedState, cause error) error {
	err := r.putBack(ctx, &s)
	s.At, s.Fault = raisedBack, cause.Error()
	if err != nil {
		err = fmt.Errorf("%w; and the previous version could not be put back: %w", cause, err)
		s.At, s.Fault = raisedFailed, err.Error()
		return errors.Join(err, r.save(s))
	}
	return errors.Join(r.save(s), r.clear())
}

func (r *raised) putBack(ctx context.Context, s *raisedState) error {
	for name, sum := range s.Kept {
		if err := proveSum(filepath.Join(r.kept(), name), sum); err != nil {
			return fmt.Errorf("the previous version is gone: %w", err)
		}
	}
	return bringBack(ctx, r.programs(), r.kept(), s.From)
}

// clear removes what is not needed any more; this program itself goes later.
func (r *raised) clear() error {
	err := errors.Join(removeAll(r.kept()), removeAll(filepath.Join(r.folder(), "temp")))
	if e := os.Remove(filepath.Join(r.folder(), setupFile)); e != nil && !errors.Is(e, os.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}

// sums are those of a folder's files.
func sums(dir string) (map[string]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, e := range entries {
		if all[e.Name()], err = sumOf(filepath.Join(dir, e.Name())); err != nil {
			return nil, err
		}
	}
	return all, nil
}
