package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// Bounds of a service's log.
const (
	serviceLogBytes  = 5 << 20 // then the file becomes FILE.1 and a new one begins
	serviceEventRate = 30      // entries of the system's log in a minute; more are counted and told once
)

// serviceLog is the log of a server that nobody watches: every line into a
// file of the data folder, warnings and errors into the system's log as well.
// Information stays out of the latter, which every account of the machine may
// read. Safe for concurrent use.
type serviceLog struct {
	path  string
	event func(level, text string) error // "WARN" or "ERROR"
	now   func() time.Time

	mu     sync.Mutex
	file   *os.File
	size   int64
	minute time.Time // of the entries counted in sent
	sent   int
	kept   int // entries above the rate
}

var _ io.Writer = (*serviceLog)(nil)

// newServiceLog opens path for appending. event and now are required.
func newServiceLog(path string, event func(level, text string) error, now func() time.Time) (*serviceLog, error) {
	l := &serviceLog{path: path, event: event, now: now}
	return l, l.open()
}

func (l *serviceLog) open() error {
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

// Write takes whole lines, as the log's handler writes them.
func (l *serviceLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range bytes.Lines(p) {
		if level := severe(line); level != "" {
			l.tell(level, strings.TrimSpace(string(line)))
		}
	}
	if l.size > 0 && l.size+int64(len(p)) > serviceLogBytes {
		if err := l.turn(); err != nil {
			return 0, err
		}
	}
	n, err := l.file.Write(p)
	l.size += int64(n)
	if err != nil {
		return n, fmt.Errorf("write the log: %w", err)
	}
	return n, nil
}

// turn begins a new file. One that cannot be moved (a virus scanner holds it)
// is gone on with until it can.
func (l *serviceLog) turn() error {
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("close the log: %w", err)
	}
	_ = os.Rename(l.path, l.path+".1") // refused: the same file is opened again
	return l.open()
}

func (l *serviceLog) tell(level, text string) {
	if now := l.now(); now.Sub(l.minute) >= time.Minute {
		if l.kept > 0 {
			_ = l.event("WARN", fmt.Sprintf("%d more entries like those before were left out; %s has them", l.kept, l.path))
		}
		l.minute, l.sent, l.kept = now, 0, 0
	}
	if l.sent++; l.sent > serviceEventRate {
		l.kept++
		return
	}
	_ = l.event(level, text) // a system's log that is full or off must not stop the server's own
}

// severe is the level of a line when it is one for the system's log, in both
// formats of the log.
func severe(line []byte) string {
	for _, level := range []string{"WARN", "ERROR"} {
		if bytes.Contains(line, []byte(`,"level":"`+level+`"`)) {
			return level
		}
		if _, rest, ok := bytes.Cut(line, []byte(" ")); ok && bytes.HasPrefix(rest, []byte(level+" ")) {
			return level
		}
	}
	return ""
}

// Close closes the file.
func (l *serviceLog) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}
