package upstream

import (
	"net"
	"syscall"
)

// plainHere: the small client is used on this system.
const plainHere = true

// look finds out whether a kept connection still works. It is made once for a
// connection and used by one goroutine at a time.
type look struct {
	raw    syscall.RawConn
	peek   func(fd uintptr) bool
	silent bool
	b      [1]byte
}

func lookAt(nc net.Conn) *look {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	l := &look{raw: raw}
	l.peek = func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), l.b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		l.silent = err == syscall.EAGAIN
		return true
	}
	return l
}

// alive reports whether a kept connection is still open and silent. A server
// closes what was idle for long, and nobody reads meanwhile.
func (l *look) alive() bool {
	if l == nil {
		return false
	}
	l.silent = false
	return l.raw.Read(l.peek) == nil && l.silent
}
