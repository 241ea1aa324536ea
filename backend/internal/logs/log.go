// Package logs is the program's own log: a slog handler that never makes its
// caller wait, hides secrets and visitors' texts, writes one line an event, and
// keeps the latest lines for the log viewer.
package logs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of one event and of the queue.
const (
	maxText   = 8 << 10 // bytes of a message
	maxValue  = 4 << 10 // bytes of an attribute's value
	maxAttrs  = 64
	maxQueued = 8 << 20 // bytes of events that wait to be written
)

// Config says where lines go. The zero value writes nowhere and keeps 5000.
type Config struct {
	Out    io.Writer  // nil: nowhere
	Level  slog.Level // zero: Info
	Format string     // "text" (also "") or "json"
	// Lines are kept in memory for the viewer; 0: 5000.
	Lines int
	// Queue is how many events may wait to be written; 0: 4096. An event that
	// finds the queue full is dropped and counted.
	Queue int
	// VisitorText writes visitors' texts, which are hidden otherwise.
	VisitorText bool
}

// Line is one event as the viewer shows it: redacted, without control
// characters.
type Line struct {
	N     uint64 // 1, 2, 3, ...
	At    time.Time
	Level slog.Level
	Text  string
	Attrs [][2]string // in order; groups are dotted
}

// Log is the running log. Its methods are safe for concurrent use.
type Log struct {
	level   slog.LevelVar
	visitor atomic.Bool
	dropped atomic.Uint64
	queued  atomic.Int64 // bytes
	queue   chan *event
	format  func(dst []byte, l *Line) []byte
	out     io.Writer
	redact  *redactor

	closing sync.RWMutex // held for reading while an event is queued
	closed  bool
	done    chan struct{}

	mu      sync.Mutex
	ring    []Line
	lastN   uint64
	subs    map[int]func(Line)
	nextSub int
	outErr  error
}

// New starts a log. Close ends it.
func New(cfg Config) *Log {
	if cfg.Lines <= 0 {
		cfg.Lines = 5000
	}
	if cfg.Queue <= 0 {
		cfg.Queue = 4096
	}
	l := &Log{
		queue: make(chan *event, cfg.Queue), out: cfg.Out, redact: newRedactor(), done: make(chan struct{}),
		ring: make([]Line, 0, cfg.Lines), subs: map[int]func(Line){}, format: appendText,
	}
	if cfg.Format == "json" {
		l.format = appendJSON
	}
	l.level.Set(cfg.Level)
	l.visitor.Store(cfg.VisitorText)
	go l.write()
	return l
}

// Logger returns a logger that writes here.
func (l *Log) Logger() *slog.Logger { return slog.New(&handler{log: l}) }

// SetLevel changes the level while running.
func (l *Log) SetLevel(level slog.Level) { l.level.Set(level) }

// SetVisitorText says whether visitors' texts are written from now on.
func (l *Log) SetVisitorText(on bool) { l.visitor.Store(on) }

// Hide makes values disappear wherever they would appear in a line. Values
// shorter than 8 bytes are left alone: they would hide innocent text.
func (l *Log) Hide(values ...string) { l.redact.hide(values) }

// Dropped is how many events found the queue full since the start.
func (l *Log) Dropped() uint64 { return l.dropped.Load() }

// Close writes what waits and returns the first error that writing met. Events
// that come later are dropped.
func (l *Log) Close() error {
	l.closing.Lock()
	if !l.closed {
		l.closed = true
		close(l.queue)
	}
	l.closing.Unlock()
	<-l.done
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.outErr
}

// enqueue hands an event to the writer or drops it; it never waits.
func (l *Log) enqueue(e *event) {
	l.closing.RLock()
	defer l.closing.RUnlock()
	if l.closed || l.queued.Add(e.size) > maxQueued {
		if !l.closed {
			l.queued.Add(-e.size)
		}
		l.dropped.Add(1)
		return
	}
	select {
	case l.queue <- e:
	default:
		l.queued.Add(-e.size)
		l.dropped.Add(1)
	}
}

