package update

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// notice reads and proves the makers' notice by itself: whoever asks may lie.
func (r *raised) notice(seen time.Time) (Manifest, error) {
	data, err := small(filepath.Join(r.dir, noticeFile), maxManifest)
	if err != nil {
		return Manifest{}, fmt.Errorf("read the update's notice: %w", err)
	}
	sig, err := small(filepath.Join(r.dir, noticeFile+".sig"), maxSignature)
	if err != nil {
		return Manifest{}, fmt.Errorf("read the update's notice: %w", err)
	}
	m, err := Open(data, sig, r.Keys)
	switch {
	case err != nil:
		return m, err
	case !m.counts(r.now()):
		return m, ErrExpired
	case m.Issued.Before(seen):
		return m, ErrReplay
	}
	return m, m.follows(r.Version)
}

func (r *raised) now() time.Time {
	if r.Now == nil {
		return time.Now()
	}
	return r.Now()
}

// small reads a file of at most so many bytes.
func small(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > most {
		return nil, errors.Join(err, fmt.Errorf("%s is not a file of at most %d bytes", filepath.Base(path), most))
	}
	return io.ReadAll(io.LimitReader(f, most))
}

// take copies the installer to where only administrators can write, and proves
// the copy. The file that it returns keeps others from changing it.
func (r *raised) take(m *Manifest) (*os.File, error) {
	in, err := os.Open(filepath.Join(r.dir, setupFile))
	if err != nil {
		return nil, fmt.Errorf("copy the installer: %w", err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, fmt.Errorf("copy the installer: %w", err)
	}
	named := func(size int64, sum string) bool {
		for _, f := range m.installers() {
			if f.Size == size && (sum == "" || f.SHA256 == sum) {
				return true
			}
		}
		return false
	}
	if !info.Mode().IsRegular() || !named(info.Size(), "") {
		return nil, fmt.Errorf("copy the installer: %w", ErrTampered)
	}
	to := filepath.Join(r.folder(), setupFile)
	if err := os.Remove(to); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("copy the installer: %w", err)
	}
	if err := writeProgram(to, in, info.Size()); err != nil {
		return nil, fmt.Errorf("copy the installer: %w", err)
	}
	held, err := hold(to)
	if err != nil {
		return nil, fmt.Errorf("copy the installer: %w", err)
	}
	n, sum, err := measureOpen(held)
	if err == nil && !named(n, sum) {
		err = ErrTampered
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("copy the installer: %w", err), held.Close(), os.Remove(to))
	}
	return held, nil
}
