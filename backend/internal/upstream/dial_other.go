//go:build !linux

package upstream

import (
	"syscall"
	"time"
)

// giveUpAfter does nothing here: only Linux has the option in this form. A dead
// connection is found by keep-alive probes and by Config.Timeout.
func giveUpAfter(syscall.RawConn, time.Duration) error { return nil }
