package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"

	"haoke/backend/internal/chat"
)

// errToken is a visitor's token that is not ours, was tampered with or is too
// old. What exactly is wrong is nobody's business outside.
var errToken = errors.New("visitor token is not valid")

// tokens makes and checks visitors' tokens: the conversation's id and the time
// of issue, bound to the site, under HMAC-SHA-256 (RFC 2104). Nothing is
// stored, so a visitor who never writes costs nothing.
type tokens struct {
	secret []byte
	ttl    time.Duration
	now    func() time.Time
}

// tokenBody is the part under the MAC: version, id, Unix seconds.
const tokenBody = 1 + 16 + 8

func (t *tokens) issue(id chat.ConversationID, site string) string {
	var b [tokenBody + sha256.Size]byte
	b[0] = 1
	hex.Decode(b[1:17], []byte(id))
	binary.BigEndian.PutUint64(b[17:25], uint64(t.now().Unix()))
	t.mac(b[:tokenBody], site, b[tokenBody:tokenBody])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (t *tokens) mac(body []byte, site string, dst []byte) []byte {
	h := hmac.New(sha256.New, t.secret)
	h.Write(body)
	h.Write([]byte(site))
	return h.Sum(dst)
}

// open returns the conversation of a token.
func (t *tokens) open(token, site string) (chat.ConversationID, error) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) != tokenBody+sha256.Size || b[0] != 1 {
		return "", errToken
	}
	if !hmac.Equal(b[tokenBody:], t.mac(b[:tokenBody], site, nil)) {
		return "", errToken
	}
	issued := time.Unix(int64(binary.BigEndian.Uint64(b[17:25])), 0)
	if now := t.now(); now.Sub(issued) > t.ttl || issued.Sub(now) > 24*time.Hour {
		return "", errToken
	}
	return chat.ConversationID(hex.EncodeToString(b[1:17])), nil
}

// Visitor returns the conversation that a visitor's token opens, for the plain
// HTTP parts of the visitors' side.
func (g *Gateway) Visitor(token, site string) (chat.ConversationID, error) {
	return g.tokens.open(token, site)
}
