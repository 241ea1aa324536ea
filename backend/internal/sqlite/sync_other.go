//go:build !linux

package sqlite

import "os"

// openSynced opens a file whose writes syncWritten brings to the disk.
func openSynced(path string, _ bool) (*os.File, error) { return os.OpenFile(path, os.O_RDWR, 0) }

// syncWritten brings what was written to the disk.
func syncWritten(f *os.File) error { return f.Sync() }
