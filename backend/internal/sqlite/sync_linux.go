package sqlite

import (
	"os"
	"syscall"
)

// openSynced opens a file whose writes return once they are on the disk: direct,
// past the system's cache, where they are there a fifth sooner. Not every file
// system can do that, and those that can ask for whole blocks.
func openSynced(path string, direct bool) (*os.File, error) {
	flags := os.O_RDWR | syscall.O_DSYNC
	if direct {
		flags |= syscall.O_DIRECT
	}
	return os.OpenFile(path, flags, 0)
}

// syncWritten has nothing to do: writing has.
func syncWritten(*os.File) error { return nil }
