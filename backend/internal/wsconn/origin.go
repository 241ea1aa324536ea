package wsconn

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
)

// Policy decides which pages may open a socket and under which names this
// machine answers. It is immutable and safe for concurrent use.
type Policy struct {
	origins map[string]bool // normalised, with scheme and without a default port
	any     bool
	hosts   map[string]bool // lower-case host names and addresses, without a port
}

// NewPolicy reads the allowed origins ("https://shop.example", or "*") and the
// URL under which visitors reach the listener from outside (may be empty).
// Loopback and the machine's own names and addresses are always allowed hosts.
func NewPolicy(allowed []string, publicURL string) (*Policy, error) {
	p := &Policy{origins: map[string]bool{}, hosts: map[string]bool{"localhost": true}}
	for _, o := range allowed {
		if o == "*" {
			p.any = true
			continue
		}
		n, err := normalOrigin(o)
		if err != nil {
			return nil, fmt.Errorf("allowed origin %q: %w", o, err)
		}
		p.origins[n] = true
	}
	if publicURL != "" {
		n, err := normalOrigin(publicURL)
		if err != nil {
			return nil, fmt.Errorf("public URL %q: %w", publicURL, err)
		}
		p.origins[n] = true
		u, _ := url.Parse(publicURL)
		p.hosts[strings.ToLower(u.Hostname())] = true
	}
	if name, err := os.Hostname(); err == nil {
		name = strings.ToLower(name)
		p.hosts[name] = true
		p.hosts[name+".local"] = true
	}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			p.hosts[n.IP.String()] = true
		}
	}
	return p, nil
}

// Check answers 0 when the request may pass, 421 for a foreign Host and 403
// for a foreign Origin. A request without Origin comes from a program, not
// from a page, and carries no one's rights: it passes.
func (p *Policy) Check(r *http.Request) int {
	if !p.HostAllowed(r.Host) {
		return http.StatusMisdirectedRequest
	}
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return 0
	}
	if len(values) > 1 || !p.originAllowed(values[0], r) {
		return http.StatusForbidden
	}
	return 0
}

// HostAllowed reports whether the listener answers to this Host header.
func (p *Policy) HostAllowed(host string) bool {
	name := strings.ToLower(hostOnly(host))
	if p.hosts[name] {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.Unmap().IsLoopback()
}

// originAllowed compares the whole origin, scheme included. A page that this
// very listener served (same host and port, the listener's scheme) may pass.
func (p *Policy) originAllowed(origin string, r *http.Request) bool {
	n, err := normalOrigin(origin)
	if err != nil {
		return false // "null" and junk
	}
	if p.any || p.origins[n] {
		return true
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	own, err := normalOrigin(scheme + "://" + r.Host)
	return err == nil && n == own
}

// normalOrigin brings an origin into one form: lower case, no default port, no
// path. It refuses what is not an http or https origin.
func normalOrigin(s string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil {
		return "", fmt.Errorf("not an origin: %w", err)
	}
	scheme, host, port := strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), u.Port()
	if scheme != "http" && scheme != "https" || host == "" || u.User != nil {
		return "", fmt.Errorf("an origin looks like https://shop.example")
	}
	if scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		port = ""
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" {
		host += ":" + port
	}
	return scheme + "://" + host, nil
}

// hostOnly strips the port and the brackets of an IPv6 address.
func hostOnly(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return strings.Trim(host, "[]")
}
