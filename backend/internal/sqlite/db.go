package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	driver "modernc.org/sqlite"
)

// Config says where the database is and how it is used.
type Config struct {
	// Path is the database file. It and its folder are made when missing, for
	// the owner's account only (0600, 0700).
	Path string
	// Readers is the number of reading connections, each opened when it is first
	// needed: so many for what a turn reads, and so many for all else; 0: 4.
	Readers int
	// CheckBudget is how long Open may check the file after an unclean stop.
	// A check that takes longer goes on in Run; 0: 250 ms.
	CheckBudget time.Duration
	// Reserve is the size of a file kept beside the database and given up when
	// the disk is full, so that what is in the WAL can be brought home;
	// 0: 8 MiB, negative: none.
	Reserve int64
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Log receives what happens in the background; nil: nowhere.
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Readers <= 0 {
		c.Readers = 4
	}
	if c.CheckBudget <= 0 {
		c.CheckBudget = 250 * time.Millisecond
	}
	if c.Reserve == 0 {
		c.Reserve = 8 << 20
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// DB is an open database. It is safe for concurrent use. The writer runs from
// Open to Close; Run adds what happens in the background.
type DB struct {
	cfg     Config
	readers *sql.DB
	bare    *bareReaders
	stmts   sync.Map // query string -> *sql.Stmt on readers

	tx *Tx // nil while disconnected; writer goroutine only

	before int     // size of the batch before; writer goroutine only
	errs   []error // of the batch; writer goroutine only

	queue   chan *op
	idle    chan *op
	closing chan struct{}
	grown   chan struct{} // homeCommits more commits: bringHome's turn
	stopped chan struct{}
	once    sync.Once

	journal journal   // writer goroutine only
	beside  chan work // to the applier, which has tx until it has answered
	applied chan error

	spareCommits, spareOps sync.Pool
	spareIndexing          atomic.Pointer[indexing]

	commits, ops atomic.Uint64
	health       health
	mark         mark // writer goroutine only, but for lost
	unclean      bool // the last stop left a WAL behind
	checked      atomic.Bool
}

// Open opens or makes the database, brings its schema up to date and starts
// the writer. ctx bounds the opening only.
//
// Errors: *NewerError, *ForeignError, *CorruptError (the file is never changed
// in these cases), or what the operating system said.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	cfg = cfg.withDefaults()
	path, err := filepath.Abs(cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	cfg.Path = path
	db := &DB{
		cfg:     cfg,
		queue:   make(chan *op, queueLen),
		idle:    make(chan *op, 64),
		closing: make(chan struct{}),
		grown:   make(chan struct{}, 1),
		stopped: make(chan struct{}),
		beside:  make(chan work),
		applied: make(chan error, 1),
	}
	if err := db.open(ctx); err != nil {
		db.disconnect()
		if db.readers != nil {
			db.readers.Close()
		}
		if db.mark.file != nil {
			db.mark.file.Close()
		}
		db.journal.close(false)
		return nil, fmt.Errorf("open store: %w", err)
	}
	go db.writer()
	go db.applier()
	return db, nil
}

func (db *DB) open(ctx context.Context) error {
	if err := prepareFile(db.cfg.Path); err != nil {
		return err
	}
	if err := db.preflight(ctx); err != nil {
		return err
	}
	if err := db.connect(); err != nil {
		return db.orCorrupt(err)
	}
	if db.unclean {
		if err := db.checkAtStart(ctx); err != nil {
			return db.orCorrupt(err)
		}
	}
	if err := db.migrate(ctx); err != nil {
		return db.orCorrupt(err)
	}
	if err := db.tuneIndex(); err != nil {
		return db.orCorrupt(err)
	}
	if err := db.mark.read(db.tx); err != nil {
		return db.orCorrupt(err)
	}
	if err := db.openJournal(ctx); err != nil {
		return db.orCorrupt(err)
	}
	if err := db.openMark(ctx); err != nil {
		return db.orCorrupt(err)
	}
	pool, err := openPool(dsn(db.cfg.Path, "_query_only=1", "_pragma=cache_size(-4096)"), db.cfg.Readers)
	if err != nil {
		return err
	}
	db.readers, db.bare = pool, newBareReaders(db.cfg.Path, db.cfg.Readers)
	if err := pool.PingContext(ctx); err != nil {
		return err
	}
	db.health.init(db.cfg)
	return nil
}

// prepareFile makes folder and file with the owner's rights only; SQLite gives
// its companion files the same rights.
func prepareFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Chmod(0o600)
}

// dsn writes path as the URI that SQLite parses, with the settings of every
// connection. They stand here because a PRAGMA sent to a pool reaches only one
// of its connections.
func dsn(path string, params ...string) string {
	p := filepath.ToSlash(path)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p // C:/data/haoke.db -> file:///C:/data/haoke.db
	}
	u := url.URL{Scheme: "file", Path: p}
	return "file://" + u.EscapedPath() + "?" + strings.Join(append(params,
		"_busy_timeout=5000", "_foreign_keys=1", "_synchronous=FULL", "_pragma=temp_store(memory)"), "&")
}

