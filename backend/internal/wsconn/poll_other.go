//go:build !linux

package wsconn

import "net"

// poller is known on Linux only; elsewhere a goroutine waits for each socket.
type poller struct{}

func newPoller() *poller { return nil }

// watch is a socket's tie to a poller, of which there is none here.
type watch struct{}

func (watch) enter(*poller, net.Conn) {}
func (watch) ok() bool                { return false }
func (watch) arm(*Conn) bool          { return false }
func (watch) write([]byte) int        { return 0 }
func (watch) read([]byte) (int, bool) { return 0, true }
func (watch) leave()                  {}
