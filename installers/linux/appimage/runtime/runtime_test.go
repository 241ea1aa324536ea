//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// appRun tells what it was started with, or does what a test asks it for.
const appRun = `#!/bin/sh
case $1 in
  wait) echo "$APPDIR"; read -r line; exit 0 ;;
  data) cat "$APPDIR/usr/big"; exit 0 ;;
esac
printf '%s\n' "$APPIMAGE" "$APPDIR" "$ARGV0" "$OWD" "$@"
exit 7
`

// image packs an AppImage with a version of its own into a new folder whose
// name has a space and Chinese characters.
func image(t *testing.T, version string) string {
	t.Helper()
	if _, err := exec.LookPath("mksquashfs"); err != nil {
		if os.Getenv("HAOKE_TEST_REQUIRE") != "" {
			t.Fatal("mksquashfs is missing: make setup-test installs it")
		}
		t.Skip("needs mksquashfs (package squashfs-tools)")
	}
	work := t.TempDir()
	app := filepath.Join(work, "app")
	must(t, os.MkdirAll(filepath.Join(app, "usr", "share"), 0o755))
	must(t, os.WriteFile(filepath.Join(app, "AppRun"), []byte(appRun), 0o755))
	must(t, os.WriteFile(filepath.Join(app, "version"), []byte(version), 0o644))
	must(t, os.WriteFile(filepath.Join(app, "usr", "big"), big(), 0o644))
	must(t, os.WriteFile(filepath.Join(app, "usr", "empty"), nil, 0o644))
	must(t, os.Symlink("../version", filepath.Join(app, "usr", "link")))
	squash := filepath.Join(work, "image.squashfs")
	sh(t, "mksquashfs", app, squash, "-noappend", "-quiet", "-no-progress", "-all-root", "-no-xattrs", "-no-fragments", "-comp", "zstd", "-mkfs-time", "0", "-all-time", "0")
	data, err := os.ReadFile(squash)
	must(t, err)
	sum := sha256.Sum256(data)
	program := filepath.Join(work, "runtime")
	sh(t, "go", "build", "-ldflags", "-s -w -buildid= -X main.digest="+hex.EncodeToString(sum[:]), "-o", program, ".")
	home := filepath.Join(work, "好客 shop")
	must(t, os.Mkdir(home, 0o755))
	out := filepath.Join(home, "Haoke.AppImage")
	sh(t, "go", "run", "../pack", program, squash, out)
	return out
}

// big is a file of several blocks, with a hole, that does not pack well.
func big() []byte {
	var b bytes.Buffer
	sum := sha256.Sum256([]byte("seed"))
	for b.Len() < 600_000 {
		sum = sha256.Sum256(sum[:])
		b.Write(sum[:])
	}
	return append(append(b.Bytes(), make([]byte, 400_000)...), "the end"...)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func sh(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Env = setenv(cmd.Env, "SOURCE_DATE_EPOCH", "")
	for i, e := range cmd.Env {
		if e == "SOURCE_DATE_EPOCH=" {
			cmd.Env = append(cmd.Env[:i], cmd.Env[i+1:]...)
			break
		}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// call runs an AppImage with a cache and a folder for what is temporary.
func call(cache, file string, args ...string) *exec.Cmd {
	cmd := exec.Command(file, args...)
	cmd.Dir = filepath.Dir(file)
	cmd.Env = append(setenv(os.Environ(), "XDG_CACHE_HOME", cache), "TMPDIR="+filepath.Join(cache, "none"))
	return cmd
}

// said is what a call that must succeed says.
func said(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var wrong bytes.Buffer
	cmd.Stderr = &wrong
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, wrong.Bytes())
	}
	return string(out)
}

func TestStart(t *testing.T) {
	file := image(t, "1")
	cache := t.TempDir()
	for range 2 { // unpacked, and found unpacked
		cmd := call(cache, file, "a b", "--hidden", "客")
		out, _ := cmd.Output()
		if cmd.ProcessState.ExitCode() != 7 {
			t.Fatalf("AppRun's exit code is lost: %v, %q", cmd.ProcessState, out)
		}
		lines := strings.Split(string(out), "\n")
		if len(lines) < 7 || lines[0] != file || !strings.HasPrefix(lines[1], cache) || lines[2] != file || lines[3] != filepath.Dir(file) || strings.Join(lines[4:7], ",") != "a b,--hidden,客" {
			t.Fatalf("%q", lines)
		}
		info, err := os.Stat(lines[1])
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Fatalf("%v %v", info, err)
		}
		if link, err := os.ReadFile(filepath.Join(lines[1], "usr", "link")); err != nil || string(link) != "1" {
			t.Errorf("the link: %q %v", link, err)
		}
	}
	if got := said(t, call(cache, file, "data")); got != string(big()) {
		t.Errorf("a file of several blocks has %d other bytes", len(got))
	}
	if got := said(t, call(cache, file, "--appimage-extract-and-run", "data")); got != string(big()) {
		t.Errorf("extract-and-run: %d bytes", len(got))
	}
}

