package codec

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string token. It escapes what JSON demands
// and U+2028 and U+2029, which end a line in old JavaScript; HTML characters
// stay. Invalid UTF-8 becomes U+FFFD, a replacement per byte.
func AppendString(dst []byte, s string) []byte {
	return append(AppendInner(append(dst, '"'), s), '"')
}

// AppendInner is AppendString without the quotes, to build one token of
// several texts.
func AppendInner(dst []byte, s string) []byte {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			dst = append(dst, s[from:i]...)
			dst = appendEscape(dst, c)
			i++
			from = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			dst = append(append(dst, s[from:i]...), "\uFFFD"...)
			from = i + n
		case r == '\u2028' || r == '\u2029':
			dst = append(append(dst, s[from:i]...), '\\', 'u', '2', '0', '2', hexDigits[r&0xf])
			from = i + n
		}
		i += n
	}
	return append(dst, s[from:]...)
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
}

// AppendInt appends n in decimal.
func AppendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }

// AppendBool appends true or false.
func AppendBool(dst []byte, v bool) []byte { return strconv.AppendBool(dst, v) }

// AppendFloat appends f in its shortest form; JSON has no NaN and no infinity,
// they become null.
func AppendFloat(dst []byte, f float64) []byte {
	if f-f != 0 {
		return append(dst, "null"...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

// ValidToken reports whether raw is exactly one JSON string token of valid
// UTF-8, which may go into a text frame as it is.
func ValidToken(raw []byte) bool {
	return skipString(raw, 0) == len(raw) && utf8.Valid(raw)
}

// Unquote decodes a raw JSON string token. Lone surrogates and invalid UTF-8
// become U+FFFD, as in encoding/json.
func Unquote(raw []byte) (string, error) {
	b, err := AppendUnquote(nil, raw)
	return string(b), err
}

// AppendUnquote appends the text of a raw JSON string token; on an error dst
// is returned as it was. A surrogate pair that an upstream split over two
// tokens cannot be joined here: join the tokens first (JoinTokens).
func AppendUnquote(dst, raw []byte) ([]byte, error) {
	if len(raw) < 2 || skipString(raw, 0) != len(raw) {
		return dst, fmt.Errorf("unquote %.20q: %w", raw, ErrInvalid)
	}
	b := raw[1 : len(raw)-1]
	for i := 0; i < len(b); {
		c := b[i]
		switch {
		case c == '\\':
			dst, i = appendUnescaped(dst, b, i+1)
		case c < utf8.RuneSelf:
			dst = append(dst, c)
			i++
		default:
			r, n := utf8.DecodeRune(b[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
		}
	}
	return dst, nil
}

// appendUnescaped decodes the valid escape whose letter is at i.
func appendUnescaped(dst, b []byte, i int) ([]byte, int) {
	switch c := b[i]; c {
	case 'b':
		return append(dst, '\b'), i + 1
	case 'f':
		return append(dst, '\f'), i + 1
	case 'n':
		return append(dst, '\n'), i + 1
	case 'r':
		return append(dst, '\r'), i + 1
	case 't':
		return append(dst, '\t'), i + 1
	case 'u':
		r, _ := hex4(b, i+1)
		i += 5
		if !utf16.IsSurrogate(r) {
			return utf8.AppendRune(dst, r), i
		}
		if len(b)-i >= 6 && b[i] == '\\' && b[i+1] == 'u' {
			if low, ok := hex4(b, i+2); ok {
				if full := utf16.DecodeRune(r, low); full != utf8.RuneError {
					return utf8.AppendRune(dst, full), i + 6
				}
			}
		}
		return utf8.AppendRune(dst, utf8.RuneError), i
	default: // quote, backslash, slash
		return append(dst, c), i + 1
	}
}

// JoinTokens appends one token that says what the raw tokens say one after the
// other. Each must be a valid token.
func JoinTokens(dst []byte, raws ...[]byte) []byte {
	dst = append(dst, '"')
	for _, r := range raws {
		dst = append(dst, r[1:len(r)-1]...)
	}
	return append(dst, '"')
}

// OpenTail returns how many bytes at the end of a raw token's text, before the
// closing quote, are the escaped first half of a surrogate pair; 0 or 6. Some
// upstreams cut a character such as an emoji between two tokens; whoever decodes
// tokens one by one must move this half to the beginning of the next.
func OpenTail(raw []byte) int {
	n := len(raw) - 1 // of the closing quote
	if n < 7 || raw[n-6] != '\\' || raw[n-5] != 'u' || raw[n-4]|0x20 != 'd' {
		return 0
	}
	if c := raw[n-3] | 0x20; c != '8'|0x20 && c != '9'|0x20 && c != 'a' && c != 'b' {
		return 0
	}
	escapes := 0 // an even number of backslashes before it: its own is an escape
	for i := n - 7; i > 0 && raw[i] == '\\'; i-- {
		escapes++
	}
	if escapes%2 != 0 {
		return 0
	}
	return 6
}
