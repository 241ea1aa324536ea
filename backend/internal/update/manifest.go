// Package update finds newer releases of this program, proves that they come
// from its makers, and puts them in the place of the running one, or puts the
// previous one back. It knows files, signatures and processes, nothing of the
// appliance: what a copy of the data is, and how to stop, its caller says.
//
// A release is announced by a manifest: a JSON document signed with Ed25519
// (RFC 8032). The program carries the public keys. Nothing that the manifest
// does not name by size and SHA-256 is ever run.
package update

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"time"
)

// Kind is what a file of a release is.
type Kind string

// Kinds of files.
const (
	KindSetup    Kind = "setup"    // installer for Windows, silent with /S
	KindTar      Kind = "tar"      // tar.gz with the program in it
	KindAppImage Kind = "appimage" // the program as one file
	KindDeb      Kind = "deb"
	KindRPM      Kind = "rpm"
	KindDMG      Kind = "dmg"
)

// Format is the version of the manifest's form that this package reads.
const Format = 1

// Bounds of a manifest.
const (
	maxManifest  = 256 << 10
	maxSignature = 1 << 10
	maxFiles     = 100
	maxFile      = 2 << 30
	maxText      = 8000
)

// Manifest is the notice of one release. Fields that are not known are
// ignored, so that older programs read newer notices.
type Manifest struct {
	Format  int       `json:"format"`
	Version string    `json:"version"` // "1.2.3"
	Issued  time.Time `json:"issued"`  // an older notice never follows a newer one
	Expires time.Time `json:"expires"` // after that the notice counts for nothing
	// From is the oldest version that may go to this one in one step; "": any.
	From    string `json:"from,omitempty"`
	Notes   string `json:"notes,omitempty"`    // plain text
	NotesZH string `json:"notes_zh,omitempty"` // the same in Chinese
	URL     string `json:"url,omitempty"`      // page to read more, https
	Files   []File `json:"files"`
}

// File is one file of a release.
type File struct {
	Program string `json:"program"` // "haoke" or "haoked"
	Kind    Kind   `json:"kind"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`   // as Go calls it; "all": every one
	URL     string `json:"url"`    // absolute, or relative to the manifest's
	Size    int64  `json:"size"`   // bytes
	SHA256  string `json:"sha256"` // hex
}

// Errors that callers and tests branch on.
var (
	// ErrSignature: none of the keys signed this manifest.
	ErrSignature = errors.New("the notice of the update is not signed by the makers: it is ignored")
	// ErrExpired: the manifest's time is over, or has not begun.
	ErrExpired = errors.New("the notice of the update has expired: somebody may be holding newer ones back, or this machine's clock is wrong")
	// ErrReplay: a newer manifest was seen before this one.
	ErrReplay = errors.New("the notice of the update is older than one seen before: it is ignored")
	// ErrManifest: signed, but not to be understood.
	ErrManifest = errors.New("the notice of the update cannot be read")
)

