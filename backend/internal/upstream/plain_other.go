//go:build !linux

package upstream

import "net"

// plainHere: the small client is not used on this system, where a kept
// connection cannot be asked whether it still works.
const plainHere = false

type look struct{}

func lookAt(net.Conn) *look { return nil }

func (*look) alive() bool { return false }
