package update

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDescribe(t *testing.T) {
	dir := t.TempDir()
	put := func(name string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{
		"haoke-0.2.0-1.x86_64.rpm", "haoke-0.2.0-windows-amd64-setup.exe", "haoke_0.2.0-1_amd64.deb", "haoked-0.2.0-1.aarch64.rpm", "haoked-0.2.0-linux-amd64.tar.gz",
		"haoked-0.2.0-darwin-universal.tar.gz", "haoke-0.2.0-x86_64.AppImage", "haoke-0.2.0-universal.dmg", "SHA256SUMS", "haoke-0.2.0.cdx.json", "haoke-0.2.0-licences.txt",
	} {
		put(name)
	}
	m := Manifest{Version: "0.2.0", Issued: then, Expires: then.Add(time.Hour), Notes: "New."}
	data, err := Describe(m, dir, "")
	if err != nil {
		t.Fatal(err)
	}
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Open(data, Sign(data, key), []ed25519.PublicKey{public})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Files) != 10 {
		t.Errorf("%d files: %s", len(got.Files), data)
	}
	for _, c := range []struct {
		program  string
		kind     Kind
		os, arch string
		want     string
	}{
		{"haoke", KindSetup, "windows", "amd64", "haoke-0.2.0-windows-amd64-setup.exe"}, {"haoked", KindSetup, "windows", "amd64", "haoke-0.2.0-windows-amd64-setup.exe"},
		{"haoke", KindDeb, "linux", "amd64", "haoke_0.2.0-1_amd64.deb"}, {"haoked", KindRPM, "linux", "arm64", "haoked-0.2.0-1.aarch64.rpm"},
		{"haoked", KindTar, "linux", "amd64", "haoked-0.2.0-linux-amd64.tar.gz"}, {"haoke", KindAppImage, "linux", "amd64", "haoke-0.2.0-x86_64.AppImage"},
		{"haoked", KindAppImage, "linux", "amd64", "haoke-0.2.0-x86_64.AppImage"},
		{"haoked", KindTar, "darwin", "arm64", "haoked-0.2.0-darwin-universal.tar.gz"}, {"haoke", KindDMG, "darwin", "amd64", "haoke-0.2.0-universal.dmg"},
		{"haoked", KindTar, "linux", "arm64", ""},
	} {
		if f, _ := got.Find(c.program, c.kind, c.os, c.arch); f.URL != c.want {
			t.Errorf("%v: %q", c, f.URL)
		}
	}
	again, err := Describe(m, dir, "")
	if err != nil || string(again) != string(data) {
		t.Errorf("the same folder gives another manifest (%v)", err)
	}
	put("haoked-0.1.0-linux-amd64.tar.gz")
	if _, err := Describe(m, dir, ""); err == nil || !strings.Contains(err.Error(), "0.1.0") {
		t.Errorf("a file of another version: %v", err)
	}
	if _, err := Describe(m, t.TempDir(), ""); err == nil {
		t.Error("an empty folder is a release")
	}
}
