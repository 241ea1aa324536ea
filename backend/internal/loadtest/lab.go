package loadtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"
)

// Program is how the load test starts the parts that it measures: the
// program's own file, with a subcommand for each part. Every part prints
// "ready k=v ..." and stops at SIGTERM.
type Program struct {
	Exe      string
	Server   []string // arguments before --data DIR --public ADDR --admin ADDR; its ready line carries public, admin, vitals
	Sim      []string // before --latency D --pace D --tokens N; its ready line carries url
	Textbook []string // before --upstream URL; its ready line carries public, vitals
	Relay    []string // before --upstream URL; its ready line carries url
}

// answers describes the simulated upstream.
type answers struct {
	latency, pace time.Duration
	tokens        int
}

// took is how long one answer takes.
func (a answers) took() time.Duration { return a.latency + time.Duration(a.tokens-1)*a.pace }

// lab is a simulator and what is measured against it.
type lab struct {
	prog   Program
	dir    string
	pin    bool
	sim    *Proc
	simURL string
	procs  []*Proc
}

// newLab starts a simulator. Everything it makes is below dir.
func newLab(ctx context.Context, prog Program, dir string, a answers, pin bool) (*lab, error) {
	l := &lab{prog: prog, dir: dir, pin: pin}
	args := append(append([]string{}, prog.Sim...), "--latency", a.latency.String(), "--pace", a.pace.String(), "--tokens", strconv.Itoa(a.tokens), "--times", strconv.Itoa(asked))
	p, err := l.start(ctx, args, nil, false)
	if err != nil {
		return nil, err
	}
	l.sim, l.simURL = p, p.Ready["url"]
	return l, nil
}

func (l *lab) start(ctx context.Context, args, env []string, measured bool) (*Proc, error) {
	p, err := startProc(ctx, l.prog.Exe, args, env, l.cpus(measured))
	if err == nil {
		l.procs = append(l.procs, p)
	}
	return p, err
}

// cpus gives the measured process the first half of the processors and the
// rest of the load the other half; nil without pinning.
func (l *lab) cpus(measured bool) []int {
	if !l.pin {
		return nil
	}
	n := runtime.NumCPU()
	half := max(1, n/2)
	var set []int
	for c := range n {
		if (c < half) == measured {
			set = append(set, c)
		}
	}
	return set
}

// subject is a running server under measurement.
type subject struct {
	*Proc
	public, admin string
	inspect       inspector
}

// adminToken opens the metrics of servers that the load test starts itself.
const adminToken = "bench-only-on-loopback"

// server starts the appliance on a fresh data folder (or the given one) with
// limits that no load test meets, and env on top.
func (l *lab) server(ctx context.Context, data string, env ...string) (*subject, error) {
	if data == "" {
		var err error
		if data, err = os.MkdirTemp(l.dir, "data"); err != nil {
			return nil, fmt.Errorf("data folder: %w", err)
		}
	}
	args := append(append([]string{}, l.prog.Server...), "--data", data, "--public", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	all := append([]string{
		"HAOKE_UPSTREAM_BASE_URL=" + l.simURL, "HAOKE_UPSTREAM_KEY=bench", "HAOKE_ADMIN_TOKEN=" + adminToken,
		"HAOKE_UPSTREAM_MAX_IDLE_CONNS=2000", "HAOKE_UPSTREAM_MAX_IDLE_CONNS_PER_HOST=2000",
		"HAOKE_LIMITS_CONNECTIONS=1000000", "HAOKE_LIMITS_CONNECTIONS_PER_IP=0", "HAOKE_LIMITS_MESSAGES_PER_MINUTE=0",
		"HAOKE_LOG_LEVEL=warn",
	}, env...)
	p, err := l.start(ctx, args, all, true)
	if err != nil {
		return nil, err
	}
	return &subject{Proc: p, public: p.Ready["public"], admin: p.Ready["admin"], inspect: inspector{p.Ready["vitals"]}}, nil
}

// textbook starts the baseline server.
func (l *lab) textbook(ctx context.Context) (*subject, error) {
	p, err := l.start(ctx, append(append([]string{}, l.prog.Textbook...), "--upstream", l.simURL), nil, true)
	if err != nil {
		return nil, err
	}
	return &subject{Proc: p, public: p.Ready["public"], inspect: inspector{p.Ready["vitals"]}}, nil
}

// relay starts the bare relay and returns its base URL.
func (l *lab) relay(ctx context.Context) (*Proc, error) {
	return l.start(ctx, append(append([]string{}, l.prog.Relay...), "--upstream", l.simURL), nil, true)
}

// stop ends one process before the others.
func (l *lab) stop(p *Proc) {
	for i, q := range l.procs {
		if q == p {
			l.procs = append(l.procs[:i], l.procs[i+1:]...)
			p.Stop()
			return
		}
	}
}

// close ends every process.
func (l *lab) close() {
	for i := len(l.procs) - 1; i >= 0; i-- {
		l.procs[i].Stop()
	}
	l.procs = nil
}

func scratch() (string, error) {
	dir, err := os.MkdirTemp("", "haoke-bench-")
	if err != nil {
		return "", fmt.Errorf("scratch folder: %w", err)
	}
	return filepath.Clean(dir), nil
}
