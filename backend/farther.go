package backend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"haoke/backend/internal/archive"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/clickhouse"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/wire"
)

// farther is the archive's server as the settings name it. It is made anew
// when they change; the old one is closed once nobody can be using it.
type farther struct {
	log *slog.Logger

	mu     sync.Mutex
	made   farConfig
	server *clickhouse.Server
	bad    error // why the address cannot be used
	old    []*clickhouse.Server
}

// farConfig is the part of the settings that makes a server another one.
type farConfig struct {
	dsn, table string
	keepDays   int
}

// now returns the server of the settings; nil when none is set or its address
// cannot be read.
func (f *farther) now(s *settings.Settings) (*clickhouse.Server, error) {
	want := farConfig{s.Archive.ClickHouse.Reveal(), s.Archive.Table, s.Privacy.RetentionDays}
	f.mu.Lock()
	defer f.mu.Unlock()
	if want == f.made {
		return f.server, f.bad
	}
	if f.server != nil {
		f.old = append(f.old, f.server)
	}
	f.made, f.server, f.bad = want, nil, nil
	if want.dsn == "" {
		return nil, nil
	}
	f.server, f.bad = clickhouse.New(clickhouse.Config{DSN: want.dsn, Prefix: want.table, KeepDays: want.keepDays, Log: f.log})
	if f.bad != nil {
		f.server = nil
		f.log.Error("archive.clickhouse cannot be used; conversations are archived here only", "err", f.bad)
	}
	return f.server, f.bad
}

// remote is the archive's view of the server.
func (f *farther) remote(s *settings.Settings) archive.Remote {
	server, _ := f.now(s)
	if server == nil {
		return nil
	}
	return farServer{server}
}

func (f *farther) describe(s *settings.Settings) (name, version string) {
	if server, _ := f.now(s); server != nil {
		return server.Describe()
	}
	return "", ""
}

func (f *farther) fault(s *settings.Settings) error {
	_, err := f.now(s)
	return err
}

// test tries a server: the one in use, or one that is not saved yet.
func (f *farther) test(ctx context.Context, s *settings.Settings, dsn string) (wire.ArchiveTest, error) {
	server, err := f.now(s)
	if dsn != "" {
		server, err = clickhouse.New(clickhouse.Config{DSN: dsn, Prefix: s.Archive.Table, KeepDays: s.Privacy.RetentionDays, Log: f.log})
		if err == nil {
			defer server.Close()
		}
	}
	if err != nil {
		return refused(err), nil
	}
	if server == nil {
		return wire.ArchiveTest{Text: "No ClickHouse is set; conversations are archived here.", Hint: "Type an address to try one."}, nil
	}
	r := server.Check(ctx)
	out := wire.ArchiveTest{OK: r.OK, Text: r.Text, Hint: r.Hint, Version: r.Version, LatencyMS: inMillis(r.Latency), FreeBytes: r.Free}
	for _, step := range r.Steps {
		out.Steps = append(out.Steps, wire.TestStep{Name: step.Name, OK: step.OK, MS: inMillis(step.Took), Detail: step.Detail})
	}
	return out, nil
}

func refused(err error) wire.ArchiveTest {
	out := wire.ArchiveTest{Text: err.Error()}
	var fault *clickhouse.Fault
	if errors.As(err, &fault) {
		out.Text, out.Hint = fault.Text, fault.Hint
	}
	return out
}

func inMillis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// close ends all connections. It must come after the archive's Run has ended.
func (f *farther) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range append(f.old, f.server) {
		if s == nil {
			continue
		}
		if err := s.Close(); err != nil {
			f.log.Debug("closing ClickHouse", "err", err)
		}
	}
	f.old, f.server, f.made = nil, nil, farConfig{}
}

// farServer gives the server the archive's types.
type farServer struct{ s *clickhouse.Server }

var _ archive.Remote = farServer{}

// Ship implements archive.Remote.
func (f farServer) Ship(ctx context.Context, batch string, again bool, rows []archive.Sealed) error {
	out := make([]clickhouse.Session, len(rows))
	for i, r := range rows {
		out[i] = clickhouse.Session{Head: r.Head, Blob: clickhouse.Blob(r.Blob), Messages: r.Messages, Dict: r.Dict}
	}
	return f.s.Ship(ctx, batch, again, out)
}

// Fetch implements archive.Remote.
func (f farServer) Fetch(ctx context.Context, id chat.ConversationID, version int64) (archive.Blob, error) {
	b, err := f.s.Fetch(ctx, id, version)
	if errors.Is(err, clickhouse.ErrMismatch) {
		err = fmt.Errorf("%w: %w", archive.ErrCorrupt, err)
	}
	return archive.Blob(b), err
}

// Delete implements archive.Remote.
func (f farServer) Delete(ctx context.Context, ids []chat.ConversationID) error {
	err := f.s.Delete(ctx, ids)
	if errors.Is(err, clickhouse.ErrUnderWay) {
		err = fmt.Errorf("%w: %w", archive.ErrUnderWay, err)
	}
	return err
}