func openPool(dsn string, conns int) (*sql.DB, error) {
	c, err := driver.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	pool := sql.OpenDB(c)
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	return pool, nil
}

// writerSetup is the writing connection's. The time-out comes first, since the
// others can meet a lock; auto_vacuum only takes effect on a new file, before
// anything else is written. What is deleted is overwritten (secure_delete): the
// words of a visitor who was deleted must not lie in free pages for years.
const writerSetup = `PRAGMA busy_timeout = 5000; PRAGMA auto_vacuum = 2; PRAGMA cache_size = -16384;
	PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = memory; PRAGMA wal_autocheckpoint = 16000;
	PRAGMA foreign_keys = 1; PRAGMA secure_delete = 1; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`

// connect opens the writing connection when there is none.
func (db *DB) connect() error {
	if db.tx != nil {
		return nil
	}
	c, err := openConn(dsn(db.cfg.Path), writerSetup)
	if err != nil {
		return err
	}
	db.tx = &Tx{conn: c}
	return nil
}

// disconnect closes the writing connection; the next batch opens a new one.
func (db *DB) disconnect() {
	if db.tx == nil {
		return
	}
	db.tx.conn.close()
	db.tx = nil
}

// Close finishes the writes that were queued, brings the WAL home and closes
// the file. Writes after it fail. It waits for the writer.
func (db *DB) Close() error {
	db.once.Do(func() { close(db.closing) })
	<-db.stopped
	db.stmts.Range(func(_, s any) bool { s.(*sql.Stmt).Close(); return true })
	err := db.readers.Close()
	db.bare.close()
	db.disconnect() // the last connection out checkpoints and removes the WAL
	db.journal.close(fileSize(db.cfg.Path+"-wal") == 0)
	if db.mark.file != nil {
		db.mark.file.Close()
	}
	if err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}

// Path returns the database file's absolute path.
func (db *DB) Path() string { return db.cfg.Path }

// Stats are figures of the store for the admin page.
type Stats struct {
	Commits  uint64 // group commits so far
	Ops      uint64 // write operations in them
	Queued   int    // operations waiting now
	Bytes    int64  // size of the database file
	WALBytes int64  // size of the write-ahead log
	ReadOnly string // why writes are refused; empty: they are not
}

// Stats returns the figures of this moment.
func (db *DB) Stats() Stats {
	s := Stats{
		Commits: db.commits.Load(), Ops: db.ops.Load(), Queued: len(db.queue),
		Bytes: fileSize(db.cfg.Path), WALBytes: fileSize(db.cfg.Path + "-wal"),
	}
	if err := db.readOnlyErr(); err != nil {
		s.ReadOnly = err.Error()
	}
	return s
}

func fileSize(path string) int64 {
	fi, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return fi.Size()
}

// reader returns a prepared statement of the readers' pool. query must be a
// constant, since statements are kept.
func (db *DB) reader(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := db.stmts.Load(query); ok {
		return s.(*sql.Stmt), nil
	}
	s, err := db.readers.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	if old, loaded := db.stmts.LoadOrStore(query, s); loaded {
		s.Close()
		return old.(*sql.Stmt), nil
	}
	return s, nil
}

// row reads one row through the readers; sql.ErrNoRows when there is none.
func (db *DB) row(ctx context.Context, query string, args []any, dest ...any) error {
	s, err := db.reader(ctx, query)
	if err != nil {
		return err
	}
	return s.QueryRowContext(ctx, args...).Scan(dest...)
}

// each calls f for every row.
func (db *DB) each(ctx context.Context, query string, args []any, f func(*sql.Rows) error) error {
	s, err := db.reader(ctx, query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(ctx, args...)
	return eachRow(rows, err, f)
}

// now is the clock in Unix milliseconds, the unit of all time columns.
func (db *DB) now() int64 { return db.cfg.Now().UnixMilli() }

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// noRows reports whether err says that a query found nothing.
func noRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }
