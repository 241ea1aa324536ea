package loadtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Proc is a child process that has said that it is ready.
type Proc struct {
	// Ready holds the fields of its ready line, for example "public".
	Ready map[string]string
	// Took is the time from its start to the ready line.
	Took time.Duration

	cmd  *exec.Cmd
	done chan struct{}
	tail *tail
}

// startProc runs exe until the line "ready k=v ..." comes on its standard
// output. env is added to this process's own environment. cpus, when not nil,
// pins the child where the operating system can.
func startProc(ctx context.Context, exe string, args, env []string, cpus []int) (*Proc, error) {
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), env...)
	p := &Proc{cmd: cmd, done: make(chan struct{}), tail: &tail{}}
	cmd.Stderr = p.tail
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	begun := time.Now()
	if err := pinned(cpus, cmd.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	ready := make(chan string, 1)
	go func() {
		defer close(p.done)
		r := bufio.NewReader(out)
		line, _ := r.ReadString('\n')
		ready <- line
		io.Copy(io.Discard, r)
		cmd.Wait()
	}()
	select {
	case line := <-ready:
		p.Took = time.Since(begun)
		if p.Ready = readyFields(line); p.Ready == nil {
			p.Stop()
			return nil, fmt.Errorf("start %s: it did not become ready: %s", args[0], p.tail)
		}
		return p, nil
	case <-ctx.Done():
	case <-time.After(2 * time.Minute):
	}
	p.Stop()
	return nil, fmt.Errorf("start %s: not ready in time: %w", args[0], errors.Join(ctx.Err(), errors.New(p.tail.String())))
}

func readyFields(line string) map[string]string {
	rest, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if !ok {
		return nil
	}
	m := map[string]string{}
	for _, f := range strings.Fields(rest) {
		if k, v, ok := strings.Cut(f, "="); ok {
			m[k] = v
		}
	}
	return m
}

// PID is the process's number.
func (p *Proc) PID() int { return p.cmd.Process.Pid }

// Stop asks the process to end and kills it when it does not within 15 s, or
// at once where the operating system knows no such request.
func (p *Proc) Stop() {
	if p.cmd.Process.Signal(syscall.SIGTERM) != nil {
		p.cmd.Process.Kill()
	}
	select {
	case <-p.done:
	case <-time.After(15 * time.Second):
		p.cmd.Process.Kill()
		<-p.done
	}
}

// Log is the end of what it wrote on standard error.
func (p *Proc) Log() string { return p.tail.String() }

// tail keeps the last 4 KiB of a log.
type tail struct {
	mu sync.Mutex
	b  []byte
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if over := len(t.b) - 4096; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}

// String is what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.b))
}
