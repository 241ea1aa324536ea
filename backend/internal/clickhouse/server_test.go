package clickhouse_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"go.uber.org/goleak"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/clickhouse"
	"haoke/backend/internal/testkit/clickhousetest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// rig is a server with an ordinary connection beside ours.
type rig struct {
	t   *testing.T
	ctx context.Context
	srv *clickhousetest.Server
	sql driver.Conn
}

func setUp(t *testing.T) *rig {
	t.Helper()
	return setUpWith(t, clickhousetest.Options{})
}

func setUpWith(t *testing.T, o clickhousetest.Options) *rig {
	t.Helper()
	r := &rig{t: t, ctx: context.Background(), srv: clickhousetest.Start(t, o)}
	opts, err := ch.ParseDSN(r.srv.DSN("", "default"))
	if err != nil {
		t.Fatal(err)
	}
	if r.sql, err = ch.Open(opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.sql.Close() })
	return r
}

func (r *rig) server(cfg clickhouse.Config) *clickhouse.Server {
	r.t.Helper()
	if cfg.DSN == "" {
		cfg.DSN = r.srv.DSN("", "haoke")
	}
	s, err := clickhouse.New(cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { s.Close() })
	return s
}

func (r *rig) count(query string) (n uint64) {
	r.t.Helper()
	if err := r.sql.QueryRow(r.ctx, query).Scan(&n); err != nil {
		r.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// sealed makes n sessions of messages.
func sealed(n, messages int) []clickhouse.Session {
	out := make([]clickhouse.Session, n)
	at := time.Date(2026, 2, 27, 23, 59, 58, 123e6, time.UTC)
	for i := range out {
		id := chat.NewConversationID()
		s := &out[i]
		s.Head = chat.Conversation{ID: id, Site: "default", CreatedAt: at, UpdatedAt: at.Add(time.Hour), Visitor: chat.Visitor{Sub: "u'1"}}
		for j := range messages {
			from := chat.FromVisitor
			if j%2 == 1 {
				from = chat.FromAI
			}
			s.Messages = append(s.Messages, chat.Message{Seq: int64(j + 1), From: from, Text: fmt.Sprintf("message %d of %d: 你好 \x00 'quoted'", j, i), At: at.Add(time.Duration(j) * time.Second)})
		}
		s.Blob = clickhouse.Blob{ID: id, Version: int64(messages), Codec: "zstd", Messages: int64(messages), RawSize: 4000,
			Data: bytes.Repeat([]byte{0, 1, 0xff, '\'', '\\', byte(i)}, 30+i), Sealed: at.Add(25 * time.Hour).Truncate(time.Second)}
	}
	return out
}

func TestShipFetchDelete(t *testing.T) {
	r := setUp(t)
	s := r.server(clickhouse.Config{})
	rows := sealed(20, 7)
	for i := range rows {
		rows[i].Dict = []byte{1, 2, 3, byte(i / 10)}
	}
	for try := range 3 { // the second and third are repetitions
		if err := s.Ship(r.ctx, "batch-1", try > 0, rows); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.count("SELECT count() FROM haoke.haoke_sessions FINAL"); n != 20 {
		t.Errorf("%d sessions", n)
	}
	if n := r.count("SELECT count() FROM haoke.haoke_messages FINAL"); n != 140 {
		t.Errorf("%d messages", n)
	}
	if n := r.count("SELECT uniqExact(sum) FROM haoke.haoke_dicts"); n != 2 {
		t.Errorf("%d dictionaries", n)
	}
	if n := r.count("SELECT count() FROM haoke.haoke_sessions ANY INNER JOIN (SELECT sum AS dictionary, data AS dict_data FROM haoke.haoke_dicts) USING dictionary WHERE length(dict_data) = 4"); n < 20 {
		t.Errorf("%d sessions find their dictionary", n)
	}
	// A repetition by a program that does not know of the first try.
	if err := s.Ship(r.ctx, "batch-2", false, rows); err != nil {
		t.Fatal(err)
	}
	if n := r.count("SELECT count() FROM haoke.haoke_sessions FINAL"); n != 20 {
		t.Errorf("%d sessions after a double", n)
	}
	if n := r.count("SELECT count() FROM haoke.haoke_messages FINAL"); n != 140 {
		t.Errorf("%d messages after a double", n)
	}
	got, err := s.Fetch(r.ctx, rows[3].Blob.ID, rows[3].Blob.Version)
	if err != nil || !bytes.Equal(got.Data, rows[3].Blob.Data) || got.Codec != "zstd" || got.Messages != 7 || !got.Sealed.Equal(rows[3].Blob.Sealed) {
		t.Errorf("fetch: %+v %v", got, err)
	}
	if _, err := s.Fetch(r.ctx, rows[3].Blob.ID, 99); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("fetch of another version: %v", err)
	}
	if _, err := s.Fetch(r.ctx, "x' OR '1'='1", 7); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("fetch of an odd id: %v", err)
	}
	deleteAll(t, s, rows[3].Blob.ID, rows[4].Blob.ID)
	if _, err := s.Fetch(r.ctx, rows[3].Blob.ID, 7); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("fetch of a deleted one: %v", err)
	}
	if n := r.count("SELECT count() FROM haoke.haoke_messages FINAL"); n != 126 {
		t.Errorf("%d messages after deletion", n)
	}
}

