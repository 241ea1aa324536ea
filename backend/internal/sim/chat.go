package sim

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"haoke/backend/internal/codec"
)

const (
	maxBody   = 4 << 20 // bytes of a request
	maxTokens = 100_000 // that a marker may ask for
)

// request is what the simulator reads of a chat completion request.
type request struct {
	Model         string    `json:"model"`
	Messages      []message `json:"messages"`
	Stream        bool      `json:"stream"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	MaxTokens           int `json:"max_tokens"`
	MaxCompletionTokens int `json:"max_completion_tokens"`
}

type message struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

// text is the message's text; of a list of parts, the text parts.
func (m message) text() string {
	p := codec.Part{Content: m.Content}
	raw, _ := p.Token()
	s, _ := codec.Unquote(raw)
	return s
}

// call is one chat completion under way.
type call struct {
	s      *Server
	w      http.ResponseWriter
	r      *http.Request
	req    request
	fault  string
	pieces []string
	prompt int
	finish string
	length int // tokens that the answer shall have, 0: as it comes
	slow   time.Duration
	begun  time.Time
	took   Took
	head   []byte // a chunk up to its choices
	buf    []byte
}

func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	defer s.stats.enter()()
	key, ok := s.authorized(w, r)
	if !ok {
		return
	}
	body := bodies.Get().(*body)
	defer bodies.Put(body)
	c := &call{s: s, w: w, r: r, finish: "stop", begun: begun}
	if err := body.read(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		writeError(w, http.StatusBadRequest, "invalid_request_error", "", "The body could not be read.")
		return
	}
	s.stats.note(key, body.b)
	if err := codec.Decode(body.b, &c.req); err != nil {
		writeError(w, http.StatusBadRequest, "invalid_request_error", "", "The body is not a chat completion request: "+err.Error())
		return
	}
	if c.req.Stream {
		s.stats.streams.Add(1)
	}
	if c.prepare() {
		if wait, ok := s.limits.take(w.Header(), key, c.prompt+len(c.pieces)); !ok {
			s.stats.refused.Add(1)
			refuse(w, wait)
			return
		}
		c.answer()
	}
}

// prepare checks the request and makes the answer's pieces; false: an error
// was written.
func (c *call) prepare() bool {
	req := &c.req
	if len(req.Messages) == 0 || req.Model == "" {
		writeError(c.w, http.StatusBadRequest, "invalid_request_error", "", "Missing required parameter: 'messages' and 'model' are needed.")
		return false
	}
	if known := c.s.cfg.Models; len(known) > 0 {
		found := false
		for _, m := range known {
			found = found || m == req.Model
		}
		if !found {
			writeError(c.w, http.StatusNotFound, "invalid_request_error", "model_not_found", "The model '"+req.Model+"' does not exist.")
			return false
		}
	}
	question := ""
	for _, m := range req.Messages {
		text := m.text()
		c.prompt += 3 + countTokens(text)
		if m.Role == "user" {
			question = text
		}
	}
	c.took.Question = question
	c.pieces = tokens(c.mark(question))
	if c.length > 0 {
		c.pieces = stretch(c.pieces, c.length)
	}
	if limit := max(req.MaxTokens, req.MaxCompletionTokens); limit > 0 && len(c.pieces) > limit {
		c.pieces, c.finish = c.pieces[:limit], "length"
	}
	return true
}

// answer waits for the latency and writes the answer or the fault.
func (c *call) answer() {
	if c.fault != "" {
		c.s.stats.faults.Add(1)
		if c.failEarly() {
			return
		}
	}
	if !c.sleep(c.s.latency() + c.slow) {
		return
	}
	if c.req.Stream && c.fault != "json" {
		c.stream()
		return
	}
	c.whole()
}

func (s *Server) latency() time.Duration {
	if s.cfg.Jitter <= 0 {
		return s.cfg.Latency
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg.Latency - s.cfg.Jitter + time.Duration(s.rand.Int64N(int64(2*s.cfg.Jitter)+1))
}

// sleep waits for d and reports false when the caller left meanwhile.
func (c *call) sleep(d time.Duration) bool {
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
		case <-c.r.Context().Done():
		}
	}
	if c.r.Context().Err() != nil {
		c.s.stats.cancelled.Add(1)
		return false
	}
	return true
}

// hang waits until the caller leaves.
func (c *call) hang() {
	<-c.r.Context().Done()
	c.s.stats.cancelled.Add(1)
}

// stream writes the answer as server-sent events.
func (c *call) stream() {
	if c.startStream() {
		return
	}
	pace := c.s.cfg.Pace
	c.event(`{"role":"assistant","content":""}`, "")
	for i, p := range c.pieces {
		if c.failAt(i) {
			return
		}
		if i > 0 && pace > 0 && !c.sleep(pace) {
			return
		}
		c.buf = append(c.buf[:0], `{"content":`...)
		c.buf = append(codec.AppendString(c.buf, p), '}')
		c.event(string(c.buf), "")
		if i == 0 || pace > 0 {
			c.flush()
		}
		c.took.Last = time.Since(c.begun)
		if i == 0 {
			c.took.First = c.took.Last
		}
	}
	if c.r.Context().Err() != nil {
		c.s.stats.cancelled.Add(1)
		return
	}
	if c.failAt(len(c.pieces)) {
		return
	}
	c.event(`{}`, c.finish)
	if c.req.StreamOptions.IncludeUsage && c.fault != "nousage" {
		c.write("data: " + string(c.head) + `"choices":[],"usage":` + c.usage() + "}\n\n")
	}
	c.write("data: [DONE]\n\n")
	c.flush()
	c.took.Whole = time.Since(c.begun)
	c.s.times.add(c.took)
	c.s.stats.answered.Add(1)
	if c.fault == "late" {
		c.sleep(30 * time.Second)
	}
}

// event writes one chunk with the given delta.
func (c *call) event(delta, finish string) {
	c.write("data: ")
	c.w.Write(c.head)
	c.write(`"choices":[{"index":0,"delta":` + delta + `,"logprobs":null,"finish_reason":`)
	if finish == "" {
		c.write("null}]}\n\n")
	} else {
		c.write(`"` + finish + `"}]}` + "\n\n")
	}
}

func (c *call) write(s string) { io.WriteString(c.w, s) }

func (c *call) flush() { http.NewResponseController(c.w).Flush() }

// makeHead composes what all chunks of this answer begin with.
func (c *call) makeHead(object string) {
	b := append(c.head[:0], `{"id":"chatcmpl-sim`...)
	b = codec.AppendInt(b, c.s.stats.calls.Load())
	b = append(b, `","object":"`+object+`","created":`...)
	b = codec.AppendInt(b, time.Now().Unix())
	b = append(b, `,"model":`...)
	b = codec.AppendString(b, c.req.Model)
	c.head = append(b, `,"system_fingerprint":"fp_sim",`...)
}

// usage is the usage object.
func (c *call) usage() string {
	n := len(c.pieces)
	return `{"prompt_tokens":` + strconv.Itoa(c.prompt) + `,"completion_tokens":` + strconv.Itoa(n) +
		`,"total_tokens":` + strconv.Itoa(c.prompt+n) + `}`
}

// whole writes the answer as one JSON document.
func (c *call) whole() {
	if !c.sleep(c.s.cfg.Pace * time.Duration(max(0, len(c.pieces)-1))) {
		return
	}
	c.makeHead("chat.completion")
	b := append([]byte{}, c.head...)
	b = append(b, `"choices":[{"index":0,"message":{"role":"assistant","content":`...)
	if c.fault == "tool" {
		b = append(b, `null,"tool_calls":[`+toolCall+`]`...)
		c.finish = "tool_calls"
	} else {
		b = codec.AppendString(b, strings.Join(c.pieces, ""))
	}
	b = append(b, `,"refusal":null},"logprobs":null,"finish_reason":"`+c.finish+`"}]`...)
	if c.fault != "nousage" {
		b = append(b, `,"usage":`+c.usage()...)
	}
	c.sendWhole(append(b, '}'))
}

// body is a reused buffer for a request.
type body struct{ b []byte }

var bodies = sync.Pool{New: func() any { return &body{b: make([]byte, 0, 8<<10)} }}

func (p *body) read(r io.Reader) error {
	p.b = p.b[:0]
	for {
		if len(p.b) == cap(p.b) {
			p.b = append(p.b, 0)[:len(p.b)]
		}
		n, err := r.Read(p.b[len(p.b):cap(p.b)])
		p.b = p.b[:len(p.b)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
