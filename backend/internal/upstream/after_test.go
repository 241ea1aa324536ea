package upstream

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"haoke/backend/internal/chat"
)

// TestTheAnswerDoesNotWaitForTheConnection: an upstream that has said [DONE]
// and leaves its connection open holds no answer up, and the connection serves
// the next call once it has come to its end.
func TestTheAnswerDoesNotWaitForTheConnection(t *testing.T) {
	ended, gone := make(chan struct{}), make(chan struct{}, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n"+
			"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
		w.(http.Flusher).Flush()
		select {
		case <-ended: // the visitor has the answer
		case <-r.Context().Done():
			gone <- struct{}{}
		}
	}))
	defer srv.Close()
	g := &gate{targets: []chat.Target{{Provider: "p", Key: "k", BaseURL: srv.URL, Model: "m"}}}
	c := New(Config{}, g, nil)
	defer c.Close()
	ctx := within(t, 30*time.Second)
	for try := int64(1); try <= 5; try++ { // the rest of a connection is waited for half a second only
		var got text
		res, err := c.Answer(ctx, question("Hello"), chat.Caller{}, got.sink)
		if err != nil || res.Finish != chat.FinishStop || got.b.String() != "Hi" {
			t.Fatalf("%q, %+v, %v", got.b.String(), res, err)
		}
		if g.outstanding() != 0 {
			t.Error("the answer came before its lease went back")
		}
		select {
		case ended <- struct{}{}:
		case <-gone:
		}
		if c.Stats().Dials < try {
			return // the second call found the connection of the first
		}
	}
	t.Error("the answer came when its connection had been given up")
}
