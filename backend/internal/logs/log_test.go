package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// written runs f against a log and returns what it wrote.
func written(t *testing.T, cfg Config, f func(*Log, *slog.Logger)) string {
	t.Helper()
	var out bytes.Buffer
	cfg.Out = &out
	l := New(cfg)
	f(l, l.Logger())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTextAndJSON(t *testing.T) {
	log := func(_ *Log, s *slog.Logger) {
		s.With("room", "gateway").WithGroup("call").Info("one call", "status", 200, slog.Group("key", "name", "main"), "err", errors.New("no route"), "took", time.Second)
		s.Debug("not written")
	}
	text := written(t, Config{}, log)
	if !strings.HasSuffix(text, ` INFO  one call room=gateway call.status=200 call.key.name=main call.err="no route" call.took=1s`+"\n") {
		t.Errorf("text: %s", text)
	}
	var got map[string]string
	if err := json.Unmarshal([]byte(written(t, Config{Format: "json"}, log)), &got); err != nil {
		t.Fatal(err)
	}
	if got["msg"] != "one call" || got["room"] != "gateway" || got["call.err"] != "no route" || got["level"] != "INFO" {
		t.Errorf("json: %v", got)
	}
}

func TestSecretsAreHidden(t *testing.T) {
	const secret = "zQ9x-7TtT2vLmN8pR4"
	for _, tc := range []struct {
		name string
		log  func(*Log, *slog.Logger)
		keep string
	}{
		{"openai key", func(_ *Log, s *slog.Logger) { s.Info("call with sk-" + secret + " failed") }, "failed"},
		{"project key", func(_ *Log, s *slog.Logger) { s.Info("x", "header", "sk-proj-"+secret) }, "sk-***"},
		{"bearer", func(_ *Log, s *slog.Logger) { s.Info("sent", "headers", "Authorization: Bearer "+secret) }, "sent"},
		{"attribute", func(_ *Log, s *slog.Logger) { s.Info("sign-in", "password", secret) }, "password=***"},
		{"attribute in a group", func(_ *Log, s *slog.Logger) { s.WithGroup("a").Info("sign-in", "API-Key", secret) }, "a.API-Key=***"},
		{"query", func(_ *Log, s *slog.Logger) { s.Info("GET /x?api_key=" + secret + "&page=2") }, "page=2"},
		{"json", func(_ *Log, s *slog.Logger) { s.Info("body", "raw", `{"access_token":"`+secret+`","n":1}`) }, "n"},
		{"URL", func(_ *Log, s *slog.Logger) { s.Info("open clickhouse://haoke:" + secret + "@10.0.0.1:9000/db") }, "10.0.0.1:9000"},
		{"JWT", func(_ *Log, s *slog.Logger) {
			s.Info("identity eyJhbGciOiJIUzI1NiJ9." + secret + "." + secret + " refused")
		}, "refused"},
		{"error", func(_ *Log, s *slog.Logger) { s.Error("x", "err", fmt.Errorf("401 for sk-%s", secret)) }, "401"},
		{"known", func(l *Log, s *slog.Logger) { l.Hide(secret); s.Info("odd place: <" + secret + ">") }, "odd place"},
		{"line end before it", func(_ *Log, s *slog.Logger) { s.Info("x", "v", "Bearer\n"+secret) }, "x"},
	} {
		for _, format := range []string{"text", "json"} {
			t.Run(tc.name+" "+format, func(t *testing.T) {
				var lines []Line
				got := written(t, Config{Format: format}, func(l *Log, s *slog.Logger) {
					l.Subscribe(func(line Line) { lines = append(lines, line) })
					tc.log(l, s)
				})
				if strings.Contains(got, secret) || strings.Contains(fmt.Sprint(lines), secret) {
					t.Errorf("the secret is seen: %s", got)
				}
				if !strings.Contains(got, tc.keep) && format == "text" {
					t.Errorf("too much is hidden: %s", got)
				}
			})
		}
	}
}

func TestOrdinaryLinesStay(t *testing.T) {
	got := written(t, Config{}, func(_ *Log, s *slog.Logger) {
		s.Info("lease granted", "key", "main", "tokens", 1234, "url", "https://api.example/v1", "task-id", "risk-free")
	})
	for _, want := range []string{"key=main", "tokens=1234", "https://api.example/v1", "task-id=risk-free"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is gone: %s", want, got)
		}
	}
}

