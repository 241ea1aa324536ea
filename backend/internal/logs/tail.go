package logs

import (
	"log/slog"
	"maps"
	"strings"
)

// Query selects lines of those in memory.
type Query struct {
	Level slog.Level // at least this; the zero value is Info
	Text  string     // must occur in the text or in an attribute, in any case
	After uint64     // only lines with a greater N; 0: the latest
	Limit int        // most lines; 0: 200, at most 1000
}

// Tail returns lines, oldest first, and the N to follow on from: pass it as
// After to get what came later, without repeats. With After 0 the latest Limit
// lines come back, else the oldest Limit after it, so that a follower that
// fell behind misses only what has left the memory.
func (l *Log) Tail(q Query) (lines []Line, last uint64) {
	if q.Limit <= 0 {
		q.Limit = 200
	}
	q.Limit = min(q.Limit, 1000)
	q.Text = strings.ToLower(q.Text)
	l.mu.Lock()
	defer l.mu.Unlock()
	size := uint64(len(l.ring))
	oldest := l.lastN - size + 1
	if q.After == 0 {
		for n := l.lastN; n >= oldest && n > 0 && len(lines) < q.Limit; n-- {
			if line := l.ring[(n-1)%uint64(cap(l.ring))]; q.fits(&line) {
				lines = append(lines, line)
			}
		}
		for i, j := 0, len(lines)-1; i < j; i, j = i+1, j-1 {
			lines[i], lines[j] = lines[j], lines[i]
		}
		return lines, l.lastN
	}
	for n := max(oldest, q.After+1); n <= l.lastN; n++ {
		if len(lines) == q.Limit {
			return lines, n - 1
		}
		if line := l.ring[(n-1)%uint64(cap(l.ring))]; q.fits(&line) {
			lines = append(lines, line)
		}
	}
	return lines, l.lastN
}

func (q *Query) fits(l *Line) bool {
	if l.Level < q.Level {
		return false
	}
	if q.Text == "" || strings.Contains(strings.ToLower(l.Text), q.Text) {
		return true
	}
	for _, a := range l.Attrs {
		if strings.Contains(strings.ToLower(a[0]), q.Text) || strings.Contains(strings.ToLower(a[1]), q.Text) {
			return true
		}
	}
	return false
}

// Subscribe calls f with every line from now on, in order, from the log's own
// goroutine: f must not block and must not log. The returned function ends it.
func (l *Log) Subscribe(f func(Line)) (cancel func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := l.nextSub
	l.nextSub++
	subs := maps.Clone(l.subs) // the writer iterates over the old one
	subs[id] = f
	l.subs = subs
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		subs := maps.Clone(l.subs)
		delete(subs, id)
		l.subs = subs
	}
}
