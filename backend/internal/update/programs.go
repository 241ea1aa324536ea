package update

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// keep copies programs to the folder kept.
func keep(programs []string, kept string) error {
	if err := os.MkdirAll(kept, 0o700); err != nil {
		return err
	}
	for _, name := range programs {
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

// putPrograms copies programs from the folder kept to their places.
func putPrograms(programs []string, kept string) error {
	for _, name := range programs {
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
	return nil
}

// same reports whether two files are one program.
func same(a, b string) bool {
	sum, err := sumOf(a)
	return err == nil && proveSum(b, sum) == nil
}

// bringBack ends the programs and puts those of the folder kept, of the version
// from, in their places.
func bringBack(ctx context.Context, programs []string, kept, from string) error {
	err := endPrograms(programs)
	if err == nil {
		err = waitFree(ctx, waitProgram, programs, goesOn)
	}
	if err == nil {
		err = putPrograms(programs, kept)
	}
	if err == nil {
		err = noteVersion(from)
	}
	return err
}

// waitFree waits until none of the programs runs, or called gives an error.
func waitFree(ctx context.Context, most time.Duration, programs []string, called func() error) error {
	busy := ""
	ok, err := wait(ctx, most, func() (bool, error) {
		if err := called(); err != nil {
			return false, err
		}
		busy = running(programs)
		return busy == "", nil
	})
	if err == nil && !ok {
		err = fmt.Errorf("%s is still running", busy)
	}
	return err
}

// goesOn is of what nobody calls off.
func goesOn() error { return nil }

// running is one of the programs that runs; "": none.
func running(programs []string) string {
	for _, name := range programs {
		if exists(name) && !free(name) {
			return name
		}
	}
	return ""
}

// idle reports whether the program does not run. Everybody's can only be
// changed by an administrator, so there only the processes say it.
func (p *Plan) idle() bool {
	if !p.Machine {
		return free(p.Exe)
	}
	pids, err := whoRuns(p.Exe)
	return err == nil && len(pids) == 0
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