func TestOneEventIsOneLine(t *testing.T) {
	hostile := []string{"a\nlevel=ERROR forged", "a\r\nb", "\x1b[31mred\x1b[0m", "a\u2028b", "\u202egnp.exe", "\x00\x07\x9b", "bad \xff\xfe utf8", "quote \" and \\ end"}
	for _, format := range []string{"text", "json"} {
		got := written(t, Config{Format: format}, func(_ *Log, s *slog.Logger) {
			for _, h := range hostile {
				s.Info(h, h, h)
			}
		})
		if n := strings.Count(got, "\n"); n != len(hostile) {
			t.Errorf("%s: %d lines of %d events", format, n, len(hostile))
		}
		if strings.ContainsAny(got, "\x1b\r\x00\x07\u0085\u009b\u2028\u202e") {
			t.Errorf("%s: a control character came through: %q", format, got)
		}
		for line := range strings.SplitSeq(strings.TrimSpace(got), "\n") {
			if format == "json" && !json.Valid([]byte(line)) {
				t.Errorf("not JSON: %s", line)
			}
		}
	}
}

func TestVisitorsTextsAreHiddenUntilAsked(t *testing.T) {
	say := func(_ *Log, s *slog.Logger) { s.Info("turn", "text", "my card is 4111") }
	if got := written(t, Config{}, say); strings.Contains(got, "4111") || !strings.Contains(got, "(15 characters)") {
		t.Errorf("hidden: %s", got)
	}
	if got := written(t, Config{VisitorText: true}, say); !strings.Contains(got, "4111") {
		t.Errorf("asked for: %s", got)
	}
}

// stuck is a writer that waits until it is let go.
type stuck struct {
	gate chan struct{}
	mu   sync.Mutex
	buf  bytes.Buffer
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.gate
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func TestACallerNeverWaits(t *testing.T) {
	out := &stuck{gate: make(chan struct{})}
	l := New(Config{Out: out, Queue: 100})
	s := l.Logger()
	for range 1000 { // returns although nothing can be written
		s.Info("x")
	}
	if n := l.Dropped(); n < 890 || n > 900 {
		t.Errorf("%d dropped, want about 899", n)
	}
	close(out.gate)
	s.Info("after") // may find the queue still full
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.buf.String(), "log lines were dropped") {
		t.Error("the loss is not told")
	}
	s.Info("too late") // must neither panic nor block
}

func TestQueueIsBoundedInBytes(t *testing.T) {
	out := &stuck{gate: make(chan struct{})}
	l := New(Config{Out: out, Queue: 1 << 20})
	big := strings.Repeat("x", maxText)
	for range 3000 { // 24 MB
		l.Logger().Info(big)
	}
	if q := l.queued.Load(); q > maxQueued {
		t.Errorf("%d bytes wait", q)
	}
	if l.Dropped() == 0 {
		t.Error("nothing was dropped")
	}
	close(out.gate)
	_ = l.Close()
}

func TestEventIsBounded(t *testing.T) {
	got := written(t, Config{}, func(_ *Log, s *slog.Logger) {
		args := []any{}
		for i := range 500 {
			args = append(args, fmt.Sprint("k", i), strings.Repeat("茶", 5000))
		}
		s.With(args...).Info(strings.Repeat("y", 1<<20), args...)
	})
	if len(got) > maxText+(maxAttrs+1)*(maxValue+100) {
		t.Errorf("%d bytes", len(got))
	}
}

func TestTail(t *testing.T) {
	l := New(Config{Lines: 50})
	s := l.Logger()
	for i := range 120 {
		s.Info("line", "n", i)
		if i%10 == 0 {
			s.Warn("attention", "n", i)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	lines, last := l.Tail(Query{Limit: 10})
	if len(lines) != 10 || last != 132 || lines[9].N != 132 || lines[0].N != 123 {
		t.Errorf("latest: %d lines to %d", len(lines), last)
	}
	if lines, _ = l.Tail(Query{Limit: 1000}); len(lines) != 50 || lines[0].N != 83 {
		t.Errorf("all: %d lines from %d", len(lines), lines[0].N)
	}
	if lines, _ = l.Tail(Query{Level: slog.LevelWarn}); len(lines) != 4 {
		t.Errorf("warnings: %d", len(lines))
	}
	if lines, _ = l.Tail(Query{Text: "ATTENTION"}); len(lines) != 4 {
		t.Errorf("search: %d", len(lines))
	}
	// following in small steps sees everything once
	var seen int
	for cursor := uint64(82); cursor < 132; {
		lines, next := l.Tail(Query{After: cursor, Limit: 7})
		for i, line := range lines {
			if line.N != cursor+uint64(i)+1 {
				t.Fatalf("line %d after %d", line.N, cursor)
			}
		}
		seen += len(lines)
		cursor = next
	}
	if seen != 50 {
		t.Errorf("followed %d lines", seen)
	}
	if lines, last := l.Tail(Query{After: 132}); len(lines) != 0 || last != 132 {
		t.Errorf("nothing new: %d lines, %d", len(lines), last)
	}
}

func TestLevelWhileRunning(t *testing.T) {
	got := written(t, Config{}, func(l *Log, s *slog.Logger) {
		s.Debug("one")
		l.SetLevel(slog.LevelDebug)
		s.Debug("two")
		l.SetLevel(slog.LevelError)
		s.Warn("three")
	})
	if strings.Contains(got, "one") || !strings.Contains(got, "two") || strings.Contains(got, "three") {
		t.Error(got)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriterFailureIsToldAtTheEnd(t *testing.T) {
	l := New(Config{Out: broken{}})
	l.Logger().Info("x")
	if err := l.Close(); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("got %v", err)
	}
	if lines, _ := l.Tail(Query{}); len(lines) != 1 {
		t.Error("the viewer lost the line too")
	}
}

func TestManyWriters(t *testing.T) {
	l := New(Config{Queue: 100000})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 200 {
				l.Logger().Info("x", "a", 1)
				l.Tail(Query{Limit: 3})
			}
		})
	}
	wg.Go(func() { l.Subscribe(func(Line) {})() })
	wg.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, last := l.Tail(Query{}); last != 3200 {
		t.Errorf("%d lines", last)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\nb\x1b[0m sk-abcdefgh Bearer abcdefgh\xff")
	r := newRedactor()
	f.Fuzz(func(t *testing.T, s string) {
		got := r.text(s)
		for _, c := range got {
			if hostile(c) {
				t.Fatalf("%q came through in %q", c, got)
			}
		}
		line := Line{Text: got, Attrs: [][2]string{{clean(s), got}}}
		if b := appendJSON(nil, &line); !json.Valid(b) || bytes.Count(b, []byte("\n")) != 1 {
			t.Fatalf("not one line of JSON: %q", b)
		}
		if b := appendText(nil, &line); bytes.Count(b, []byte("\n")) != 1 {
			t.Fatalf("not one line: %q", b)
		}
	})
}

func BenchmarkLog(b *testing.B) {
	l := New(Config{Queue: 1 << 16})
	defer l.Close()
	s := l.Logger()
	ctx := context.Background()
	b.Run("written", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.LogAttrs(ctx, slog.LevelInfo, "call done", slog.String("key", "main"), slog.Int("status", 200))
		}
	})
	b.Run("disabled", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.LogAttrs(ctx, slog.LevelDebug, "call done", slog.String("key", "main"), slog.Int("status", 200))
		}
	})
}
