package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Parameters of argon2id, the second choice of OWASP's Password Storage Cheat
// Sheet: 19 MiB, 2 passes, 1 lane; about 30 ms a core.
func standardCost() params { return params{memory: 19 << 10, time: 2, threads: 1} }

const (
	saltBytes = 16
	hashBytes = 32
)

// MinPassword is the shortest password that people may choose, in characters.
const MinPassword = 10

const maxPassword = 256 // characters: argon2 would take more, at the attacker's pleasure

// maxHashing bounds hashes under way, maxHashWait those that wait for a place.
const (
	maxHashing  = 2
	maxHashWait = 32
)

// hasher computes argon2id, a few at a time.
type hasher struct {
	cost  params
	slots chan struct{}
	queue chan struct{}
	dummy string // a hash of nothing, so that an unknown name takes as long as a known one
}

func newHasher(cost params) *hasher {
	h := &hasher{cost: cost, slots: make(chan struct{}, maxHashing), queue: make(chan struct{}, maxHashWait)}
	salt := make([]byte, saltBytes)
	rand.Read(salt)
	h.dummy = encode(cost, salt, make([]byte, hashBytes))
	return h
}

// enter waits for a place. The caller calls leave.
func (h *hasher) enter(ctx context.Context) (leave func(), err error) {
	select {
	case h.queue <- struct{}{}:
	default:
		return nil, &TooMany{RetryAfter: 2 * time.Second}
	}
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; <-h.queue }, nil
	case <-ctx.Done():
		<-h.queue
		return nil, ctx.Err()
	}
}

// hash makes the PHC form of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	salt := make([]byte, saltBytes)
	rand.Read(salt)
	return encode(h.cost, salt, argon2.IDKey([]byte(password), salt, h.cost.time, h.cost.memory, h.cost.threads, hashBytes)), nil
}

// matches compares a password with a PHC form. An empty form takes as long and
// never matches.
func (h *hasher) matches(ctx context.Context, password, phc string) (bool, error) {
	known := phc != ""
	if !known {
		phc = h.dummy
	}
	salt, want, p, err := decode(phc)
	if err != nil {
		return false, err
	}
	leave, err := h.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	got := argon2.IDKey([]byte(password), salt, p.time, p.memory, p.threads, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1 && known, nil
}

func encode(p params, salt, sum []byte) string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.time, p.threads, b.EncodeToString(salt), b.EncodeToString(sum))
}

// params are argon2's; memory in KiB.
type params struct {
	memory, time uint32
	threads      uint8
}

var errHash = errors.New("the stored password is damaged")

func decode(phc string) (salt, sum []byte, p params, err error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return nil, nil, p, errHash
	}
	var v int
	if _, err := fmt.Sscanf(parts[2], "v=%d", &v); err != nil || v != argon2.Version {
		return nil, nil, p, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); err != nil {
		return nil, nil, p, errHash
	}
	// what a hostile database may ask for is bounded
	if p.memory < 8 || p.memory > 256<<10 || p.time == 0 || p.time > 10 || p.threads == 0 || p.threads > 8 {
		return nil, nil, p, errHash
	}
	b := base64.RawStdEncoding
	salt, err1 := b.DecodeString(parts[4])
	sum, err2 := b.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(salt) < 8 || len(sum) < 16 || len(sum) > 64 {
		return nil, nil, p, errHash
	}
	return salt, sum, p, nil
}

// checkPassword says whether people may choose it.
func checkPassword(password string) error {
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password):
		return &Invalid{"password", "is not valid text"}
	case n < MinPassword:
		return &Invalid{"password", fmt.Sprintf("needs at least %d characters", MinPassword)}
	case n > maxPassword:
		return &Invalid{"password", fmt.Sprintf("can have at most %d characters", maxPassword)}
	case strings.Count(password, password[:1]) == len(password):
		return &Invalid{"password", "is one character over and over"}
	}
	return nil
}
