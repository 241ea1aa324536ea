package update

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// Replace starts exe and leaves the place to it: Windows has no way to put one
// process in the place of another.
func Replace(exe string, args []string) error {
	if err := detach(exe, args, false); err != nil {
		return fmt.Errorf("start %s: %w", exe, err)
	}
	os.Exit(0)
	return nil
}

// detach starts a program that outlives this one; raised asks the person for an
// administrator's rights.
func detach(exe string, args []string, raised bool) error {
	if raised {
		return shell("runas", exe, args)
	}
	cmd := exec.Command(exe, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{HideWindow: true, CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.DETACHED_PROCESS}
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}

// shell lets Windows' shell start a program in its own way.
func shell(verb, exe string, args []string) error {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = windows.EscapeArg(a)
	}
	v, err := windows.UTF16PtrFromString(verb)
	if err != nil {
		return err
	}
	file, err := windows.UTF16PtrFromString(exe)
	if err != nil {
		return err
	}
	line, err := windows.UTF16PtrFromString(strings.Join(words, " "))
	if err != nil {
		return err
	}
	return windows.ShellExecute(0, v, file, line, nil, windows.SW_SHOWNORMAL)
}

// start starts the program again. A watcher with an administrator's rights
// leaves it to the desktop, which has those of the person; the program's
// arguments are lost on that way, so that it is only taken without any.
func start(exe string, args []string, aside bool) error {
	if aside && len(args) == 0 {
		return exec.Command(filepath.Join(os.Getenv("SystemRoot"), "explorer.exe"), exe).Start()
	}
	return detach(exe, args, false)
}

// noteVersion corrects the version in the register of installed programs after
// a predecessor was put back, so that the next installer is not refused.
func noteVersion(version string) error {
	const path = `Software\Microsoft\Windows\CurrentVersion\Uninstall\Haoke`
	for _, root := range []registry.Key{registry.CURRENT_USER, registry.LOCAL_MACHINE} {
		key, err := registry.OpenKey(root, path, registry.SET_VALUE|registry.WOW64_64KEY)
		if err != nil {
			continue // not installed for these
		}
		err = key.SetStringValue("DisplayVersion", version)
		if err = errors.Join(err, key.Close()); err != nil {
			return fmt.Errorf("note the version: %w", err)
		}
	}
	return nil
}
