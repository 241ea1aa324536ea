//go:build linux

// Command runtime is the first part of an AppImage: a program without
// libraries that unpacks the image behind it, once, into a folder of the
// person's cache and starts AppRun from there. It needs neither FUSE nor root.
// The form is that of https://github.com/AppImage/AppImageSpec, type 2.
package main

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"haoke/installers/linux/appimage/squashfs"
)

// digest is the SHA-256 of the image in hex, written by the linker: the name of
// the cache's folder, and the proof that a download is whole.
var digest string

const help = `Options of the AppImage itself:
  --appimage-extract [PATTERN]  unpack into ./squashfs-root
  --appimage-mount              unpack into the cache, print where, wait for the end
  --appimage-offset             print where the image begins in this file
  --appimage-extract-and-run    run as always (nothing is ever mounted)
  --appimage-version            print the form's version
Unpacked is into $XDG_CACHE_HOME/haoke-appimage (~/.cache), or where that cannot
be, into a folder of $TMPDIR (/tmp) or /var/tmp.
`

func main() {
	if err := run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "haoke: AppImage:", err)
		os.Exit(1)
	}
}

// run does what the arguments say; it returns only when AppRun is not started.
func run(args []string) error {
	self, err := openSelf()
	if err != nil {
		return err
	}
	defer self.Close()
	option := ""
	if len(args) > 1 && strings.HasPrefix(args[1], "--appimage-") {
		option = args[1]
	}
	switch option {
	case "", "--appimage-extract-and-run":
		return start(self, args[:1], args[1+min(1, len(option)):])
	case "--appimage-offset":
		fmt.Println(self.offset)
		return nil
	case "--appimage-version":
		fmt.Println("type 2")
		return nil
	case "--appimage-updateinformation", "--appimage-updateinfo", "--appimage-signature":
		return nil // the program looks for updates itself, by notices that are signed
	case "--appimage-help":
		fmt.Print(help)
		return nil
	case "--appimage-extract":
		pattern := ""
		if len(args) > 2 {
			pattern = args[2]
		}
		return extract(self, "squashfs-root", pattern)
	case "--appimage-mount":
		return hold(self)
	}
	return fmt.Errorf("%s is not known; see --appimage-help", option)
}

// start makes this process AppRun's.
func start(self *self, argv0, rest []string) error {
	dir, err := place(self)
	if err != nil {
		return err
	}
	cwd, err := os.Getwd()
	if err != nil {
		cwd = "/"
	}
	file := self.path
	env := os.Environ()
	for name, value := range map[string]string{"APPIMAGE": file, "APPDIR": dir, "ARGV0": argv0[0], "OWD": cwd} {
		env = setenv(env, name, value)
	}
	exe := filepath.Join(dir, "AppRun")
	if err := syscall.Exec(exe, append([]string{exe}, rest...), env); err != nil {
		return fmt.Errorf("start %s: %w", exe, err)
	}
	return nil
}

func setenv(env []string, name, value string) []string {
	out := make([]string, 0, len(env)+1)
	for _, e := range env {
		if !strings.HasPrefix(e, name+"=") {
			out = append(out, e)
		}
	}
	return append(out, name+"="+value)
}

// hold is --appimage-mount without a mount: the folder is there until the end
// of this process at least.
func hold(self *self) error {
	dir, err := place(self)
	if err != nil {
		return err
	}
	fmt.Println(dir)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	<-stop
	return nil
}

// extract unpacks what matches the pattern ("": everything) into dir, a new
// folder of the present one.
func extract(self *self, dir, pattern string) error {
	found := 0
	err := self.unpack(dir, func(e *squashfs.Entry) bool {
		if pattern != "" {
			if ok, err := path.Match(pattern, e.Path); err != nil || !ok {
				return e.Path == "."
			}
		}
		found++
		if e.Path != "." {
			fmt.Println(filepath.Join(dir, e.Path))
		}
		return true
	})
	if err == nil && found == 0 {
		return fmt.Errorf("nothing in the image matches %s", pattern)
	}
	return err
}

// self is this very file and the image behind its program.
type self struct {
	*os.File
	path   string // absolute
	offset int64
	size   int64 // of the image
}

// openSelf finds the image: it begins where the program ends.
func openSelf() (*self, error) {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil, fmt.Errorf("find this file (is /proc mounted?): %w", err)
	}
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		return nil, fmt.Errorf("open this file: %w", err)
	}
	s := &self{File: f, path: exe}
	if s.offset, err = endOf(f); err == nil {
		var info os.FileInfo
		if info, err = f.Stat(); err == nil {
			s.size = info.Size() - s.offset
			if s.size <= 0 || digest == "" {
				err = errors.New("this file holds no image")
			}
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return s, nil
}

// endOf is where a program's own bytes end: behind the table of its sections,
// which the packer puts last.
func endOf(r io.ReaderAt) (int64, error) {
	var head [64]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return 0, fmt.Errorf("read this file: %w", err)
	}
	f, err := elf.NewFile(r)
	if err != nil {
		return 0, fmt.Errorf("read this file: %w", err)
	}
	table := int64(f.ByteOrder.Uint64(head[40:]))
	return table + int64(f.ByteOrder.Uint16(head[58:]))*int64(f.ByteOrder.Uint16(head[60:])), nil
}
