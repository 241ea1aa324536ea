package upstream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strings"
)

// frame is how a body is told from what follows it, and where in it we are.
type frame uint8

const (
	ended     frame = iota // read to its end
	counted                // left bytes to come
	unbounded              // up to the end of the connection
	sized                  // chunked, before the size of a chunk
	chunked                // left bytes of a chunk to come
	behind                 // behind a chunk's bytes, before its line end
	trailer                // behind the last chunk
)

const (
	maxHead      = 64 << 10 // bytes of an answer's header
	maxFields    = 64       // that are kept of it
	maxInterim   = 5        // answers of the kind 1xx before the real one
	maxChunk     = 1 << 40
	maxChunkLine = 4 << 10
)

// errNotHTTP is for everything that this client does not understand.
var errNotHTTP = errors.New("malformed HTTP response")

// fields is a header whose memory is used again. One answer's header looks much
// like the last one's: what stands in the same place is not made anew.
type fields struct {
	h    http.Header
	vals [maxFields]string
	last [maxFields]field
	n    int
}

// field is a field as it came, and its canonical name.
type field struct{ name, key, value string }

// maxAlike bounds the values that are remembered.
const maxAlike = 128

func (f *fields) reset() {
	if f.h == nil {
		f.h = make(http.Header, 16)
	}
	clear(f.h)
	clear(f.vals[:f.n])
	f.n = 0
}

// add keeps a field, the first of its name.
func (f *fields) add(name, value []byte) {
	if f.n == maxFields {
		return // nothing that matters comes this late
	}
	last := &f.last[f.n]
	if string(name) != last.name {
		*last = field{name: string(name)}
		last.key = textproto.CanonicalMIMEHeaderKey(last.name)
	}
	if len(f.h[last.key]) > 0 {
		return // or twice
	}
	said := last.value
	if string(value) != said {
		said = string(value)
		if last.value = said; len(said) > maxAlike {
			last.value = ""
		}
	}
	f.vals[f.n] = said
	f.h[last.key] = f.vals[f.n : f.n+1 : f.n+1]
	f.n++
}

// answer reads status and header.
func (c *plainConn) answer(f *fields) error {
	budget := maxHead
	err := c.head(f, &budget)
	if err != nil && (budget < maxHead || c.r < c.w) { // it began, as something
		return fmt.Errorf("%w: %w", errNotHTTP, err)
	}
	return err
}

func (c *plainConn) head(f *fields, budget *int) error {
	for range maxInterim {
		f.reset()
		status, err := c.status(budget)
		if err != nil {
			return err
		}
		if err := c.header(f, budget); err != nil {
			return err
		}
		if status >= 200 {
			c.resp.StatusCode, c.resp.Header = status, f.h
			if status == http.StatusNoContent || status == http.StatusNotModified {
				c.state = ended
			}
			return nil
		}
		if status == http.StatusSwitchingProtocols {
			break
		}
	}
	return errNotHTTP
}

// status reads the first line.
func (c *plainConn) status(budget *int) (int, error) {
	line, err := c.line(budget)
	if err != nil {
		return 0, err
	}
	// HTTP/1.1 200 OK
	if len(line) < 12 || string(line[:7]) != "HTTP/1." || line[8] != ' ' || len(line) > 12 && line[12] != ' ' {
		return 0, errNotHTTP
	}
	n := 0
	for _, d := range line[9:12] {
		if d < '0' || d > '9' {
			return 0, errNotHTTP
		}
		n = 10*n + int(d-'0')
	}
	c.keep = line[7] == '1'
	if n < 100 || line[7] != '0' && line[7] != '1' {
		return 0, errNotHTTP
	}
	return n, nil
}

