package backend

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// parrot is an upstream that says the visitor's last words back, in small
// pieces, and remembers everything that it was sent.
type parrot struct {
	url string
	mu  sync.Mutex
	got strings.Builder
}

func newParrot(t *testing.T) *parrot {
	t.Helper()
	p := &parrot{}
	srv := httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(srv.Close)
	p.url = srv.URL + "/v1"
	return p
}

func (p *parrot) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	p.mu.Lock()
	p.got.Write(body)
	p.mu.Unlock()
	var call struct {
		Messages []struct{ Content string }
	}
	if json.Unmarshal(body, &call) != nil || len(call.Messages) == 0 {
		fmt.Fprint(w, `{"data":[{"id":"gpt-4o-mini"}]}`)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	said := []rune("You said: " + call.Messages[len(call.Messages)-1].Content)
	for len(said) > 0 {
		n := min(3, len(said))
		piece, _ := json.Marshal(string(said[:n]))
		fmt.Fprintf(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":%s}}]}\n\n", piece)
		said = said[n:]
	}
	fmt.Fprint(w, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
}

func (p *parrot) seen() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got.String()
}

// streamed asks and returns what the visitor saw while the answer came, and
// the durable answer.
func (v *talk) streamed(text string) (shown string, last event) {
	v.t.Helper()
	v.send(map[string]any{"type": "message", "id": fmt.Sprint(asked.Add(1)), "text": text})
	for {
		e := v.frame("ai or message", func(e event) bool { return e.Type == "ai" || e.Type == "message" })
		switch {
		case e.Type == "ai":
			shown += e.Data
		case e.From != "visitor":
			return shown, e
		}
	}
}

const card, mobile = "4111 1111 1111 1111", "13812345678"

// onDisk reports whether any file of the data folder holds text.
func onDisk(t *testing.T, dir, text string) (where string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), text) {
			where = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return where
}

// TestPersonalDataOnDisk: whatever the owner chooses to keep, the upstream
// reads no number, the visitor does while the answer streams, and the files
// hold what was chosen.
func TestPersonalDataOnDisk(t *testing.T) {
	for _, c := range []struct{ choice, stored string }{
		{"original", "my card is " + card + ", ring " + mobile},
		{"masked", "my card is *******************, ring ***********"},
		{"label", "my card is [CARD], ring [PHONE]"},
	} {
		t.Run(c.choice, func(t *testing.T) {
			up, dir := newParrot(t), t.TempDir()
			a := run(t, dir, "HAOKE_UPSTREAM_BASE_URL="+up.url, "HAOKE_UPSTREAM_KEY=sk-parrot",
				"HAOKE_FILTER_MASK_PERSONAL_DATA=true", "HAOKE_FILTER_STORED_PERSONAL_DATA="+c.choice)
			// the detectors quote what they hit in the hit log
			for _, d := range []string{"card", "phone"} {
				if code := a.api("PUT", "/filters/detectors/"+d, `{"enabled":true,"action":"note","way":"in"}`, nil); code != 200 {
					t.Fatalf("detector: %d", code)
				}
			}
			v := a.visit("")
			shown, last := v.streamed("my card is " + card + ", ring " + mobile)
			if !strings.Contains(shown, card) || !strings.Contains(shown, mobile) {
				t.Errorf("the visitor saw %q", shown)
			}
			if last.From != "ai" || last.Text != "You said: "+c.stored {
				t.Errorf("the durable answer is %+v", last)
			}
			// a later turn still knows the number, and still does not send it
			if shown, _ = v.streamed("and what now?"); !strings.Contains(shown, "and what now?") {
				t.Errorf("second answer %q", shown)
			}
			v.send(map[string]any{"type": "rate", "seq": 2, "score": 1, "comment": "it knew " + card})
			v.ask("bye now")
			if sent := up.seen(); strings.Contains(sent, "4111") || strings.Contains(sent, mobile) || !strings.Contains(sent, "CARD·") {
				t.Errorf("the upstream read %s", sent)
			}
			for _, secret := range []string{card, mobile} {
				where := onDisk(t, dir, secret)
				if (where != "") != (c.choice == "original") {
					t.Errorf("%q with choice %s: %q", secret, c.choice, where)
				}
			}
			if where := onDisk(t, dir, c.stored); where == "" {
				t.Errorf("%q is nowhere on disk", c.stored)
			}
			a.stop()
			if where := onDisk(t, dir, card); (where != "") != (c.choice == "original") {
				t.Errorf("after the stop: %q", where)
			}
			if strings.Contains(a.log.String(), "4111") {
				t.Error("the card is in the log")
			}
		})
	}
}