// TestForm: what other tools of the form do with such a file.
func TestForm(t *testing.T) {
	file := image(t, "1")
	data, err := os.ReadFile(file)
	must(t, err)
	if string(data[8:11]) != "AI\x02" {
		t.Errorf("mark %q", data[8:11])
	}
	offset := strings.TrimSpace(said(t, call(t.TempDir(), file, "--appimage-offset")))
	list, err := exec.Command("unsquashfs", "-l", "-o", offset, file).CombinedOutput()
	if err != nil || !bytes.Contains(list, []byte("squashfs-root/AppRun")) {
		t.Errorf("unsquashfs at %s: %v %s", offset, err, list)
	}
	out := said(t, call(t.TempDir(), file, "--appimage-extract", "version"))
	root := filepath.Join(filepath.Dir(file), "squashfs-root")
	if _, err := os.Stat(filepath.Join(root, "AppRun")); out != "squashfs-root/version\n" || err == nil {
		t.Errorf("a part was asked for: %q", out)
	}
	must(t, os.RemoveAll(root))
	said(t, call(t.TempDir(), file, "--appimage-extract"))
	if got, err := os.ReadFile(filepath.Join(root, "usr", "big")); err != nil || !bytes.Equal(got, big()) {
		t.Errorf("extracted: %d bytes, %v", len(got), err)
	}
	if out, err := call(t.TempDir(), file, "--appimage-nonsense").CombinedOutput(); err == nil || !strings.Contains(string(out), "not known") {
		t.Errorf("an unknown option: %v %s", err, out)
	}
}

// TestManyAtOnce: with an empty cache, and with one that is being cleaned.
func TestManyAtOnce(t *testing.T) {
	file := image(t, "1")
	cache := t.TempDir()
	for round := range 3 {
		var g sync.WaitGroup
		for range 8 {
			g.Go(func() {
				if out, err := call(cache, file, "data").Output(); err != nil || !bytes.Equal(out, big()) {
					t.Errorf("round %d: %v, %d bytes", round, err, len(out))
				}
			})
		}
		g.Wait()
		left, _ := filepath.Glob(filepath.Join(cache, folderName, "[0-9a-f]*"))
		if len(left) != 1 {
			t.Fatalf("left: %v", left)
		}
		// What a cleaner takes away, or an editor spoils, is unpacked anew.
		victim := filepath.Join(left[0], "usr", "big")
		if round == 0 {
			must(t, os.Remove(victim))
		} else {
			must(t, os.Truncate(victim, 5))
		}
	}
}

func TestOldVersions(t *testing.T) {
	first, second := image(t, "1"), image(t, "2")
	cache := t.TempDir()
	running := call(cache, first, "wait")
	in, err := running.StdinPipe()
	must(t, err)
	out, err := running.StdoutPipe()
	must(t, err)
	must(t, running.Start())
	dir := make([]byte, 4096)
	n, err := out.Read(dir)
	must(t, err)
	old := strings.TrimSpace(string(dir[:n]))
	said(t, call(cache, second, "data"))
	if _, err := os.Stat(filepath.Join(old, "AppRun")); err != nil {
		t.Fatalf("a version that runs was removed: %v", err)
	}
	in.Close()
	must(t, running.Wait())
	must(t, os.Mkdir(filepath.Join(cache, folderName, ".new-cut"), 0o700))
	said(t, call(cache, second, "data"))
	left, err := os.ReadDir(filepath.Join(cache, folderName))
	if err != nil || len(left) != 2 { // the lock and the second
		t.Errorf("left: %v %v", left, err)
	}
	said(t, call(cache, first, "data")) // and back again
}

