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

// Line is what limits count an address as: the address, of IPv6 the network of
// 64 bits that one line gets, which has more addresses than any limit.
func Line(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil || !a.Is6() || a.Is4In6() {
		return ip
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return ip
	}
	return p.String()
}
