package backend

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/testkit/clickhousetest"
	"haoke/backend/internal/wire"
)

// The whole way: a conversation is archived, shipped to a real ClickHouse,
// dropped here, read by an operator, thawed by its visitor who returns, and
// goes on at the next seq; in the end it is deleted everywhere.
func TestArchiveThroughClickHouse(t *testing.T) {
	srv := clickhousetest.Start(t, clickhousetest.Options{})
	a := run(t, t.TempDir(), "HAOKE_ARCHIVE_CLICKHOUSE="+srv.DSN("", "haoke"))
	v := a.visit("")
	token := v.token
	first := v.ask("Where is my order 4711?")
	var list wire.ConversationList
	if code := a.api("GET", "/conversations?state=all", "", &list); code != 200 || len(list.Items) != 1 {
		t.Fatalf("list: %d %+v", code, list)
	}
	id := chat.ConversationID(list.Items[0].ID)
	path := "/conversations/" + string(id)
	var before, after wire.ConversationDetail
	a.api("GET", path, "", &before)
	var head wire.Conversation
	if code := a.api("POST", path+"/archive", "", &head); code != 200 || !head.Archived {
		t.Fatalf("archive: %d %+v", code, head)
	}
	var ran wire.ArchiveRun
	if code := a.api("POST", "/archive/run", "", &ran); code != 200 {
		t.Fatalf("run: %d", code)
	}
	var st wire.ArchiveStatus
	for limit := time.Now().Add(20 * time.Second); st.Shipped != 1; time.Sleep(20 * time.Millisecond) {
		if a.api("GET", "/archive", "", &st); time.Now().After(limit) {
			t.Fatalf("not shipped: %+v\n%s", st, a.log)
		}
	}
	if st.ClickHouse != "ok" || st.Pending != 0 || st.Cold != 1 || !strings.Contains(st.Server, "/haoke") || !strings.HasPrefix(st.Version, "18.") || st.Ratio <= 0 {
		t.Errorf("%+v", st)
	}
	if b, err := a.b.db.Cold().Blob(t.Context(), id); err != nil || b.Data != nil {
		t.Errorf("the local copy is not dropped: %d bytes, %v", len(b.Data), err)
	}
	if code := a.api("GET", path, "", &after); code != 200 || len(after.Messages) != len(before.Messages) || after.Messages[1].Text != first.Text {
		t.Fatalf("reading it from ClickHouse: %d %+v", code, after)
	}
	if cold, _, err := a.b.db.Cold().State(t.Context(), id); err != nil || !cold {
		t.Errorf("reading thawed it: %v", err)
	}
	again := a.visit(token)
	e := again.ask("And is it paid for?")
	for e.Seq <= first.Seq { // what is replayed comes first
		e = again.next("message", "ai")
	}
	if e.Seq != first.Seq+2 {
		t.Errorf("the answer after the thaw has seq %d, the last one had %d", e.Seq, first.Seq)
	}
	var test wire.ArchiveTest
	if code := a.api("POST", "/archive/test", `{"dsn":""}`, &test); code != 200 || !test.OK || len(test.Steps) != 5 {
		t.Errorf("test: %d %+v", code, test)
	}
	if code := a.api("POST", "/archive/test", `{"dsn":"clickhouse://reader:wrong@`+srv.Addr+`/haoke"}`, &test); code != 200 || test.OK || !strings.Contains(test.Text, "password") {
		t.Errorf("test of a wrong password: %d %+v", code, test)
	}
	if code := a.api("DELETE", path, "", nil); code >= 300 {
		t.Fatalf("delete: %d", code)
	}
	a.b.parts.archive.Kick()
	for limit := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		a.api("GET", "/archive", "", &st)
		if st.Pending == 0 {
			break
		}
		if time.Now().After(limit) {
			t.Fatalf("the deletion has not reached ClickHouse: %+v\n%s", st, a.log)
		}
	}
	if _, err := a.b.parts.farther.server.Fetch(t.Context(), id, head.Version); err == nil {
		t.Error("ClickHouse still has the deleted conversation")
	}
}

