package codec

// Closing is what a chunk says that carries no text: how the answer ended, and
// what it cost in tokens.
type Closing struct {
	Choice   bool   // there is a choice
	Finish   string // its finish reason; "": none yet
	Usage    Tokens
	HasUsage bool
}

// closingDepth bounds the nesting of what is skipped.
const closingDepth = 32

// ClosingReader reads such chunks. The zero value is ready; one goroutine uses
// it at a time. Its methods return the index behind what they read, or -1 for
// everything that is not theirs.
type ClosingReader struct {
	b    []byte
	c    Closing
	seen uint32 // names that were read already, one bit each
}

// Read reads a chunk without taking memory, ok false for whatever it does not
// know to the letter: text, tools, errors, further choices, names or numbers
// written in an unusual way. DecodeChunk reads those. Where it is ok, it says
// what DecodeChunk would.
func (r *ClosingReader) Read(data []byte) (c Closing, ok bool) {
	r.b, r.c, r.seen = data, Closing{}, 0
	end := r.object(skipSpace(data, 0), (*ClosingReader).top)
	r.b = nil
	if end < 0 || skipSpace(data, end) != len(data) {
		return Closing{}, false
	}
	return r.c, true
}

// object reads the fields of an object, whose brace is at i; each names a field
// and stands in front of its value.
func (r *ClosingReader) object(i int, each func(r *ClosingReader, name []byte, i int) int) int {
	if i >= len(r.b) || r.b[i] != '{' {
		return -1
	}
	if i = skipSpace(r.b, i+1); i < len(r.b) && r.b[i] == '}' {
		return i + 1
	}
	for {
		start := skipSpace(r.b, i)
		if i = skipString(r.b, start); i < 0 {
			return -1
		}
		name := r.b[start+1 : i-1]
		if i = skipSpace(r.b, i); i >= len(r.b) || r.b[i] != ':' {
			return -1
		}
		if i = each(r, name, skipSpace(r.b, i+1)); i < 0 {
			return -1
		}
		if i = skipSpace(r.b, i); i >= len(r.b) {
			return -1
		}
		switch r.b[i] {
		case ',':
			i++
		case '}':
			return i + 1
		default:
			return -1
		}
	}
}

// once reports whether a name comes for the first time; of names that come
// twice the last would count.
func (r *ClosingReader) once(bit uint) bool {
	was := r.seen & (1 << bit)
	r.seen |= 1 << bit
	return was == 0
}

func (r *ClosingReader) null(i int) int { return skipWord(r.b, i, "null") }

// other skips the value of a name that means nothing here, if it is plainly
// none of those that do.
func (r *ClosingReader) other(name []byte, i int) int {
	for _, c := range name {
		if (c < 'a' || c > 'z') && c != '_' && (c < '0' || c > '9') {
			return -1 // capitals, escapes: it may be read as a known name
		}
	}
	return skipValue(r.b, i, closingDepth)
}

func (r *ClosingReader) top(name []byte, i int) int {
	switch string(name) {
	case "choices":
		if !r.once(0) {
			return -1
		}
		return r.choices(i)
	case "usage":
		if !r.once(1) {
			return -1
		}
		return r.usage(i)
	case "error", "message":
		return r.null(i)
	case "model":
		if end := r.null(i); end >= 0 {
			return end
		}
		return skipString(r.b, i)
	}
	return r.other(name, i)
}

func (r *ClosingReader) choices(i int) int {
	if i >= len(r.b) || r.b[i] != '[' {
		return -1
	}
	if i = skipSpace(r.b, i+1); i < len(r.b) && r.b[i] == ']' {
		return i + 1
	}
	if i = r.object(i, (*ClosingReader).choice); i < 0 {
		return -1
	}
	r.c.Choice = true
	if i = skipSpace(r.b, i); i >= len(r.b) || r.b[i] != ']' {
		return -1
	}
	return i + 1
}

func (r *ClosingReader) choice(name []byte, i int) int {
	switch string(name) {
	case "index":
		if i >= len(r.b) || r.b[i] != '0' {
			return -1
		}
		return i + 1
	case "delta":
		if !r.once(2) {
			return -1
		}
		return r.object(i, (*ClosingReader).delta)
	case "finish_reason":
		if !r.once(3) {
			return -1
		}
		return r.finish(i)
	case "message", "usage":
		return r.null(i)
	}
	return r.other(name, i)
}

func (r *ClosingReader) delta(name []byte, i int) int {
	switch string(name) {
	case "content":
		if i+1 < len(r.b) && r.b[i] == '"' && r.b[i+1] == '"' {
			return i + 2
		}
		return r.null(i)
	case "refusal", "reasoning_content", "tool_calls":
		return r.null(i)
	}
	return r.other(name, i)
}

// finish reads a reason; the usual ones take no memory.
func (r *ClosingReader) finish(i int) int {
	if end := r.null(i); end >= 0 {
		return end
	}
	end := skipString(r.b, i)
	if end < 0 {
		return -1
	}
	said := r.b[i+1 : end-1]
	for _, c := range said {
		if c < 'a' || c > 'z' {
			if c != '_' {
				return -1
			}
		}
	}
	switch string(said) {
	case "stop":
		r.c.Finish = "stop"
	case "length":
		r.c.Finish = "length"
	case "content_filter":
		r.c.Finish = "content_filter"
	default:
		r.c.Finish = string(said)
	}
	return end
}

func (r *ClosingReader) usage(i int) int {
	if end := r.null(i); end >= 0 {
		return end
	}
	u := &r.c.Usage
	if i = r.object(i, (*ClosingReader).tokens); i < 0 {
		return -1
	}
	u.Cached = min(u.Cached, u.Prompt)
	r.c.HasUsage = u.Prompt+u.Completion > 0
	return i
}

func (r *ClosingReader) tokens(name []byte, i int) int {
	u := &r.c.Usage
	switch string(name) {
	case "prompt_tokens":
		return r.number(i, 4, &u.Prompt)
	case "completion_tokens":
		return r.number(i, 5, &u.Completion)
	case "prompt_cache_hit_tokens":
		return r.number(i, 6, &u.Cached)
	case "prompt_tokens_details":
		if end := r.null(i); end >= 0 {
			return end
		}
		if !r.once(7) {
			return -1
		}
		return r.object(i, (*ClosingReader).details)
	}
	return r.other(name, i)
}

func (r *ClosingReader) details(name []byte, i int) int {
	if string(name) != "cached_tokens" {
		return r.other(name, i)
	}
	var n int
	i = r.number(i, 8, &n)
	r.c.Usage.Cached = max(r.c.Usage.Cached, n)
	return i
}

// number reads a whole number of at most nine digits.
func (r *ClosingReader) number(i int, bit uint, n *int) int {
	if !r.once(bit) {
		return -1
	}
	end := skipDigits(r.b, i)
	if end < 0 || end-i > 9 || end-i > 1 && r.b[i] == '0' {
		return -1
	}
	if end < len(r.b) && (r.b[end] == '.' || r.b[end] == 'e' || r.b[end] == 'E') {
		return -1
	}
	v := 0
	for _, d := range r.b[i:end] {
		v = 10*v + int(d-'0')
	}
	*n = max(*n, v)
	return end
}
