package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestGuessing(t *testing.T) {
	s := newSite(t, true)
	try := func(from, name, password string) int {
		s.mu.Lock()
		s.from = from
		s.mu.Unlock()
		code, _ := s.do(t, s.browser(t), "POST", "/session", "name="+name+"&password="+password)
		return code
	}
	for i := range freeTries {
		if code := try("198.51.100.1", "amy", "guess"); code != 401 {
			t.Fatalf("try %d: %d", i, code)
		}
	}
	if code := try("198.51.100.1", "amy", operatorPass); code != 429 {
		t.Errorf("the right password during the wait: %d", code)
	}
	if code := try("198.51.100.1", "owner", ownerPass); code != 429 {
		t.Errorf("another name from the same address: %d", code)
	}
	if code := try("198.51.100.2", "amy", operatorPass); code != 429 {
		t.Errorf("the same name from another address: %d", code)
	}
	s.later(maxWaitName)
	if code := try("198.51.100.2", "amy", operatorPass); code != 200 {
		t.Errorf("after the wait: %d", code)
	}
	// patient guessing gets slower and slower
	guesses := 0
	for range 24 * 60 {
		if try("198.51.100.3", fmt.Sprintf("name%d", guesses), "x") == 401 {
			guesses++
		}
		s.later(time.Minute)
	}
	if guesses > 130 {
		t.Errorf("%d guesses a day from one address", guesses)
	}
	// an IPv6 line has many addresses and one wait
	for i := range freeTries + 1 {
		try(fmt.Sprintf("2001:db8::%x", i+1), fmt.Sprint("n", i), "x")
	}
	if code := try("2001:db8::ffff", "m", "x"); code != 429 {
		t.Errorf("from the same /64: %d", code)
	}
	if code := try("2001:db8:0:1::1", "m", "x"); code != 401 {
		t.Errorf("from another /64: %d", code)
	}
}

