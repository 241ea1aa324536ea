//go:build !windows

package update

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// Replace starts exe in the place of this process: the same number, so that a
// service manager or a terminal notices nothing. A new version bears the name
// that it will have; where it cannot even be loaded the old one goes on. Replace
// returns only on an error.
func Replace(exe string, args []string) error {
	name := strings.TrimSuffix(exe, nextName)
	words := append([]string{name}, args...)
	err := syscall.Exec(exe, words, os.Environ())
	if name != exe {
		err = syscall.Exec(name, words, os.Environ())
	}
	if err != nil {
		return fmt.Errorf("start %s: %w", exe, err)
	}
	return nil
}

// detach starts a program that outlives this one.
func detach(exe string, args []string) error {
	return detached(exec.Command(exe, args...))
}

// birth tells one life of a process number from another; "": nobody has it.
func birth(pid int) string {
	if pid <= 0 || syscall.Kill(pid, 0) == syscall.ESRCH {
		return ""
	}
	if runtime.GOOS != "linux" {
		return strconv.Itoa(pid)
	}
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	// Behind the name, which is in brackets: the state and 18 more, then the
	// start in ticks since the machine's. It stays the same over an exec.
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return ""
	}
	return fields[19]
}

// end ends a process at once.
func end(pid int) error {
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
		return err
	}
	return nil
}

// whoRuns says nobody: plans are for Windows, and here a file that runs is known
// by not being writable.
func whoRuns(string) ([]int, error) { return nil, nil }

// atSignIn has nothing to do where no installer runs.
func atSignIn(string, []string) error { return nil }

// noteVersion has nothing to do where no installer keeps a register.
func noteVersion(string) error { return nil }
