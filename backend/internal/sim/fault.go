package sim

import (
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"time"

	"haoke/backend/internal/codec"
)

const page = "<!DOCTYPE html><html><head><title>Bad Gateway</title></head><body><h1>Something went wrong</h1></body></html>\n"

const toolCall = `{"index":0,"id":"call_sim","type":"function","function":{"name":"delete_everything","arguments":"{}"}}`

// mark reads the question's marker, arms the fault it names, and returns the
// answer. A marker with a number stops to act once it broke that many calls.
func (c *call) mark(question string) (answer string) {
	answer = compose(question)
	name, arg := marker(question)
	switch name {
	case "":
		c.fault, c.length = c.s.randomFault(), c.s.cfg.Tokens
		return answer
	case "say":
		return arg
	case "find":
		return lookBack(c.req.Messages, arg)
	case "slow":
		c.slow, _ = time.ParseDuration(arg)
		return answer
	case "tokens":
		c.length, _ = strconv.Atoi(arg)
		c.length = min(max(c.length, 0), maxTokens)
		return answer
	}
	if n, err := strconv.Atoi(arg); err == nil && !c.s.useUp(question, n) {
		return answer
	}
	c.fault = name
	return answer
}

// marker finds the first [[name]] or [[name:argument]] of s.
func marker(s string) (name, arg string) {
	_, rest, ok := strings.Cut(s, "[[")
	if !ok {
		return "", ""
	}
	inner, _, ok := strings.Cut(rest, "]]")
	if !ok {
		return "", ""
	}
	name, arg, _ = strings.Cut(inner, ":")
	return name, arg
}

// useUp counts a call against a numbered marker, false when it is used up.
// The table of questions is bounded: when it is full it starts anew.
func (s *Server) useUp(question string, n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[question] >= n {
		return false
	}
	if len(s.seen) >= maxKeys {
		clear(s.seen)
	}
	s.seen[question]++
	return true
}

