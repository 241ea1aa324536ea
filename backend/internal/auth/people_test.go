package auth

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestSessionsEnd(t *testing.T) {
	s := newSite(t, true)
	in := func(c *http.Client) bool {
		code, _ := s.do(t, c, "GET", "/answer", "")
		return code == 200
	}
	c := s.signedIn(t, "amy", operatorPass)
	for range 40 { // used every 11 hours it lives on
		s.later(11 * time.Hour)
		if !in(c) {
			t.Fatal("ended while in use")
		}
	}
	s.later(13 * time.Hour)
	if in(c) {
		t.Error("idle for 13 hours and still in")
	}
	c = s.signedIn(t, "amy", operatorPass)
	lived := 0
	for in(c) && lived < 100 {
		s.later(11 * time.Hour)
		lived++
	}
	if days := lived * 11 / 24; days < 28 || days > 31 {
		t.Errorf("lived %d days, want 30", days)
	}

	one, two := s.signedIn(t, "amy", operatorPass), s.signedIn(t, "amy", operatorPass)
	owner := s.signedIn(t, "owner", ownerPass)
	replay, _ := http.NewRequest("GET", s.URL+"/answer", nil)
	u := replay.URL
	cookies := one.Jar.Cookies(u)
	s.do(t, one, "DELETE", "/session", "")
	if in(one) || !in(two) {
		t.Error("signing out here")
	}
	one.Jar.SetCookies(u, cookies)
	if in(one) {
		t.Error("a cookie is good after signing out")
	}
	one = s.signedIn(t, "amy", operatorPass)
	s.do(t, one, "DELETE", "/session?everywhere=1", "")
	if in(one) || in(two) || !in(owner) {
		t.Error("signing out everywhere")
	}

	// password change: the present session stays, others end
	one, two = s.signedIn(t, "amy", operatorPass), s.signedIn(t, "amy", operatorPass)
	if code, body := s.do(t, one, "PUT", "/password", "current=wrong&password=long enough now"); code != 422 {
		t.Errorf("wrong present password: %d %s", code, body)
	}
	if code, body := s.do(t, one, "PUT", "/password", "current="+operatorPass+"&password=short"); code != 422 {
		t.Errorf("short password: %d %s", code, body)
	}
	if code, body := s.do(t, one, "PUT", "/password", "current="+operatorPass+"&password=long enough now"); code != 200 {
		t.Errorf("change: %d %s", code, body)
	}
	if !in(one) || in(two) {
		t.Error("after the change of password")
	}
	if code, _ := s.do(t, s.browser(t), "POST", "/session", "name=amy&password="+operatorPass); code != 401 {
		t.Error("the old password opens")
	}

	// a role change counts in open sessions; a removed person is out
	role := RoleOwner
	if _, err := s.guard.ChangePerson(t.Context(), "amy", Change{Role: &role}); err != nil {
		t.Fatal(err)
	}
	if code, _ := s.do(t, one, "GET", "/settings", ""); code != 200 {
		t.Errorf("promoted: %d", code)
	}
	if err := s.guard.RemovePerson(t.Context(), "amy"); err != nil {
		t.Fatal(err)
	}
	if in(one) {
		t.Error("removed and still in")
	}
}

func TestPeople(t *testing.T) {
	s := newSite(t, true)
	ctx, g := t.Context(), s.guard
	operator := RoleOperator
	for name, err := range map[string]error{
		"last owner demoted": second(g.ChangePerson(ctx, "owner", Change{Role: &operator})),
		"last owner removed": g.RemovePerson(ctx, "owner"),
	} {
		if !errors.Is(err, ErrLastOwner) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := g.AddPerson(ctx, "amy", "", RoleOperator, operatorPass); !errors.Is(err, ErrExists) {
		t.Errorf("taken: %v", err)
	}
	for _, tc := range []struct{ name, display, role, password, field string }{
		{"a b", "x", "owner", ownerPass, "name"},
		{"../x", "x", "owner", ownerPass, "name"},
		{"bob", "a\nb", "owner", ownerPass, "display"},
		{"bob", strings.Repeat("x", 61), "owner", ownerPass, "display"},
		{"bob", "Bob", "root", ownerPass, "role"},
		{"bob", "Bob", "owner", "too short", "password"},
		{"bob", "Bob", "owner", "aaaaaaaaaaaa", "password"},
		{"bob", "Bob", "owner", strings.Repeat("x1", 200), "password"},
	} {
		var inv *Invalid
		if _, err := g.AddPerson(ctx, tc.name, tc.display, Role(tc.role), tc.password); !errors.As(err, &inv) || inv.Field != tc.field {
			t.Errorf("%+v: %v", tc, err)
		}
	}
	list, err := g.People(ctx)
	if err != nil || len(list) != 2 || list[0].Name != "owner" {
		t.Errorf("people %v, %v", list, err)
	}
	if err := g.Bootstrap(ctx, "quite another password"); err != nil {
		t.Fatal(err)
	}
	if list, _ := g.People(ctx); len(list) != 2 {
		t.Error("the settings' password made a second owner")
	}
}

func second[T any](_ T, err error) error { return err }
