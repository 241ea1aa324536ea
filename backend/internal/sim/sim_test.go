package sim

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func start(t *testing.T, cfg Config) (*Server, string) {
	t.Helper()
	s := New(cfg)
	srv := httptest.NewUnstartedServer(s.Handler())
	srv.Config.ConnState = s.ConnState
	srv.Start()
	t.Cleanup(srv.Close)
	return s, srv.URL
}

func ask(t *testing.T, url, key, question string, stream bool, more ...string) *http.Response {
	t.Helper()
	q, _ := json.Marshal(question)
	body := `{"model":"gpt-4o-mini","messages":[{"role":"system","content":"The code is K-17."},{"role":"user","content":` + string(q) + `}]`
	if stream {
		body += `,"stream":true,"stream_options":{"include_usage":true}`
	}
	body += strings.Join(more, "") + "}"
	req, _ := http.NewRequest("POST", url+"/v1/chat/completions", strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

type whole struct {
	Choices []struct {
		Message struct{ Content string }
		Delta   struct{ Content string }
		Finish  string `json:"finish_reason"`
	}
	Usage struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
	}
	Error struct{ Message, Code string }
}

func wholeAnswer(t *testing.T, resp *http.Response) whole {
	t.Helper()
	var v whole
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// read joins a stream's pieces.
func read(t *testing.T, r io.Reader) (text, finish string, completion int, done bool) {
	t.Helper()
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		data, ok := strings.CutPrefix(sc.Text(), "data: ")
		if !ok {
			continue
		}
		if data == "[DONE]" {
			done = true
			continue
		}
		var v whole
		if err := json.Unmarshal([]byte(data), &v); err != nil {
			return text, finish, completion, done
		}
		for _, c := range v.Choices {
			text += c.Delta.Content
			finish += c.Finish
		}
		completion += v.Usage.Completion
	}
	return text, finish, completion, done
}

func TestAnswers(t *testing.T) {
	s, url := start(t, Config{Keys: []string{"good"}})
	for question, want := range map[string]string{
		"Where is my order?":       `Thank you for asking: "Where is my order?".`,
		"你们几点关门?":                  "您问的是:“你们几点关门?”。",
		"[[say:exactly \"this\"]]": `exactly "this"`,
		"[[find:code]]":            "The code is K-17.",
	} {
		w := wholeAnswer(t, ask(t, url, "good", question, false))
		if got := w.Choices[0].Message.Content; !strings.Contains(got, want) || w.Choices[0].Finish != "stop" {
			t.Errorf("%s: %+v", question, w)
		}
		text, finish, n, done := read(t, ask(t, url, "good", question, true).Body)
		if text != w.Choices[0].Message.Content || finish != "stop" || n != w.Usage.Completion || n == 0 || !done {
			t.Errorf("%s: streamed %q %s %d %v", question, text, finish, n, done)
		}
	}
	text, finish, n, _ := read(t, ask(t, url, "good", "[[tokens:40]]", true, `,"max_tokens":25`).Body)
	if n != 25 || finish != "length" || text == "" {
		t.Errorf("limited answer: %d tokens, %s", n, finish)
	}
	st := s.Stats()
	if st.Calls != 9 || st.Streams != 5 || st.Answered != 9 || st.PerKey["good"] != 9 || !strings.Contains(st.LastBody, "max_tokens") {
		t.Errorf("%+v", st)
	}
}

func TestRefusals(t *testing.T) {
	s, url := start(t, Config{Keys: []string{"good"}, Models: []string{"other"}})
	if r := ask(t, url, "bad", "x", false); r.StatusCode != 401 {
		t.Error(r.Status)
	}
	if r := ask(t, url, "good", "x", false); r.StatusCode != 404 || wholeAnswer(t, r).Error.Code != "model_not_found" {
		t.Error(r.Status)
	}
	for _, bad := range []string{"", "{", `{"model":"x"}`, `{"messages":"x"}`} {
		req, _ := http.NewRequest("POST", url+"/v1/chat/completions", strings.NewReader(bad))
		req.Header.Set("api-key", "good")
		if r, err := http.DefaultClient.Do(req); err != nil || r.StatusCode != 400 {
			t.Error(bad, r, err)
		}
	}
	if n := s.Stats().Unauthorized; n != 1 {
		t.Error(n)
	}
	s.Reset()
	if st := s.Stats(); st.Calls != 0 || st.LastBody != "" {
		t.Errorf("%+v", st)
	}
}

// TestLimits runs in virtual time: an allowance of 60 a minute with a burst of
// two lets two calls pass, then one a second.
func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Config{RPM: 60, Burst: 2, TPM: 100000}).Handler()
		call := func() *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("POST", "/v1/chat/completions",
				strings.NewReader(`{"model":"m","messages":[{"role":"user","content":"hi"}]}`)))
			return w
		}
		first := call()
		if first.Code != 200 || first.Header().Get("x-ratelimit-remaining-requests") != "1" ||
			first.Header().Get("x-ratelimit-limit-requests") != "60" || first.Header().Get("x-ratelimit-reset-requests") != "1s" ||
			first.Header().Get("x-ratelimit-limit-tokens") != "100000" {
			t.Error(first.Code, first.Header())
		}
		call()
		if w := call(); w.Code != 429 || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), "rate_limit_exceeded") {
			t.Error(w.Code, w.Header(), w.Body)
		}
		time.Sleep(time.Second)
		if w := call(); w.Code != 200 {
			t.Error(w.Code)
		}
		if w := call(); w.Code != 429 {
			t.Error(w.Code)
		}
	})
}

