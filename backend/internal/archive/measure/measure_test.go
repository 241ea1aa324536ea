package measure_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"haoke/backend/internal/archive"
	"haoke/backend/internal/archive/measure"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/clickhouse"
	"haoke/backend/internal/testkit/clickhousetest"
)

// The table is printed with every method, and the method that the archive
// chooses by itself is the smallest of those that keep conversations apart.
func TestTable(t *testing.T) {
	srv := clickhousetest.Start(t, clickhousetest.Options{ZSTD: true})
	server, err := clickhouse.New(clickhouse.Config{DSN: srv.DSN("", "default"), Prefix: "measured"})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	var out bytes.Buffer
	const n = 120
	r, err := measure.Run(context.Background(), &out, measure.Options{Conversations: n, Seed: 11, Corpus: corpus(), Parts: func(ctx context.Context, rows []archive.Sealed) (measure.Parts, error) {
		list := make([]clickhouse.Session, len(rows))
		for i, r := range rows {
			list[i] = clickhouse.Session{Head: r.Head, Blob: clickhouse.Blob(r.Blob), Messages: r.Messages, Dict: r.Dict}
		}
		size, err := server.Measure(ctx, list)
		return measure.Parts{Server: size.Version + " ZSTD", Sessions: size.Sessions, Messages: size.Messages}, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	for _, set := range []string{"templated 0.95", "mixed 0.60", "free 0"} {
		best, ok := r.Find(set, measure.Chosen)
		if !ok {
			t.Fatalf("%s is missing in\n%s", set, &out)
		}
		for _, method := range []string{"snappy, JSON", "snappy, packed", "s2, packed", "zstd, packed", "zstd+dict, packed"} {
			row, ok := r.Find(set, method)
			if !ok || row.Bytes <= best.Bytes {
				t.Errorf("%s: %s takes %d bytes, what is chosen %d", set, method, row.Bytes, best.Bytes)
			}
		}
		remote, _ := r.Find(set, "ClickHouse sessions, 18.16.1 ZSTD")
		if least := map[string]float64{"templated 0.95": 23, "mixed 0.60": 12}[set]; best.JSON < least || remote.JSON < least {
			t.Errorf("%s: %.1f:1, in ClickHouse %.1f:1", set, best.JSON, remote.JSON)
		}
		if !strings.Contains(out.String(), set) {
			t.Errorf("%s is not printed", set)
		}
		if row, ok := r.Find(set, "ClickHouse both, "+"18.16.1 ZSTD"); ok && row.Bytes <= 0 {
			t.Errorf("%s: %+v", set, row)
		}
	}
}

func corpus() [][]chat.Message {
	var out [][]chat.Message
	for range 6 {
		out = append(out, []chat.Message{{Seq: 1, From: chat.FromVisitor, Text: "Hello"}, {Seq: 2, From: chat.FromAI, Text: "Hello! How can I help?"}})
	}
	return out
}
