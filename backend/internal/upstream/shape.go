package upstream

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"

	"haoke/backend/internal/codec"
)

// read reads an answer of any shape.
func (a *attempt) read(resp *http.Response, stream bool) error {
	body, err := a.plain(resp)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return a.refused(resp, body)
	}
	a.events.reader = a.out
	a.events.reset(body, int64(a.cfg.AnswerBytes)*maxStream)
	kind := strings.ToLower(resp.Header.Get("Content-Type"))
	if strings.HasPrefix(kind, "text/event-stream") {
		return a.readEvents()
	}
	// Some servers name no type or a wrong one, and some answer a request for
	// a stream with one document: the first character tells.
	switch c, err := a.peek(); {
	case err != nil:
		return err
	case c == '{':
		return a.readWhole()
	case c == '<' || strings.Contains(kind, "html"):
		return a.bad("it sent a web page, not an answer; the base URL probably misses /v1 or belongs to a web site", nil)
	case stream && c != 0:
		return a.readEvents()
	}
	return a.bad("it sent an empty answer", nil)
}

// plain undoes a compression that nobody asked for.
func (a *attempt) plain(resp *http.Response) (io.Reader, error) {
	switch coding := resp.Header.Get("Content-Encoding"); coding {
	case "", "identity":
		return resp.Body, nil
	case "gzip":
		z, err := gzip.NewReader(resp.Body)
		if err != nil {
			return nil, a.bad("it said gzip but sent something else", err)
		}
		return z, nil
	default:
		return nil, a.bad("it compressed the answer with "+clip(coding, 40)+", which nobody asked for", nil)
	}
}

// peek returns the first byte that is not white space, 0 when there is none.
func (a *attempt) peek() (byte, error) {
	e := &a.events
	for {
		if i := bytes.IndexFunc(e.buf[e.start:e.end], notSpace); i >= 0 {
			return e.buf[e.start+i], nil
		}
		if e.eof {
			return 0, nil
		}
		if err := e.fill(); err != nil {
			return 0, err
		}
	}
}

func notSpace(r rune) bool { return r != ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\ufeff' }

// readWhole reads an answer that is one document.
func (a *attempt) readWhole() error {
	e := &a.events
	head := append([]byte(nil), e.buf[e.start:e.end]...)
	data := head
	if !e.eof {
		tail, err := io.ReadAll(io.LimitReader(e.r, maxWhole-int64(len(head))+1))
		if err != nil {
			return err
		}
		data = append(head, tail...)
	}
	if len(data) > maxWhole {
		return errLongStream
	}
	chunk, err := codec.DecodeChunk(data)
	if err != nil {
		return a.bad("its answer is not valid JSON", err)
	}
	if err := a.take(&chunk, data); errors.Is(err, errEnough) {
		return a.bad("its answer is longer than any may be", nil)
	} else if err != nil {
		return err
	}
	a.ended, a.done = true, true
	return a.conclude()
}
