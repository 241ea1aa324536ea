package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"haoke/backend"
)

// serviceEventRate bounds the entries of the system's log in a minute; more are
// counted and told once.
const serviceEventRate = 30

// serviceLog is the log of a server that nobody watches: every line into a
// file of the data folder, warnings and errors into the system's log as well.
// Information stays out of the latter, which every account of the machine may
// read. Safe for concurrent use.
type serviceLog struct {
	file  *backend.LogFile
	event func(level, text string) error // "WARN" or "ERROR"
	now   func() time.Time

	mu     sync.Mutex
	minute time.Time // of the entries counted in sent
	sent   int
	kept   int // entries above the rate
}

var _ io.Writer = (*serviceLog)(nil)

// newServiceLog writes to file, which it closes at its end. All are required.
func newServiceLog(file *backend.LogFile, event func(level, text string) error, now func() time.Time) *serviceLog {
	return &serviceLog{file: file, event: event, now: now}
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
	return l.file.Write(p)
}

func (l *serviceLog) tell(level, text string) {
	if now := l.now(); now.Sub(l.minute) >= time.Minute {
		if l.kept > 0 {
			_ = l.event("WARN", fmt.Sprintf("%d more entries like those before were left out; %s has them", l.kept, l.file.Path()))
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
func (l *serviceLog) Close() error { return l.file.Close() }
