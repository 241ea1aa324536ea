package sim

import (
	"net/http"
	"sync"
	"time"
)

// Took is how long one streamed answer took here: what whoever asked cannot be
// faster than.
type Took struct {
	Question string        `json:"question"` // its beginning
	First    time.Duration `json:"first"`    // from the request's arrival to its first piece, ns
	Last     time.Duration `json:"last"`     // ... to its last piece, ns
	Whole    time.Duration `json:"whole"`    // ... to its last byte, ns
}

// maxQuestion bounds what is kept of a question, in bytes.
const maxQuestion = 200

// times keeps the latest answers.
type times struct {
	mu   sync.Mutex
	most int
	list []Took
	at   int // of the oldest, when the list is full
}

func (t *times) add(x Took) {
	if t.most <= 0 {
		return
	}
	if len(x.Question) > maxQuestion {
		x.Question = x.Question[:maxQuestion]
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.list) < t.most {
		t.list = append(t.list, x)
		return
	}
	t.list[t.at] = x
	t.at = (t.at + 1) % t.most
}

// Times returns the latest Config.Times complete streamed answers, oldest
// first.
func (s *Server) Times() []Took {
	t := &s.times
	t.mu.Lock()
	defer t.mu.Unlock()
	return append(append(make([]Took, 0, len(t.list)), t.list[t.at:]...), t.list[:t.at]...)
}

func (t *times) reset() {
	t.mu.Lock()
	t.list, t.at = t.list[:0], 0
	t.mu.Unlock()
}

func (s *Server) serveTimes(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.Times())
}