func TestDamaged(t *testing.T) {
	file := image(t, "1")
	whole, err := os.ReadFile(file)
	must(t, err)
	offset, err := strconv.Atoi(strings.TrimSpace(said(t, call(t.TempDir(), file, "--appimage-offset"))))
	must(t, err)
	for name, data := range map[string][]byte{
		"cut":      whole[:len(whole)-5000],
		"one byte": append(bytes.Clone(whole[:len(whole)-300_000]), append([]byte{whole[len(whole)-300_000] ^ 1}, whole[len(whole)-299_999:]...)...),
		"longer":   append(bytes.Clone(whole), "x"...),
		"no image": whole[:offset],
	} {
		must(t, os.WriteFile(file+name, data, 0o755))
		cache := t.TempDir()
		out, err := call(cache, file+name, "data").CombinedOutput()
		if err == nil || !strings.Contains(string(out), "download it again") && !strings.Contains(string(out), "holds no image") {
			t.Errorf("%s: %v %s", name, err, out)
		}
		if left, _ := filepath.Glob(filepath.Join(cache, folderName, "[^.]*")); len(left) != 0 {
			t.Errorf("%s: left %v", name, left)
		}
	}
}

// TestWhereItCannotBe: folders that will not do are passed over, with a
// sentence when there is no other.
func TestWhereItCannotBe(t *testing.T) {
	file := image(t, "1")
	mount := func(options string) string {
		if os.Geteuid() != 0 {
			t.Skip("mounting needs root")
		}
		dir := t.TempDir()
		if out, err := exec.Command("mount", "-t", "tmpfs", "-o", options, "haoke-test", dir).CombinedOutput(); err != nil {
			t.Skipf("nothing can be mounted here: %s", out)
		}
		t.Cleanup(func() { _ = exec.Command("umount", dir).Run() })
		return dir
	}
	stranger := func(t *testing.T) string {
		dir := t.TempDir()
		must(t, os.Mkdir(filepath.Join(dir, folderName), 0o777))
		must(t, os.Chmod(filepath.Join(dir, folderName), 0o777))
		return dir
	}
	for name, c := range map[string]struct{ cache, want string }{
		"noexec":         {mount("noexec,size=10m"), "noexec"},
		"full":           {mount("size=200k"), "the disk is full"},
		"read-only":      {mount("ro,size=1m"), "cannot be written"},
		"open to others": {stranger(t), "open to others"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := call(c.cache, file, "data")
			if got := said(t, cmd); got != string(big()) { // by way of /var/tmp
				t.Fatalf("%d bytes", len(got))
			}
			// No other folder: what is temporary is the same bad one.
			cmd = exec.Command("unshare", "-m", "sh", "-c", `mount -t tmpfs -o ro none /var/tmp && exec "$@"`, "sh", file, "data")
			cmd.Env = append(setenv(os.Environ(), "XDG_CACHE_HOME", c.cache), "TMPDIR=/proc")
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), c.want) || !strings.Contains(string(out), "XDG_CACHE_HOME") {
				t.Errorf("%v %s", err, out)
			}
		})
	}
	_ = os.RemoveAll(filepath.Join("/var/tmp", filepath.Base(roots()[1])))
}

// TestEndedInTheMiddle: killed while it unpacks, the next start unpacks anew.
func TestEndedInTheMiddle(t *testing.T) {
	file := image(t, "1")
	cache := t.TempDir()
	cuts := 0
	for range 20 {
		cmd := call(cache, file, "data")
		must(t, cmd.Start())
		for cmd.Process.Signal(syscall.Signal(0)) == nil {
			if made, _ := filepath.Glob(filepath.Join(cache, folderName, ".new-*", "image", "*")); len(made) > 0 {
				cuts++
				break
			}
			if whole, _ := filepath.Glob(filepath.Join(cache, folderName, "[0-9a-f]*")); len(whole) > 0 {
				break
			}
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if cuts > 2 {
			break
		}
		whole, _ := filepath.Glob(filepath.Join(cache, folderName, "[0-9a-f]*"))
		for _, w := range whole {
			must(t, os.RemoveAll(w))
		}
	}
	if cuts == 0 {
		t.Fatal("no cut came in time")
	}
	if got := said(t, call(cache, file, "data")); got != string(big()) {
		t.Errorf("%d bytes", len(got))
	}
	if left, _ := filepath.Glob(filepath.Join(cache, folderName, ".new-*")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
