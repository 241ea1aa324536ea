package gateway

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
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

// identify reads a signed identity. Whatever does not verify is anonymous: a
// visitor is never turned away because the shop's clock or key is wrong.
func identify(secret []byte, signed string, now time.Time) chat.Visitor {
	if len(secret) == 0 || signed == "" {
		return chat.Visitor{}
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

// identifyHMAC reads the identity of those who come from a product that signs
// only the visitor's id (hex of HMAC-SHA-256). It carries no VIP right.
func identifyHMAC(secret []byte, id, hash string) chat.Visitor {
	sum, err := hex.DecodeString(hash)
	if len(secret) == 0 || id == "" || err != nil {
		return chat.Visitor{}
	}
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(id))
	if !hmac.Equal(sum, h.Sum(nil)) {
		return chat.Visitor{}
	}
	return visitor(id, "", "", false)
}

// visitor is who was signed for. The name is what people chose for themselves at
// the shop: what deceives the eye is taken out of it too.
func visitor(sub, name, email string, vip bool) chat.Visitor {
	return chat.Visitor{Sub: wire.Clip(sub, 200), Name: chat.CleanText(name, 200), Email: chat.CleanText(email, 320), VIP: vip}
}
