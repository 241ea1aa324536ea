package codec

import (
	"errors"
	"fmt"
	"unicode/utf8"

	jsoniter "github.com/json-iterator/go"
)

const (
	// MaxDepth is how deep arrays and objects may nest in what Decode accepts.
	MaxDepth = 64
	// MaxSize is how many bytes Decode accepts: 8 MiB.
	MaxSize = 8 << 20
)

// Errors of Decode that code may branch on.
var (
	ErrTooLarge = errors.New("JSON document is too large")
	ErrInvalid  = errors.New("invalid JSON")
)

// api is json-iterator as encoding/json would behave for structs, less the
// HTML escaping, which costs time and which no reader of ours needs. Frozen
// configurations are immutable and safe for concurrent use.
var api = jsoniter.Config{
	EscapeHTML:             false,
	SortMapKeys:            true,
	ValidateJsonRawMessage: true,
}.Froze()

// Decode parses one JSON document into v, at most MaxSize bytes and MaxDepth
// levels. Unknown keys are ignored; of repeated keys one wins, which one is not
// said. It refuses what encoding/json refuses. Invalid UTF-8 inside strings is
// passed on as it is: check Valid where that matters. On a type mismatch v may
// be partly filled.
func Decode[T any](data []byte, v *T) error {
	if len(data) > MaxSize {
		return fmt.Errorf("decode %d bytes: %w", len(data), ErrTooLarge)
	}
	if !ValidJSON(data) {
		return fmt.Errorf("decode %T: %w", v, ErrInvalid)
	}
	if err := api.Unmarshal(data, v); err != nil {
		return fmt.Errorf("decode %T: %w", v, err)
	}
	return nil
}

// Encode writes v as JSON, map keys sorted, HTML characters as they are,
// always valid UTF-8. Like json-iterator it does not know the tag option
// omitzero.
func Encode(v any) ([]byte, error) {
	b, err := api.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	if !utf8.Valid(b) {
		b = replaceInvalid(b)
	}
	return b, nil
}

// replaceInvalid gives each invalid byte its own U+FFFD, as encoding/json does.
func replaceInvalid(b []byte) []byte {
	out := make([]byte, 0, len(b)+16)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			out = append(out, "\uFFFD"...)
		} else {
			out = append(out, b[:n]...)
		}
		b = b[n:]
	}
	return out
}

// ValidUTF8 reports whether an inbound frame is text that may be stored and
// passed on.
func ValidUTF8(b []byte) bool { return utf8.Valid(b) }

// ValidJSON reports whether data is exactly one JSON value as RFC 8259 has it,
// nested at most MaxDepth deep, with nothing but white space around it.
func ValidJSON(data []byte) bool {
	i := skipValue(data, skipSpace(data, 0), MaxDepth)
	return i >= 0 && skipSpace(data, i) == len(data)
}