func TestStatusFaults(t *testing.T) {
	_, url := start(t, Config{})
	for name, want := range map[string]int{"400": 400, "401": 401, "402": 402, "403": 403, "404": 404, "408": 408, "429": 429, "500": 500,
		"502": 502, "503": 503, "529": 529, "quota": 429, "toolong": 400, "blocked": 400, "html": 200, "empty": 200, "redirect": 404} {
		if r := ask(t, url, "", "x [["+name+"]]", true); r.StatusCode != want {
			t.Errorf("%s: %s", name, r.Status)
		}
	}
	for i, want := range []int{500, 500, 200, 200} {
		if r := ask(t, url, "", "[[500:2]]", true); r.StatusCode != want {
			t.Errorf("call %d: %s", i, r.Status)
		}
	}
}

func TestStreamFaults(t *testing.T) {
	_, url := start(t, Config{Drip: time.Millisecond})
	cases := []struct {
		name, finish string
		done, whole  bool
	}{
		{"length", "length", true, true},
		{"filter", "content_filter", true, false},
		{"tool", "tool_calls", true, false},
		{"reason", "stop", true, true},
		{"crlf", "stop", true, true},
		{"text", "stop", true, true},
		{"gzip", "stop", true, true},
		{"nousage", "stop", true, true},
		{"drip", "stop", true, true},
		{"nodone", "", false, true},
		{"cut", "", false, false},
		{"half", "", false, false},
		{"garbage", "", false, false},
		{"error", "", false, false},
		{"chunkerr", "", false, false},
		{"early", "", false, false},
	}
	for _, c := range cases {
		text, finish, _, done := read(t, ask(t, url, "", "x [["+c.name+"]]", true).Body)
		if finish != c.finish || done != c.done || strings.HasSuffix(text, "do for you?") != c.whole {
			t.Errorf("%s: %q %q %v", c.name, text, finish, done)
		}
	}
	b, _ := io.ReadAll(ask(t, url, "", "[[bigline]]", true).Body)
	if n := bytes.IndexByte(b, '\n'); n < 2<<20 {
		t.Errorf("the line has %d bytes", n)
	}
	if v := wholeAnswer(t, ask(t, url, "", "[[json]]", true)); !strings.Contains(v.Choices[0].Message.Content, "Thank you") {
		t.Errorf("%+v", v)
	}
}

func TestRandomFaults(t *testing.T) {
	s, url := start(t, Config{FaultRate: 0.5, Faults: []string{"500"}, Seed: 1})
	failed := 0
	for range 100 {
		if ask(t, url, "", "hello", false).StatusCode == 500 {
			failed++
		}
	}
	if failed < 25 || failed > 75 || s.Stats().Faults != int64(failed) {
		t.Errorf("%d of 100 failed", failed)
	}
}

func TestModelsAndModerations(t *testing.T) {
	_, url := start(t, Config{Models: []string{"a", "b"}})
	r, err := http.Get(url + "/v1/models")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var list struct{ Data []struct{ ID string } }
	if json.NewDecoder(r.Body).Decode(&list); len(list.Data) != 2 || list.Data[1].ID != "b" {
		t.Error(list)
	}
	for text, want := range map[string]bool{"flagme": true, "fine": false} {
		r, err := http.Post(url+"/v1/moderations", "application/json", strings.NewReader(`{"input":"`+text+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		var m struct{ Results []struct{ Flagged bool } }
		if json.NewDecoder(r.Body).Decode(&m); len(m.Results) != 1 || m.Results[0].Flagged != want {
			t.Error(text, m)
		}
		r.Body.Close()
	}
}

func TestTokensJoin(t *testing.T) {
	for _, s := range []string{"", "a", "Hello there, world!  Two  blanks\nand lines.", "您好!订单 123 已发货。", strings.Repeat("x", 40)} {
		if got := strings.Join(tokens(s), ""); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
	if n := len(tokens(compose("Where is my order?"))); n < 20 {
		t.Errorf("%d pieces only", n)
	}
}
