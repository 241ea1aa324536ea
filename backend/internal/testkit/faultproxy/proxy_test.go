package faultproxy

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers each line with the line 100 times over.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for r := bufio.NewReader(c); ; {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					io.WriteString(c, strings.Repeat(line, 100))
				}
			}()
		}
	}()
	return l.Addr().String()
}

func open(t *testing.T, p *Proxy) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	io.WriteString(c, "123456789\n")
	return c
}

func readFor(c net.Conn, d time.Duration, n int) (int, error) {
	c.SetReadDeadline(time.Now().Add(d))
	return io.ReadFull(c, make([]byte, n))
}

func TestFaults(t *testing.T) {
	p, err := New(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)

	if n, err := readFor(open(t, p), 5*time.Second, 1000); n != 1000 || err != nil {
		t.Fatal(n, err)
	}
	cases := []struct {
		name  string
		fault Fault
		n     int
		check func(error) bool
	}{
		{"reset", Fault{ResetAfter: 300}, 300, func(err error) bool { return errors.Is(err, syscall.ECONNRESET) }},
		{"cut", Fault{CutAfter: 300}, 300, func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		{"freeze", Fault{FreezeAfter: 300}, 300, isTimeout},
		{"blackhole", Fault{Blackhole: true}, 0, isTimeout},
	}
	for _, c := range cases {
		if err := p.Set(c.fault); err != nil {
			t.Fatal(err)
		}
		if n, err := readFor(open(t, p), 300*time.Millisecond, 1000); n != c.n || !c.check(err) {
			t.Errorf("%s: %d bytes, %v", c.name, n, err)
		}
	}
	for _, slow := range []Fault{{Latency: 20 * time.Millisecond}, {Bandwidth: 20000}} {
		p.Set(slow)
		start := time.Now()
		if n, err := readFor(open(t, p), 5*time.Second, 1000); n != 1000 || err != nil || time.Since(start) < 15*time.Millisecond {
			t.Errorf("%+v: %d bytes, %v, %s", slow, n, err, time.Since(start))
		}
	}
	p.Set(Fault{Refuse: true})
	if _, err := net.Dial("tcp", p.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Error(err)
	}
	if err := p.Set(Fault{}); err != nil {
		t.Fatal(err)
	}
	c := open(t, p)
	if n, err := readFor(c, 5*time.Second, 1000); n != 1000 || err != nil {
		t.Fatal("after it came back:", n, err)
	}
	p.DropAll()
	if _, err := readFor(c, 5*time.Second, 1); err == nil || isTimeout(err) {
		t.Error("still open:", err)
	}
	if p.Accepted() < 8 {
		t.Error(p.Accepted())
	}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}
