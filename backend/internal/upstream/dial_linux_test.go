package upstream

import (
	"net"
	"syscall"
	"testing"
	"time"
)

// TestGiveUpAfter: connections that are dialled carry the option.
func TestGiveUpAfter(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cfg := Config{Timeout: 9 * time.Second}.withDefaults()
	conn, err := dialer(cfg, guard{host: "127.0.0.1"}, "127.0.0.1").DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	rc, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var got int
	if e := rc.Control(func(fd uintptr) { got, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout) }); e != nil || err != nil {
		t.Fatal(e, err)
	}
	if got != 3000 {
		t.Errorf("%d ms, want a third of the timeout", got)
	}
}
