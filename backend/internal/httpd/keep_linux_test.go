package httpd

import (
	"net"
	"syscall"
	"testing"
)

// TestSilentPeersAreAskedLate: the system's question to a silent peer does not
// come every 15 seconds, as it would by default.
func TestSilentPeersAreAskedLate(t *testing.T) {
	l, err := Open(config("127.0.0.1:0", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in, err := l.ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	raw, err := in.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		if on, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE); err != nil || on != 90 {
			t.Errorf("asked after %d s, %v", on, err)
		}
	})
}
