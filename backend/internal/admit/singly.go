package admit

import (
	"net/netip"
	"time"
)

// visitorCap is what one visitor may spend a day, 0: no cap.
func (m *money) visitorCap() nanos {
	if m.cfg.PerVisitor > 0 {
		return toNanos(m.cfg.PerVisitor)
	}
	if m.cfg.VisitorPart >= 1 {
		return 0
	}
	return toNanos(m.cfg.PerDay * m.cfg.VisitorPart)
}

// visitor is the account of one visitor, nil where none is needed.
func (m *money) visitor(b *books, name string) *purse {
	if m.visitorCap() == 0 {
		return nil
	}
	p := b.visitors[name]
	if p == nil && name != "" && len(b.visitors) < m.cfg.MaxVisitors {
		p = &purse{}
		b.visitors[name] = p
	}
	return p
}

// network is the account of the public network behind an address, nil where
// none is needed.
func (m *money) network(b *books, ip string) (netip.Prefix, *purse) {
	if ip == "" || m.visitorCap() == 0 {
		return netip.Prefix{}, nil
	}
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return netip.Prefix{}, nil
	}
	addr = addr.Unmap()
	if !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return netip.Prefix{}, nil // a proxy or the shop's own rooms: many visitors, one address
	}
	bits := 56
	if addr.Is4() {
		bits = 24
	}
	net, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}, nil
	}
	p := b.networks[net]
	if p == nil && len(b.networks) < m.cfg.MaxVisitors {
		p = &purse{}
		b.networks[net] = p
	}
	return net, p
}

// tidy closes the accounts of who has spent nothing and has no call under way.
func (c *claim) tidy() {
	if p := c.visitor; p != nil && *p == (purse{}) && c.books.visitors[c.name] == p {
		delete(c.books.visitors, c.name)
	}
	if p := c.network; p != nil && *p == (purse{}) && c.books.networks[c.net] == p {
		delete(c.books.networks, c.net)
	}
}

// clear forgets who spent what. The ledger is to be read again if the clock
// comes back to this day, or the owner sets a cap; it knows no networks.
func (b *books) clear() {
	b.visitors, b.networks, b.loaded = map[string]*purse{}, map[netip.Prefix]*purse{}, false
}

// near reports whether the day is on, or less than a day away from now.
func (b *books) near(now time.Time) bool {
	return now.Sub(b.end) < 24*time.Hour && b.start.Sub(now) < 24*time.Hour
}
