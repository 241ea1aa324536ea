package upstream

import (
	"bytes"
	"errors"
	"io"
)

const (
	// maxLine bounds one line of a stream.
	maxLine = 1 << 20
	// keptLine bounds the buffers that are kept for reuse.
	keptLine = 64 << 10
)

var (
	errLongLine   = errors.New("a line of the stream is longer than 1 MiB")
	errLongStream = errors.New("the stream is longer than any answer")
)

// events reads the data of server-sent events, as the WHATWG standard defines
// them: lines end with LF or CRLF, a byte order mark and comments and other
// fields are skipped. Unlike a browser it hands out each data line at once,
// because all servers of this kind put a whole chunk in one line; who finds it
// incomplete asks for the rest of its event.
type events struct {
	r          io.Reader
	buf        []byte
	start, end int
	left       int64 // bytes that may still be read
	eof        bool
	first      bool
	joined     []byte
	reader     pauser // told before each read that may wait; may be nil
}

// pauser is told that what was read is used up.
type pauser interface{ pause() }

// reset prepares e to read from r at most limit bytes.
func (e *events) reset(r io.Reader, limit int64) {
	if e.buf == nil || cap(e.buf) > keptLine {
		e.buf = make([]byte, 8<<10)
	}
	if cap(e.joined) > keptLine {
		e.joined = nil
	}
	*e = events{r: r, buf: e.buf, left: limit, first: true, joined: e.joined[:0], reader: e.reader}
}

// line returns the next line without its end; it is valid until the next call.
// Behind the last line it returns io.EOF, or what broke the stream.
func (e *events) line() ([]byte, error) {
	scanned := e.start
	for {
		if i := bytes.IndexByte(e.buf[scanned:e.end], '\n'); i >= 0 {
			line := e.buf[e.start : scanned+i]
			e.start = scanned + i + 1
			return e.trim(line), nil
		}
		if e.eof {
			if e.start == e.end {
				return nil, io.EOF
			}
			line := e.buf[e.start:e.end]
			e.start = e.end
			return e.trim(line), nil
		}
		scanned = e.end - e.start // as an offset, for fill moves the bytes
		if err := e.fill(); err != nil {
			return nil, err
		}
		scanned += e.start
	}
}

func (e *events) trim(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if e.first {
		e.first = false
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	return line
}

// fill reads more bytes behind those not yet used.
func (e *events) fill() error {
	if e.start > 0 && (e.start == e.end || e.end == len(e.buf)) {
		e.end = copy(e.buf, e.buf[e.start:e.end])
		e.start = 0
	}
	if e.end == len(e.buf) {
		if len(e.buf) >= maxLine {
			return errLongLine
		}
		grown := make([]byte, 2*len(e.buf))
		copy(grown, e.buf)
		e.buf = grown
	}
	if e.reader != nil {
		e.reader.pause()
	}
	for range 100 {
		n, err := e.r.Read(e.buf[e.end:])
		e.end += n
		e.left -= int64(n)
		if e.left < 0 {
			return errLongStream
		}
		if err == io.EOF {
			e.eof = true
			return nil
		}
		if n > 0 {
			return nil // an error comes again with the next read
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// drop reads what is left of r, at most limit bytes, and forgets it.
func (e *events) drop(r io.Reader, limit int) {
	if e.buf == nil {
		e.buf = make([]byte, 8<<10)
	}
	for limit > 0 {
		n, err := r.Read(e.buf[:min(limit, len(e.buf))])
		if limit -= n; err != nil || n == 0 {
			return
		}
	}
}

// next returns the data of the next data line.
func (e *events) next() ([]byte, error) {
	for {
		line, err := e.line()
		if err != nil {
			return nil, err
		}
		if data, ok := dataOf(line); ok && len(data) > 0 {
			return data, nil
		}
	}
}

// rest joins data with the further data lines of its event, as the standard
// wants it. complete is false when the stream ended before the empty line that
// ends an event.
func (e *events) rest(data []byte) (joined []byte, complete bool) {
	e.joined = append(e.joined[:0], data...)
	for {
		line, err := e.line()
		if err != nil {
			return e.joined, false
		}
		if len(line) == 0 {
			return e.joined, true
		}
		if more, isData := dataOf(line); isData {
			e.joined = append(append(e.joined, '\n'), more...)
			if len(e.joined) > maxLine {
				return e.joined, true // too long for a chunk in any case
			}
		}
	}
}

// dataOf returns the value of a data field.
func dataOf(line []byte) ([]byte, bool) {
	if len(line) < 5 || string(line[:5]) != "data:" {
		return nil, len(line) == 4 && string(line) == "data"
	}
	line = line[5:]
	if len(line) > 0 && line[0] == ' ' {
		line = line[1:]
	}
	return line, true
}
