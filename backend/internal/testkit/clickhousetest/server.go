// Package clickhousetest starts the real ClickHouse server of the machine on
// free ports with a data folder of its own, for tests and for measurements.
package clickhousetest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Options of a server. The zero value is one with its defaults.
type Options struct {
	// ZSTD compresses all tables with ZSTD in place of LZ4, which is what a
	// server of that age offers in place of codecs for columns.
	ZSTD bool
	// TLS makes the server listen with TLS too (Secure), with a certificate for
	// 127.0.0.1 of an authority that nobody knows (CA).
	TLS bool
}

// Names of the users besides "default", who may do everything without a
// password. Their password is Password.
const (
	Reader   = "reader"   // may only read
	Outsider = "outsider" // may use no database but "elsewhere"
	Password = "s3cret p@ss"
)

// ErrNotInstalled: the machine has no clickhouse-server.
var ErrNotInstalled = errors.New("clickhouse-server is not installed (apt-get install clickhouse-server)")

// Server is a running server. Its methods are safe for use by one goroutine.
type Server struct {
	Addr string // host:port of the native protocol
	HTTP string // host:port of HTTP
	// Secure is host:port of the native protocol in TLS, CA the file of the
	// authority's certificate; empty without Options.TLS.
	Secure, CA string

	dir  string
	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
	log  *bytes.Buffer
}

// Start runs a server for a test and ends it with the test. Without one on
// the machine the test is skipped, or fails where HAOKE_TEST_REQUIRE=1 says
// that everything must be there.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	s, err := Open(tb.TempDir(), o)
	if errors.Is(err, ErrNotInstalled) && os.Getenv("HAOKE_TEST_REQUIRE") != "1" {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Kill)
	return s
}

// Open runs a server in a folder. Kill or Stop must be called in the end.
func Open(dir string, o Options) (*Server, error) {
	if _, err := exec.LookPath("clickhouse-server"); err != nil {
		return nil, ErrNotInstalled
	}
	s := &Server{dir: dir}
	ports, err := freePorts(4)
	if err != nil {
		return nil, err
	}
	s.Addr, s.HTTP = fmt.Sprintf("127.0.0.1:%d", ports[0]), fmt.Sprintf("127.0.0.1:%d", ports[1])
	compression := ""
	if o.ZSTD {
		compression = "<compression><case><min_part_size>0</min_part_size><min_part_size_ratio>0</min_part_size_ratio><method>zstd</method></case></compression>"
	}
	secure := ""
	if o.TLS {
		if s.CA, err = certify(dir); err != nil {
			return nil, fmt.Errorf("make certificates: %w", err)
		}
		s.Secure = fmt.Sprintf("127.0.0.1:%d", ports[3])
		secure = fmt.Sprintf(secureXML, ports[3], dir, dir)
	}
	for name, text := range map[string]string{
		"config.xml": fmt.Sprintf(configXML, ports[0], ports[1], ports[2], dir, dir, dir, dir, compression+secure),
		"users.xml":  fmt.Sprintf(usersXML, Password, Password),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	return s, s.Up()
}

// freePorts finds ports that nobody listens on. All are held until the last is
// found, so that they differ.
func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}

// DSN is the address for a user; empty: default.
func (s *Server) DSN(user, database string) string {
	if user == "" {
		return "clickhouse://" + s.Addr + "/" + database
	}
	return "clickhouse://" + user + ":s3cret%20p%40ss@" + s.Addr + "/" + database
}

// Up starts the server when it is not running, on the same ports with the same
// data, and waits until it answers.
func (s *Server) Up() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		return nil
	}
	s.log = &bytes.Buffer{}
	cmd := exec.Command("clickhouse-server", "--config-file="+filepath.Join(s.dir, "config.xml"))
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, s.log, s.log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start clickhouse-server: %w", err)
	}
	done := make(chan struct{})
	go func() { cmd.Wait(); close(done) }()
	s.cmd, s.done = cmd, done
	limit := time.After(60 * time.Second)
	for {
		if answers(s.Addr) && (s.Secure == "" || answers(s.Secure)) {
			return nil
		}
		select {
		case <-done:
			s.cmd = nil
			return fmt.Errorf("clickhouse-server ended at once: %s", s.log)
		case <-limit:
			return errors.New("clickhouse-server did not answer within a minute")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// answers reports whether somebody listens there.
func answers(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// Stop ends the server in order.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

// Kill ends the server as a power cut would.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Pause stops the server's clock, so to speak: it keeps its connections and
// answers nothing. Resume undoes it.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume undoes Pause.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		s.cmd.Process.Signal(sig)
	}
}

func (s *Server) end(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Signal(sig)
	select {
	case <-s.done:
	case <-time.After(20 * time.Second):
		s.cmd.Process.Kill()
		<-s.done
	}
	s.cmd = nil
}

const configXML = `<?xml version="1.0"?>
<yandex>
  <logger><level>warning</level><console>1</console></logger>
  <listen_host>127.0.0.1</listen_host>
  <tcp_port>%d</tcp_port>
  <http_port>%d</http_port>
  <interserver_http_port>%d</interserver_http_port>
  <path>%s/data/</path>
  <tmp_path>%s/tmp/</tmp_path>
  <user_files_path>%s/files/</user_files_path>
  <format_schema_path>%s/schemas/</format_schema_path>
  <max_connections>256</max_connections>
  <max_concurrent_queries>50</max_concurrent_queries>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <mark_cache_size>67108864</mark_cache_size>
  <users_config>users.xml</users_config>
  <default_profile>default</default_profile>
  <default_database>default</default_database>
  <timezone>UTC</timezone>
  <mlock_executable>false</mlock_executable>
  %s
</yandex>
`

const usersXML = `<?xml version="1.0"?>
<yandex>
  <profiles>
    <default><max_memory_usage>1000000000</max_memory_usage><max_threads>2</max_threads></default>
    <readonly><readonly>2</readonly></readonly>
  </profiles>
  <quotas><default><interval><duration>3600</duration><queries>0</queries><errors>0</errors><result_rows>0</result_rows><read_rows>0</read_rows><execution_time>0</execution_time></interval></default></quotas>
  <users>
    <default><password></password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota></default>
    <reader><password>%s</password><networks><ip>::/0</ip></networks><profile>readonly</profile><quota>default</quota></reader>
    <outsider><password>%s</password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
      <allow_databases><database>elsewhere</database></allow_databases></outsider>
  </users>
</yandex>
`
