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

// updated is a shop in which 1.3.0 was just put in the place of 1.2.3.
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

func (s *shop) runs(t *testing.T, version string) {
	t.Helper()
	out, err := exec.Command(s.exe, "version").Output()
	if err != nil || !strings.Contains(string(out), version) {
		t.Errorf("the program is %q (%v), want %s", out, err, version)
	}
}

// TestAStartThatDies: the new version was started and nothing was heard of it
// (a crash, or the power went). The next start puts the previous one back.
func TestAStartThatDies(t *testing.T) {
	s := updated(t)
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
	s.runs(t, "1.3.0")
	err := Starting(s.Dir, "1.3.0", then, back)
	var rolled *RolledBackError
	if !errors.As(err, &rolled) || rolled.Exe != s.exe || rolled.From != "1.2.3" || restored != 1 {
		t.Fatalf("%v, %d", err, restored)
	}
	s.runs(t, "1.2.3")
	// The previous version starts and says what happened.
	if err := Starting(s.Dir, "1.2.3", then, back); err != nil || restored != 1 {
		t.Fatalf("%v, %d", err, restored)
	}
	if o := s.State().Last; o == nil || o.OK || o.To != "1.3.0" || o.Fault == "" {
		t.Errorf("outcome: %+v", o)
	}
}

func TestAStartThatFails(t *testing.T) {
	s := updated(t)
	none := func(time.Time) error { return nil }
	if err := Starting(s.Dir, "1.3.0", then, none); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("migrate to schema 3: boom")
	err := Failed(s.Dir, "1.3.0", then, cause, none)
	var rolled *RolledBackError
	if !errors.As(err, &rolled) || !errors.Is(err, cause) || !strings.Contains(err.Error(), "1.2.3 is back") {
		t.Fatal(err)
	}
	s.runs(t, "1.2.3")
	if o := s.State().Last; o == nil || o.OK || !strings.Contains(o.Fault, "boom") {
		t.Errorf("outcome: %+v", o)
	}
	// A failure of a version that was there all along changes nothing.
	if err := Failed(s.Dir, "1.2.3", then, cause, none); err != nil {
		t.Error(err)
	}
}

// TestAStartThatIsStopped: an order to stop is no failure of the version.
func TestAStartThatIsStopped(t *testing.T) {
	s := updated(t)
	none := func(time.Time) error { return nil }
	for range 3 {
		if err := Starting(s.Dir, "1.3.0", then, none); err != nil {
			t.Fatal(err)
		}
		if err := Interrupted(s.Dir, "1.3.0"); err != nil {
			t.Fatal(err)
		}
	}
	s.runs(t, "1.3.0")
	if err := Interrupted(t.TempDir(), "1.3.0"); err != nil {
		t.Errorf("where nothing is under way: %v", err)
	}
}

