package update

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// updated is a shop in which 1.3.0 was just laid beside 1.2.3 for its first start.
func updated(t *testing.T) *shop {
	t.Helper()
	m := newMakers(t)
	s := newShop(t, m.public())
	m.release("1.3.0", script("1.3.0", "exit 0"), then, nil)
	if _, err := s.Check(context.Background(), m.URL+"/latest.json"); err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}

// swapped is the same by version 0.1.0, which changed the programs first.
func swapped(t *testing.T) *shop {
	t.Helper()
	s := updated(t)
	if err := swap(s.exe+nextName, s.exe, s.exe+".previous"); err != nil {
		t.Fatal(err)
	}
	if err := change(s.Dir, func(m *memory) { m.Pending.Next = "" }); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shop) runs(t *testing.T, version string) {
	t.Helper()
	out, err := exec.Command(s.exe, "version").Output()
	if err != nil || !strings.Contains(string(out), version) {
		t.Errorf("the program is %q (%v), want %s", out, err, version)
	}
}

// TestAStartThatDies: the new version was started and nothing was heard of it
// (a crash, or the power went). The next start is one of the previous version,
// or puts it back.
func TestAStartThatDies(t *testing.T) {
	for name, prepare := range map[string]func(*testing.T) *shop{"beside": updated, "in its place": swapped} {
		t.Run(name, func(t *testing.T) {
			s := prepare(t)
			restored := 0
			back := func(since time.Time) error {
				if !since.Equal(then) {
					t.Errorf("since %v", since)
				}
				restored++
				return nil
			}
			if err := Starting(s.Dir, "1.3.0", then, back); err != nil {
				t.Fatal(err)
			}
			err := Starting(s.Dir, "1.3.0", then, back) // by hand
			var rolled *RolledBackError
			if !errors.As(err, &rolled) || rolled.Exe != s.exe || rolled.From != "1.2.3" || restored != 1 {
				t.Fatalf("%v, %d", err, restored)
			}
			s.runs(t, "1.2.3")
			// The previous version starts and says what happened.
			if err := Starting(s.Dir, "1.2.3", then, back); err != nil || restored != 1 {
				t.Fatalf("%v, %d", err, restored)
			}
			s.told(t, errStarted.Error())
		})
	}
}

// told fails unless the owner reads this fault of the update to 1.3.0, and
// nothing of that version is left.
func (s *shop) told(t *testing.T, fault string) {
	t.Helper()
	if o := s.State().Last; o == nil || o.OK || o.To != "1.3.0" || !strings.Contains(o.Fault, fault) {
		t.Errorf("outcome: %+v, want %q", o, fault)
	}
	if exists(s.exe + nextName) {
		t.Error("the version that did not start is left")
	}
	if m, err := loadMemory(s.Dir); err != nil || m.Pending != nil {
		t.Errorf("still under way: %+v %v", m.Pending, err)
	}
}

