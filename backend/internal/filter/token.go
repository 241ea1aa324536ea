package filter

import (
	"bytes"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// ErrToken: what was pushed is no JSON string token.
var ErrToken = errors.New("filter: not a JSON string token")

// decoder turns JSON string tokens into text. Characters that are split over
// tokens, as surrogate pairs or as bytes, wait for their other half.
type decoder struct {
	high    rune   // a high surrogate that waits for the low one
	partial []byte // the first bytes of a character
	join    []byte // scratch: partial and the token's bytes
}

func (d *decoder) reset() { d.high, d.partial = 0, d.partial[:0] }

// waiting reports whether a character is still incomplete.
func (d *decoder) waiting() bool { return d.high != 0 || len(d.partial) > 0 }

// decode appends the text of raw to dst. whole reports that raw holds exactly
// the appended text, in valid UTF-8, so that it may be passed on as it is.
func (d *decoder) decode(dst, raw []byte) (_ []byte, whole bool, err error) {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return dst, false, ErrToken
	}
	in := raw[1 : len(raw)-1]
	if !d.waiting() && bytes.IndexByte(in, '\\') < 0 && utf8.Valid(in) {
		return append(dst, in...), true, nil
	}
	whole = !d.waiting()
	if len(d.partial) > 0 {
		d.join = append(append(d.join[:0], d.partial...), in...)
		in, d.partial = d.join, d.partial[:0]
	}
	for i := 0; i < len(in); {
		if in[i] == '\\' {
			r, n := escape(in[i:])
			if n == 0 {
				return dst, false, ErrToken
			}
			i += n
			var ok bool
			dst, ok = d.rune(dst, r)
			whole = whole && ok
			continue
		}
		r, n := utf8.DecodeRune(in[i:])
		if r == utf8.RuneError && n == 1 {
			whole = false
			if !utf8.FullRune(in[i:]) {
				d.partial = append(d.partial[:0], in[i:]...)
				break
			}
		}
		if d.high != 0 {
			dst, d.high, whole = utf8.AppendRune(dst, utf8.RuneError), 0, false
		}
		dst = utf8.AppendRune(dst, r)
		i += n
	}
	return dst, whole && !d.waiting(), nil
}

// rune appends an escaped rune; ok is false when raw does not stand for what
// was appended.
func (d *decoder) rune(dst []byte, r rune) (_ []byte, ok bool) {
	if d.high != 0 {
		if p := utf16.DecodeRune(d.high, r); p != utf8.RuneError {
			d.high = 0
			return utf8.AppendRune(dst, p), true
		}
		dst, d.high = utf8.AppendRune(dst, utf8.RuneError), 0
		dst, _ = d.rune(dst, r)
		return dst, false
	}
	switch {
	case r >= 0xD800 && r < 0xDC00:
		d.high = r
		return dst, true
	case utf16.IsSurrogate(r):
		return utf8.AppendRune(dst, utf8.RuneError), false
	}
	return utf8.AppendRune(dst, r), true
}

// flush ends the text: halves that never met become U+FFFD.
func (d *decoder) flush(dst []byte) []byte {
	if d.waiting() {
		dst = utf8.AppendRune(dst, utf8.RuneError)
	}
	d.reset()
	return dst
}

// escape reads one escape sequence at the start of in; n 0: it is broken.
func escape(in []byte) (r rune, n int) {
	if len(in) < 2 {
		return 0, 0
	}
	switch in[1] {
	case '"', '\\', '/':
		return rune(in[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		if len(in) < 6 {
			return 0, 0
		}
		for _, c := range in[2:6] {
			switch {
			case c >= '0' && c <= '9':
				r = r<<4 | rune(c-'0')
			case c|0x20 >= 'a' && c|0x20 <= 'f':
				r = r<<4 | rune(c|0x20-'a'+10)
			default:
				return 0, 0
			}
		}
		return r, 6
	}
	return 0, 0
}

// AppendToken appends text, which must be valid UTF-8, as a JSON string token.
func AppendToken(dst []byte, text []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i, c := range text {
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	dst = append(dst, text[from:]...)
	return append(dst, '"')
}
