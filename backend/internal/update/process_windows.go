package update

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// Replace starts exe and leaves the place to it: Windows has no way to put one
// process in the place of another.
func Replace(exe string, args []string) error {
	if err := detach(exe, args); err != nil {
		return fmt.Errorf("start %s: %w", exe, err)
	}
	os.Exit(0)
	return nil
}

// detach starts a program that outlives this one.
func detach(exe string, args []string) error {
	return detached(exec.Command(exe, args...))
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
	return windows.ShellExecute(0, v, file, line, nil, windows.SW_HIDE)
}

// birth tells one life of a process number from another; "": nobody has it.
func birth(pid int) string {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION|windows.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		return ""
	}
	defer windows.CloseHandle(h)
	if s, err := windows.WaitForSingleObject(h, 0); err == nil && s == windows.WAIT_OBJECT_0 {
		return "" // it has ended, somebody still asks for its code
	}
	var made, ended, kernel, own windows.Filetime
	if err := windows.GetProcessTimes(h, &made, &ended, &kernel, &own); err != nil {
		return ""
	}
	return fmt.Sprint(made.Nanoseconds())
}

// end ends a process at once.
func end(pid int) error {
	h, err := windows.OpenProcess(windows.PROCESS_TERMINATE, false, uint32(pid))
	if err != nil {
		return err
	}
	defer windows.CloseHandle(h)
	return windows.TerminateProcess(h, 1)
}

// whoRuns are the processes that run this file.
func whoRuns(file string) ([]int, error) {
	all, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	defer windows.CloseHandle(all)
	var found []int
	e := windows.ProcessEntry32{}
	e.Size = uint32(unsafe.Sizeof(e))
	for err = windows.Process32First(all, &e); err == nil; err = windows.Process32Next(all, &e) {
		if runs(e.ProcessID, file) {
			found = append(found, int(e.ProcessID))
		}
	}
	return found, nil
}

// runs reports whether a process runs this very file.
func runs(pid uint32, file string) bool {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return false
	}
	defer windows.CloseHandle(h)
	name := make([]uint16, 32<<10)
	n := uint32(len(name))
	if err := windows.QueryFullProcessImageName(h, 0, &name[0], &n); err != nil {
		return false
	}
	return strings.EqualFold(windows.UTF16ToString(name[:n]), file)
}

// atSignIn lets Windows start a program once at the next sign-in, should the
// power go; no exe takes that back. The mark before the name keeps the entry
// until the program has run.
func atSignIn(exe string, args []string) error {
	const path, name = `Software\Microsoft\Windows\CurrentVersion\RunOnce`, "!HaokeUpdate"
	// The person's own, whatever is updated: what is noted for everybody would be
	// started with an administrator's rights, from a folder that is not theirs.
	key, _, err := registry.CreateKey(registry.CURRENT_USER, path, registry.SET_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return fmt.Errorf("note the update for the next sign-in: %w", err)
	}
	defer key.Close()
	if exe == "" {
		if err := key.DeleteValue(name); err != nil && !errors.Is(err, registry.ErrNotExist) {
			return fmt.Errorf("note the update for the next sign-in: %w", err)
		}
		return nil
	}
	words := []string{windows.EscapeArg(exe)}
	for _, a := range args {
		words = append(words, windows.EscapeArg(a))
	}
	if err := key.SetStringValue(name, strings.Join(words, " ")); err != nil {
		return fmt.Errorf("note the update for the next sign-in: %w", err)
	}
	return nil
}

// uninstallKey is where the installer notes what is installed.
const uninstallKey = `Software\Microsoft\Windows\CurrentVersion\Uninstall\Haoke`

// noteVersion corrects the version in the register of installed programs after
// a predecessor was put back, so that the next installer is not refused.
func noteVersion(version string) error {
	for _, root := range []registry.Key{registry.CURRENT_USER, registry.LOCAL_MACHINE} {
		key, err := registry.OpenKey(root, uninstallKey, registry.SET_VALUE|registry.WOW64_64KEY)
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
