package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"haoke/backend/internal/chat"
)

var shopSecret = []byte("the shop's secret")

func signed(t *testing.T, method jwt.SigningMethod, key any, c claims) string {
	t.Helper()
	s, err := jwt.NewWithClaims(method, c).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSignedIdentity(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	good := claims{Name: "Ann", Email: "ann@shop.example", VIP: true, RegisteredClaims: jwt.RegisteredClaims{Subject: "42", ExpiresAt: jwt.NewNumericDate(now.Add(time.Hour))}}
	if v := identify(shopSecret, signed(t, jwt.SigningMethodHS256, shopSecret, good), now); v.Sub != "42" || v.Name != "Ann" || !v.VIP {
		t.Errorf("a good identity: %+v", v)
	}
	expired := good
	expired.ExpiresAt = jwt.NewNumericDate(now.Add(-time.Hour))
	nameless := good
	nameless.Subject = ""
	for name, token := range map[string]string{
		"another secret": signed(t, jwt.SigningMethodHS256, []byte("guess"), good),
		"no algorithm":   signed(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good),
		"HS512":          signed(t, jwt.SigningMethodHS512, shopSecret, good),
		"expired":        signed(t, jwt.SigningMethodHS256, shopSecret, expired),
		"no subject":     signed(t, jwt.SigningMethodHS256, shopSecret, nameless),
		"junk":           "a.b.c",
		"empty":          "",
	} {
		if v := identify(shopSecret, token, now); v != (chat.Visitor{}) {
			t.Errorf("%s: %+v", name, v)
		}
	}
	if v := identify(nil, signed(t, jwt.SigningMethodHS256, []byte{}, good), now); v != (chat.Visitor{}) {
		t.Errorf("without a secret nobody is known: %+v", v)
	}
}

func TestIdentityByHMACOfTheID(t *testing.T) {
	h := hmac.New(sha256.New, shopSecret)
	h.Write([]byte("42"))
	sum := hex.EncodeToString(h.Sum(nil))
	if v := identifyHMAC(shopSecret, "42", sum); v.Sub != "42" || v.VIP {
		t.Errorf("a good one: %+v", v)
	}
	for _, bad := range [][2]string{{"43", sum}, {"42", sum[:62] + "00"}, {"", sum}, {"42", "zz"}} {
		if v := identifyHMAC(shopSecret, bad[0], bad[1]); v != (chat.Visitor{}) {
			t.Errorf("%v: %+v", bad, v)
		}
	}
}

func TestVisitorTokens(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	tk := &tokens{secret: []byte("0123456789abcdef0123456789abcdef"), ttl: 24 * time.Hour, now: func() time.Time { return now }}
	id := chat.NewConversationID()
	token := tk.issue(id, "default")
	if got, err := tk.open(token, "default"); err != nil || got != id {
		t.Fatalf("own token: %v, %v", got, err)
	}
	other := &tokens{secret: []byte("another secret of thirty-two by!"), ttl: tk.ttl, now: tk.now}
	swapped := []byte(token)
	swapped[5] ^= 1
	for name, c := range map[string]struct {
		t           *tokens
		token, site string
	}{
		"forged":          {tk, other.issue(id, "default"), "default"},
		"other site":      {tk, token, "elsewhere"},
		"flipped":         {tk, string(swapped), "default"},
		"truncated":       {tk, token[:len(token)-4], "default"},
		"empty":           {tk, "", "default"},
		"not base64":      {tk, "!!!", "default"},
		"from the future": {&tokens{secret: tk.secret, ttl: tk.ttl, now: func() time.Time { return now.Add(-48 * time.Hour) }}, token, "default"},
		"too old":         {&tokens{secret: tk.secret, ttl: tk.ttl, now: func() time.Time { return now.Add(25 * time.Hour) }}, token, "default"},
	} {
		if got, err := c.t.open(c.token, c.site); err == nil {
			t.Errorf("%s opens %s", name, got)
		}
	}
}
