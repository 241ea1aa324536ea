package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"

	"strings"
)

// fault is a Problem's inside before its place is known.
type fault struct{ key, message, allowed string }

// crossCheck finds values that are good alone and wrong together.
func crossCheck(s *Settings) []fault {
	var out []fault
	bad := func(key, message, allowed string) { out = append(out, fault{key, message, allowed}) }
	if s.Limits.AtCap == "cheaper" && s.Limits.CheaperModel == "" {
		bad("limits.cheaper_model", `is empty although limits.at_cap is "cheaper"`, "the name of a model")
	}
	for _, pair := range [][3]string{
		{"server", s.Server.TLSCert, s.Server.TLSKey},
		{"admin", s.Admin.TLSCert, s.Admin.TLSKey},
	} {
		if (pair[1] == "") != (pair[2] == "") {
			bad(pair[0]+".tls_cert", "needs "+pair[0]+".tls_key beside it, and the other way round", "both or neither")
		}
	}
	if s.Admin.SessionMax < s.Admin.SessionIdle {
		bad("admin.session_max", "is shorter than admin.session_idle", "at least "+durationText(s.Admin.SessionIdle))
	}
	if sameAddress(s.Server.PublicAddr, s.Server.AdminAddr) {
		bad("server.admin_addr", "is the address of the visitors' listener", "another port")
	}
	for i, h := range s.Site.Hours {
		if len(h.Days) == 0 || h.Open == "" || h.Close == "" || h.Open == "24:00" {
			bad(fmt.Sprintf("site.hours[%d]", i), "is incomplete", `days = ["mon", ...], open = "09:00", close = "18:00"`)
		}
	}
	if (s.Desktop.QuietFrom == "") != (s.Desktop.QuietTo == "") {
		bad("desktop.quiet_to", "needs desktop.quiet_from beside it", "both or neither")
	}
	out = append(out, checkProviders(s)...)
	return out
}

func sameAddress(a, b string) bool {
	ah, ap, _ := net.SplitHostPort(a)
	bh, bp, _ := net.SplitHostPort(b)
	if ap != bp || ap == "0" {
		return false
	}
	return ah == bh || ah == "" || bh == ""
}

func checkProviders(s *Settings) []fault {
	var out []fault
	seen := map[string]bool{}
	for i, p := range s.Upstream.Providers {
		at := fmt.Sprintf("upstream.providers[%d]", i)
		switch {
		case p.Name == "":
			out = append(out, fault{at + ".name", "is missing", "a name of your choice"})
		case seen[p.Name] || p.Name == MainProvider && s.Upstream.BaseURL != "":
			out = append(out, fault{at + ".name", fmt.Sprintf("%q is taken", p.Name), "a name that no other provider has"})
		case p.BaseURL == "":
			out = append(out, fault{at + ".base_url", "is missing", `for example "https://api.deepseek.com/v1"`})
		}
		seen[p.Name] = true
		out = append(out, checkKeys(at+".keys", p.Keys)...)
	}
	return append(out, checkKeys("upstream.keys", s.Upstream.Keys)...)
}

// MainProvider is the name of the provider that [upstream] itself describes.
const MainProvider = "main"

func checkKeys(list string, keys []Key) []fault {
	var out []fault
	seen := map[string]bool{}
	for i, k := range keys {
		at := fmt.Sprintf("%s[%d]", list, i)
		if seen[k.Name] {
			out = append(out, fault{at + ".name", fmt.Sprintf("%q is taken", k.Name), "a name that no other key has"})
		}
		seen[k.Name] = true
	}
	return out
}

// resolveKeys gives every key its name and its text: from value, env or file.
func resolveKeys(list string, keys []Key, getenv func(string) (string, bool), bad func(key, message, allowed string)) {
	const allowed = "exactly one of value, env and file"
	for i := range keys {
		k, at := &keys[i], fmt.Sprintf("%s[%d]", list, i)
		if k.Name == "" {
			k.Name = "main"
			if i > 0 {
				k.Name = fmt.Sprintf("key-%d", i+1)
			}
		}
		given := 0
		for _, s := range []string{string(k.Value), k.Env, k.File} {
			if s != "" {
				given++
			}
		}
		if given != 1 {
			bad(at, fmt.Sprintf("gives the key %d times", given), allowed)
			continue
		}
		switch {
		case k.Env != "":
			text, ok := getenv(k.Env)
			if !ok || clean(text) == "" {
				bad(at+".env", "the environment variable "+k.Env+" is not set", "a variable that holds the key")
			}
			k.Value = Secret(clean(text))
		case k.File != "":
			text, err := readSecretFile(k.File)
			if err != nil || clean(text) == "" {
				bad(at+".file", "the key cannot be read from "+k.File+reason(err), "a file that holds the key and nothing else")
			}
			k.Value = Secret(clean(text))
		}
	}
}

func reason(err error) string {
	switch {
	case err == nil:
		return ": the file is empty"
	case errors.Is(err, fs.ErrNotExist):
		return ": there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return ": this account may not read it"
	}
	return ""
}

// Warning is something allowed that the owner should know.
type Warning struct {
	Key  string
	Text string
}

// Warnings lists what is allowed and yet dangerous or without effect in s.
func Warnings(s *Settings) []Warning {
	var out []Warning
	warn := func(key, text string) { out = append(out, Warning{key, text}) }
	for _, o := range s.Server.AllowedOrigins {
		if o == "*" {
			warn("server.allowed_origins", `"*" lets every web site embed the widget and spend your budget`)
		}
	}
	if !loopback(s.Server.AdminAddr) && s.Admin.TLSCert == "" {
		warn("server.admin_addr", "the admin page is open to the network without HTTPS: passwords travel in the clear")
	}
	for _, h := range s.Admin.AllowedHosts {
		if h == "*" {
			warn("admin.allowed_hosts", `"*" switches off the protection against DNS rebinding`)
		}
	}
	if u, err := url.Parse(s.Upstream.BaseURL); err == nil && u.Scheme == "http" && !nearby(u.Hostname()) {
		warn("upstream.base_url", "the key and every conversation travel to "+u.Host+" without encryption")
	}
	if s.Upstream.BaseURL == "" && len(s.Upstream.Keys) > 0 && len(s.Upstream.Providers) == 0 {
		warn("upstream.base_url", "is empty, so the keys are not used and answers come from the FAQ")
	}
	if s.Upstream.MaxIdleConns < s.Upstream.MaxIdleConnsPerHost {
		warn("upstream.max_idle_conns", "is below upstream.max_idle_conns_per_host: busy times will open connections again and again")
	}
	return out
}

// loopback reports whether a listen address is reachable from this machine only.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// nearby reports whether a host is on this machine or in a private network.
func nearby(host string) bool {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return strings.EqualFold(host, "localhost") || !strings.Contains(host, ".") || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal")
	}
	return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast()
}
