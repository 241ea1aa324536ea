package adminapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
	"haoke/backend/internal/wire"
)

// door is a way in: nobody, a signed-in person, or a script.
type door struct {
	h      *house
	client *http.Client
	token  string
}

func (h *house) nobody() *door {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &door{h: h, client: &http.Client{Jar: jar, Timeout: 20 * time.Second}}
}

func (h *house) script() *door {
	d := h.nobody()
	d.token = scriptToken
	return d
}

func (h *house) signedIn(name, password string) *door {
	h.t.Helper()
	d := h.nobody()
	if got := d.send("POST", "/session", map[string]string{"name": name, "password": password}); got.status != 200 {
		h.t.Fatalf("sign-in of %s: %d %s", name, got.status, got.body)
	}
	return d
}

// answer is what came back.
type answer struct {
	status int
	body   []byte
	head   http.Header
}

func (a answer) problem(t *testing.T) wire.Problem {
	t.Helper()
	var p wire.Problem
	if ct := a.head.Get("Content-Type"); ct != "application/problem+json" {
		t.Fatalf("an error as %q: %d %s", ct, a.status, a.body)
	}
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Fatalf("problem: %v: %s", err, a.body)
	}
	if p.Status != a.status || p.Title == "" || p.Type == "" {
		t.Fatalf("an incomplete problem: %+v", p)
	}
	return p
}

func decode[T any](t *testing.T, a answer) T {
	t.Helper()
	var v T
	if a.status/100 != 2 {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return v
}

// raw is a body that is sent as it is, with its media type.
type raw struct {
	typ  string
	data []byte
}

func (d *door) send(method, path string, in any, head ...string) answer {
	d.h.t.Helper()
	var r io.Reader
	typ := ""
	switch x := in.(type) {
	case nil:
	case raw:
		r, typ = bytes.NewReader(x.data), x.typ
	case string:
		r, typ = strings.NewReader(x), "application/json"
	default:
		data, err := json.Marshal(x)
		if err != nil {
			d.h.t.Fatal(err)
		}
		r, typ = bytes.NewReader(data), "application/json"
	}
	req, err := http.NewRequest(method, d.h.at.URL+wire.AdminPrefix+path, r)
	if err != nil {
		d.h.t.Fatal(err)
	}
	if typ != "" {
		req.Header.Set("Content-Type", typ)
	}
	if d.token != "" {
		req.Header.Set("Authorization", "Bearer "+d.token)
	}
	for i := 0; i+1 < len(head); i += 2 {
		if head[i] == "Host" {
			req.Host = head[i+1]
		}
		req.Header.Set(head[i], head[i+1])
	}
	resp, err := d.client.Do(req)
	if err != nil {
		d.h.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		d.h.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{resp.StatusCode, data, resp.Header}
}

// conversation stores one with a question and an answer.
func (h *house) conversation(question string) chat.ConversationID {
	h.t.Helper()
	id := chat.NewConversationID()
	_, err := h.sessions.Append(context.Background(), id, session.Append{
		Create: &chat.Conversation{Site: "default", Visitor: chat.Visitor{Name: "Mei", Locale: "en"}},
		Messages: []chat.Message{
			{From: chat.FromVisitor, Text: question, ClientID: "c1"},
			{From: chat.FromAI, Text: "Yes.", Finish: chat.FinishStop, Turn: &chat.TurnInfo{
				Model: "m", PromptTrace: `{"model":"m","parts":[{"kind":"question","tokens":3}],"prompt":[{"role":"user","content":"hi"}],"recall":[{"seq":1,"score":0.5,"why":"match"}]}`,
			}},
		},
		Update: func(c *chat.Conversation) { c.Unread = 1 },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return id
}

func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return fmt.Sprint(ln.Addr())
}
