package app

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// maxLog bounds the log's file in bytes; then it becomes haoke.log.1 and a new
// one begins.
const maxLog = 5 << 20

// logFile is where a program without a terminal writes its log. What cannot be
// written is dropped: a full disk must not stop the service. Safe for
// concurrent use.
type logFile struct {
	path string

	mu   sync.Mutex
	file *os.File
	size int64
}

// openLog opens the log of a data folder, which may not exist yet.
func openLog(dataDir string) (*logFile, error) {
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	l := &logFile{path: filepath.Join(dataDir, "haoke.log")}
	return l, l.open()
}

func (l *logFile) open() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return fmt.Errorf("open the log: %w", err)
	}
	l.file, l.size = f, info.Size()
	return nil
}

var _ io.Writer = (*logFile)(nil)

// Write takes whole lines, as the log's handler writes them.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return len(p), nil
	}
	if l.size > 0 && l.size+int64(len(p)) > maxLog {
		l.file.Close()
		l.file = nil
		// Where the old file cannot be renamed the new lines go behind it.
		_ = os.Rename(l.path, l.path+".1")
		if l.open() != nil {
			return len(p), nil
		}
	}
	n, _ := l.file.Write(p)
	l.size += int64(n)
	return len(p), nil
}

// Close ends the log; later lines are dropped.
func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}
