package update

import (
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
	exe, err := os.Executable()
	if err != nil {
		return Installed{Way: WayManual, Program: program}
	}
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real
	}
	return find(program, managed, exe, runtime.GOOS, os.Getenv, exists)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// find is Find on any machine.
func find(program, managed, exe, system string, getenv func(string) string, exists func(string) bool) Installed {
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
	case getenv("APPIMAGE") != "":
		in.Way, in.Kind, in.Exe = WayReplace, KindAppImage, getenv("APPIMAGE")
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
		if root := getenv(name); root != "" && strings.HasPrefix(strings.ToLower(dir), strings.ToLower(root)) {
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
