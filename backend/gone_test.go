package backend

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

// upload sends a text file as this visitor and returns its address.
func (v *talk) upload(a *appliance, name, text string) string {
	v.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	if err != nil {
		v.t.Fatal(err)
	}
	io.WriteString(part, text)
	form.Close()
	req, err := http.NewRequest("POST", a.at.Public+"/v1/upload", &body)
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Authorization", "Bearer "+v.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	var f struct{ URL string }
	if err := json.NewDecoder(res.Body).Decode(&f); err != nil || res.StatusCode != 200 {
		v.t.Fatalf("upload: %d %v", res.StatusCode, err)
	}
	return a.at.Public + f.URL
}

// TestDeletedVisitorLeavesNothing: when the owner deletes a conversation, no
// file of the data folder holds a word of it any more, what the visitor sent
// included; another visitor's stay.
func TestDeletedVisitorLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	a := run(t, dir, "HAOKE_UPLOAD_ENABLED=true")
	gone, stays := a.visit(""), a.visit("")
	letter := gone.upload(a, "letter.txt", "my quixoticneedle letter")
	other := stays.upload(a, "other.txt", "a haystackstraw letter")
	gone.ask("a quixoticneedle: what is it? see [letter.txt](" + letter + ")")
	stays.ask("see [other](" + other + ")")
	if onDisk(t, dir, "quixoticneedle") == "" {
		t.Fatal("the test looks in the wrong place")
	}
	var list struct{ Items []struct{ ID string } }
	if code := a.api("GET", "/conversations?query=letter.txt", "", &list); code != 200 || len(list.Items) != 1 {
		t.Fatalf("%d %+v", code, list)
	}
	if code := a.api("DELETE", "/conversations/"+list.Items[0].ID, "", nil); code != 204 {
		t.Fatalf("delete: %d", code)
	}
	for url, want := range map[string]int{letter: 404, other: 200} {
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %d, want %d", url, res.StatusCode, want)
		}
	}
	a.stop()
	if where := onDisk(t, dir, "quixoticneedle"); where != "" {
		t.Errorf("a deleted visitor's words are in %s", where)
	}
	if onDisk(t, dir, "haystackstraw") == "" || strings.Contains(a.log.String(), "quixoticneedle") {
		t.Errorf("another visitor's words are gone, or the log quotes: %s", a.log.String())
	}
}
