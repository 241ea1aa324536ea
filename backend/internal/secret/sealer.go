// Package secret seals what must not be read at rest: keys and tokens with a
// master key that lives in the operating system's keychain or in a key file of
// mode 0600, and backups with a passphrase.
//
// Sealing is XChaCha20-Poly1305. A sealed text names the key that sealed it
// and is bound to the place it belongs to, so that it cannot be moved.
package secret

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"
)

// Errors that callers branch on.
var (
	// ErrLocked: the master key cannot be had now, for example because the
	// keychain is locked. The text says why; Unlock tries again.
	ErrLocked = errors.New("the master key is not available")
	// ErrOtherKey: it was sealed with a master key that is not ours.
	ErrOtherKey = errors.New("it was sealed with another master key")
	// ErrDamaged: it was changed, cut, or belongs elsewhere.
	ErrDamaged = errors.New("the sealed text is damaged or belongs elsewhere")
)

const (
	version   = 1
	idSize    = 8
	headSize  = 1 + idSize + chacha20poly1305.NonceSizeX
	keySize   = chacha20poly1305.KeySize
	idContext = "haoke master key id\x00"
)

// Sealer seals and opens with the master key. Its methods are safe for
// concurrent use.
type Sealer struct {
	home home

	mu     sync.RWMutex
	aead   cipher.AEAD // nil: locked
	id     [idSize]byte
	where  string
	locked error
}

// setKey puts the master key in place.
func (s *Sealer) setKey(key []byte, where string) error {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return fmt.Errorf("use master key: %w", err)
	}
	sum := sha256.Sum256(append([]byte(idContext), key...))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aead, s.where, s.locked = aead, where, nil
	copy(s.id[:], sum[:])
	return nil
}

// Where says in words where the master key lives: "keychain" or "key file".
func (s *Sealer) Where() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.where
}

// Locked returns why the master key cannot be had, nil when it can.
func (s *Sealer) Locked() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.locked
}

func (s *Sealer) key() (cipher.AEAD, [idSize]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.aead == nil {
		return nil, s.id, s.locked
	}
	return s.aead, s.id, nil
}

// Seal encrypts plain for the place that aad names. Two seals of the same text
// differ. Errors: ErrLocked.
func (s *Sealer) Seal(plain, aad []byte) ([]byte, error) {
	aead, id, err := s.key()
	if err != nil {
		return nil, err
	}
	out := make([]byte, headSize, headSize+len(plain)+aead.Overhead())
	out[0] = version
	copy(out[1:], id[:])
	nonce := out[1+idSize : headSize]
	rand.Read(nonce) // never fails: crypto/rand aborts the program instead
	return aead.Seal(out, nonce, plain, bound(out[:1+idSize], aad)), nil
}

// Open decrypts what Seal made for the same place. Errors: ErrLocked,
// ErrOtherKey, ErrDamaged.
func (s *Sealer) Open(sealed, aad []byte) ([]byte, error) {
	aead, id, err := s.key()
	if err != nil {
		return nil, err
	}
	if len(sealed) < headSize+aead.Overhead() || sealed[0] != version {
		return nil, ErrDamaged
	}
	if !slices.Equal(sealed[1:1+idSize], id[:]) {
		return nil, ErrOtherKey
	}
	plain, err := aead.Open(nil, sealed[1+idSize:headSize], sealed[headSize:], bound(sealed[:1+idSize], aad))
	if err != nil {
		return nil, ErrDamaged // the cause says no more than this
	}
	return plain, nil
}

// bound joins the header with the caller's aad; the header's length is fixed,
// so the two cannot be confused.
func bound(head, aad []byte) []byte {
	return append(slices.Clone(head), aad...)
}