// What is older than the owner wants goes; what is not stays.
func TestRetention(t *testing.T) {
	a := run(t, t.TempDir(), "HAOKE_PRIVACY_RETENTION_DAYS=30")
	a.visit("").ask("Hello?")
	a.visit("").ask("Hello again?")
	var list wire.ConversationList
	a.api("GET", "/conversations?state=all", "", &list)
	if len(list.Items) != 2 {
		t.Fatalf("%+v", list)
	}
	if code := a.api("POST", "/conversations/"+string(list.Items[0].ID)+"/archive", "", nil); code != 200 {
		t.Fatalf("archive: %d", code)
	}
	if err := a.b.parts.forgetOld(t.Context(), time.Now().AddDate(0, 0, 29)); err != nil {
		t.Fatal(err)
	}
	if a.api("GET", "/conversations?state=all", "", &list); len(list.Items) != 2 {
		t.Fatalf("deleted too early: %+v", list)
	}
	if err := a.b.parts.forgetOld(t.Context(), time.Now().AddDate(0, 0, 31)); err != nil {
		t.Fatal(err)
	}
	if a.api("GET", "/conversations?state=all", "", &list); len(list.Items) != 0 {
		t.Errorf("kept too long: %+v", list)
	}
}

// An archived conversation that is damaged on disk keeps nobody from writing:
// its visitor is told so and a new one begins, on the same socket; operators
// get a sentence; the owner's page names it.
func TestDamagedArchive(t *testing.T) {
	dir := t.TempDir()
	a := run(t, dir)
	v := a.visit("")
	token := v.token
	v.ask("Where is my order 4711?")
	var list wire.ConversationList
	a.api("GET", "/conversations?state=all", "", &list)
	id := chat.ConversationID(list.Items[0].ID)
	path := "/conversations/" + string(id)
	if code := a.api("POST", path+"/archive", "", nil); code != 200 {
		t.Fatalf("archive: %d", code)
	}
	blob, err := a.b.db.Cold().Blob(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	file := a.b.db.Path()
	a.stop()
	damage(t, file, blob.Data)

	a = run(t, dir)
	again := a.dial()
	again.send(map[string]any{"type": "hello", "token": token})
	if e := again.next("error", ""); e.Code != wire.CodeBadToken || !strings.Contains(e.Message, "a new one begins") {
		t.Fatalf("%+v", e)
	}
	again.send(map[string]any{"type": "hello"})
	if e := again.next("welcome", ""); e.Token == "" || e.Token == token || e.Seq != 0 {
		t.Errorf("%+v", e)
	}
	if e := again.ask("Where is my order 4711?"); e.Seq != 2 {
		t.Errorf("the answer in the new conversation has seq %d", e.Seq)
	}
	var problem wire.Problem
	if code := a.api("GET", path, "", &problem); code != 503 || !strings.Contains(problem.Detail, "damaged") || problem.Hint == "" {
		t.Errorf("an operator opens it: %d %+v", code, problem)
	}
	if code := a.api("POST", path+"/messages", `{"id":"m1","text":"Hello","take":true}`, &problem); code != 503 {
		t.Errorf("an operator writes into it: %d %+v", code, problem)
	}
	if a.api("GET", "/conversations?state=all", "", &list); len(list.Items) != 2 {
		t.Errorf("%d conversations", len(list.Items))
	}
	var st wire.ArchiveStatus
	if a.api("GET", "/archive", "", &st); st.Corrupt != 1 {
		t.Errorf("%+v", st)
	}
	var status wire.Status
	a.api("GET", "/status", "", &status)
	if !slices.ContainsFunc(status.Problems, func(t wire.Trouble) bool { return t.Code == "archive_damaged" }) {
		t.Errorf("%+v", status.Problems)
	}
}

// damage flips a bit of what a file holds.
func damage(t *testing.T, file string, held []byte) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, held[:min(len(held), 24)])
	if at < 0 {
		t.Fatal("the blob is not in the file")
	}
	data[at+len(held)/2] ^= 1
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