func (s *Server) randomFault() string {
	if s.cfg.FaultRate <= 0 {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rand.Float64() >= s.cfg.FaultRate {
		return ""
	}
	return s.cfg.Faults[s.rand.IntN(len(s.cfg.Faults))]
}

// failEarly answers the faults that come before an answer's first byte; it
// reports whether that was all.
func (c *call) failEarly() bool {
	switch c.fault {
	case "503":
		c.w.Header().Set("Content-Type", "text/html; charset=utf-8")
		c.w.WriteHeader(http.StatusServiceUnavailable)
		c.write(page)
	case "html":
		c.w.Header().Set("Content-Type", "text/html; charset=utf-8")
		c.write(page)
	case "429":
		refuse(c.w, time.Second)
	case "quota":
		writeError(c.w, http.StatusTooManyRequests, "insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan and billing details.")
	case "toolong":
		writeError(c.w, http.StatusBadRequest, "invalid_request_error", "context_length_exceeded", "This model's maximum context length is 128000 tokens.")
	case "blocked":
		writeError(c.w, http.StatusBadRequest, "invalid_request_error", "content_filter", "The response was filtered due to the prompt triggering the content management policy.")
	case "401":
		writeError(c.w, http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: "+c.r.Header.Get("Authorization")+".")
	case "402":
		writeError(c.w, http.StatusPaymentRequired, "invalid_request_error", "insufficient_balance", "Insufficient Balance")
	case "400", "403", "404", "408", "500", "502", "529":
		status, _ := strconv.Atoi(c.fault)
		writeError(c.w, status, "server_error", "", "The simulator was asked to fail with "+c.fault+".")
	case "redirect":
		c.w.Header().Set("Location", "/sim/elsewhere")
		c.w.WriteHeader(http.StatusTemporaryRedirect)
	case "empty":
		c.w.Header().Set("Content-Type", "text/event-stream")
		c.w.WriteHeader(http.StatusOK)
	case "reset":
		c.reset()
	case "hang":
		c.hang()
	default:
		return false
	}
	return true
}

// startStream writes a stream's head; it reports whether the fault was to
// write no more.
func (c *call) startStream() bool {
	c.makeHead("chat.completion.chunk")
	kind := "text/event-stream"
	if c.fault == "text" {
		kind = "text/plain; charset=utf-8"
	}
	c.w.Header().Set("Content-Type", kind)
	c.w.Header().Set("Cache-Control", "no-cache")
	switch c.fault {
	case "gzip", "gzipbomb":
		return c.zipped()
	case "chunkerr":
		return c.brokenChunks()
	case "crlf":
		c.w = &crlfWriter{ResponseWriter: c.w}
		c.write(": a comment\nevent: message\nid: 1\nretry: 3000\n")
		return false
	}
	c.w.WriteHeader(http.StatusOK)
	switch c.fault {
	case "silence":
		c.flush()
		c.hang()
	case "comments":
		for c.sleep(c.s.cfg.Drip) {
			c.write(": keep-alive\n\n")
			c.flush()
		}
	case "early":
		c.flush()
		c.reset()
	case "drip":
		c.drip()
	case "badjson":
		c.write("data: {\"choices\":[{\"delta\":{\"content\":\n\n")
		c.flush()
	case "bigline":
		c.write(`data: {"choices":[{"index":0,"delta":{"content":"`)
		c.write(strings.Repeat("x", 2<<20))
		c.write("\"}}]}\n\n")
	default:
		return false
	}
	return true
}

// failAt acts before piece i; it reports whether the answer ends here.
func (c *call) failAt(i int) bool {
	last := i == len(c.pieces)
	switch {
	case c.fault == "cut" && (i == 3 || last):
		c.flush()
		c.reset()
	case c.fault == "half" && (i == 3 || last):
		c.write(`data: ` + string(c.head) + `"choices":[{"index":0,"del`)
	case c.fault == "nodone" && last:
		c.flush()
	case c.fault == "garbage" && i == 1:
		c.write("data: <<not json>>\n\n")
		c.flush()
	case c.fault == "error" && (i == 2 || last):
		c.write(`data: {"error":{"message":"The server had an error while processing your request.","type":"server_error","code":null}}` + "\n\n")
		c.flush()
	case c.fault == "filter" && i == 1:
		c.event(`{}`, "content_filter")
		c.write("data: [DONE]\n\n")
	case c.fault == "tool" && i == 0:
		c.event(`{"tool_calls":[`+toolCall+`]}`, "")
		c.event(`{}`, "tool_calls")
		c.write("data: [DONE]\n\n")
	case c.fault == "endless" && last:
		for c.sleep(time.Millisecond) {
			c.event(`{"content":" more"}`, "")
			c.flush()
		}
	case c.fault == "reason" && i == 0:
		for range 3 {
			c.event(`{"content":null,"reasoning_content":"Let me think. "}`, "")
		}
		return false
	case c.fault == "length" && last:
		c.finish = "length"
		return false
	default:
		return false
	}
	return true
}

// sendWhole writes a whole answer with the faults that apply to one.
func (c *call) sendWhole(b []byte) {
	c.w.Header().Set("Content-Type", "application/json")
	switch c.fault {
	case "cut", "half", "early":
		c.w.Header().Set("Content-Length", strconv.Itoa(len(b)))
		c.w.Write(b[:len(b)/2])
		c.flush()
		c.reset()
		return
	case "badjson", "garbage":
		b = b[:len(b)/2]
	case "error":
		b = []byte(`{"error":{"message":"The server had an error while processing your request.","type":"server_error"}}`)
	case "silence", "comments":
		c.hang()
		return
	case "drip":
		for i := range b {
			c.w.Write(b[i : i+1])
			c.flush()
			if !c.sleep(c.s.cfg.Drip) {
				return
			}
		}
		return
	case "filter":
		b = []byte(strings.Replace(string(b), `"finish_reason":"stop"`, `"finish_reason":"content_filter"`, 1))
	case "length":
		b = []byte(strings.Replace(string(b), `"finish_reason":"stop"`, `"finish_reason":"length"`, 1))
	}
	c.w.Write(b)
	c.s.stats.answered.Add(1)
}

// drip writes the first event a byte at a time.
func (c *call) drip() {
	c.buf = append(append(c.buf[:0], "data: "...), c.head...)
	c.buf = append(c.buf, `"choices":[{"index":0,"delta":{"content":`...)
	c.buf = append(codec.AppendString(c.buf, strings.Join(c.pieces, "")), "},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"...)
	for i := range c.buf {
		if c.w.Write(c.buf[i : i+1]); i > 0 {
			c.flush()
		}
		if !c.sleep(c.s.cfg.Drip) {
			return
		}
	}
}

// zipped writes a compressed stream: the proper answer, or a line of 64 MiB.
func (c *call) zipped() bool {
	c.w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(c.w)
	defer z.Close()
	if c.fault == "gzip" {
		c.w = &plainWriter{ResponseWriter: c.w, z: z}
		c.fault = ""
		c.stream()
		return true
	}
	z.Write([]byte(`data: {"choices":[{"index":0,"delta":{"content":"`))
	block := []byte(strings.Repeat("x", 64<<10))
	for range 1 << 10 {
		if _, err := z.Write(block); err != nil {
			break
		}
	}
	return true
}

// brokenChunks writes two pieces and then a chunk size that is none. It needs
// HTTP/1.1; on HTTP/2 the stream is reset instead.
func (c *call) brokenChunks() bool {
	conn, rw, err := http.NewResponseController(c.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer conn.Close()
	rw.WriteString("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
	for _, p := range c.pieces[:min(2, len(c.pieces))] {
		e := "data: " + string(c.head) + `"choices":[{"index":0,"delta":{"content":` +
			string(codec.AppendString(nil, p)) + "},\"finish_reason\":null}]}\n\n"
		rw.WriteString(strconv.FormatInt(int64(len(e)), 16) + "\r\n" + e + "\r\n")
	}
	rw.WriteString("ZZZ\r\nnot a chunk\r\n")
	rw.Flush()
	return true
}
