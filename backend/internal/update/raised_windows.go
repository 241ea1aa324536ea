package update

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// installedFor is where the installer for everybody put the programs. Only an
// administrator changes that note.
func installedFor() (string, error) {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, uninstallKey, registry.QUERY_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return "", fmt.Errorf("find the installed program: %w", err)
	}
	defer key.Close()
	dir, _, err := key.GetStringValue("InstallLocation")
	if err != nil {
		return "", fmt.Errorf("find the installed program: %w", err)
	}
	return filepath.Clean(dir), nil
}

// protected reports whether home is the folder of the installed programs, lies
// where only administrators write, and this process has their rights.
func protected(home string) error {
	if !windows.GetCurrentProcessToken().IsElevated() {
		return errors.New("installing for everybody needs an administrator's rights")
	}
	dir, err := installedFor()
	if err != nil {
		return err
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	if !strings.EqualFold(dir, filepath.Clean(home)) {
		return errors.New("this is not the installed program")
	}
	// Asked of the system: the person can change the variables.
	for _, id := range []*windows.KNOWNFOLDERID{windows.FOLDERID_ProgramFiles, windows.FOLDERID_ProgramFilesX86} {
		if root, err := windows.KnownFolderPath(id, windows.KF_FLAG_DEFAULT); err == nil && below(root, home) {
			return nil
		}
	}
	return errors.New("this is not the installed program")
}

// below reports whether a folder lies in another, as Windows compares names.
func below(root, dir string) bool {
	return strings.HasPrefix(strings.ToLower(filepath.Clean(dir)), strings.ToLower(filepath.Clean(root))+`\`)
}

// raiseInstalled asks the person for an administrator's rights and starts the
// installed program with them.
func raiseInstalled(order, dir, id string) error {
	home, err := installedFor()
	if err != nil {
		return err
	}
	return shell("runas", filepath.Join(home, "haoked.exe"), []string{raiseWord, order, dir, id})
}

// shutFolder makes a folder that is the administrators' and that only they and
// the system can open, whatever the folder around it grants. It must be new.
func shutFolder(dir string) error {
	sd, err := windows.SecurityDescriptorFromString("O:BAG:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)")
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return err
	}
	sa := windows.SecurityAttributes{SecurityDescriptor: sd}
	sa.Length = uint32(unsafe.Sizeof(sa))
	if err := windows.CreateDirectory(name, &sa); err != nil {
		return &os.PathError{Op: "mkdir", Path: dir, Err: err}
	}
	return nil
}

// hold opens a file so that nobody can write, rename or remove it meanwhile.
func hold(path string) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ, windows.FILE_SHARE_READ, nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// bareEnv is the system's variables and the person's folders as the system
// knows them: what the person's programs may have set is left out.
func bareEnv(temp string) ([]string, error) {
	env, err := windows.Token(0).Environ(false)
	if err != nil {
		return nil, err
	}
	set := map[string]string{"TEMP": temp, "TMP": temp}
	for name, id := range map[string]*windows.KNOWNFOLDERID{"USERPROFILE": windows.FOLDERID_Profile, "APPDATA": windows.FOLDERID_RoamingAppData, "LOCALAPPDATA": windows.FOLDERID_LocalAppData} {
		if dir, err := windows.KnownFolderPath(id, windows.KF_FLAG_DEFAULT); err == nil {
			set[name] = dir
		}
	}
	var out []string
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		if _, own := set[strings.ToUpper(name)]; !own {
			out = append(out, e)
		}
	}
	for name, value := range set {
		out = append(out, name+"="+value)
	}
	return out, nil
}

// everybodyReads has nothing to do: a file has the rights of its folder.
func everybodyReads(string) error { return nil }

// detached starts a program that outlives this one.
func detached(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{HideWindow: true, CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.DETACHED_PROCESS}
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}
