package clickhouse

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Step is one step of a connection test.
type Step struct {
	Name   string // connect, login, rights, schema, write
	OK     bool
	Took   time.Duration
	Detail string
}

// Report is the result of a connection test.
type Report struct {
	OK      bool
	Text    string
	Hint    string
	Version string
	Latency time.Duration // of one small query
	Free    int64         // bytes left on the server's disks; 0: it does not tell
	Steps   []Step
}

// checkTimeout bounds a whole test.
const checkTimeout = 20 * time.Second

// Check tries everything that shipping needs, step by step, and says in plain
// words what is missing. It ends at the first step that fails. It leaves
// nothing behind but our tables.
func (s *Server) Check(ctx context.Context) Report {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	r := Report{}
	var conn driver.Conn
	probe := quote(s.cfg.Prefix + "_probe_" + token())
	steps := []struct {
		name string
		do   func() (string, error)
	}{
		{"connect", func() (string, error) { return s.dial(ctx) }},
		{"login", func() (detail string, err error) { conn, detail, err = s.login(ctx, &r); return detail, err }},
		{"rights", func() (string, error) {
			return "tables may be made and removed", conn.Exec(ctx, "CREATE TABLE "+probe+" (id String) ENGINE = Memory")
		}},
		{"schema", func() (string, error) {
			_, _, err := s.tables(ctx)
			return "the tables " + s.cfg.Prefix + "_sessions and " + s.cfg.Prefix + "_messages are there", err
		}},
		{"write", func() (string, error) {
			return "a row was written, read back and removed", writeProbe(ctx, conn, probe)
		}},
	}
	defer func() {
		if conn == nil {
			return
		}
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := conn.Exec(end, "DROP TABLE IF EXISTS "+probe); err != nil {
			s.cfg.Log.Info("the table of a connection test could not be removed", "table", probe, "err", firstLine(err.Error()))
		}
	}()
	for _, step := range steps {
		start := time.Now()
		detail, err := step.do()
		if err != nil {
			f := diagnose(err)
			r.Text, r.Hint = f.Error(), f.Hint
			r.Steps = append(r.Steps, Step{Name: step.name, Took: time.Since(start), Detail: firstLine(err.Error())})
			return r
		}
		r.Steps = append(r.Steps, Step{Name: step.name, OK: true, Took: time.Since(start), Detail: detail})
	}
	r.OK = true
	r.Text = fmt.Sprintf("ClickHouse %s answers and may be written to.", r.Version)
	return r
}

// dial reaches the port, with TLS where the address asks for it.
func (s *Server) dial(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", s.opts.Addr[0])
	if err != nil {
		return "", err
	}
	defer c.Close()
	if s.opts.TLS == nil {
		return s.opts.Addr[0], nil
	}
	conf := s.opts.TLS.Clone()
	if conf.ServerName == "" {
		conf.ServerName, _, _ = net.SplitHostPort(s.opts.Addr[0])
	}
	return s.opts.Addr[0] + " with TLS", tls.Client(c, conf).HandshakeContext(ctx)
}

// login signs in, makes the database when it is missing, and asks the server
// who it is.
func (s *Server) login(ctx context.Context, r *Report) (driver.Conn, string, error) {
	conn, err := s.open()
	if err != nil {
		return nil, "", err
	}
	v, err := conn.ServerVersion()
	if codeOf(err) == codeUnknownDatabase && s.makeDatabase(ctx) == nil {
		v, err = conn.ServerVersion()
	}
	if err != nil {
		return nil, "", err
	}
	r.Version = fmt.Sprintf("%d.%d.%d", v.Version.Major, v.Version.Minor, v.Version.Patch)
	start := time.Now()
	var one uint8
	if err := conn.QueryRow(ctx, "SELECT 1").Scan(&one); err != nil {
		return nil, "", err
	}
	r.Latency = time.Since(start)
	var free uint64
	if conn.QueryRow(ctx, "SELECT sum(free_space) FROM system.disks").Scan(&free) == nil {
		r.Free = int64(free) // old servers have no such table: then it stays unknown
	}
	return conn, "version " + r.Version + ", database " + s.database(), nil
}

func writeProbe(ctx context.Context, conn driver.Conn, table string) error {
	id := token()
	b, err := conn.PrepareBatch(ctx, "INSERT INTO "+table+" (id)")
	if err != nil {
		return err
	}
	defer b.Close()
	if err := b.Append(id); err != nil {
		return err
	}
	if err := b.Send(); err != nil {
		return err
	}
	var got string
	if err := conn.QueryRow(ctx, "SELECT id FROM "+table).Scan(&got); err != nil {
		return err
	}
	if strings.TrimSpace(got) != id {
		return ErrMismatch
	}
	return nil
}

func token() string {
	var b [6]byte
	rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return hex.EncodeToString(b[:])
}
