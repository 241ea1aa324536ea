package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"haoke/backend"
)

func TestServiceLog(t *testing.T) {
	dir := t.TempDir()
	file, err := backend.OpenLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	var events []string
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	l := newServiceLog(file, func(level, text string) error {
		events = append(events, level+" "+text)
		return nil
	}, func() time.Time { return now })
	defer l.Close()
	write := func(s string) {
		t.Helper()
		if _, err := l.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}

	write("2026-01-31T12:00:00.000Z INFO  type these words: secret\n" +
		"2026-01-31T12:00:00.000Z WARN  key cools down key=main\n" +
		`{"time":"2026-01-31T12:00:00.000Z","level":"ERROR","msg":"disk full"}` + "\n")
	if len(events) != 2 || !strings.HasPrefix(events[0], "WARN ") || !strings.HasPrefix(events[1], "ERROR ") {
		t.Fatalf("events: %q", events)
	}
	if strings.Contains(strings.Join(events, ""), "secret") {
		t.Fatal("information reached the log that everybody reads")
	}
	data, err := os.ReadFile(filepath.Join(dir, "haoke.log"))
	if err != nil || strings.Count(string(data), "\n") != 3 {
		t.Fatalf("file: %q, %v", data, err)
	}

	for i := range 100 {
		write(fmt.Sprintf("2026-01-31T12:00:01.000Z WARN  again %d\n", i))
	}
	if len(events) != serviceEventRate {
		t.Fatalf("%d entries in a minute, want %d", len(events), serviceEventRate)
	}
	now = now.Add(time.Minute)
	write("2026-01-31T12:01:01.000Z WARN  later\n")
	if got := events[len(events)-2]; !strings.Contains(got, "72 more entries") {
		t.Fatalf("what was left out is not told: %q", got)
	}
}
