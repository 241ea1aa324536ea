//go:build !windows

package update

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

var errWindows = errors.New("only Windows has installations for everybody that are updated from here")

// protected: no installer, no folder of one.
func protected(string) error { return errWindows }

// raiseInstalled: nobody to ask.
func raiseInstalled(string, string, string) error { return errWindows }

// shutFolder makes a folder for this account alone.
func shutFolder(dir string) error { return os.Mkdir(dir, 0o700) }

// hold opens a file; others are kept from it by its folder.
func hold(path string) (*os.File, error) { return os.Open(path) }

// bareEnv is the surroundings without the person's folder for temporary files.
func bareEnv(temp string) ([]string, error) { return append(os.Environ(), "TMPDIR="+temp), nil }

// everybodyReads lets all accounts read a file.
func everybodyReads(path string) error { return os.Chmod(path, 0o644) }

// detached starts a program that outlives this one.
func detached(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}
