package loadtest

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"haoke/backend/internal/archive"
	"haoke/backend/internal/archive/measure"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/clickhouse"
	"haoke/backend/internal/testkit/dialogue"
)

// Targets of compression: bytes of JSON over bytes stored.
const (
	smallTemplated = 23
	smallMixed     = 12
)

// compression measures what a cold conversation takes on disk, as a share of
// its JSON and of its words alone, with every method side by side; what the
// archive chooses has the targets.
func (s *Suite) compression(ctx context.Context) error {
	o := measure.Options{Conversations: 100, Seed: 11}
	var err error
	if o.Corpus, err = s.corpus(); err != nil {
		return err
	}
	if s.cfg.ClickHouse != "" {
		server, err := clickhouse.New(clickhouse.Config{DSN: s.cfg.ClickHouse, Prefix: "haoke_bench"})
		if err != nil {
			return err
		}
		defer server.Close()
		o.Parts = func(ctx context.Context, rows []archive.Sealed) (measure.Parts, error) {
			list := make([]clickhouse.Session, len(rows))
			for i, r := range rows {
				list[i] = clickhouse.Session{Head: r.Head, Blob: clickhouse.Blob(r.Blob), Messages: r.Messages, Dict: r.Dict}
			}
			size, err := server.Measure(ctx, list)
			return measure.Parts{Server: size.Version, Sessions: size.Sessions, Messages: size.Messages}, err
		}
	}
	rep, err := measure.Run(ctx, io.Discard, o)
	if err != nil {
		return err
	}
	for _, r := range rep.Rows {
		name := r.Set + ", " + r.Method + ": times smaller than its JSON"
		note := fmt.Sprintf("%.1f times smaller than the text alone", r.Text)
		if r.PackUS > 0 {
			note += fmt.Sprintf("; packed in %.0f µs, opened in %.0f µs", r.PackUS, r.OpenUS)
		}
		chosen := r.Method == measure.Chosen || strings.HasPrefix(r.Method, "ClickHouse sessions")
		switch {
		case chosen && strings.HasPrefix(r.Set, "templated"):
			s.atLeast(name, smallTemplated, r.JSON, "%.1f", note)
		case chosen && strings.HasPrefix(r.Set, "mixed"):
			s.atLeast(name, smallMixed, r.JSON, "%.1f", note)
		default:
			s.tell(name, note, "%.1f", r.JSON)
		}
	}
	return nil
}

// corpus reads the conversations from outside.
func (s *Suite) corpus() ([][]chat.Message, error) {
	if s.cfg.Corpus == "" {
		return nil, nil
	}
	f, err := os.Open(s.cfg.Corpus)
	if err != nil {
		return nil, fmt.Errorf("open corpus: %w", err)
	}
	defer f.Close()
	list, err := dialogue.ReadCorpus(f)
	if err != nil {
		return nil, err
	}
	out := make([][]chat.Message, len(list))
	for i := range list {
		out[i] = list[i].Messages
	}
	return out, nil
}
