package update

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Way is how a newer version gets into the place of this one.
type Way string

// Ways.
const (
	// WayReplace: the program's own file is replaced (tar.gz, AppImage).
	WayReplace Way = "replace"
	// WaySetup: the installer for Windows is run.
	WaySetup Way = "setup"
	// WayPackage: a package manager owns the file; the owner is told its command.
	WayPackage Way = "package"
	// WayManual: nothing can be done from here; the owner is told why.
	WayManual Way = "manual"
)

// Installed says how this program came to this machine.
type Installed struct {
	Way     Way
	Kind    Kind   // the file of a release that fits
	Program string // "haoke" or "haoked"
	Exe     string // the file that is started
	// Manager names who owns the file: "deb", "rpm", "docker", "service"; "": nobody.
	Manager string
	// Machine: a Windows installation for everybody, which only an
	// administrator changes.
	Machine bool
}

// Find looks at the running program. managed is what the build says of its
// owner ("" as a rule); program is "haoke" or "haoked".
func Find(program, managed string) Installed {
	exe, err := executable()
	if err != nil {
		return Installed{Way: WayManual, Program: program}
	}
	return find(program, managed, exe, runtime.GOOS, environment, exists)
}

// Self is the file by which this program is started again: the AppImage where
// it runs from one, and for a new version that has not served yet the place
// that it will take.
func Self() (string, error) {
	exe, err := executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	if image := imageOf(exe, environment); image != "" {
		return image, nil
	}
	return strings.TrimSuffix(exe, nextName), nil
}

func executable() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real
	}
	return exe, nil
}

// environment is os.Getenv, with the folder of an AppImage as it is called
// without links.
func environment(name string) string {
	value := os.Getenv(name)
	if name == "APPDIR" {
		if real, err := filepath.EvalSymlinks(value); err == nil {
			return real
		}
	}
	return value
}

// imageOf is the AppImage from which a program runs; "": none. Whatever a
// program from an AppImage starts inherits the variables: only what lies in its
// folder is of it.
func imageOf(exe string, getenv func(string) string) string {
	image, dir := getenv("APPIMAGE"), getenv("APPDIR")
	if image == "" || dir == "" || !strings.HasPrefix(exe, strings.TrimSuffix(dir, "/")+"/") {
		return ""
	}
	return strings.TrimSuffix(image, nextName)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// find is Find on any machine.
func find(program, managed, exe, system string, getenv func(string) string, exists func(string) bool) Installed {
	exe = strings.TrimSuffix(exe, nextName)
	in := Installed{Way: WayManual, Program: program, Exe: exe, Manager: managed}
	switch {
	case managed != "":
		in.Way, in.Kind = WayPackage, Kind(managed)
		return in
	case system == "windows":
		return findWindows(in, getenv, exists)
	case system != "linux":
		in.Kind = KindTar
		if program == "haoke" {
			in.Kind = KindDMG
		} else {
			in.Way = WayReplace
		}
		return in
	// The image has the program at its root and nothing else. A program that was
	// unpacked inside some container is like any other.
	case filepath.ToSlash(filepath.Dir(exe)) == "/":
		in.Way, in.Manager = WayPackage, "docker"
		return in
	case imageOf(exe, getenv) != "":
		in.Way, in.Kind, in.Exe = WayReplace, KindAppImage, imageOf(exe, getenv)
		return in
	case strings.HasPrefix(exe, "/usr/") && !strings.HasPrefix(exe, "/usr/local/"):
		in.Way, in.Manager = WayPackage, "rpm"
		if exists("/var/lib/dpkg/info/" + program + ".list") {
			in.Manager = "deb"
		}
		in.Kind = Kind(in.Manager)
		return in
	}
	in.Way, in.Kind = WayReplace, KindTar
	return in
}

// findWindows: the installer leaves its uninstaller beside the programs. A
// service has no right to change them.
func findWindows(in Installed, getenv func(string) string, exists func(string) bool) Installed {
	in.Kind = KindSetup
	dir := in.Exe[:max(0, strings.LastIndexAny(in.Exe, `\/`))]
	if !exists(dir + `\uninstall.exe`) {
		return in
	}
	in.Way = WaySetup
	if home := strings.ToLower(getenv("USERPROFILE")); strings.Contains(home, "serviceprofiles") || strings.Contains(home, "systemprofile") {
		in.Way, in.Manager = WayManual, "service"
	}
	for _, name := range []string{"ProgramFiles", "ProgramW6432", "ProgramFiles(x86)"} {
		if root := getenv(name); root != "" && strings.HasPrefix(strings.ToLower(dir), strings.ToLower(strings.TrimRight(root, `\`))+`\`) {
			in.Machine = true
		}
	}
	return in
}

// Command is what the owner types where a package manager owns the program, for
// the file of this name; "" where nothing can be said.
func (in Installed) Command(file string) string {
	switch in.Manager {
	case "deb":
		return "sudo apt install ./" + file
	case "rpm":
		return "sudo dnf install ./" + file
	case "docker":
		return "docker compose pull && docker compose up -d"
	}
	return ""
}