func TestManyAtOnceCannotSlipThrough(t *testing.T) {
	s := newSite(t, true)
	var wg sync.WaitGroup
	var mu sync.Mutex
	count := map[int]int{}
	for range 30 {
		wg.Go(func() {
			w, r := httptest.NewRecorder(), httptest.NewRequest("POST", "/session", nil)
			_, err := s.guard.SignIn(w, r, "amy", "guess")
			status(w, err)
			mu.Lock()
			count[w.Code]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if count[401] > freeTries || count[401]+count[429] != 30 {
		t.Errorf("answers %v", count)
	}
}

func TestBackoffIsBounded(t *testing.T) {
	now := time.Now()
	b := newBackoff(func() time.Time { return now })
	for i := range maxTracked + 500 {
		now = now.Add(time.Millisecond)
		_ = b.begin(fmt.Sprint("n", i), netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	if len(b.by) > maxTracked {
		t.Errorf("%d remembered", len(b.by))
	}
}

func TestClaim(t *testing.T) {
	s := newSite(t, false)
	c := s.browser(t)
	token := s.guard.ClaimToken()
	claim := func(token string, header ...string) (int, string) {
		return s.do(t, c, "POST", "/claim", "token="+token+"&name=boss&password="+ownerPass, header...)
	}
	if code, body := s.do(t, c, "GET", "/answer", ""); code != 401 || !strings.Contains(body, "haoke:unclaimed") {
		t.Errorf("before: %d %s", code, body)
	}
	if code, _ := s.do(t, c, "POST", "/session", "name=owner&password=x"); code != 401 {
		t.Errorf("sign-in before: %d", code)
	}
	if code, _ := claim("WRONG"); code != 401 {
		t.Error("a wrong token is taken")
	}
	if code, _ := claim(""); code != 401 {
		t.Error("no token is taken")
	}
	if code, _ := claim(token, "X-Forwarded-For", "203.0.113.5"); code != 403 {
		t.Error("claimed through a proxy")
	}
	if code, _ := claim(token, "Origin", "https://evil.example"); code != 403 {
		t.Error("claimed by a foreign page")
	}
	s.from = "192.168.1.20"
	if code, _ := claim(token); code != 403 {
		t.Error("claimed from the network")
	}
	s.from = ""
	if code, _ := s.do(t, c, "POST", "/claim", "token="+token+"&password=short"); code != 422 {
		t.Error("a short password is taken, or the token was used up by it")
	}
	if code, body := claim(strings.ToLower(strings.ReplaceAll(token, "-", " "))); code != 200 {
		t.Fatalf("claim: %d %s", code, body)
	}
	if code, body := s.do(t, c, "GET", "/settings", ""); code != 200 || body != "boss/owner/browser" {
		t.Errorf("after: %d %s", code, body)
	}
	if code, _ := claim(token); code != 409 {
		t.Error("claimed twice")
	}
	if s.guard.ClaimToken() != "" {
		t.Error("the token is still told")
	}
}

func TestClaimTokenCannotBeGuessed(t *testing.T) {
	s := newSite(t, false)
	codes := map[int]int{}
	for range 50 {
		code, _ := s.do(t, s.browser(t), "POST", "/claim", "token=AAAA&password="+ownerPass)
		codes[code]++
	}
	if codes[401] != freeTries || codes[429] != 50-freeTries {
		t.Errorf("answers %v", codes)
	}
}

func TestTickets(t *testing.T) {
	now := time.Now()
	tk := NewTickets(func() time.Time { return now })
	p := Person{Name: "amy", Role: RoleOperator}
	id, ends := tk.Issue(ForLive, p)
	if ends != now.Add(30*time.Second) {
		t.Errorf("ends %v", ends)
	}
	if got, ok := tk.Take(ForLive, id); !ok || got.Name != "amy" {
		t.Error("a fresh ticket is refused")
	}
	if _, ok := tk.Take(ForLive, id); ok {
		t.Error("used twice")
	}
	id, _ = tk.Issue(ForLive, p)
	if _, ok := tk.Take(ForBrowser, id); ok {
		t.Error("a ticket of the live socket signs in")
	}
	id, _ = tk.Issue(ForLive, p)
	now = now.Add(30 * time.Second)
	if _, ok := tk.Take(ForLive, id); ok {
		t.Error("too old")
	}
	if _, ok := tk.Take(ForLive, ""); ok {
		t.Error("no ticket at all")
	}
	for range maxTickets + 50 {
		id, _ = tk.Issue(ForLive, p)
	}
	if len(tk.open) > maxTickets {
		t.Errorf("%d open", len(tk.open))
	}
	if _, ok := tk.Take(ForLive, id); !ok {
		t.Error("the newest was thrown away")
	}
}

func TestOpenInBrowser(t *testing.T) {
	for _, claimed := range []bool{false, true} {
		s := newSite(t, claimed)
		c := s.browser(t)
		id, _ := s.guard.Tickets().Issue(ForBrowser, LocalOwner())
		if code, body := s.do(t, c, "POST", "/session/ticket", "ticket="+id); code != 200 {
			t.Fatalf("claimed %v: %d %s", claimed, code, body)
		}
		if code, body := s.do(t, c, "GET", "/settings", ""); code != 200 || body != "owner/owner/browser" {
			t.Errorf("claimed %v: %d %s", claimed, code, body)
		}
		if code, _ := s.do(t, s.browser(t), "POST", "/session/ticket", "ticket="+id); code != 401 {
			t.Errorf("claimed %v: used twice: %d", claimed, code)
		}
		s.later(13 * time.Hour)
		if code, _ := s.do(t, c, "GET", "/settings", ""); code != 401 {
			t.Errorf("claimed %v: idle: %d", claimed, code)
		}
		// a removed person's ticket signs nobody in
		gone, _ := s.guard.Tickets().Issue(ForBrowser, Person{Name: "gone", Role: RoleOwner, Door: DoorBrowser})
		if code, _ := s.do(t, c, "POST", "/session/ticket", "ticket="+gone); code != 401 {
			t.Errorf("claimed %v: removed: %d", claimed, code)
		}
	}
}

func TestStoreFailureOpensNothing(t *testing.T) {
	s := newSite(t, true)
	c := s.signedIn(t, "owner", ownerPass)
	s.people.mu.Lock()
	s.people.err = errors.New("disk")
	s.people.mu.Unlock()
	if code, _ := s.do(t, c, "GET", "/settings", ""); code != 503 {
		t.Errorf("got %d", code)
	}
	if code, _ := s.do(t, s.browser(t), "GET", "/settings", ""); code != 401 {
		t.Errorf("a stranger: %d", code)
	}
}

func TestPasswordHash(t *testing.T) {
	h := New(Config{}, nil, nil).hasher
	a, err := h.hash(t.Context(), "x")
	if err != nil || !strings.HasPrefix(a, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("%s, %v", a, err)
	}
	for phc, want := range map[string]bool{a: true, "": false} {
		if ok, err := h.matches(t.Context(), "x", phc); ok != want || err != nil {
			t.Errorf("%q: %v %v", phc, ok, err)
		}
	}
	for _, bad := range []string{"$argon2id$v=19$m=9999999,t=2,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAA", "$argon2i$v=19$m=64,t=2,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAA", "plain", "$argon2id$v=19$m=64,t=0,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=64,t=1,p=1$$"} {
		if ok, err := h.matches(t.Context(), "x", bad); ok || err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	// at most two at once: with both places taken nothing else is hashed
	for range maxHashing {
		leave, err := h.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer leave()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.hash(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("a third at once: %v", err)
	}
}

func BenchmarkIdentify(b *testing.B) {
	p := newPeople()
	g := New(Config{Instance: "b"}, p, p)
	if err := g.Bootstrap(b.Context(), ownerPass); err != nil {
		b.Fatal(err)
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	if _, err := g.SignIn(w, r, "", ownerPass); err != nil {
		b.Fatal(err)
	}
	r.AddCookie(w.Result().Cookies()[0])
	h := g.Identify(g.Require(RoleOwner)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
}

// A monitor with an old token must not keep people from signing in.
func TestOldTokenLocksNobodyOut(t *testing.T) {
	s := newSite(t, true)
	last := 0
	for range 20 {
		last, _ = s.do(t, s.browser(t), "GET", "/answer", "", "Authorization", "Bearer old")
	}
	if last != 429 {
		t.Errorf("the twentieth wrong token: %d", last)
	}
	s.signedIn(t, "owner", ownerPass)
	if code, _ := s.do(t, s.browser(t), "GET", "/answer", "", "Authorization", "Bearer "+scriptToken); code != 200 {
		t.Errorf("the right token during the wait: %d", code)
	}
}