// ParseKeys reads public keys in base64, separated by commas or spaces: the
// present one and the next. An empty text is no key.
func ParseKeys(text string) ([]ed25519.PublicKey, error) {
	var keys []ed25519.PublicKey
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		key, err := base64.StdEncoding.DecodeString(word)
		if err != nil || len(key) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("%q is not an Ed25519 public key in base64", word)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// Sign is the signature of a manifest's bytes as it lies beside it: base64 and
// a line's end.
func Sign(manifest []byte, key ed25519.PrivateKey) []byte {
	return []byte(base64.StdEncoding.EncodeToString(ed25519.Sign(key, manifest)) + "\n")
}

// Open proves a manifest by its signature and reads it. Errors: ErrSignature,
// ErrManifest.
func Open(manifest, signature []byte, keys []ed25519.PublicKey) (Manifest, error) {
	sig, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(signature)))
	if err != nil || len(sig) != ed25519.SignatureSize {
		return Manifest{}, ErrSignature
	}
	proven := false
	for _, key := range keys {
		proven = proven || ed25519.Verify(key, manifest, sig)
	}
	if !proven {
		return Manifest{}, ErrSignature
	}
	var m Manifest
	if err := json.Unmarshal(manifest, &m); err != nil {
		return Manifest{}, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	if err := m.Check(); err != nil {
		return Manifest{}, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	return m, nil
}

// Check reports what is wrong with a manifest's content.
func (m *Manifest) Check() error {
	switch _, ok := parseVersion(m.Version); {
	case m.Format != Format:
		return fmt.Errorf("its form %d is not known here; get the new version from the makers' page", m.Format)
	case !ok:
		return fmt.Errorf("it names no version: %q", m.Version)
	case m.Issued.IsZero() || !m.Expires.After(m.Issued):
		return errors.New("it does not say from when to when it counts")
	case len(m.Files) > maxFiles:
		return fmt.Errorf("it names %d files", len(m.Files))
	case len(m.Notes) > maxText || len(m.NotesZH) > maxText:
		return errors.New("its text is too long")
	}
	if m.From != "" {
		if _, ok := parseVersion(m.From); !ok {
			return fmt.Errorf("its oldest version is none: %q", m.From)
		}
	}
	if u, err := url.Parse(m.URL); m.URL != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		return errors.New("its page is not an https address")
	}
	for _, f := range m.Files {
		if err := f.check(); err != nil {
			return err
		}
	}
	return nil
}

// counts reports whether a manifest's time is now. Clocks differ a little
// between the makers' machine and this one.
func (m *Manifest) counts(now time.Time) bool {
	return !now.After(m.Expires) && !now.Add(48*time.Hour).Before(m.Issued)
}

// follows says why a release is not for a program of this version.
func (m *Manifest) follows(own string) error {
	switch {
	case !Newer(m.Version, own):
		return ErrNothing
	case m.From != "" && Newer(m.From, own):
		return fmt.Errorf("version %s cannot be reached from %s in one step; install %s first", m.Version, own, m.From)
	}
	return nil
}

// signed is a manifest as it came, with its signature.
type signed struct{ notice, signature []byte }

func (f *File) check() error {
	sum, err := hex.DecodeString(f.SHA256)
	switch {
	case err != nil || len(sum) != 32:
		return fmt.Errorf("the sum of %s is none", f.URL)
	case f.Size <= 0 || f.Size > maxFile:
		return fmt.Errorf("the size of %s is %d", f.URL, f.Size)
	case f.Program == "" || f.Kind == "" || f.OS == "" || f.Arch == "" || f.URL == "":
		return fmt.Errorf("a file lacks its program, kind, system, processor or address: %q", f.URL)
	}
	return nil
}

// Find is the file for a program of a kind on a system.
func (m *Manifest) Find(program string, kind Kind, system, arch string) (File, bool) {
	for _, f := range m.Files {
		if f.Program == program && f.Kind == kind && f.OS == system && (f.Arch == arch || f.Arch == "all") {
			return f, true
		}
	}
	return File{}, false
}

// installers are the files that install this release on this machine.
func (m *Manifest) installers() []File {
	var all []File
	for _, program := range []string{"haoke", "haoked"} {
		if f, ok := m.Find(program, KindSetup, "windows", runtime.GOARCH); ok {
			all = append(all, f)
		}
	}
	return all
}

// address is where a file lies. It may be relative to the manifest's; another
// scheme than https is only taken where the manifest came by it too.
func (f *File) address(manifest string) (string, error) {
	base, err := url.Parse(manifest)
	if err != nil {
		return "", fmt.Errorf("read the update's address: %w", err)
	}
	u, err := base.Parse(f.URL)
	if err != nil {
		return "", fmt.Errorf("read the update's address: %w", err)
	}
	if u.Scheme != "https" && u.Scheme != base.Scheme {
		return "", fmt.Errorf("the update lies at %s, which is not https", u.Redacted())
	}
	return u.String(), nil
}