func TestAStartThatFails(t *testing.T) {
	for name, prepare := range map[string]func(*testing.T) *shop{"beside": updated, "in its place": swapped} {
		t.Run(name, func(t *testing.T) {
			s := prepare(t)
			none := func(time.Time) error { return nil }
			if err := Starting(s.Dir, "1.3.0", then, none); err != nil {
				t.Fatal(err)
			}
			cause := errors.New("migrate to schema 3: boom")
			err := Failed(s.Dir, "1.3.0", then, cause, none)
			var rolled *RolledBackError
			if !errors.As(err, &rolled) || !errors.Is(err, cause) || rolled.Exe != s.exe || !strings.Contains(err.Error(), "1.2.3 is back") {
				t.Fatal(err)
			}
			s.runs(t, "1.2.3")
			s.told(t, "boom")
			// A failure of a version that was there all along changes nothing.
			if err := Failed(s.Dir, "1.2.3", then, cause, none); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAStartThatIsStopped: an order to stop is no failure of the version. One
// in its place is started again; else the version from before is, and says so.
func TestAStartThatIsStopped(t *testing.T) {
	none := func(time.Time) error { return nil }
	s := swapped(t)
	for range 3 {
		if err := errors.Join(Starting(s.Dir, "1.3.0", then, none), Interrupted(s.Dir, "1.3.0")); err != nil {
			t.Fatal(err)
		}
	}
	s.runs(t, "1.3.0")
	s = updated(t)
	if err := errors.Join(Starting(s.Dir, "1.3.0", then, none), Interrupted(s.Dir, "1.3.0"), Starting(s.Dir, "1.2.3", then, none)); err != nil {
		t.Fatal(err)
	}
	s.runs(t, "1.2.3")
	s.told(t, errStopped.Error())
	if err := Interrupted(t.TempDir(), "1.3.0"); err != nil {
		t.Errorf("where nothing is under way: %v", err)
	}
}

// TestCutOffAtEachStep: wherever the power goes, the next start by the
// program's name is one of a version that serves, and the data fits it.
func TestCutOffAtEachStep(t *testing.T) {
	restored := 0
	back := func(time.Time) error { restored++; return nil }
	next := func(s *shop, version string, data int) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			s.runs(t, version)
			restored = 0
			if err := Starting(s.Dir, version, then, back); err != nil || restored != data {
				t.Fatalf("the next start: %v, the data put back %d times", err, restored)
			}
			if m, err := loadMemory(s.Dir); err != nil || m.Pending != nil || m.Last == nil || m.Last.OK != (version == "1.3.0") {
				t.Errorf("%+v %v", m, err)
			}
			if exists(s.exe + nextName) {
				t.Error("the new version lies beside")
			}
		}
	}
	t.Run("before the note", func(t *testing.T) {
		s := updated(t)
		if err := change(s.Dir, func(m *memory) { m.Pending = nil }); err != nil {
			t.Fatal(err)
		}
		s.runs(t, "1.2.3")
		if err := Starting(s.Dir, "1.2.3", then, back); err != nil {
			t.Fatal(err)
		}
		// What lies beside is replaced by the next update.
		m := newMakers(t)
		s.Keys = append(s.Keys, m.public())
		m.release("1.4.0", script("1.4.0", "exit 0"), then.Add(time.Hour), nil)
		s.state.Stage = StageNone
		if _, err := s.Check(context.Background(), m.URL+"/latest.json"); err != nil {
			t.Fatal(err)
		}
		if err := s.Apply(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("before its first start", func(t *testing.T) { next(updated(t), "1.2.3", 1)(t) })
	t.Run("in its first start", func(t *testing.T) {
		s := updated(t)
		if err := Starting(s.Dir, "1.3.0", then, back); err != nil {
			t.Fatal(err)
		}
		next(s, "1.2.3", 1)(t)
	})
	t.Run("when the old one was kept", func(t *testing.T) {
		s := updated(t)
		if err := errors.Join(Starting(s.Dir, "1.3.0", then, back), os.Link(s.exe, s.exe+".previous")); err != nil {
			t.Fatal(err)
		}
		next(s, "1.2.3", 1)(t)
	})
	t.Run("when the new one was in place, before the note", func(t *testing.T) {
		s := updated(t)
		if err := errors.Join(Starting(s.Dir, "1.3.0", then, back), swap(s.exe+nextName, s.exe, s.exe+".previous")); err != nil {
			t.Fatal(err)
		}
		next(s, "1.3.0", 0)(t)
	})
	t.Run("before the swap of 0.1.0", func(t *testing.T) {
		s := newShop(t)
		p := pending{From: "1.2.3", To: "1.3.0", Exe: s.exe, Previous: s.exe + ".previous", At: then}
		if err := (memory{Pending: &p}).save(s.Dir); err != nil {
			t.Fatal(err)
		}
		next(s, "1.2.3", 1)(t)
	})
	t.Run("while the data is put back", func(t *testing.T) {
		s := swapped(t)
		if err := Starting(s.Dir, "1.3.0", then, back); err != nil {
			t.Fatal(err)
		}
		cut := errors.New("cut")
		var rolled *RolledBackError
		if err := Starting(s.Dir, "1.3.0", then, func(time.Time) error { return cut }); !errors.Is(err, cut) || errors.As(err, &rolled) {
			t.Fatal(err)
		}
		s.runs(t, "1.3.0")
		if err := Starting(s.Dir, "1.3.0", then, back); !errors.As(err, &rolled) {
			t.Fatal(err)
		}
		s.runs(t, "1.2.3")
	})
	t.Run("after the swap back, before the note", func(t *testing.T) {
		s := swapped(t)
		if err := errors.Join(Starting(s.Dir, "1.3.0", then, back), unswap(s.exe, s.exe+".previous")); err != nil {
			t.Fatal(err)
		}
		next(s, "1.2.3", 1)(t)
	})
	t.Run("the note is damaged", func(t *testing.T) {
		s := updated(t)
		if err := os.WriteFile(filepath.Join(s.Dir, memoryFile), []byte(`{"pend`), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Starting(s.Dir, "1.3.0", then, back); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("the previous version is gone", func(t *testing.T) {
		for name, s := range map[string]*shop{".previous": swapped(t), "": updated(t)} {
			if err := os.Remove(s.exe + name); err != nil {
				t.Fatal(err)
			}
			var rolled *RolledBackError
			if err := Failed(s.Dir, "1.3.0", then, errors.New("boom"), back); err == nil || errors.As(err, &rolled) || !strings.Contains(err.Error(), "gone") {
				t.Fatal(err)
			}
		}
	})
}

// TestFullDisk downloads onto a real disk of one megabyte.
func TestFullDisk(t *testing.T) {
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("mounting a small disk needs root on Linux")
	}
	small := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=256k", "haoke-test", small).CombinedOutput(); err != nil {
		t.Skipf("no small disk here: %s", out)
	}
	defer exec.Command("umount", small).Run()
	m := newMakers(t)
	s := newShop(t, m.public())
	s.exe = filepath.Join(small, "haoked")
	s.Updater.Installed.Exe = s.exe
	if err := os.WriteFile(s.exe, []byte(script("1.2.3", "exit 0")), 0o755); err != nil {
		t.Fatal(err)
	}
	// Compresses to a download that fits, and unpacks to a program that does not.
	m.release("1.3.0", script("1.3.0", "exit 0")+strings.Repeat("# much\n", 100_000), then, nil)
	if _, err := s.Check(context.Background(), m.URL+"/latest.json"); err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(context.Background()); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Fatal(err)
	}
	s.untouched(t)
	s.runs(t, "1.2.3")
}

func TestFind(t *testing.T) {
	none := func(string) string { return "" }
	env := func(kv ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(kv); i += 2 {
				if kv[i] == name {
					return kv[i+1]
				}
			}
			return ""
		}
	}
	has := func(paths ...string) func(string) bool {
		return func(p string) bool {
			for _, x := range paths {
				if x == p {
					return true
				}
			}
			return false
		}
	}
	for name, c := range map[string]struct {
		got  Installed
		want Installed
	}{
		"tar":          {find("haoked", "", "/opt/haoke/haoked", "linux", none, has()), Installed{Way: WayReplace, Kind: KindTar, Program: "haoked", Exe: "/opt/haoke/haoked"}},
		"local":        {find("haoked", "", "/usr/local/bin/haoked", "linux", none, has()), Installed{Way: WayReplace, Kind: KindTar, Program: "haoked", Exe: "/usr/local/bin/haoked"}},
		"deb":          {find("haoked", "", "/usr/bin/haoked", "linux", none, has("/var/lib/dpkg/info/haoked.list")), Installed{Way: WayPackage, Kind: KindDeb, Program: "haoked", Exe: "/usr/bin/haoked", Manager: "deb"}},
		"rpm":          {find("haoke", "", "/usr/bin/haoke", "linux", none, has()), Installed{Way: WayPackage, Kind: KindRPM, Program: "haoke", Exe: "/usr/bin/haoke", Manager: "rpm"}},
		"docker":       {find("haoked", "", "/haoked", "linux", none, has()), Installed{Way: WayPackage, Program: "haoked", Exe: "/haoked", Manager: "docker"}},
		"appimage":     {find("haoke", "", "/tmp/.mount_x/usr/bin/haoke", "linux", env("APPIMAGE", "/home/x/Haoke.AppImage", "APPDIR", "/tmp/.mount_x"), has()), Installed{Way: WayReplace, Kind: KindAppImage, Program: "haoke", Exe: "/home/x/Haoke.AppImage"}},
		"first start":  {find("haoked", "", "/c/usr/bin/haoked", "linux", env("APPIMAGE", "/h/H.AppImage.next", "APPDIR", "/c/"), has()), Installed{Way: WayReplace, Kind: KindAppImage, Program: "haoked", Exe: "/h/H.AppImage"}},
		"first tar":    {find("haoked", "", "/opt/haoke/haoked.next", "linux", none, has()), Installed{Way: WayReplace, Kind: KindTar, Program: "haoked", Exe: "/opt/haoke/haoked"}},
		"by another's": {find("haoked", "", "/usr/bin/haoked", "linux", env("APPIMAGE", "/home/x/Other.AppImage", "APPDIR", "/tmp/.mount_x"), has()), Installed{Way: WayPackage, Kind: KindRPM, Program: "haoked", Exe: "/usr/bin/haoked", Manager: "rpm"}},
		"the build":    {find("haoked", "nix", "/opt/haoked", "linux", none, has()), Installed{Way: WayPackage, Kind: "nix", Program: "haoked", Exe: "/opt/haoked", Manager: "nix"}},
		"windows": {find("haoke", "", `C:\Users\x\AppData\Local\Programs\Haoke\haoke.exe`, "windows", env("ProgramFiles", `C:\Program Files`), has(`C:\Users\x\AppData\Local\Programs\Haoke\uninstall.exe`)),
			Installed{Way: WaySetup, Kind: KindSetup, Program: "haoke", Exe: `C:\Users\x\AppData\Local\Programs\Haoke\haoke.exe`}},
		"for everybody": {find("haoke", "", `C:\Program Files\Haoke\haoke.exe`, "windows", env("ProgramFiles", `C:\Program Files`), has(`C:\Program Files\Haoke\uninstall.exe`)),
			Installed{Way: WaySetup, Kind: KindSetup, Program: "haoke", Exe: `C:\Program Files\Haoke\haoke.exe`, Machine: true}},
		"a folder of a like name": {find("haoke", "", `C:\Program FilesX\Haoke\haoke.exe`, "windows", env("ProgramFiles", `C:\Program Files`), has(`C:\Program FilesX\Haoke\uninstall.exe`)),
			Installed{Way: WaySetup, Kind: KindSetup, Program: "haoke", Exe: `C:\Program FilesX\Haoke\haoke.exe`}},
		"loose":     {find("haoke", "", `D:\x\haoke.exe`, "windows", none, has()), Installed{Way: WayManual, Kind: KindSetup, Program: "haoke", Exe: `D:\x\haoke.exe`}},
		"a service": {find("haoked", "", `C:\H\haoked.exe`, "windows", env("USERPROFILE", `C:\Windows\ServiceProfiles\LocalService`), has(`C:\H\uninstall.exe`)), Installed{Way: WayManual, Kind: KindSetup, Program: "haoked", Exe: `C:\H\haoked.exe`, Manager: "service"}},
		"mac app":   {find("haoke", "", "/Applications/Haoke.app/Contents/MacOS/haoke", "darwin", none, has()), Installed{Way: WayManual, Kind: KindDMG, Program: "haoke", Exe: "/Applications/Haoke.app/Contents/MacOS/haoke"}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v\nwant %+v", name, c.got, c.want)
		}
	}
	if c := (Installed{Manager: "deb"}).Command("haoked_1.3.0-1_amd64.deb"); !strings.HasPrefix(c, "sudo apt") {
		t.Error(c)
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
