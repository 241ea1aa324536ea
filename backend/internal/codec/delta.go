package codec

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf8"
)

// DeltaToken takes the raw JSON string token (quotes and escapes included) of
// choices[0].delta.content out of one streamed chunk, without decoding,
// copying or allocating; raw is a part of chunk.
//
// ok means that chunk is one valid JSON document in which this token is all
// there is to know: a single choice with index 0, no finish reason, no usage,
// no error. Everything else (and every oddity: repeated or escaped or oddly
// cased keys, a token that is not valid UTF-8) is answered by ok == false and
// is for DecodeChunk. An empty content gives the token `""`.
func DeltaToken(chunk []byte) (raw []byte, ok bool) {
	start, end := deltaSpan(chunk)
	if start < 0 {
		return nil, false
	}
	return chunk[start:end], true
}

// DeltaScanner is DeltaToken for the chunks of one stream. Chunks of a stream
// differ in little but the token, so it remembers what stood before and behind
// the last one and compares whole blocks: if P+token+S was a valid chunk, so is
// P+token'+S for any string token'. The zero value is ready. Not for
// concurrent use.
type DeltaScanner struct {
	prefix, suffix []byte
}

// maxFrame bounds what a DeltaScanner remembers of a chunk.
const maxFrame = 4 << 10

// Reset forgets the last stream and keeps the buffers.
func (s *DeltaScanner) Reset() { s.prefix, s.suffix = s.prefix[:0], s.suffix[:0] }

// Token is DeltaToken.
func (s *DeltaScanner) Token(chunk []byte) (raw []byte, ok bool) {
	if n := len(s.prefix); n > 0 && bytes.HasPrefix(chunk, s.prefix) {
		if end := skipString(chunk, n); end > 0 && bytes.Equal(chunk[end:], s.suffix) && utf8.Valid(chunk[n:end]) {
			return chunk[n:end], true
		}
	}
	start, end := deltaSpan(chunk)
	if start < 0 {
		return nil, false
	}
	if len(chunk)-(end-start) <= maxFrame {
		s.prefix = append(s.prefix[:0], chunk[:start]...)
		s.suffix = append(s.suffix[:0], chunk[end:]...)
	}
	return chunk[start:end], true
}

// deltaSpan finds the token's place, start -1 when DeltaToken says no.
func deltaSpan(b []byte) (start, end int) {
	s := deltaScan{b: b, start: -1}
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '{' {
		return -1, -1
	}
	if i = s.object(i+1, levelTop); i < 0 || skipSpace(b, i) != len(b) {
		return -1, -1
	}
	if s.start < 0 || !utf8.Valid(b[s.start:s.end]) {
		return -1, -1
	}
	return s.start, s.end
}

// Levels of a chunk that the scan understands.
const (
	levelTop = iota
	levelChoice
	levelDelta
)

// deltaScan walks one chunk. seen has a bit per key of interest, so that a
// repeated one is left to the decoder.
type deltaScan struct {
	b          []byte
	start, end int
	seen       uint16
}

const (
	seenChoices = 1 << iota
	seenUsage
	seenError
	seenIndex
	seenDelta
	seenFinish
	seenContent
	seenChoiceUsage
	seenMessage
)

// object walks the members of the object whose first byte behind the brace is
// at i. It returns the index behind it, or -1.
func (s *deltaScan) object(i, level int) int {
	b := s.b
	if i = skipSpace(b, i); i < len(b) && b[i] == '}' {
		return i + 1
	}
	for {
		k := skipSpace(b, i)
		if i = plainKey(b, k); i < 0 {
			return -1
		}
		key := b[k+1 : i-1]
		if i = skipSpace(b, i); i >= len(b) || b[i] != ':' {
			return -1
		}
		if i = s.member(key, skipSpace(b, i+1), level); i < 0 {
			return -1
		}
		if i = skipSpace(b, i); i >= len(b) {
			return -1
		}
		switch b[i] {
		case ',':
			i++
		case '}':
			return i + 1
		default:
			return -1
		}
	}
}

// plainKey skips a key of plain ASCII without escapes; other keys might fold
// to one of interest and are left to the decoder.
func plainKey(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	for i++; len(b)-i >= 8; i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		q := x ^ ones*'"'
		s := x ^ ones*'\\'
		m := ((q-ones)&^q | (s-ones)&^s | (x-ones*0x20)&^x | x) & highs
		if m != 0 {
			i += bits.TrailingZeros64(m) >> 3
			if b[i] != '"' {
				return -1
			}
			return i + 1
		}
	}
	for ; i < len(b); i++ {
		c := b[i]
		if c == '"' {
			return i + 1
		}
		if c == '\\' || c < 0x20 || c >= 0x80 {
			return -1
		}
	}
	return -1
}

// member walks one value; i is its first byte.
func (s *deltaScan) member(key []byte, i, level int) int {
	b := s.b
	switch level {
	case levelTop:
		switch string(key) {
		case "choices":
			if !s.once(seenChoices) {
				return -1
			}
			return s.choices(i)
		case "usage":
			return s.null(seenUsage, i)
		case "error":
			return s.null(seenError, i)
		}
		if n := len(key); (n == 5 || n == 7) && folds(key, "choices", "usage", "error") {
			return -1
		}
	case levelChoice:
		switch string(key) {
		case "index":
			if !s.once(seenIndex) || i >= len(b) || b[i] != '0' || skipNumber(b, i) != i+1 {
				return -1
			}
			return i + 1
		case "delta":
			if !s.once(seenDelta) || i >= len(b) || b[i] != '{' {
				return -1
			}
			return s.object(i+1, levelDelta)
		case "finish_reason":
			if i+1 < len(b) && b[i] == '"' && b[i+1] == '"' && s.once(seenFinish) {
				return i + 2
			}
			return s.null(seenFinish, i)
		case "usage":
			return s.null(seenChoiceUsage, i)
		case "message":
			return s.null(seenMessage, i)
		}
		if folds(key, "index", "delta", "finish_reason", "usage", "message") {
			return -1
		}
	case levelDelta:
		if string(key) == "content" {
			if !s.once(seenContent) {
				return -1
			}
			s.start, s.end = i, skipString(b, i)
			return s.end
		}
		if folds(key, "content") {
			return -1
		}
	}
	if i < len(b) && b[i] == '"' { // what most values are
		return skipString(b, i)
	}
	return skipValue(b, i, MaxDepth-2*level-1)
}

// choices walks an array of exactly one choice.
func (s *deltaScan) choices(i int) int {
	b := s.b
	if i >= len(b) || b[i] != '[' {
		return -1
	}
	if i = skipSpace(b, i+1); i >= len(b) || b[i] != '{' {
		return -1
	}
	if i = s.object(i+1, levelChoice); i < 0 {
		return -1
	}
	if i = skipSpace(b, i); i >= len(b) || b[i] != ']' {
		return -1
	}
	return i + 1
}

// null accepts null, once.
func (s *deltaScan) null(bit uint16, i int) int {
	if !s.once(bit) {
		return -1
	}
	return skipWord(s.b, i, "null")
}

func (s *deltaScan) once(bit uint16) bool {
	if s.seen&bit != 0 {
		return false
	}
	s.seen |= bit
	return true
}

// folds reports whether key, in plain ASCII and not itself one of names, is one
// of them but for case. Decoders match keys without case, so "Content" is for
// them, not for the scan. Names are in lower case.
func folds(key []byte, names ...string) bool {
	for _, n := range names {
		if len(n) == len(key) && key[0]|0x20 == n[0] && strings.EqualFold(string(key), n) {
			return true
		}
	}
	return false
}
