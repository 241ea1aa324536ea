package logs

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

const stars = "***"

// redactor removes secrets from lines: known ones by their text, others by
// their shape.
type redactor struct {
	known  atomic.Pointer[strings.Replacer]
	values atomic.Pointer[map[string]bool]
	shapes []shape
}

// shape is a form that secrets have. gate is a text without which the pattern
// cannot match, so that ordinary lines cost one search.
type shape struct {
	gates   []string // in lower case; any of them
	pattern *regexp.Regexp
	with    string
}

func newRedactor() *redactor {
	return &redactor{shapes: []shape{
		{[]string{"bearer", "basic"}, regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}`), "$1 " + stars},
		{[]string{"sk-", "pk-", "rk-"}, regexp.MustCompile(`\b([sprk]k-)[A-Za-z0-9_-]{6,}`), "${1}" + stars},
		{[]string{"gsk_", "xai-", "hf_", "ghp_"}, regexp.MustCompile(`\b(gsk_|xai-|hf_|ghp_)[A-Za-z0-9_-]{10,}`), "${1}" + stars},
		{[]string{"aiza", "akia"}, regexp.MustCompile(`\b(AIza|AKIA)[A-Za-z0-9_-]{12,}`), "${1}" + stars},
		{[]string{"eyj"}, regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(\.[A-Za-z0-9_-]*)?`), stars},
		{[]string{"://"}, regexp.MustCompile(`(://[^/\s:@"]*):[^/\s"]*@`), "$1:" + stars + "@"},
		{
			[]string{"key", "token", "secret", "passw", "passphrase", "authorization", "cookie"},
			regexp.MustCompile(`(?i)\b((?:[a-z0-9]+[_-])*(?:api[_-]?key|token|secret|password|passwd|passphrase|authorization|cookie|set-cookie))(["']?\s*[=:]\s*["']?)[^\s"'&,;]{4,}`),
			"$1$2" + stars,
		},
	}}
}

func (r *redactor) hide(values []string) {
	for {
		old := r.values.Load()
		all := map[string]bool{}
		if old != nil {
			all = maps.Clone(*old)
		}
		for _, v := range values {
			if len(v) >= 8 && len(all) < 1000 {
				all[v] = true
			}
		}
		if !r.values.CompareAndSwap(old, &all) {
			continue
		}
		var pairs []string
		for _, v := range slices.SortedFunc(maps.Keys(all), func(a, b string) int { return len(b) - len(a) }) {
			pairs = append(pairs, v, stars)
		}
		r.known.Store(strings.NewReplacer(pairs...))
		return
	}
}

// text redacts free text and makes it one line.
func (r *redactor) text(s string) string {
	if known := r.known.Load(); known != nil {
		s = known.Replace(s)
	}
	low := strings.ToLower(s)
	for _, sh := range r.shapes {
		if slices.ContainsFunc(sh.gates, func(g string) bool { return strings.Contains(low, g) }) {
			s = sh.pattern.ReplaceAllString(s, sh.with)
		}
	}
	return clean(s)
}

// value redacts an attribute: whole where its name says that it is a secret.
func (r *redactor) value(key, v string) string {
	if v != "" && secretName(key) {
		return stars
	}
	return r.text(v)
}

// secretName reports whether an attribute of this name is a secret. "key" is
// the name of a key and "tokens" a number, so neither is.
func secretName(key string) bool {
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		key = key[i+1:]
	}
	switch strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(key)) {
	case "password", "passwd", "passphrase", "secret", "token", "apikey", "authorization", "cookie", "setcookie", "identitysecret", "ticket":
		return true
	}
	return false
}

// clean makes text safe for a terminal and for one line: control characters,
// line and paragraph separators and directional overrides are written out, and
// bytes that are no UTF-8 become U+FFFD.
func clean(s string) string {
	safe := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c >= 0x7f {
			safe = false
			break
		}
	}
	if safe {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		c, size := utf8.DecodeRuneInString(s[i:])
		i += size
		switch {
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == 0x1b:
			b.WriteString(`\e`)
		case hostile(c):
			const hex = "0123456789abcdef"
			b.WriteString(`\u`)
			for shift := 12; shift >= 0; shift -= 4 {
				b.WriteByte(hex[c>>shift&15])
			}
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

func hostile(c rune) bool {
	return unicode.IsControl(c) || c == 0x2028 || c == 0x2029 || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 || c == 0x200e || c == 0x200f || c == 0xfeff
}
