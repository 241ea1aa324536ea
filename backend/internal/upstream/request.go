package upstream

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/codec"
)

// buffer is a reused block of bytes.
type buffer struct{ b []byte }

var scratch = sync.Pool{New: func() any { return &buffer{b: make([]byte, 0, 8<<10)} }}

// request is what a call asks for, wherever it goes.
type request struct {
	call   *chat.Call
	stream bool
}

// accept is the type of answer that is wanted.
func (r *request) accept() string {
	if r.stream {
		return acceptEvents[0]
	}
	return acceptJSON[0]
}

// body appends the JSON of the request for one target. Nothing is reflected on:
// this is the hot path, and the prompt may be long.
func (r *request) body(b []byte, t *chat.Target, q quirk) []byte {
	model := t.Model
	if model == "" {
		model = r.call.Model
	}
	b = codec.AppendString(append(b, `{"model":`...), model)
	b = append(b, `,"messages":[`...)
	for i := range r.call.Messages {
		if i > 0 {
			b = append(b, ',')
		}
		m := &r.call.Messages[i]
		b = codec.AppendString(append(b, `{"role":`...), string(m.Role))
		b = codec.AppendString(append(b, `,"content":`...), m.Content)
		b = append(b, '}')
	}
	b = append(b, ']')
	if r.stream {
		b = append(b, `,"stream":true`...)
		switch {
		case !t.StreamUsage || q&noStreamOptions != 0:
		case t.Preset == "openai":
			// Their padding against traffic analysis makes every chunk longer.
			b = append(b, `,"stream_options":{"include_usage":true,"include_obfuscation":false}`...)
		default:
			b = append(b, `,"stream_options":{"include_usage":true}`...)
		}
	}
	if n := r.call.MaxTokens; n > 0 {
		b = append(codec.AppendString(append(b, ','), maxTokensField(t, q)), ':')
		b = codec.AppendInt(b, int64(n))
	}
	if r.call.Temperature != nil && q&noTemperature == 0 {
		b = codec.AppendFloat(append(b, `,"temperature":`...), *r.call.Temperature)
	}
	return append(b, '}')
}

func maxTokensField(t *chat.Target, q quirk) string {
	field := t.MaxTokensField
	if field == "" {
		field = "max_tokens"
	}
	if q&otherMaxTokens != 0 {
		if field == "max_tokens" {
			return "max_completion_tokens"
		}
		return "max_tokens"
	}
	return field
}

// urls remembers parsed addresses, bounded: when it is full it starts anew. What
// it gives out is shared and must not be changed.
type urls struct {
	mu sync.RWMutex
	m  map[[3]string]*url.URL
}

// get is endpoint, from memory where possible.
func (us *urls) get(t *chat.Target, path string) (*url.URL, error) {
	key := [3]string{t.BaseURL, t.Query, path}
	us.mu.RLock()
	u := us.m[key]
	us.mu.RUnlock()
	if u != nil {
		return u, nil
	}
	u, err := endpoint(t, path)
	if err != nil {
		return nil, err
	}
	us.mu.Lock()
	defer us.mu.Unlock()
	if us.m == nil || len(us.m) >= maxQuirks {
		us.m = map[[3]string]*url.URL{}
	}
	us.m[key] = u
	return u, nil
}

// endpoint is the URL of path (with its slash) at a target.
func endpoint(t *chat.Target, path string) (*url.URL, error) {
	base := strings.TrimRight(strings.TrimSpace(t.BaseURL), "/")
	u, err := url.Parse(base + path)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, &chat.UpstreamError{Fault: chat.FaultRequest, Provider: t.Provider, Key: t.Key, Err: err,
			Reason: fmt.Sprintf("the base URL %q is not an address; it must look like https://api.example.com/v1", clip(base, 200))}
	}
	u.User = nil // credentials travel in the header only
	if t.Query != "" {
		u.RawQuery = t.Query
	}
	return u, nil
}

// newRequest makes the HTTP request; body is nil for a GET. events: a stream is
// wanted. The body is a plain bytes.Reader because net/http then writes it
// together with the header; sent, which may be nil, learns when it was written.
func newRequest(ctx context.Context, t *chat.Target, u *url.URL, body []byte, events bool, sent *sending) *http.Request {
	h := make(http.Header, 8)
	req := &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: h,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	if body != nil {
		req.Method = http.MethodPost
		req.ContentLength = int64(len(body))
		req.Body = io.NopCloser(bytes.NewReader(body))
		req.GetBody = func() (io.ReadCloser, error) { // a kept connection was closed meanwhile
			if sent != nil {
				sent.repeated.Store(true)
			}
			return io.NopCloser(bytes.NewReader(body)), nil
		}
		h["Content-Type"] = jsonType
	}
	h["Accept"] = acceptJSON
	if events {
		h["Accept"] = acceptEvents
	}
	h["User-Agent"] = userAgent
	if t.Secret != "" {
		if name := t.AuthHeader; name == "" || strings.EqualFold(name, "Authorization") {
			h["Authorization"] = []string{"Bearer " + t.Secret}
		} else {
			h.Set(name, t.Secret)
		}
	}
	if sent != nil {
		sent.trace.WroteRequest = func(httptrace.WroteRequestInfo) { sent.wrote.Store(true) }
		ctx = httptrace.WithClientTrace(ctx, &sent.trace)
	}
	return req.WithContext(ctx)
}

// sending tells when a request's body may be used again: a transport may still
// be writing it when the answer, or an error, is there already.
type sending struct {
	trace           httptrace.ClientTrace
	wrote, repeated atomic.Bool
}

// over reports whether the body was written to its end, and once only.
func (s *sending) over() bool { return s.wrote.Load() && !s.repeated.Load() }

// Shared header values; net/http never changes them.
var (
	jsonType  = []string{"application/json"}
	userAgent = []string{"Haoke"}

	acceptJSON   = []string{"application/json"}
	acceptEvents = []string{"text/event-stream"}
)

// quirk is a set of deviations that an upstream told us of by refusing.
type quirk uint8

const (
	noStreamOptions quirk = 1 << iota
	otherMaxTokens
	noTemperature
)

// quirks remembers deviations by base URL and model, bounded: when it is full
// it starts anew.
type quirks struct {
	mu sync.RWMutex
	m  map[[2]string]quirk
}

const maxQuirks = 1000

func (q *quirks) of(t *chat.Target) quirk {
	q.mu.RLock()
	defer q.mu.RUnlock()
	return q.m[[2]string{t.BaseURL, t.Model}]
}

// learn reads a refusal's words; true: the same request may pass without what
// was complained of.
func (q *quirks) learn(t *chat.Target, words string) bool {
	var found quirk
	words = strings.ToLower(words)
	switch {
	case strings.Contains(words, "max_completion_tokens"), strings.Contains(words, "max_tokens") && strings.Contains(words, "unsupported"):
		found = otherMaxTokens
	case strings.Contains(words, "stream_options"), strings.Contains(words, "include_obfuscation"):
		found = noStreamOptions
	case strings.Contains(words, "temperature") && strings.Contains(words, "support"):
		found = noTemperature
	default:
		return false
	}
	key := [2]string{t.BaseURL, t.Model}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.m[key]&found != 0 {
		return false
	}
	if q.m == nil || len(q.m) >= maxQuirks {
		q.m = map[[2]string]quirk{}
	}
	q.m[key] |= found
	return true
}

// clip shortens s to at most n bytes, at a character's border.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}

// code is an HTTP status as a label.
func code(status int) string {
	if status == http.StatusOK {
		return "200"
	}
	return strconv.Itoa(status)
}
