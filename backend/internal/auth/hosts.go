package auth

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Hosts is the allow-list of Host headers. A page on a name that an attacker
// points at this machine (DNS rebinding) is of the same origin as the admin
// page to a browser; only the Host header tells them apart.
type Hosts struct {
	extra func() []string
	own   func() []string

	mu   sync.Mutex
	list []string
	read time.Time
}

// ownFor is how long the machine's own names are remembered: interfaces come
// and go.
const ownFor = 30 * time.Second

// NewHosts allows loopback, the machine's own names and addresses, and what
// extra gives: host names without port, or "*" for any. extra may be nil.
func NewHosts(extra func() []string) *Hosts {
	if extra == nil {
		extra = func() []string { return nil }
	}
	return &Hosts{extra: extra, own: machineNames}
}

// Allows reports whether a request with this Host header may come in. local is
// the address that the connection came to, which is always ours.
func (h *Hosts) Allows(host string, local net.Addr) bool {
	name := hostOnly(host)
	if name == "" {
		return false
	}
	if ip, err := netip.ParseAddr(name); err == nil {
		ip = ip.Unmap().WithZone("")
		if ip.IsLoopback() {
			return true
		}
		if tcp, ok := local.(*net.TCPAddr); ok {
			if to, ok := netip.AddrFromSlice(tcp.IP); ok && to.Unmap() == ip {
				return true
			}
		}
		name = ip.String()
	}
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	for _, e := range h.extra() {
		if e == "*" || strings.EqualFold(strings.Trim(e, "[]"), name) {
			return true
		}
	}
	return slices.Contains(h.names(), name)
}

// Handler answers 421 to foreign Host headers.
func (h *Hosts) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		if !h.Allows(r.Host, local) {
			refuse(w, http.StatusMisdirectedRequest, "about:blank", "Unknown host", "This appliance does not answer under that name. Add it to the allowed names or set the public URL.", 0)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (h *Hosts) names() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.list == nil || time.Since(h.read) > ownFor {
		h.list, h.read = h.own(), time.Now()
	}
	return h.list
}

// hostOnly cuts the port off and brings the name into one form; "" for what is
// no host at all.
func hostOnly(host string) string {
	if len(host) > 260 || strings.ContainsAny(host, "/\\@?# \t\r\n%,") {
		return ""
	}
	name := host
	if n, port, err := net.SplitHostPort(host); err == nil {
		for _, c := range port {
			if c < '0' || c > '9' {
				return ""
			}
		}
		name = n
	} else if strings.Count(host, ":") == 1 {
		return ""
	}
	name = strings.TrimSuffix(strings.ToLower(strings.Trim(name, "[]")), ".")
	return name
}

// machineNames lists the host's name, with and without domain, and the
// addresses of its interfaces.
func machineNames() []string {
	var out []string
	if name, err := os.Hostname(); err == nil && name != "" {
		name = strings.ToLower(name)
		base, _, _ := strings.Cut(name, ".")
		out = append(out, name, base, base+".local")
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return out
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				out = append(out, ip.Unmap().String())
			}
		}
	}
	return out
}
