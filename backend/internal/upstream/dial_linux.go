package upstream

import (
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of linux/tcp.h (RFC 5482), which package
// syscall does not name.
const tcpUserTimeout = 0x12

// giveUpAfter lets a connection fail when what was sent is not acknowledged for
// d. A kept connection whose route is gone (a suspended machine, another
// network, a forgetful firewall) then fails while there is time for another.
func giveUpAfter(rc syscall.RawConn, d time.Duration) error {
	var err error
	if e := rc.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(d.Milliseconds()))
	}); e != nil {
		return e
	}
	return err
}
