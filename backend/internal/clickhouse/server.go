package clickhouse

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"haoke/backend/internal/chat"
)

// Config says which server and which tables.
type Config struct {
	// DSN is clickhouse://user:password@host:9000/database with the options of
	// the driver, for example ?secure=true&compress=zstd, and ca=FILE: the
	// certificates (PEM) of the only authorities that are trusted then. The
	// native protocol with LZ4 is the default; http and https work with newer
	// servers.
	DSN string
	// Prefix begins the names of both tables; empty: "haoke".
	Prefix string
	// KeepDays is the owner's retention period; 0: for ever. Newer servers
	// then also drop rows by themselves, a week later than the appliance asks
	// them to.
	KeepDays int
	Log      *slog.Logger // nil: nowhere
}

// Session is a sealed conversation on its way to the server.
type Session struct {
	Head     chat.Conversation
	Blob     Blob
	Messages []chat.Message
	Dict     []byte // dictionary that the blob needs; nil: none
}

// Blob is the sealed form of a conversation.
type Blob struct {
	ID       chat.ConversationID
	Version  int64
	Codec    string
	Dict     int64
	Messages int64
	RawSize  int64 // not stored here
	Data     []byte
	Sealed   time.Time
	Shipped  time.Time // not stored here
}

// Errors that code branches on.
var (
	// ErrUnderWay: the server has accepted a deletion and is not through.
	ErrUnderWay = errors.New("the server is still deleting")
	// ErrMismatch: what was read back is not what was sent. Nothing may be
	// dropped locally.
	ErrMismatch = errors.New("what the server gave back is not what it was sent")
)

const (
	dialTimeout = 5 * time.Second
	// readTimeout bounds the silence of a server that is busy inserting.
	readTimeout = time.Minute
	maxConns    = 4
)

// Server is a ClickHouse with our tables. It connects when it is first needed
// and again when it has to. It is safe for concurrent use.
type Server struct {
	cfg  Config
	opts *ch.Options

	mu    sync.Mutex
	conn  driver.Conn
	ready *schema         // tables as they are; nil: not looked at yet
	dicts map[uint64]bool // that the server has, by sum
}

// New returns a Server. It does not connect; a DSN that cannot be read is the
// only error, and it never repeats the password.
func New(cfg Config) (*Server, error) {
	if cfg.Prefix == "" {
		cfg.Prefix = "haoke"
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	opts, err := parse(cfg.DSN)
	if err != nil {
		return nil, err
	}
	return &Server{cfg: cfg, opts: opts}, nil
}

func parse(dsn string) (*ch.Options, error) {
	dsn = strings.TrimSpace(dsn)
	secure := false
	if rest, ok := strings.CutPrefix(dsn, "clickhouses://"); ok {
		dsn, secure = "clickhouse://"+rest, true
	}
	u, err := url.Parse(dsn)
	if err != nil || u.Host == "" {
		return nil, &Fault{Kind: "address", Text: "The address cannot be read.", Hint: "It looks like clickhouse://name:password@host:9000/database"}
	}
	q := u.Query()
	authority := q.Get("ca")
	q.Del("ca")
	if (secure || u.Scheme == "https" || authority != "") && !q.Has("secure") {
		q.Set("secure", "true")
	}
	if u.Port() == "" && (u.Scheme == "clickhouse" || u.Scheme == "tcp") {
		u.Host += map[bool]string{true: ":9440", false: ":9000"}[q.Get("secure") == "true"]
	}
	u.RawQuery = q.Encode()
	opts, err := ch.ParseDSN(u.String())
	if err != nil {
		return nil, &Fault{Kind: "address", Text: "The address cannot be read: an option in it is wrong.", Hint: "It looks like clickhouse://name:password@host:9000/database?secure=true"}
	}
	if authority != "" {
		if err := trust(opts, authority); err != nil {
			return nil, err
		}
	}
	if opts.Compression == nil {
		opts.Compression = &ch.Compression{Method: ch.CompressionLZ4}
	}
	opts.DialTimeout, opts.ReadTimeout = dialTimeout, readTimeout
	opts.MaxOpenConns, opts.MaxIdleConns = maxConns, 1
	return opts, nil
}

// trust makes the authorities in a file the only ones that count.
func trust(opts *ch.Options, file string) error {
	data, err := os.ReadFile(file)
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(data) {
		return &Fault{Kind: "tls", Text: "The file of the authority's certificate (ca) cannot be read or holds none.", Hint: "It is a PEM file on this machine, for example ca=/etc/haoke/clickhouse-ca.pem", Err: err}
	}
	if opts.TLS == nil {
		return &Fault{Kind: "tls", Text: "The address names an authority (ca) and turns TLS off.", Hint: "Leave out either ca or secure=false."}
	}
	opts.TLS.RootCAs = pool
	return nil
}

// Close ends the connections. The Server must not be used afterwards.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	s.conn = nil
	return err
}

// Describe names host and database, without the password, and the server's
// version once it is known.
func (s *Server) Describe() (server, version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	server = strings.Join(s.opts.Addr, ",") + "/" + s.database()
	if s.ready != nil {
		version = s.ready.version
	}
	return server, version
}

func (s *Server) database() string {
	if s.opts.Auth.Database == "" {
		return "default"
	}
	return s.opts.Auth.Database
}

// open returns the connections, made at first use.
func (s *Server) open() (driver.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		return s.conn, nil
	}
	conn, err := ch.Open(s.opts)
	if err != nil {
		return nil, fmt.Errorf("open ClickHouse: %w", err)
	}
	s.conn = conn
	return conn, nil
}

// tables returns the connections with the tables in place.
func (s *Server) tables(ctx context.Context) (driver.Conn, *schema, error) {
	conn, err := s.open()
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	ready := s.ready
	s.mu.Unlock()
	if ready != nil {
		return conn, ready, nil
	}
	sc, err := s.prepare(ctx, conn)
	if err != nil {
		return nil, nil, s.diagnosed(err)
	}
	s.mu.Lock()
	s.ready = sc
	s.mu.Unlock()
	return conn, sc, nil
}

// diagnosed turns an error into a Fault, and lets the tables be looked at
// again: the server may be another one after it was away.
func (s *Server) diagnosed(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, ErrMismatch) || errors.Is(err, ErrUnderWay) || errors.Is(err, chat.ErrNotFound) {
		return err
	}
	s.mu.Lock()
	s.ready, s.dicts = nil, nil
	s.mu.Unlock()
	return diagnose(err)
}
