package app

import (
	"errors"
	"io"
	"os"

	"haoke/backend"
)

// startLog writes to the data folder and, where there is one, the terminal.
func startLog(dataDir string) (io.Writer, func()) {
	l, err := backend.OpenLog(dataDir)
	if err != nil {
		return os.Stderr, func() {} // the start itself says what is wrong with the folder
	}
	return either{l, os.Stderr}, func() { l.Close() }
}

// either writes to both. What one of them took is written: a program started
// by a click has no terminal, a full disk must not silence the terminal.
type either [2]io.Writer

// Write implements io.Writer.
func (e either) Write(p []byte) (int, error) {
	n, first := e[0].Write(p)
	m, second := e[1].Write(p)
	if first == nil || second == nil {
		return len(p), nil
	}
	return max(n, m), errors.Join(first, second)
}
