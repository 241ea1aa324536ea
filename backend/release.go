package backend

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"time"

	"haoke/backend/internal/update"
)

// ReleaseNotice is what the makers say of a release beside its files.
type ReleaseNotice struct {
	Version        string
	From           string // oldest version that may update in one step; "": any
	Notes, NotesZH string // plain text
	URL            string // page to read more, https; "": none
	Issued         time.Time
	Valid          time.Duration // how long the notice counts
}

// WriteNotice describes the release files in dir and writes the signed notice
// to out and its signature to out with ".sig" at the end. base is put before
// each file's name; "" leaves them relative to the notice's own address.
func WriteNotice(n ReleaseNotice, dir, base, out string, key ed25519.PrivateKey) error {
	m := update.Manifest{
		Version: n.Version, From: n.From, Notes: n.Notes, NotesZH: n.NotesZH, URL: n.URL, Issued: n.Issued, Expires: n.Issued.Add(n.Valid),
	}
	data, err := update.Describe(m, dir, base)
	if err != nil {
		return err
	}
	for path, content := range map[string][]byte{out: data, out + ".sig": update.Sign(data, key)} {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return fmt.Errorf("write the notice: %w", err)
		}
	}
	return nil
}

// CheckNotice reports whether a notice would be believed by a build with these
// public keys (base64, separated by commas), and for which version it is.
func CheckNotice(path, keys string) (version string, err error) {
	public, err := update.ParseKeys(keys)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the notice: %w", err)
	}
	sig, err := os.ReadFile(path + ".sig")
	if err != nil {
		return "", fmt.Errorf("read the notice's signature: %w", err)
	}
	m, err := update.Open(data, sig, public)
	return m.Version, err
}

// NewReleaseKey makes the makers' key: the private half into a new file of mode
// 0600, the public half, for the build, as the answer.
func NewReleaseKey(path string) (public string, err error) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	defer f.Close()
	if _, err := fmt.Fprintln(f, base64.StdEncoding.EncodeToString(key.Seed())); err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	return base64.StdEncoding.EncodeToString(pub), f.Close()
}

// ReadReleaseKey reads the private half.
func ReadReleaseKey(path string) (ed25519.PrivateKey, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	seed, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(data)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, errors.New("read the key: the file holds none")
	}
	return ed25519.NewKeyFromSeed(seed), nil
}
