package update

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// names tells from a file's name what it is. The groups are program, and where
// they stand in the name, system and processor.
var names = []struct {
	form *regexp.Regexp
	kind Kind
	os   string
}{
	{regexp.MustCompile(`^(haoked?)-.+-windows-(amd64|arm64)-setup\.exe$`), KindSetup, "windows"},
	{regexp.MustCompile(`^(haoked?)-.+-linux-(amd64|arm64)\.tar\.gz$`), KindTar, "linux"},
	{regexp.MustCompile(`^(haoked?)-.+-darwin-(amd64|arm64|universal)\.tar\.gz$`), KindTar, "darwin"},
	{regexp.MustCompile(`^(haoked?)[-_].+[-_.](amd64|arm64|x86_64|aarch64)\.AppImage$`), KindAppImage, "linux"},
	{regexp.MustCompile(`^(haoked?)_.+_(amd64|arm64)\.deb$`), KindDeb, "linux"},
	{regexp.MustCompile(`^(haoked?)-.+\.(x86_64|aarch64)\.rpm$`), KindRPM, "linux"},
	{regexp.MustCompile(`^(haoked?)-.+-(amd64|arm64|universal)\.dmg$`), KindDMG, "darwin"},
}

var archs = map[string]string{"x86_64": "amd64", "aarch64": "arm64", "universal": "all"}

// Describe fills a manifest's files from a folder of release files. Files of
// other names (sums, lists of parts) are left out; those of another version are
// an error. base, when it is not "", is put before each name: an address that
// ends in "/". It returns the manifest as it is to be signed.
func Describe(m Manifest, dir, base string) ([]byte, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("describe the release: %w", err)
	}
	m.Format = Format
	m.Files = nil
	for _, e := range entries {
		f, ok := kindOf(e.Name())
		if !ok || !e.Type().IsRegular() {
			continue
		}
		if !strings.Contains(e.Name(), m.Version) {
			return nil, fmt.Errorf("describe the release: %s is not of version %s", e.Name(), m.Version)
		}
		f.URL = base + e.Name()
		if f.Size, f.SHA256, err = measure(filepath.Join(dir, e.Name())); err != nil {
			return nil, fmt.Errorf("describe the release: %w", err)
		}
		m.Files = append(m.Files, f)
		if (f.Kind == KindSetup || f.Kind == KindAppImage) && f.Program == "haoke" { // they bring both programs
			f.Program = "haoked"
			m.Files = append(m.Files, f)
		}
	}
	if len(m.Files) == 0 {
		return nil, fmt.Errorf("describe the release: nothing in %s is a file of a release", dir)
	}
	slices.SortFunc(m.Files, func(a, b File) int { return strings.Compare(a.URL+a.Program, b.URL+b.Program) })
	m.Issued, m.Expires = m.Issued.UTC().Truncate(time.Second), m.Expires.UTC().Truncate(time.Second)
	if err := m.Check(); err != nil {
		return nil, fmt.Errorf("describe the release: %w", err)
	}
	return json.MarshalIndent(m, "", "  ")
}

// kindOf is what a file of this name is.
func kindOf(name string) (File, bool) {
	for _, n := range names {
		if g := n.form.FindStringSubmatch(name); g != nil {
			arch := g[2]
			if a, ok := archs[arch]; ok {
				arch = a
			}
			return File{Program: g[1], Kind: n.kind, OS: n.os, Arch: arch}, true
		}
	}
	return File{}, false
}

func measure(path string) (int64, string, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	return measureOpen(f)
}

// measureOpen is the size and the sum of a file that is open.
func measureOpen(f *os.File) (int64, string, error) {
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	return n, hex.EncodeToString(sum.Sum(nil)), err
}