func deleteAll(t *testing.T, s *clickhouse.Server, ids ...chat.ConversationID) {
	t.Helper()
	for range 10 {
		err := s.Delete(context.Background(), ids)
		if err == nil {
			return
		}
		if !errors.Is(err, clickhouse.ErrUnderWay) {
			t.Fatal(err)
		}
	}
	t.Fatal("the deletion never ended")
}

// A conversation that was continued and sealed again has one session, the
// newest, and its messages once.
func TestSupersededVersionsGo(t *testing.T) {
	r := setUp(t)
	s := r.server(clickhouse.Config{})
	rows := sealed(1, 4)
	if err := s.Ship(r.ctx, "a", false, rows); err != nil {
		t.Fatal(err)
	}
	longer := sealed(1, 6)
	id := rows[0].Blob.ID
	longer[0].Head.ID, longer[0].Blob.ID = id, id
	if err := s.Ship(r.ctx, "b", false, longer); err != nil {
		t.Fatal(err)
	}
	if n := r.count("SELECT count() FROM haoke.haoke_messages FINAL"); n != 6 {
		t.Errorf("%d messages", n)
	}
	if got, err := s.Fetch(r.ctx, id, 6); err != nil || !bytes.Equal(got.Data, longer[0].Blob.Data) {
		t.Errorf("newest: %+v %v", got, err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for r.count("SELECT count() FROM haoke.haoke_sessions FINAL") != 1 {
		if time.Now().After(deadline) {
			t.Fatal("the older version stays")
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestForeignTableIsLeftAlone(t *testing.T) {
	r := setUp(t)
	if err := r.sql.Exec(r.ctx, "CREATE TABLE default.shop_sessions (id UInt64, cart String) ENGINE = MergeTree ORDER BY id"); err != nil {
		t.Fatal(err)
	}
	s := r.server(clickhouse.Config{DSN: r.srv.DSN("", "default"), Prefix: "shop"})
	err := s.Ship(r.ctx, "b", false, sealed(1, 1))
	var f *clickhouse.Fault
	if !errors.As(err, &f) || f.Kind != "foreign" || !strings.Contains(f.Hint, "archive.table") {
		t.Fatalf("ship: %v", err)
	}
	if n := r.count("SELECT count() FROM system.columns WHERE database = 'default' AND table = 'shop_sessions'"); n != 2 {
		t.Errorf("the table has %d columns now", n)
	}
	if rep := s.Check(r.ctx); rep.OK || rep.Steps[len(rep.Steps)-1].Name != "schema" {
		t.Errorf("%+v", rep)
	}
}

// A table of an earlier version gets the columns it lacks.
func TestMissingColumnsAreAdded(t *testing.T) {
	r := setUp(t)
	s := r.server(clickhouse.Config{DSN: r.srv.DSN("", "default")})
	if err := s.Ship(r.ctx, "a", false, sealed(1, 2)); err != nil {
		t.Fatal(err)
	}
	if err := r.sql.Exec(r.ctx, "ALTER TABLE default.haoke_messages DROP COLUMN mark"); err != nil {
		t.Fatal(err)
	}
	if err := r.server(clickhouse.Config{DSN: r.srv.DSN("", "default")}).Ship(r.ctx, "b", false, sealed(1, 2)); err != nil {
		t.Fatal(err)
	}
	if n := r.count("SELECT count() FROM default.haoke_messages FINAL"); n != 4 {
		t.Errorf("%d messages", n)
	}
}

func TestCheck(t *testing.T) {
	r := setUp(t)
	rep := r.server(clickhouse.Config{}).Check(r.ctx)
	if !rep.OK || !strings.HasPrefix(rep.Version, "18.") || len(rep.Steps) != 5 || rep.Latency <= 0 {
		t.Errorf("%+v", rep)
	}
	if n := r.count("SELECT count() FROM system.tables WHERE name LIKE '%probe%'"); n != 0 {
		t.Errorf("%d tables of the test are left", n)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, c := range map[string]struct{ dsn, step, kind string }{
		"reader":         {r.srv.DSN(clickhousetest.Reader, "default"), "rights", "may only read"},
		"outsider":       {r.srv.DSN(clickhousetest.Outsider, "default"), "login", ""},
		"wrong password": {"clickhouse://reader:no@" + r.srv.Addr + "/default", "login", "password"},
		"unknown name":   {"clickhouse://nobody:no@" + r.srv.Addr + "/default", "login", "name"},
		"http port":      {"clickhouse://" + r.srv.HTTP + "/default", "login", ""},
		"tls":            {"clickhouse://" + r.srv.Addr + "/default?secure=true", "connect", ""},
		"nobody listens": {"clickhouse://127.0.0.1:1/default", "connect", "Nothing answers"},
		"unknown host":   {"clickhouse://no-such-host.invalid:9000/default", "connect", "host name"},
	} {
		t.Run(name, func(t *testing.T) {
			rep := r.server(clickhouse.Config{DSN: c.dsn}).Check(r.ctx)
			last := rep.Steps[len(rep.Steps)-1]
			if rep.OK || last.Name != c.step || !strings.Contains(rep.Text, c.kind) || rep.Hint == "" {
				t.Errorf("%+v", rep)
			}
			if all := fmt.Sprintf("%+v", rep); strings.Contains(all, "s3cret") || strings.Contains(all, "p@ss") {
				t.Errorf("the password is told: %s", all)
			}
		})
	}
	if _, err := clickhouse.New(clickhouse.Config{DSN: "clickhouse://u:topsecret@host:port/x"}); err == nil || strings.Contains(err.Error(), "topsecret") {
		t.Errorf("bad address: %v", err)
	}
}

// The server dies in the midst of inserts and comes back: every batch that was
// reported as shipped is there whole and once, every other can be repeated.
func TestKilledInMidInsert(t *testing.T) {
	r := setUp(t)
	s := r.server(clickhouse.Config{DSN: r.srv.DSN("", "default")})
	if err := s.Ship(r.ctx, "first", false, sealed(5, 5)); err != nil {
		t.Fatal(err)
	}
	batches := make([][]clickhouse.Session, 12)
	errs := make([]error, len(batches))
	started := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range batches {
			batches[i] = sealed(40, 50)
			if i == 3 {
				close(started)
			}
			errs[i] = s.Ship(r.ctx, fmt.Sprintf("batch-%d", i), false, batches[i])
		}
	}()
	<-started
	r.srv.Kill()
	<-done
	failed := 0
	for _, err := range errs {
		if err != nil {
			failed++
		}
	}
	if failed == 0 {
		t.Fatal("no batch failed although the server was dead")
	}
	if err := r.srv.Up(); err != nil {
		t.Fatal(err)
	}
	for i := range batches {
		if err := s.Ship(r.ctx, fmt.Sprintf("batch-%d", i), true, batches[i]); err != nil {
			t.Fatalf("batch %d after the restart: %v", i, err)
		}
	}
	if n := r.count("SELECT count() FROM default.haoke_sessions FINAL"); n != 5+12*40 {
		t.Errorf("%d sessions", n)
	}
	if n := r.count("SELECT count() FROM default.haoke_messages FINAL"); n != 25+12*40*50 {
		t.Errorf("%d messages", n)
	}
	t.Logf("%d of %d batches failed while it was dead", failed, len(batches))
}

// A server that accepts and is then silent does not hold anybody for long.
func TestSilentServer(t *testing.T) {
	r := setUp(t)
	s := r.server(clickhouse.Config{DSN: r.srv.DSN("", "default")})
	rows := sealed(2, 2)
	if err := s.Ship(r.ctx, "a", false, rows); err != nil {
		t.Fatal(err)
	}
	r.srv.Pause()
	ctx, cancel := context.WithTimeout(r.ctx, 300*time.Millisecond)
	_, err := s.Fetch(ctx, rows[0].Blob.ID, rows[0].Blob.Version)
	cancel()
	r.srv.Resume()
	var f *clickhouse.Fault
	if !errors.As(err, &f) || f.Kind != "timeout" {
		t.Errorf("fetch: %v", err)
	}
	if _, err := s.Fetch(r.ctx, rows[0].Blob.ID, rows[0].Blob.Version); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
