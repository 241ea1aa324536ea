package update

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

// TestShutFolder: the folder is the administrators', and inherits nothing.
func TestShutFolder(t *testing.T) {
	dir := filepath.Join(folder(t), raisedFolder)
	must(t, shutFolder(dir))
	if err := shutFolder(dir); !errors.Is(err, os.ErrExist) {
		t.Errorf("a folder that is there already: %v", err)
	}
	sd, err := windows.GetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	must(t, err)
	text := sd.String()
	t.Log(text)
	if strings.Count(text, "(A;") != 2 || strings.Contains(text, "ID;") {
		t.Errorf("its rights: %s", text)
	}
	// Wine knows one account and makes it the owner of everything.
	wine := windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
	if !wine && (!strings.HasPrefix(text, "O:BA") || !strings.Contains(text, "D:P") || !strings.Contains(text, ";BA)")) {
		t.Errorf("its owner or rights: %s", text)
	}
}

func TestBelow(t *testing.T) {
	for dir, want := range map[string]bool{
		`C:\Program Files\Haoke`: true, `c:\PROGRAM FILES\x\y`: true, `C:\Program Files`: false, `C:\Program FilesX\Haoke`: false,
		`C:\Program Files\..\Users\Haoke`: false, `D:\Program Files\Haoke`: false,
	} {
		if got := below(`C:\Program Files\`, dir); got != want {
			t.Errorf("%s: %v", dir, got)
		}
	}
}

func TestBareEnv(t *testing.T) {
	t.Setenv("HAOKE_PLANTED", "x")
	t.Setenv("TEMP", `C:\planted`)
	env, err := bareEnv(`C:\shut`)
	must(t, err)
	all := strings.Join(env, "\n")
	if strings.Contains(all, "PLANTED") || strings.Contains(all, "planted") || !strings.Contains(all, `TEMP=C:\shut`) || !strings.Contains(strings.ToUpper(all), "SYSTEMROOT=") {
		t.Error(all)
	}
}

// TestProtected: a copy of the program somewhere else gets no further.
func TestProtected(t *testing.T) {
	if err := protected(folder(t)); err == nil {
		t.Error("a folder of the person was taken for the installed program's")
	}
}
