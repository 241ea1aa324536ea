package adminapi

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"haoke/backend/internal/wire"
)

// diskLow is how much room the data folder should have at least, in bytes.
const diskLow = 512 << 20

// hostTroubles are those of the machine and of the set-up, which no part of
// the appliance reports by itself.
func (a *API) hostTroubles(ctx context.Context) []wire.Trouble {
	var out []wire.Trouble
	if free, ok := diskFree(a.DataDir); ok && free < diskLow {
		n := strconv.FormatInt(free/1e6, 10) + " MB"
		out = append(out, wire.Trouble{Code: "disk_low", Level: "warn", Text: "The disk is nearly full: " + n + " are left. Make room.", Args: map[string]string{"free": n}})
	}
	if a.DB.Lost() > 0 {
		out = append(out, wire.Trouble{Code: "db_damaged", Level: "warn", Text: "The database lost its latest changes before this start, or an older one was put in its place. Look at the log.",
			Args: map[string]string{"path": a.DataDir}, Page: "logs"})
	}
	a.filters.mu.Lock()
	invalid := a.filters.invalid
	a.filters.mu.Unlock()
	if invalid != "" {
		out = append(out, wire.Trouble{Code: "filter_invalid", Level: "warn", Text: "The changed filter rules are not in use: " + invalid, Args: map[string]string{"reason": invalid}, Page: "filters"})
	}
	public, admin := a.Host.Addresses()
	if set := a.Settings.Current().Server.PublicAddr; elsewhere(set, public) {
		out = append(out, wire.Trouble{Code: "addr_unused", Level: "warn", Text: "Visitors are served at " + public + ": " + set + " cannot be used.",
			Args: map[string]string{"addr": set, "now": public}, Page: "settings/server.public_addr"})
	}
	if set := a.Settings.Current().Server.AdminAddr; elsewhere(set, admin) {
		out = append(out, wire.Trouble{Code: "admin_unused", Level: "warn", Text: "The admin page is at " + admin + ": " + set + " cannot be used.",
			Args: map[string]string{"addr": set, "now": admin}, Page: "settings/" + adminAddr})
	}
	if claimed, err := a.Guard.Claimed(ctx); err == nil && !claimed {
		out = append(out, wire.Trouble{Code: "no_password", Level: "info", Text: "Nobody has set a password for the admin page in the browser yet.", Page: "settings"})
	}
	if addr := a.Settings.Current().Server.AdminAddr; exposed(addr) {
		out = append(out, wire.Trouble{Code: "admin_exposed", Level: "warn", Text: "The admin page can be reached from other machines (" + addr + "). Use 127.0.0.1, or a proxy with TLS.",
			Args: map[string]string{"addr": admin}, Page: "settings/server.admin_addr"})
	}
	return append(out, a.updateTroubles(ctx)...)
}

// elsewhere reports whether the listener at url is not on the port that is set.
func elsewhere(set, url string) bool {
	_, port, err := net.SplitHostPort(set)
	return err == nil && port != "0" && !strings.HasSuffix(url, ":"+port)
}

// everywhere reports whether a listener takes connections at every address of
// this machine.
func everywhere(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	ip, perr := netip.ParseAddr(host)
	return err == nil && (host == "" || perr == nil && ip.IsUnspecified())
}

// exposed reports whether a listener's address can be reached from outside
// this machine.
func exposed(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil || host == "localhost" {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err != nil || !ip.IsLoopback()
}
