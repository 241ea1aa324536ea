package settings

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
)

// hidden is what every printed form of a secret shows.
const hidden = "(hidden)"

// Secret is text that must not be seen: printing, formatting, logging and
// encoding it give "(hidden)", or nothing when it is empty. Reveal gives the
// text to the few places that need it.
type Secret string

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

// Set reports whether there is a secret at all.
func (s Secret) Set() bool { return s != "" }

// Last returns the last four characters, for recognising a key in a list, and
// nothing at all of a secret shorter than twelve.
func (s Secret) Last() string {
	if len(s) < 12 {
		return ""
	}
	return string(s[len(s)-4:])
}

func (s Secret) shown() string {
	if s == "" {
		return ""
	}
	return hidden
}

// String implements fmt.Stringer.
func (s Secret) String() string { return s.shown() }

// GoString implements fmt.GoStringer (%#v).
func (s Secret) GoString() string { return fmt.Sprintf("settings.Secret(%q)", s.shown()) }

// Format implements fmt.Formatter, so that no verb (%x among them) shows it.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('#') {
		fmt.Fprint(f, s.GoString())
		return
	}
	fmt.Fprint(f, s.shown())
}

// MarshalJSON implements json.Marshaler.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.shown()) }

// MarshalText implements encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.shown()), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.shown()) }

// clean removes what pasting adds to a credential: blanks and line ends around
// and within it, quotes around it, and the word "Bearer" before it.
func clean(s string) string {
	s = strings.TrimSpace(s)
	s = strings.Trim(s, "\"'`“”")
	if rest, ok := strings.CutPrefix(s, "Bearer "); ok {
		s = rest
	}
	return strings.Map(func(r rune) rune {
		switch r {
		case '\n', '\r', '\t', ' ', '\u00a0', '\u200b', '\ufeff':
			return -1
		}
		return r
	}, s)
}

var (
	_ fmt.Formatter  = Secret("")
	_ json.Marshaler = Secret("")
	_ slog.LogValuer = Secret("")
)
