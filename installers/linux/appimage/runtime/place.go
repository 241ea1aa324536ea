//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// folderName is the cache's folder; one of /tmp is named after its owner too.
const folderName = "haoke-appimage"

// place is the folder in which the image lies unpacked; it is unpacked when it
// is not there whole. Of the possible folders the first that will do is taken.
func place(self *self) (string, error) {
	var faults []error
	for _, root := range roots() {
		dir, err := placeIn(self, root)
		if err == nil {
			return dir, nil
		}
		faults = append(faults, fmt.Errorf("%s: %w", root, err))
		if errors.Is(err, errDamaged) {
			break
		}
	}
	return "", fmt.Errorf("the program could not be unpacked:\n%w\nName a folder with room in XDG_CACHE_HOME, or unpack by --appimage-extract and start squashfs-root/AppRun", errors.Join(faults...))
}

// roots are the folders to try, best first.
func roots() []string {
	var all []string
	if cache, err := os.UserCacheDir(); err == nil {
		all = append(all, filepath.Join(cache, folderName))
	}
	own := folderName + "-" + strconv.Itoa(os.Geteuid())
	for _, tmp := range []string{os.TempDir(), "/var/tmp"} {
		all = append(all, filepath.Join(tmp, own))
	}
	return all
}

func placeIn(self *self, root string) (string, error) {
	if err := ownFolder(root); err != nil {
		return "", err
	}
	if err := mayRun(root); err != nil {
		return "", err
	}
	// One unpacks at a time; a second start waits and finds the work done. Where
	// there are no locks (some network drives) both unpack, and one comes first.
	lock, err := os.OpenFile(filepath.Join(root, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", explain(err)
	}
	defer lock.Close()
	_ = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)
	dir := filepath.Join(root, digest[:32])
	if self.whole(dir) != nil {
		if err := self.renew(root, dir); err != nil {
			return "", explain(err)
		}
	}
	if err := keepHeld(dir); err != nil {
		return "", err
	}
	prune(root, dir)
	return dir, nil
}

// ownFolder makes the folder for this account alone, or proves that it is.
func ownFolder(root string) error {
	if err := os.MkdirAll(filepath.Dir(root), 0o700); err != nil {
		return explain(err)
	}
	if err := os.Mkdir(root, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return explain(err)
	}
	info, err := os.Lstat(root)
	if err != nil {
		return explain(err)
	}
	return private(info)
}

// private refuses what another account could have put there or could change.
func private(info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.IsDir():
		return errors.New("is not a folder")
	case !ok || int(st.Uid) != os.Geteuid():
		return errors.New("belongs to somebody else")
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("is open to others (%v)", info.Mode().Perm())
	}
	return nil
}

// mayRun refuses a disk from which no program is started.
func mayRun(dir string) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err == nil && st.Flags&stNoexec != 0 {
		return errors.New("no program may be started from this disk (it is mounted noexec)")
	}
	return nil
}

// stNoexec is ST_NOEXEC of statvfs(3).
const stNoexec = 8

// renew unpacks beside and puts the whole into its place.
func (s *self) renew(root, dir string) error {
	tmp, err := os.MkdirTemp(root, ".new-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	fresh := filepath.Join(tmp, "image")
	if err := s.prove(); err != nil {
		return err
	}
	if err := s.unpack(fresh, nil); err != nil {
		return err
	}
	if _, err := os.Lstat(dir); err == nil { // somebody cleaned in it
		if err := os.Rename(dir, filepath.Join(tmp, "spoilt")); err != nil {
			return err
		}
	}
	if err := os.Rename(fresh, dir); err != nil {
		if s.whole(dir) == nil {
			return nil // another start came first
		}
		return err
	}
	return syncFolder(root)
}

// keepHeld marks a folder as in use by this process and those that follow it.
func keepHeld(dir string) error {
	// Never closed: the lock holds for the whole life of AppRun and what it
	// starts; the kernel gives it back with the last of them.
	fd, err := syscall.Open(dir, syscall.O_RDONLY|syscall.O_DIRECTORY, 0) // goes on to AppRun
	if err != nil {
		return fmt.Errorf("open %s: %w", dir, err)
	}
	_ = syscall.Flock(fd, syscall.LOCK_SH|syscall.LOCK_NB)
	return nil
}

// prune removes other versions that nobody runs, and what a cut left. What
// cannot be removed is tried again at the next start.
func prune(root, dir string) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return
	}
	for _, e := range entries {
		path := filepath.Join(root, e.Name())
		switch {
		case path == dir || !e.IsDir():
		case strings.HasPrefix(e.Name(), ".new-"): // nobody unpacks: the lock is here
			_ = os.RemoveAll(path)
		case unused(path):
			gone := filepath.Join(root, ".new-old-"+e.Name())
			if os.Rename(path, gone) == nil {
				_ = os.RemoveAll(gone)
			}
		}
	}
}

func unused(dir string) bool {
	f, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer f.Close()
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// explain adds what to do to errors that a person can do something about.
func explain(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("the disk is full (about 100 MB are needed): %w", err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("cannot be written by this account: %w", err)
	}
	return err
}
