package main

import (
	"context"
	"net"
	"os"
	"strconv"
	"time"
)

// tellManager speaks to the service manager that started this process, by the
// socket in NOTIFY_SOCKET: ready now, then alive each half of the watchdog's
// time as long as healthy says so, stopping at the end. Without a manager it
// does nothing.
func tellManager(ctx context.Context, healthy func() bool) {
	address := os.Getenv("NOTIFY_SOCKET")
	if address == "" {
		return
	}
	if address[0] == '@' {
		address = "\x00" + address[1:]
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		return // the manager's time-out tells it
	}
	send := func(text string) { _, _ = conn.Write([]byte(text)) }
	send("READY=1")
	go func() {
		defer conn.Close()
		var tick <-chan time.Time
		if us, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64); err == nil && us > 0 {
			t := time.NewTicker(time.Duration(us) * time.Microsecond / 2)
			defer t.Stop()
			tick = t.C
		}
		for {
			select {
			case <-ctx.Done():
				send("STOPPING=1")
				return
			case <-tick:
				if healthy() {
					send("WATCHDOG=1")
				}
			}
		}
	}()
}
