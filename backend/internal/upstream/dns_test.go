package upstream

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/sim"
)

// nameServer answers every question with the given response code (RFC 1035,
// 4.1.1): 3 is "no such name", 2 "server failure". It listens on loopback, so
// that no question leaves the machine.
func nameServer(t *testing.T, rcode byte) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			if n < 12 {
				continue
			}
			buf[2] |= 0x80        // an answer
			buf[3] = 0x80 | rcode // recursion available, and the code
			buf[6], buf[7] = 0, 0 // no answers
			buf[8], buf[9] = 0, 0 // no authorities
			question := 12        // names end with a zero, type and class follow
			for question < n && buf[question] != 0 {
				question += int(buf[question]) + 1
			}
			buf[10], buf[11] = 0, 0 // no additional records
			c.WriteTo(buf[:min(question+5, n)], from)
		}
	}()
	return c.LocalAddr().String()
}

func TestNameThatCannotBeLookedUp(t *testing.T) {
	system := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = system })
	for name, c := range map[string]struct {
		rcode byte
		words string
	}{
		"no such name":   {3, "is not known; check the base URL"},
		"server failure": {2, "could not be looked up"},
	} {
		server := nameServer(t, c.rcode)
		net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "udp", server)
		}}
		r := newRig(t, Config{Timeout: 2 * time.Second, Rand: func() float64 { return 0.01 }}, sim.Config{})
		r.gate.targets[0].BaseURL = "https://api.shop-without-a-name.example/v1"
		got, _, err := r.ask(within(t, 20*time.Second), "hi")
		var ue *chat.UpstreamError
		if !errors.As(err, &ue) || got != "" || !strings.Contains(ue.Reason, c.words) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if n := r.gate.outstanding(); n != 0 {
			t.Errorf("%s: %d leases out", name, n)
		}
	}
}
