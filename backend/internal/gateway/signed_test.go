package gateway

import "testing"

// TestSignedNamesDeceiveNobody: the shop signs what its customers call
// themselves.
func TestSignedNamesDeceiveNobody(t *testing.T) {
	v := visitor("42", "Ann\u202egnp.exe\n\x1b[2J", "a@b.example\r\nBcc: x", false)
	if v.Name != "Anngnp.exe  [2J" || v.Email != "a@b.example  Bcc: x" || v.Sub != "42" {
		t.Errorf("%+v", v)
	}
}
