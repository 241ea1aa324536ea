package backend

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"haoke/backend/internal/adminapi"
	"haoke/backend/internal/sqlite"
)

// releases are the data folders of every release so far.
func releases(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("testdata/releases/*.tar.gz")
	if err != nil || len(all) == 0 {
		t.Fatalf("no release is kept: %v", err)
	}
	return all
}

func untar(t *testing.T, archive string) string {
	t.Helper()
	dir := t.TempDir()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, h.Name)
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(to, 0o700)
		} else {
			var data []byte
			if data, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(to, data, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// known fails unless everything that the release stored is there and opens.
func (a *appliance) known() {
	a.t.Helper()
	var all struct {
		Items []struct {
			ID      string
			Rating  int
			Comment string
		}
	}
	if code := a.api("GET", "/conversations?limit=10", "", &all); code != http.StatusOK || len(all.Items) != 1 || all.Items[0].Rating != 5 || all.Items[0].Comment != "very kind" {
		a.t.Fatalf("conversations: %d %+v", code, all)
	}
	var one struct {
		Messages []struct {
			Seq  int64
			From string
			Text string
		}
	}
	if code := a.api("GET", "/conversations/"+all.Items[0].ID, "", &one); code != http.StatusOK || len(one.Messages) != 6 {
		a.t.Fatalf("messages: %d %+v", code, one)
	}
	for i, m := range one.Messages {
		if m.Seq != int64(i+1) || m.Text == "" {
			a.t.Errorf("message %d: %+v", i, m)
		}
	}
	if m := one.Messages[4]; m.Text != "你们的营业时间是什么时候？" || m.From != "visitor" {
		a.t.Errorf("the fifth message: %+v", m)
	}
	var found struct {
		Items []struct{ Question, Answer string }
	}
	if code := a.api("GET", "/faq?query=wrap", "", &found); code != http.StatusOK || len(found.Items) == 0 || found.Items[0].Answer != "Yes, in red paper." {
		a.t.Errorf("FAQ: %d %+v", code, found)
	}
	var people struct{ Items []struct{ Name, Role string } }
	if code := a.api("GET", "/operators", "", &people); code != http.StatusOK || !strings.Contains(strings.ToLower(fmt.Sprint(people)), "mei operator") {
		a.t.Errorf("operators: %d %+v", code, people)
	}
	if name := a.b.settings.Current().Site.Name; name != "Tea house 茶馆" {
		a.t.Errorf("the shop's name: %q", name)
	}
	if s := a.b.settings.Current().Site.IdentitySecret.Reveal(); s != "a-secret-of-the-shop-0123456789" {
		a.t.Errorf("a secret setting: %q", s)
	}
	secrets, err := adminapi.Secrets(context.Background(), a.b.db, a.b.parts.sealer)
	if err != nil || string(secrets[string(adminapi.SecretName("main"))]) != "sk-of-the-first-release-0001" {
		a.t.Errorf("the key: %d secrets, %v", len(secrets), err)
	}
}

// TestNoReleaseIsMissing: every version that CHANGELOG.md names has its data
// folder here, with what the README beside them promises, and no other has.
func TestNoReleaseIsMissing(t *testing.T) {
	changes, err := os.ReadFile(filepath.Join("..", "CHANGELOG.md"))
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, m := range regexp.MustCompile(`(?m)^## v?(\d+\.\d+\.\d+\S*)`).FindAllStringSubmatch(string(changes), -1) {
		want = append(want, m[1])
	}
	for _, archive := range releases(t) {
		got = append(got, strings.TrimSuffix(filepath.Base(archive), ".tar.gz"))
		dir := untar(t, archive)
		for _, name := range []string{fileDatabase, "secret.key", "backups"} {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				t.Errorf("%s: %v", archive, err)
			}
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(want) == 0 || !slices.Equal(want, got) {
		t.Errorf("releases of CHANGELOG.md: %v; data folders in testdata/releases: %v. A release that is made leaves its data folder there", want, got)
	}
}

// TestEveryReleaseOpens takes each release's data over, twice, and its backup.
func TestEveryReleaseOpens(t *testing.T) {
	for _, archive := range releases(t) {
		t.Run(filepath.Base(archive), func(t *testing.T) {
			dir := untar(t, archive)
			before, err := os.ReadFile(filepath.Join(dir, fileDatabase))
			if err != nil {
				t.Fatal(err)
			}
			a := run(t, dir)
			a.known()
			v := a.visit("")
			if e := v.ask("Do you wrap presents?"); !strings.Contains(e.Text, "red paper") {
				t.Errorf("the FAQ of before does not answer: %+v", e)
			}
			a.stop()
			copies, _ := filepath.Glob(filepath.Join(dir, "haoke.db.schema*.bak"))
			if len(copies) != 1 {
				t.Fatalf("copies from before the migration: %v", copies)
			}
			if err := sqlite.Verify(t.Context(), copies[0]); err != nil || len(before) == 0 {
				t.Errorf("the copy from before: %v", err)
			}
			backups, _ := filepath.Glob(filepath.Join(dir, "backups", "*.backup"))
			if len(backups) != 1 {
				t.Fatalf("backups: %v", backups)
			}
			other := t.TempDir()
			if _, err := RestoreSealed(t.Context(), other, backups[0], "correct horse battery"); err != nil {
				t.Fatal(err)
			}
			run(t, other).known()
		})
	}
}

// TestDataGoesBackWithTheProgram: an update migrated the data and did not get
// as far as serving. The data of before is back, the other is kept.
func TestDataGoesBackWithTheProgram(t *testing.T) {
	for _, archive := range releases(t) {
		dir := untar(t, archive)
		before := schema(t, dir)
		info, err := os.Stat(filepath.Join(dir, fileDatabase))
		if err != nil {
			t.Fatal(err)
		}
		since := info.ModTime()
		b := &Backend{dir: dir}
		if err := b.dataBack(since); err != nil || schema(t, dir) != before {
			t.Fatalf("without a migration: %v", err)
		}
		run(t, dir).stop()
		if schema(t, dir) == before {
			t.Fatal("nothing was migrated: this test proves nothing")
		}
		if err := b.dataBack(since); err != nil {
			t.Fatal(err)
		}
		if now := schema(t, dir); now != before {
			t.Errorf("schema %d, want %d", now, before)
		}
		if kept, _ := filepath.Glob(filepath.Join(dir, "before-restore-*", fileDatabase)); len(kept) != 1 {
			t.Errorf("what the newer version made is not kept: %v", kept)
		}
		if err := b.dataBack(since); err != nil || schema(t, dir) != before {
			t.Errorf("a second time: %v", err)
		}
		run(t, dir).known()
	}
}

// schema reads user_version from the file's head: no migration by looking.
func schema(t *testing.T, dir string) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, fileDatabase))
	if err != nil || len(data) < 64 {
		t.Fatalf("read the database: %v", err)
	}
	return int(data[60])<<24 | int(data[61])<<16 | int(data[62])<<8 | int(data[63])
}

// TestNewerDataIsRefused: with a sentence, and untouched.
func TestNewerDataIsRefused(t *testing.T) {
	dir := untar(t, releases(t)[0])
	path := filepath.Join(dir, fileDatabase)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[60], data[61], data[62], data[63] = 0, 0, 3, 231
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = New(t.Context(), Config{DataDir: dir, LogOutput: io.Discard, Environ: []string{"HAOKE_SECRETS_STORE=file"}})
	var newer *sqlite.NewerError
	if !errors.As(err, &newer) || !strings.Contains(err.Error(), "newer") {
		t.Fatalf("%v", err)
	}
	now, err := os.ReadFile(path)
	if err != nil || string(now) != string(data) {
		t.Error("the database was changed")
	}
	if left, _ := filepath.Glob(path + "*"); len(left) != 2 { // and its mark
		t.Errorf("made beside it: %v", left)
	}
}
