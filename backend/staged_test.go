package backend

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

func TestRestoreChosenInTheWindow(t *testing.T) {
	dir := t.TempDir()
	a := run(t, dir)
	v := a.visit("")
	v.ask("How can I return something?")
	var made struct{ Name string }
	if code := a.api("POST", "/backups", `{"passphrase":"correct horse battery"}`, &made); code != http.StatusCreated {
		t.Fatalf("backup: %d", code)
	}
	v.ask("Do you gift wrap?")
	if code := a.api("POST", "/backups/"+made.Name+"/restore", `{"passphrase":"wrong wrong wrong"}`, nil); code != http.StatusUnprocessableEntity {
		t.Errorf("a wrong passphrase: %d", code)
	}
	if code := a.api("POST", "/backups/"+made.Name+"/restore", `{"passphrase":"correct horse battery"}`, nil); code != http.StatusAccepted {
		t.Fatalf("stage: %d", code)
	}
	a.stop()
	a = run(t, dir)
	v = a.visit(v.token)
	var last int64
	for last < 2 {
		last = v.next("message", "").Seq
	}
	if e := v.ask("Do you gift wrap?"); e.Seq != 4 {
		t.Errorf("goes on at %d, want 4", e.Seq)
	}
	if kept, _ := filepath.Glob(filepath.Join(dir, "before-restore-*", "haoke.db")); len(kept) != 1 {
		t.Errorf("the data from before is not kept: %v", kept)
	}
	if _, err := os.Stat(filepath.Join(dir, "restore-next.json")); err == nil {
		t.Error("it would be restored again at the next start")
	}
}

func TestPausedTakesNoNewConversations(t *testing.T) {
	a := run(t, t.TempDir())
	old := a.visit("")
	old.ask("How can I return something?")
	if code := a.api("POST", "/status/pause", `{"paused":true}`, nil); code != 200 {
		t.Fatal(code)
	}
	if e := old.ask("Do you gift wrap?"); e.From != "ai" {
		t.Errorf("a running conversation does not go on: %+v", e)
	}
	fresh := a.visit("")
	fresh.send(map[string]any{"type": "message", "id": fmt.Sprint(asked.Add(1)), "text": "hello"})
	if e := fresh.next("error", ""); e.Code != "unavailable" {
		t.Errorf("a new conversation: %+v", e)
	}
}
