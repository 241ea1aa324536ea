package backend

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"haoke/backend/internal/adminapi"
	"haoke/backend/internal/secret"
	"haoke/backend/internal/sqlite"
)

// TestSealedBackupCarriesTheKeys: from a folder that is in use to another one,
// with another master key.
func TestSealedBackupCarriesTheKeys(t *testing.T) {
	const value, pass = "sk-a-stored-key-987654321", "correct horse battery"
	ctx, dir := context.Background(), t.TempDir()
	a := run(t, dir)
	if code := a.api("POST", "/keys", `{"name":"main","value":"`+value+`"}`, nil); code != http.StatusCreated {
		t.Fatalf("add a key: %d", code)
	}
	a.visit("").ask("How can I return something?")
	out := filepath.Join(t.TempDir(), "haoke.backup")
	if _, err := BackupSealed(ctx, dir, out, pass); err != nil {
		t.Fatal(err)
	}
	if raw, err := os.ReadFile(out); err != nil || bytes.Contains(raw, []byte(value)) || bytes.Contains(raw, []byte("return something")) {
		t.Fatalf("the file shows what is in it (%v)", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(out), "*")); len(left) != 1 {
		t.Errorf("left beside it: %v", left)
	}
	if _, _, err := VerifyBackup(ctx, out, "wrong wrong wrong"); !errors.Is(err, ErrPassphrase) {
		t.Errorf("a wrong passphrase: %v", err)
	}
	if v, at, err := VerifyBackup(ctx, out, pass); err != nil || v != Version || at.IsZero() {
		t.Errorf("verify: %s %v %v", v, at, err)
	}
	if _, err := Restore(ctx, t.TempDir(), out); !errors.Is(err, ErrPassphrase) {
		t.Errorf("without a passphrase: %v", err)
	}
	other := t.TempDir()
	if _, err := RestoreSealed(ctx, other, out, pass); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(other, fileDatabase), Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	sealer, err := secret.New(ctx, secret.Config{Dir: other, Store: "file"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := adminapi.Secrets(ctx, db, sealer)
	if err != nil || string(got[string(adminapi.SecretName("main"))]) != value {
		t.Errorf("the key did not come along: %d secrets, %v", len(got), err)
	}
	if n, err := db.Conversations().Counts(ctx); err != nil || n.All != 1 {
		t.Errorf("%+v %v", n, err)
	}
}

func TestBackupRefusals(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	if _, err := Backup(ctx, dir, filepath.Join(dir, "x")); err == nil || !strings.Contains(err.Error(), "no database") {
		t.Errorf("an empty folder: %v", err)
	}
	run(t, dir).stop()
	out := filepath.Join(t.TempDir(), "b")
	if _, err := BackupSealed(ctx, dir, out, "short"); err == nil {
		t.Error("a short passphrase seals")
	}
	if _, err := Backup(ctx, dir, out); err != nil {
		t.Fatal(err)
	}
	if _, err := BackupSealed(ctx, dir, out, "correct horse battery"); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("over a file: %v", err)
	}
	// A folder whose keys another account's keychain holds.
	if err := errors.Join(os.Remove(filepath.Join(dir, "secret.key")), os.WriteFile(filepath.Join(dir, "secret.where"), []byte("keychain 00112233445566778899aabbccddeeff\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := BackupSealed(ctx, dir, out+"2", "correct horse battery"); err != nil {
		t.Errorf("nothing is sealed, so nothing is missing: %v", err)
	}
}
