package adminapi_test

import (
	"context"
	"testing"
	"time"

	"haoke/backend/internal/wire"
	"haoke/backend/internal/wsconn"
)

// ended waits until the socket is closed and returns the code.
func (p *page) ended() int {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	for {
		if _, err := p.c.Read(ctx); err != nil {
			return wsconn.CloseCode(err)
		}
	}
}

// TestLiveEndsWithTheSession: who signs out, is removed, or may less from now
// on sees nothing more on a socket that was open before.
func TestLiveEndsWithTheSession(t *testing.T) {
	h := open(t, options{})
	owner := h.script()
	add := func(name string, role wire.AdminRole) *door {
		t.Helper()
		got := owner.send("POST", "/operators", wire.OperatorNew{Name: name, Display: name, Role: role, Password: "correct horse " + name})
		if got.status != 201 {
			t.Fatalf("add %s: %d %s", name, got.status, got.body)
		}
		return h.signedIn(name, "correct horse "+name)
	}
	amy, ben, cleo, dora := add("amy", wire.RoleOperator), add("ben", wire.RoleOperator), add("cleo", wire.RoleOwner), add("dora", wire.RoleOperator)
	left, removed, lowered, stays := amy.page(), ben.page(), cleo.page(), dora.page()
	for _, p := range []*page{left, removed, lowered, stays} {
		p.of(wire.LiveHello)
	}
	late := decode[wire.LiveTicket](t, amy.send("POST", "/live/ticket", nil))
	for _, got := range []answer{
		amy.send("DELETE", "/session", nil), owner.send("DELETE", "/operators/ben", nil),
		owner.send("PATCH", "/operators/cleo", map[string]string{"role": "operator"}),
	} {
		if got.status/100 != 2 {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	for name, p := range map[string]*page{"signed out": left, "removed": removed, "an operator only": lowered} {
		if code := p.ended(); code != 1008 {
			t.Errorf("%s: the socket ended with %d", name, code)
		}
	}
	stays.say(wire.LiveCommand{Type: "ping"})
	stays.of(wire.LivePong)
	if _, status, err := wsconn.Dial(context.Background(), late.URL, wsconn.DialConfig{Origin: h.at.URL}); err == nil || status != 401 {
		t.Errorf("a ticket from before the sign-out: %d %v", status, err)
	}
}
