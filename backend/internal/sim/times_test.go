package sim

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestTimes: each answer's own time is told, that of the latest ones only.
func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Latency: 100 * time.Millisecond, Pace: 10 * time.Millisecond, Tokens: 6, Times: 3})
		ask := func(question string) {
			body := fmt.Sprintf(`{"model":"m","stream":true,"messages":[{"role":"user","content":%q}]}`, question)
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, httptest.NewRequest("POST", "/v1/chat/completions", strings.NewReader(body)))
			if w.Code != http.StatusOK {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		}
		for _, q := range []string{"one", "two", "[[cut]] broken", "[[slow:1s]] three", strings.Repeat("long ", 100)} {
			func() {
				defer func() { recover() }() // a cut aborts the handler
				ask(q)
			}()
		}
		got := s.Times()
		if len(got) != 3 || got[0].Question != "two" || got[1].Question != "[[slow:1s]] three" || len(got[2].Question) != maxQuestion {
			t.Fatalf("%+v", got)
		}
		if got[0].First != 100*time.Millisecond || got[0].Whole != 150*time.Millisecond || got[1].First != 1100*time.Millisecond {
			t.Errorf("%+v", got)
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/sim/times", nil))
		if b, _ := io.ReadAll(w.Body); !strings.HasPrefix(string(b), `[{"question":"two","first":100000000,"last":150000000,"whole":150000000}`) {
			t.Errorf("%s", b)
		}
		if s.Reset(); len(s.Times()) != 0 {
			t.Error("a reset leaves times")
		}
		ask("again")
		if got := s.Times(); len(got) != 1 || got[0].Question != "again" {
			t.Errorf("%+v", got)
		}
	})
}