// write is the only goroutine that touches the writer.
func (l *Log) write() {
	defer close(l.done)
	var buf []byte
	var told uint64
	for e := range l.queue {
		l.queued.Add(-e.size)
		buf = l.emit(buf[:0], e)
		if n := l.dropped.Load(); n > told && len(l.queue) < cap(l.queue)/2 {
			lost := &event{at: e.at, level: slog.LevelWarn, text: "log lines were dropped: the queue was full"}
			lost.attrs = append(lost.attrs, [2]string{"count", fmt.Sprint(n - told)})
			told = n
			buf = l.emit(buf[:0], lost)
		}
	}
}

func (l *Log) emit(buf []byte, e *event) []byte {
	line := Line{At: e.at, Level: e.level, Text: l.redact.text(e.text), Attrs: e.attrs}
	for i := range line.Attrs {
		a := &line.Attrs[i]
		a[0], a[1] = clean(a[0]), l.redact.value(a[0], a[1])
	}
	l.mu.Lock()
	l.lastN++
	line.N = l.lastN
	if len(l.ring) < cap(l.ring) {
		l.ring = append(l.ring, line)
	} else {
		l.ring[int((line.N-1)%uint64(cap(l.ring)))] = line
	}
	subs := l.subs
	l.mu.Unlock()
	for _, f := range subs {
		f(line)
	}
	if l.out == nil {
		return buf
	}
	buf = l.format(buf, &line)
	if _, err := l.out.Write(buf); err != nil {
		l.mu.Lock()
		if l.outErr == nil {
			l.outErr = fmt.Errorf("write log: %w", err)
		}
		l.mu.Unlock()
	}
	return buf
}

// event is what a caller hands over.
type event struct {
	at    time.Time
	level slog.Level
	text  string
	attrs [][2]string
	size  int64
}

// handler is the slog side. It renders values in the caller, since they may
// change afterwards, and leaves everything else to the writer.
type handler struct {
	log    *Log
	prefix string      // of groups, with a dot at the end
	attrs  [][2]string // of WithAttrs, rendered
}

var _ slog.Handler = (*handler)(nil)

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.log.level.Level()
}

// Handle implements slog.Handler. It never fails and never waits.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	e := &event{at: r.Time, level: r.Level, text: cut(r.Message, maxText)}
	e.attrs = make([][2]string, len(h.attrs), len(h.attrs)+r.NumAttrs())
	copy(e.attrs, h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		e.attrs = h.add(e.attrs, h.prefix, a)
		return len(e.attrs) < maxAttrs
	})
	e.size = int64(len(e.text)) + 64
	for _, a := range e.attrs {
		e.size += int64(len(a[0]) + len(a[1]) + 32)
	}
	h.log.enqueue(e)
	return nil
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	out := &handler{log: h.log, prefix: h.prefix, attrs: append([][2]string(nil), h.attrs...)}
	for _, a := range attrs {
		if len(out.attrs) >= maxAttrs {
			break
		}
		out.attrs = h.add(out.attrs, h.prefix, a)
	}
	return out
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return &handler{log: h.log, prefix: h.prefix + name + ".", attrs: h.attrs}
}

// add renders an attribute, groups flattened.
func (h *handler) add(dst [][2]string, prefix string, a slog.Attr) [][2]string {
	v := a.Value.Resolve()
	if a.Key == "" && v.Kind() != slog.KindGroup {
		return dst
	}
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, g := range v.Group() {
			if len(dst) >= maxAttrs {
				break
			}
			dst = h.add(dst, prefix, g)
		}
		return dst
	}
	s := render(v)
	if isVisitorText(a.Key) && !h.log.visitor.Load() {
		s = fmt.Sprintf("(%d characters)", len([]rune(s)))
	}
	return append(dst, [2]string{prefix + a.Key, cut(s, maxValue)})
}

func render(v slog.Value) string {
	switch v.Kind() {
	case slog.KindTime:
		return v.Time().UTC().Format(time.RFC3339Nano)
	case slog.KindAny:
		if err, ok := v.Any().(error); ok {
			return err.Error()
		}
	}
	return v.String()
}

// isVisitorText names the attributes that carry what people wrote.
func isVisitorText(key string) bool {
	switch key {
	case "text", "question", "answer", "prompt":
		return true
	}
	return false
}

// cut shortens s to n bytes at a character's border.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n] + "..."
}
