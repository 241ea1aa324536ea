//go:build linux

package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"haoke/installers/linux/appimage/squashfs"
)

// errDamaged: the file is not as it was packed.
var errDamaged = errors.New("this file is damaged or was not downloaded to its end; download it again")

// prove compares the image with the sum that the program carries.
func (s *self) prove() error {
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(s, s.offset, s.size)); err != nil {
		return fmt.Errorf("read this file: %w", err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != digest {
		return errDamaged
	}
	return nil
}

// image opens what follows the program.
func (s *self) image() (*squashfs.Image, error) {
	i, err := squashfs.Open(io.NewSectionReader(s, s.offset, s.size))
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", errDamaged, err)
	}
	return i, nil
}

// unpack writes the image's entries that want takes (nil: all) below dir, which
// is made. All of it is on the disk when it returns.
func (s *self) unpack(dir string, want func(*squashfs.Entry) bool) error {
	i, err := s.image()
	if err != nil {
		return err
	}
	defer i.Close()
	var folders []string
	err = i.Walk(func(e *squashfs.Entry) error {
		if want != nil && !want(e) {
			return nil
		}
		to := filepath.Join(dir, filepath.FromSlash(e.Path))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		switch {
		case e.Mode.IsDir():
			folders = append(folders, to)
			if err := os.Mkdir(to, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
			return nil
		case e.Mode&fs.ModeSymlink != 0:
			return os.Symlink(e.Target, to)
		}
		return write(e, to)
	})
	if errors.Is(err, squashfs.ErrFormat) {
		return fmt.Errorf("%w (%w)", errDamaged, err)
	}
	for _, f := range folders {
		err = errors.Join(err, syncFolder(f))
	}
	return err
}

// write makes a file of an entry.
func write(e *squashfs.Entry, to string) (err error) {
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600|e.Mode.Perm())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<20)
	if _, err := e.WriteTo(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Sync()
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// whole reports what an unpacked folder lacks: cleaners of caches take single
// files away.
func (s *self) whole(dir string) error {
	info, err := os.Lstat(dir)
	if err == nil {
		err = private(info)
	}
	if err != nil {
		return err
	}
	i, err := s.image()
	if err != nil {
		return err
	}
	defer i.Close()
	return i.Walk(func(e *squashfs.Entry) error {
		info, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(e.Path)))
		switch {
		case err != nil:
			return err
		case info.Mode().Type() != e.Mode.Type(), e.Mode.IsRegular() && info.Size() != e.Size:
			return fmt.Errorf("%s is not as it was unpacked", e.Path)
		}
		return nil
	})
}