// header reads the fields and learns from them how the body is framed.
func (c *plainConn) header(f *fields, budget *int) error {
	c.state, c.left = unbounded, -1
	inChunks := false
	for {
		line, err := c.line(budget)
		if err != nil {
			return err
		}
		if len(line) == 0 {
			break
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || len(name) == 0 || bytes.ContainsAny(name, " \t") { // continued lines are not HTTP any more
			return errNotHTTP
		}
		value = bytes.Trim(value, " \t")
		switch {
		case is(name, "transfer-encoding"):
			if inChunks || !is(value, "chunked") {
				return errNotHTTP
			}
			inChunks = true
		case is(name, "content-length"):
			n, ok := decimal(value)
			if !ok || c.left >= 0 && c.left != n {
				return errNotHTTP
			}
			c.left = n
		case is(name, "connection"):
			c.keep = c.keep && !bytes.Contains(bytes.ToLower(value), []byte("close"))
		case is(name, "date"), is(name, "server"):
			// Of no use to anybody, and one of them differs all the time.
		default:
			f.add(name, value)
		}
	}
	switch {
	case inChunks:
		c.keep = c.keep && c.left < 0 // both: somebody on the way may see another end (RFC 9112, 6.3)
		c.state = sized
	case c.left > 0:
		c.state = counted
	case c.left == 0:
		c.state = ended
	default:
		c.keep = false
	}
	return nil
}

func is(b []byte, lower string) bool {
	return len(b) == len(lower) && strings.EqualFold(string(b), lower)
}

func decimal(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 15 {
		return 0, false
	}
	var n int64
	for _, d := range b {
		if d < '0' || d > '9' {
			return 0, false
		}
		n = 10*n + int64(d-'0')
	}
	return n, true
}

// line returns the next line without its end; it is valid until the next read.
func (c *plainConn) line(budget *int) ([]byte, error) {
	seen := 0
	for {
		if i := bytes.IndexByte(c.buf[c.r+seen:c.w], '\n'); i >= 0 {
			line := c.buf[c.r : c.r+seen+i]
			c.r += seen + i + 1
			if *budget -= len(line) + 1; *budget < 0 {
				return nil, errNotHTTP
			}
			return bytes.TrimSuffix(line, []byte("\r")), nil
		}
		if seen = c.w - c.r; seen > *budget {
			return nil, errNotHTTP
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

// fill reads more behind what is not used yet.
func (c *plainConn) fill() error {
	if c.r == c.w {
		c.r, c.w = 0, 0
	} else if c.w == len(c.buf) {
		if c.r > 0 {
			c.w = copy(c.buf, c.buf[c.r:c.w])
			c.r = 0
		} else {
			c.buf = append(c.buf, make([]byte, len(c.buf))...) // line bounds this
		}
	}
	n, err := c.nc.Read(c.buf[c.w:])
	c.w += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// Read implements io.Reader for the answer's body. It hands out what is here
// before it waits for more, and never waits once it has something.
func (c *plainConn) Read(p []byte) (n int, err error) {
	for n < len(p) && c.state != ended {
		if c.state == unbounded || c.state == counted || c.state == chunked {
			if c.r < c.w {
				n += c.take(p[n:])
				continue
			}
			if n > 0 {
				return n, nil
			}
			if err := c.more(); err != nil {
				return 0, err
			}
			continue
		}
		if n > 0 && bytes.IndexByte(c.buf[c.r:c.w], '\n') < 0 {
			return n, nil // between chunks, and the next one is not here yet
		}
		if err := c.between(); err != nil {
			return n, err
		}
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// more waits for bytes of the body.
func (c *plainConn) more() error {
	err := c.fill()
	if err == io.EOF {
		if c.state == unbounded {
			c.state = ended
			return nil
		}
		return io.ErrUnexpectedEOF
	}
	return err
}

// take copies what is here of the body.
func (c *plainConn) take(p []byte) int {
	from := c.buf[c.r:c.w]
	if c.state != unbounded && int64(len(from)) > c.left {
		from = from[:c.left]
	}
	n := copy(p, from)
	c.r += n
	if c.state == unbounded {
		return n
	}
	if c.left -= int64(n); c.left == 0 {
		if c.state == counted {
			c.state = ended
		} else {
			c.state = behind
		}
	}
	return n
}

// between reads one line between chunks, or behind the last one.
func (c *plainConn) between() error {
	budget := maxChunkLine
	line, err := c.line(&budget)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	switch c.state {
	case behind:
		if len(line) > 0 {
			return errNotHTTP
		}
		c.state = sized
	case sized:
		size, ok := hexadecimal(line)
		if !ok {
			return errNotHTTP
		}
		if c.left, c.state = size, chunked; size == 0 {
			c.state = trailer
		}
	case trailer:
		if len(line) == 0 {
			c.state = ended
		}
	}
	return nil
}

// hexadecimal reads a chunk's size; extensions behind a semicolon are skipped.
func hexadecimal(line []byte) (int64, bool) {
	line, _, _ = bytes.Cut(line, []byte(";"))
	line = bytes.TrimRight(line, " \t")
	if len(line) == 0 {
		return 0, false
	}
	var n int64
	for _, d := range line {
		switch {
		case d >= '0' && d <= '9':
			d -= '0'
		case d|0x20 >= 'a' && d|0x20 <= 'f':
			d = d | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		if n = n<<4 | int64(d); n > maxChunk {
			return 0, false
		}
	}
	return n, true
}
