//go:build !windows

package update

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// Replace starts exe in the place of this process: the same number, so that a
// service manager or a terminal notices nothing. It returns only on an error.
func Replace(exe string, args []string) error {
	if err := syscall.Exec(exe, append([]string{exe}, args...), os.Environ()); err != nil {
		return fmt.Errorf("start %s: %w", exe, err)
	}
	return nil
}

// detach starts a program that outlives this one. Rights are not raised here.
func detach(exe string, args []string, _ bool) error {
	cmd := exec.Command(exe, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}

// start starts the program again.
func start(exe string, args []string, _ bool) error { return detach(exe, args, false) }

// noteVersion has nothing to do where no installer keeps a register.
func noteVersion(string) error { return nil }
