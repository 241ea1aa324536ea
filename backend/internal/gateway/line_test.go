package gateway

import "testing"

// TestLines: who has a network of IPv6 addresses counts once.
func TestLines(t *testing.T) {
	for ip, want := range map[string]string{
		"203.0.113.7": "203.0.113.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::1": "2001:db8:1:2::/64",
		"2001:db8:1:3::1": "2001:db8:1:3::/64", "fe80::1%eth0": "fe80::/64", "::ffff:203.0.113.7": "::ffff:203.0.113.7", "": "", "unknown": "unknown",
	} {
		if got := lineOf(ip); got != want {
			t.Errorf("%q counts as %q, want %q", ip, got, want)
		}
	}
}

// TestSignedNamesDeceiveNobody: the shop signs what its customers call
// themselves.
func TestSignedNamesDeceiveNobody(t *testing.T) {
	v := visitor("42", "Ann\u202egnp.exe\n\x1b[2J", "a@b.example\r\nBcc: x", false)
	if v.Name != "Anngnp.exe  [2J" || v.Email != "a@b.example  Bcc: x" || v.Sub != "42" {
		t.Errorf("%+v", v)
	}
}