// TestCutOffAtEachStep: wherever the power goes between the note, the swap and
// the putting back, the next starts end at a version that serves.
func TestCutOffAtEachStep(t *testing.T) {
	none := func(time.Time) error { return nil }
	t.Run("before the swap", func(t *testing.T) {
		s := newShop(t)
		p := pending{From: "1.2.3", To: "1.3.0", Exe: s.exe, Previous: s.exe + ".previous", At: then}
		if err := (memory{Pending: &p}).save(s.Dir); err != nil {
			t.Fatal(err)
		}
		if err := Starting(s.Dir, "1.2.3", then, none); err != nil {
			t.Fatal(err)
		}
		if o := s.State().Last; o == nil || o.OK {
			t.Errorf("outcome: %+v", o)
		}
		s.runs(t, "1.2.3")
	})
	t.Run("while the data is put back", func(t *testing.T) {
		s := updated(t)
		if err := Starting(s.Dir, "1.3.0", then, none); err != nil {
			t.Fatal(err)
		}
		cut := errors.New("cut")
		var rolled *RolledBackError
		if err := Starting(s.Dir, "1.3.0", then, func(time.Time) error { return cut }); !errors.Is(err, cut) || errors.As(err, &rolled) {
			t.Fatal(err)
		}
		s.runs(t, "1.3.0")
		if err := Starting(s.Dir, "1.3.0", then, none); !errors.As(err, &rolled) {
			t.Fatal(err)
		}
		s.runs(t, "1.2.3")
	})
	t.Run("after the swap back, before the note", func(t *testing.T) {
		s := updated(t)
		if err := Starting(s.Dir, "1.3.0", then, none); err != nil {
			t.Fatal(err)
		}
		if err := unswap(s.exe, s.exe+".previous"); err != nil {
			t.Fatal(err)
		}
		restored := false
		if err := Starting(s.Dir, "1.2.3", then, func(time.Time) error { restored = true; return nil }); err != nil || !restored {
			t.Fatal(err, restored)
		}
		s.runs(t, "1.2.3")
	})
	t.Run("the note is damaged", func(t *testing.T) {
		s := updated(t)
		if err := os.WriteFile(filepath.Join(s.Dir, memoryFile), []byte(`{"pend`), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Starting(s.Dir, "1.3.0", then, none); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("the previous version is gone", func(t *testing.T) {
		s := updated(t)
		if err := os.Remove(s.exe + ".previous"); err != nil {
			t.Fatal(err)
		}
		var rolled *RolledBackError
		if err := Failed(s.Dir, "1.3.0", then, errors.New("boom"), none); err == nil || errors.As(err, &rolled) || !strings.Contains(err.Error(), "gone") {
			t.Fatal(err)
		}
		s.runs(t, "1.3.0")
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

// TestPlan carries an installer's plan out with an installer that is a script.
func TestPlan(t *testing.T) {
	install := func(body string) string { return "#!/bin/sh\n[ \"$1\" = /S ] || exit 9\n" + body + "\n" }
	for name, c := range map[string]struct {
		setup func(exe string) string
		spoil func(p *Plan)
		ok    bool
		want  string
	}{
		"goes well": {setup: func(exe string) string {
			return install("cat > '" + exe + "' <<'X'\n" + script("1.3.0", "exit 0") + "X\n")
		}, ok: true},
		"the installer fails": {setup: func(exe string) string { return install("echo junk > '" + exe + "'; exit 67") }, want: "did not get through"},
		"the new one does not start": {setup: func(exe string) string {
			return install("cat > '" + exe + "' <<'X'\n" + script("1.3.0", "exit 3") + "X\n")
		}, want: "did not become ready"},
		"the installer is exchanged": {setup: func(string) string { return install("exit 0") }, spoil: func(p *Plan) {
			os.WriteFile(p.Setup, []byte("#!/bin/sh\nexit 0\n# evil"), 0o755)
		}, want: "changed on the disk"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			work := filepath.Join(s.Dir, workFolder)
			if err := os.MkdirAll(work, 0o700); err != nil {
				t.Fatal(err)
			}
			p := Plan{Data: s.Dir, From: "1.2.3", To: "1.3.0", Setup: filepath.Join(work, "setup.exe"), SetupArgs: []string{"/S"}, Programs: []string{s.exe, s.exe + "-none"},
				Exe: s.exe, Try: []string{"serve"}, Args: []string{"again"}, Ask: "version", Ready: 10 * time.Second}
			if err := os.WriteFile(p.Setup, []byte(c.setup(s.exe)), 0o755); err != nil {
				t.Fatal(err)
			}
			sum, err := sumOf(p.Setup)
			if err != nil {
				t.Fatal(err)
			}
			p.SHA256 = sum
			if c.spoil != nil {
				c.spoil(&p)
			}
			plan := filepath.Join(work, planFile)
			if err := os.WriteFile(plan, marshal(t, p), 0o600); err != nil {
				t.Fatal(err)
			}
			err = RunPlan(context.Background(), plan, func() time.Time { return then })
			if (err == nil) != c.ok || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v; want %q", err, c.want)
			}
			o := s.State().Last
			if o == nil || o.OK != c.ok || o.To != "1.3.0" {
				t.Fatalf("outcome: %+v", o)
			}
			want := "1.2.3"
			if c.ok {
				want = "1.3.0"
			}
			s.runs(t, want)
			if exists(p.Setup) {
				t.Error("the installer is left")
			}
		})
	}
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
		"tar":       {find("haoked", "", "/opt/haoke/haoked", "linux", none, has()), Installed{Way: WayReplace, Kind: KindTar, Program: "haoked", Exe: "/opt/haoke/haoked"}},
		"local":     {find("haoked", "", "/usr/local/bin/haoked", "linux", none, has()), Installed{Way: WayReplace, Kind: KindTar, Program: "haoked", Exe: "/usr/local/bin/haoked"}},
		"deb":       {find("haoked", "", "/usr/bin/haoked", "linux", none, has("/var/lib/dpkg/info/haoked.list")), Installed{Way: WayPackage, Kind: KindDeb, Program: "haoked", Exe: "/usr/bin/haoked", Manager: "deb"}},
		"rpm":       {find("haoke", "", "/usr/bin/haoke", "linux", none, has()), Installed{Way: WayPackage, Kind: KindRPM, Program: "haoke", Exe: "/usr/bin/haoke", Manager: "rpm"}},
		"docker":    {find("haoked", "", "/haoked", "linux", none, has()), Installed{Way: WayPackage, Program: "haoked", Exe: "/haoked", Manager: "docker"}},
		"appimage":  {find("haoke", "", "/tmp/.mount_x/usr/bin/haoke", "linux", env("APPIMAGE", "/home/x/Haoke.AppImage"), has()), Installed{Way: WayReplace, Kind: KindAppImage, Program: "haoke", Exe: "/home/x/Haoke.AppImage"}},
		"the build": {find("haoked", "nix", "/opt/haoked", "linux", none, has()), Installed{Way: WayPackage, Kind: "nix", Program: "haoked", Exe: "/opt/haoked", Manager: "nix"}},
		"windows": {find("haoke", "", `C:\Users\x\AppData\Local\Programs\Haoke\haoke.exe`, "windows", env("ProgramFiles", `C:\Program Files`), has(`C:\Users\x\AppData\Local\Programs\Haoke\uninstall.exe`)),
			Installed{Way: WaySetup, Kind: KindSetup, Program: "haoke", Exe: `C:\Users\x\AppData\Local\Programs\Haoke\haoke.exe`}},
		"for everybody": {find("haoke", "", `C:\Program Files\Haoke\haoke.exe`, "windows", env("ProgramFiles", `C:\Program Files`), has(`C:\Program Files\Haoke\uninstall.exe`)),
			Installed{Way: WaySetup, Kind: KindSetup, Program: "haoke", Exe: `C:\Program Files\Haoke\haoke.exe`, Machine: true}},
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
