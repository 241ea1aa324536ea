package logs

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// File is a log of a bounded size: before it would grow beyond its bound it
// becomes NAME.1, in the place of the one before, and a new one begins. One
// that cannot be moved (a virus scanner holds it) is gone on with until it can.
// It is safe for concurrent use.
type File struct {
	path string
	max  int64

	mu   sync.Mutex
	file *os.File // nil: closed, or the new one could not be opened yet
	end  bool
	size int64
}

var _ io.WriteCloser = (*File)(nil)

// OpenFile opens path for appending, with its folder if there is none (0700);
// the file is the owner's alone (0600). max is in bytes; a single write that is
// larger has a file of its own.
func OpenFile(path string, max int64) (*File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	f := &File{path: path, max: max}
	return f, f.open()
}

func (f *File) open() error {
	file, err := os.OpenFile(f.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return fmt.Errorf("open the log: %w", err)
	}
	f.file, f.size = file, info.Size()
	return nil
}

// Path is the file that is written.
func (f *File) Path() string { return f.path }

// Write takes whole lines. An error means that they are lost; later ones are
// tried anew, except after Close (os.ErrClosed).
func (f *File) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.end {
		return 0, fmt.Errorf("write the log: %w", os.ErrClosed)
	}
	if f.file != nil && f.size > 0 && f.size+int64(len(p)) > f.max {
		f.file.Close() // what it has is written
		f.file = nil
		_ = os.Rename(f.path, f.path+".1") // refused: the same file is opened again
	}
	if f.file == nil {
		if err := f.open(); err != nil {
			return 0, err
		}
	}
	n, err := f.file.Write(p)
	f.size += int64(n)
	if err != nil {
		return n, fmt.Errorf("write the log: %w", err)
	}
	return n, nil
}

// Close ends the log. It may be called more than once.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.end = true
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}
