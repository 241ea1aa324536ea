package httpd

import (
	"net"
	"net/netip"
)

// hostOf is the host part of an address with a port.
func hostOf(addr string) string {
	if h, _, err := net.SplitHostPort(addr); err == nil {
		return h
	}
	return addr
}

// trusted reports whether a connection comes from one of the CIDRs.
func trusted(remote string, cidrs []string) bool {
	ip, err := netip.ParseAddr(hostOf(remote))
	if err != nil {
		return false
	}
	ip = ip.Unmap()
	for _, c := range cidrs {
		if p, err := netip.ParsePrefix(c); err == nil && p.Contains(ip) {
			return true
		}
	}
	return false
}
