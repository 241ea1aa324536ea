package gateway

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/wire"
)

// NewEpoch returns a name for a stretch of unbroken history.
func NewEpoch() string {
	var b [6]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// claims are what a shop may sign about a visitor.
type claims struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	VIP   bool   `json:"vip"`
	jwt.RegisteredClaims
}

// hmacPrefix marks the form of those who come from a product that signs only
// the visitor's id: "hmac." + base64url of {"sub","name","email"} + "." + hex
// of HMAC-SHA-256(secret, sub). Name and e-mail are then the page's word; vip
// is not believed.
const hmacPrefix = "hmac."

// identify reads a signed identity. Whatever does not verify is anonymous: a
// visitor is never turned away because the shop's clock or key is wrong.
func identify(secret []byte, signed string, now time.Time) chat.Visitor {
	if len(secret) == 0 || signed == "" {
		return chat.Visitor{}
	}
	if rest, ok := strings.CutPrefix(signed, hmacPrefix); ok {
		return identifyHMAC(secret, rest)
	}
	var c claims
	_, err := jwt.ParseWithClaims(signed, &c, func(*jwt.Token) (any, error) { return secret, nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithLeeway(time.Minute),
		jwt.WithTimeFunc(func() time.Time { return now }))
	if err != nil || c.Subject == "" {
		return chat.Visitor{}
	}
	return visitor(c.Subject, c.Name, c.Email, c.VIP)
}

func identifyHMAC(secret []byte, rest string) chat.Visitor {
	body, mac, ok := strings.Cut(rest, ".")
	raw, err1 := base64.RawURLEncoding.DecodeString(body)
	sum, err2 := hex.DecodeString(mac)
	var who struct{ Sub, Name, Email string }
	if !ok || err1 != nil || err2 != nil || json.Unmarshal(raw, &who) != nil || who.Sub == "" {
		return chat.Visitor{}
	}
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(who.Sub))
	if !hmac.Equal(sum, h.Sum(nil)) {
		return chat.Visitor{}
	}
	return visitor(who.Sub, who.Name, who.Email, false)
}

func visitor(sub, name, email string, vip bool) chat.Visitor {
	return chat.Visitor{Sub: wire.Clip(sub, 200), Name: wire.Clip(name, 200), Email: wire.Clip(email, 320), VIP: vip}
}
