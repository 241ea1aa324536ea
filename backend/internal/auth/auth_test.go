package auth

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestWhoMayWhat(t *testing.T) {
	s := newSite(t, true)
	stranger, owner, operator := s.browser(t), s.signedIn(t, "owner", ownerPass), s.signedIn(t, "amy", operatorPass)
	bearer := []string{"Authorization", "Bearer " + scriptToken}
	for _, tc := range []struct {
		name   string
		client *http.Client
		method string
		path   string
		header []string
		code   int
		body   string // contained
	}{
		{"stranger, open", stranger, "GET", "/open", nil, 200, "//"},
		{"stranger", stranger, "GET", "/answer", nil, 401, "haoke:signed-out"},
		{"stranger, settings", stranger, "GET", "/settings", nil, 401, "haoke:signed-out"},
		{"operator", operator, "GET", "/answer", nil, 200, "amy/operator/browser"},
		{"operator writes", operator, "POST", "/answer", nil, 200, "amy"},
		{"operator, settings", operator, "GET", "/settings", nil, 403, "haoke:forbidden"},
		{"owner", owner, "GET", "/answer", nil, 200, "owner/owner/browser"},
		{"owner, settings", owner, "POST", "/settings", nil, 200, "owner"},
		{"script", stranger, "POST", "/settings", bearer, 200, "script/owner/token"},
		{"script, lower case", stranger, "GET", "/settings", []string{"Authorization", "bearer " + scriptToken}, 200, "script"},
		{"wrong token", stranger, "GET", "/settings", []string{"Authorization", "Bearer nonsense"}, 401, "bearer token"},
		{"token's beginning", stranger, "GET", "/settings", []string{"Authorization", "Bearer " + scriptToken[:5]}, 401, ""},
		{"empty token", stranger, "GET", "/settings", []string{"Authorization", "Bearer "}, 401, ""},
		{"token as basic", stranger, "GET", "/settings", []string{"Authorization", "Basic " + scriptToken}, 401, ""},
		{"wrong token with a session", owner, "GET", "/settings", []string{"Authorization", "Bearer x"}, 429, ""}, // by now too many tries of this address

		{"foreign page posts", owner, "POST", "/settings", []string{"Origin", "https://evil.example"}, 403, "another site"},
		{"foreign page, fetch metadata", owner, "POST", "/settings", []string{"Sec-Fetch-Site", "cross-site"}, 403, ""},
		{"sibling site", owner, "POST", "/settings", []string{"Sec-Fetch-Site", "same-site"}, 403, ""},
		{"sandboxed frame", owner, "POST", "/settings", []string{"Origin", "null"}, 403, ""},
		{"own page posts", owner, "POST", "/settings", []string{"Origin", s.URL, "Sec-Fetch-Site", "same-origin"}, 200, ""},
		{"foreign page signs in", stranger, "POST", "/session", []string{"Origin", "https://evil.example"}, 403, ""},

		{"rebound name", owner, "GET", "/settings", []string{"Host", "evil.example"}, 421, "Unknown host"},
		{"rebound name and origin", owner, "POST", "/settings", []string{"Host", "evil.example", "Origin", "http://evil.example"}, 421, ""},
		{"rebound name, open path", stranger, "GET", "/open", []string{"Host", "evil.example:8788"}, 421, ""},
		{"name in front", stranger, "GET", "/open", []string{"Host", "localhost.evil.example"}, 421, ""},
		{"name behind", stranger, "GET", "/open", []string{"Host", "evil-localhost"}, 421, ""},
		{"localhost", stranger, "GET", "/open", []string{"Host", "localhost:8788"}, 200, ""},
		{"IPv6 loopback", stranger, "GET", "/open", []string{"Host", "[::1]:8788"}, 200, ""},
		{"allowed name", stranger, "GET", "/open", []string{"Host", "Chat.Shop.Example"}, 200, ""},
		{"allowed name, dot behind", stranger, "GET", "/open", []string{"Host", "chat.shop.example.:443"}, 200, ""},
		{"foreign address", stranger, "GET", "/open", []string{"Host", "203.0.113.7"}, 421, ""},
	} {
		if tc.code == 401 {
			s.guard.tries.succeed(scripts, netip.MustParseAddr("127.0.0.1"))
		}
		if tc.code == 429 {
			for range freeTries + 1 {
				s.do(t, stranger, "GET", "/open", "", "Authorization", "Bearer x")
			}
		}
		t.Run(tc.name, func(t *testing.T) {
			code, body := s.do(t, tc.client, tc.method, tc.path, "", tc.header...)
			if code != tc.code || !strings.Contains(body, tc.body) {
				t.Errorf("got %d %s, want %d %q", code, body, tc.code, tc.body)
			}
			if code >= 400 {
				var p struct{ Status int }
				if err := json.Unmarshal([]byte(body), &p); err != nil || p.Status != code {
					t.Errorf("not a problem: %s", body)
				}
			}
		})
	}
}

// A second site has no token set: an empty bearer must not match it.
func TestNoTokenMeansNoScripts(t *testing.T) {
	s := newSite(t, true)
	s.guard.cfg.Token = func() string { return "" }
	for _, h := range []string{"Bearer ", "Bearer", "Bearer  "} {
		if code, _ := s.do(t, s.browser(t), "GET", "/answer", "", "Authorization", h); code != 401 {
			t.Errorf("%q: %d", h, code)
		}
	}
}

func TestWindowDoor(t *testing.T) {
	s := newSite(t, false)
	inner := s.guard.Identify(s.guard.Require(RoleOwner)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, _ := Operator(r.Context())
		io.WriteString(w, string(p.Door))
	})))
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/settings", nil) // as in the window: no cookie, no origin, a fake address
	inner.ServeHTTP(w, r.WithContext(WithOperator(r.Context(), LocalOwner())))
	if w.Code != 200 || w.Body.String() != "window" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w = httptest.NewRecorder()
	inner.ServeHTTP(w, r)
	if w.Code != 401 || !strings.Contains(w.Body.String(), "haoke:unclaimed") {
		t.Errorf("without the context: %d %s", w.Code, w.Body)
	}
}

func TestCookie(t *testing.T) {
	s := newSite(t, true)
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/session", nil)
	planted := strings.Repeat("A", 43)
	r.AddCookie(&http.Cookie{Name: "haoke_session_test", Value: planted})
	if _, err := s.guard.SignIn(w, r, "", ownerPass); err != nil { // the only owner needs no name
		t.Fatal(err)
	}
	c := w.Result().Cookies()[0]
	if c.Name != "haoke_session_test" || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Value == planted || len(c.Value) != 43 || c.Domain != "" {
		t.Errorf("cookie %v", c)
	}
	for k := range s.people.sessions {
		if strings.Contains(k, c.Value) {
			t.Error("the store holds the cookie's value")
		}
	}
	secure := New(Config{Instance: "x", Secure: true}, s.people, s.people)
	if c := secure.cookie("v"); c.Name != "__Host-haoke_session_x" || !c.Secure {
		t.Errorf("over HTTPS: %v", c)
	}
}
