package settings

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// rule says what a leaf may hold. check gets the leaf's Go value (string, int,
// float64, bool, time.Duration, []string, ...) and returns the value to store,
// which may be a cleaned form of it, or a refusal.
type rule struct {
	allowed string   // in words
	options []string // closed list, for menus
	min     *float64 // numbers; durations in seconds
	max     *float64
	check   func(v any) (any, error)
}

// refusal is a rule's error: what is wrong and, where known, what was meant.
type refusal struct{ message, suggest string }

func (r *refusal) Error() string { return r.message }

func refuse(message string) error { return &refusal{message: message} }

func oneOf(options ...string) rule {
	return rule{
		allowed: strings.Join(options, ", "), options: options,
		check: func(v any) (any, error) {
			for _, o := range options {
				if strings.EqualFold(strings.TrimSpace(v.(string)), o) {
					return o, nil
				}
			}
			return nil, &refusal{"is not one of the choices", nearest(v.(string), options)}
		},
	}
}

func between(lo, hi float64) rule {
	return rule{
		allowed: fmt.Sprintf("%s to %s", number(lo), number(hi)), min: &lo, max: &hi,
		check: func(v any) (any, error) {
			var f float64
			switch n := v.(type) {
			case int:
				f = float64(n)
			case float64:
				f = n
			}
			if math.IsNaN(f) || f < lo || f > hi {
				return nil, refuse("is out of range")
			}
			return v, nil
		},
	}
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func lasting(lo, hi time.Duration) rule {
	a, b := lo.Seconds(), hi.Seconds()
	return rule{
		allowed: fmt.Sprintf("%s to %s", durationText(lo), durationText(hi)), min: &a, max: &b,
		check: func(v any) (any, error) {
			if d := v.(time.Duration); d < lo || d > hi {
				return nil, refuse("is out of range")
			}
			return v, nil
		},
	}
}

func text(maxRunes int) rule {
	return rule{
		allowed: fmt.Sprintf("at most %d characters", maxRunes),
		check: func(v any) (any, error) {
			s := v.(string)
			if !utf8.ValidString(s) {
				return nil, refuse("is not valid UTF-8")
			}
			if utf8.RuneCountInString(s) > maxRunes {
				return nil, refuse("is too long")
			}
			if strings.ContainsRune(s, 0) {
				return nil, refuse("contains a zero byte")
			}
			return s, nil
		},
	}
}

// word is text without line ends, trimmed.
func word(maxRunes int) rule {
	r := text(maxRunes)
	inner := r.check
	r.check = func(v any) (any, error) {
		s := strings.TrimSpace(v.(string))
		if strings.ContainsAny(s, "\r\n\x1b") {
			return nil, refuse("contains a line end or a control character")
		}
		return inner(s)
	}
	return r
}

// secretText is a credential: cleaned of what pasting adds.
func secretText(maxBytes int) rule {
	return rule{
		allowed: fmt.Sprintf("at most %d bytes", maxBytes),
		check: func(v any) (any, error) {
			s := clean(string(v.(Secret)))
			if len(s) > maxBytes {
				return nil, refuse("is too long")
			}
			return Secret(s), nil
		},
	}
}

// passText is a secret in which blanks mean something.
func passText(minRunes int) rule {
	return rule{
		allowed: fmt.Sprintf("empty, or %d to 256 characters", minRunes),
		check: func(v any) (any, error) {
			s := strings.TrimRight(string(v.(Secret)), "\r\n")
			if n := utf8.RuneCountInString(s); n > 0 && (n < minRunes || n > 256) {
				return nil, refuse(fmt.Sprintf("has %d characters", n))
			}
			return Secret(s), nil
		},
	}
}

func address() rule {
	return rule{
		allowed: `host:port, for example "127.0.0.1:8787"; ":8787" for every interface; port 0 picks a free one`,
		check: func(v any) (any, error) {
			s := strings.TrimSpace(v.(string))
			host, port, err := net.SplitHostPort(s)
			if err != nil {
				if _, perr := strconv.ParseUint(s, 10, 16); perr == nil {
					return nil, &refusal{"has no host", "127.0.0.1:" + s}
				}
				return nil, refuse("is not host:port")
			}
			if _, err := strconv.ParseUint(port, 10, 16); err != nil {
				return nil, refuse("has a port that is not a number from 0 to 65535")
			}
			if strings.ContainsAny(host, "/ @?#") {
				return nil, refuse("has a host that is not a name or an IP address")
			}
			return s, nil
		},
	}
}

// webURL is an http or https URL or empty; a trailing slash is dropped.
func webURL(schemes ...string) rule {
	if len(schemes) == 0 {
		schemes = []string{"https", "http"}
	}
	return rule{
		allowed: "empty, or a URL that begins with " + strings.Join(schemes, ":// or ") + "://",
		check: func(v any) (any, error) {
			s := strings.TrimSpace(v.(string))
			if s == "" {
				return "", nil
			}
			if _, err := parseURL(s, schemes); err != nil {
				return nil, err
			}
			return strings.TrimRight(s, "/"), nil
		},
	}
}

func parseURL(s string, schemes []string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, refuse("is not a URL")
	}
	known := false
	for _, sc := range schemes {
		known = known || strings.EqualFold(u.Scheme, sc)
	}
	switch {
	case !strings.Contains(s, "://"):
		return nil, &refusal{"has no scheme", schemes[0] + "://" + s}
	case !known:
		return nil, refuse("has an unknown scheme")
	case u.Hostname() == "":
		return nil, refuse("has no host")
	case u.Fragment != "":
		return nil, refuse("has a fragment")
	}
	if p := u.Port(); p != "" {
		if _, err := strconv.ParseUint(p, 10, 16); err != nil {
			return nil, refuse("has a port out of range")
		}
	}
	return u, nil
}

var versionSegment = regexp.MustCompile(`^v\d+[a-z0-9]*$`)

// baseURL is where an OpenAI-compatible API begins. The endpoint's own path,
// which people paste along, is dropped.
func baseURL() rule {
	return rule{
		allowed: `empty, or a URL that ends in the API's version, for example "https://api.openai.com/v1"`,
		check: func(v any) (any, error) {
			s := clean(v.(string))
			if s == "" {
				return "", nil
			}
			for _, tail := range []string{"/chat/completions", "/models", "/completions"} {
				s = strings.TrimSuffix(strings.TrimRight(s, "/"), tail)
			}
			u, err := parseURL(s, []string{"https", "http"})
			if err != nil {
				return nil, err
			}
			if u.User != nil {
				return nil, refuse("carries a credential; put it into [[upstream.keys]]")
			}
			for _, seg := range strings.Split(u.Path, "/") {
				if versionSegment.MatchString(seg) || seg == "openai" {
					return s, nil
				}
			}
			return nil, &refusal{"does not end in /v1", s + "/v1"}
		},
	}
}

// each applies a rule to every element of a list of at most n.
func each(n int, r rule) rule {
	out := rule{allowed: fmt.Sprintf("a list of at most %d, each: %s", n, r.allowed), options: r.options}
	out.check = func(v any) (any, error) {
		in := v.([]string)
		if len(in) > n {
			return nil, refuse(fmt.Sprintf("has %d entries", len(in)))
		}
		res := make([]string, 0, len(in))
		for i, s := range in {
			c, err := r.check(s)
			if err != nil {
				return nil, &element{i, s, err}
			}
			if c.(string) != "" {
				res = append(res, c.(string))
			}
		}
		return res, nil
	}
	return out
}

// element is a refusal of one entry of a list.
type element struct {
	index int
	value string
	err   error
}

func (e *element) Error() string { return fmt.Sprintf("entry %d: %v", e.index+1, e.err) }
func (e *element) Unwrap() error { return e.err }

func origin() rule {
	return rule{
		allowed: `"*", or a whole origin such as "https://shop.example" or "http://localhost:3000"`,
		check: func(v any) (any, error) {
			s := strings.ToLower(strings.TrimRight(strings.TrimSpace(v.(string)), "/"))
			if s == "*" {
				return s, nil
			}
			u, err := parseURL(s, []string{"https", "http"})
			if err != nil {
				return nil, err
			}
			if u.Path != "" || u.RawQuery != "" || u.User != nil {
				return nil, &refusal{"is a page, not an origin", u.Scheme + "://" + u.Host}
			}
			if strings.Contains(u.Host, "*") {
				return nil, refuse("has a wildcard within the host")
			}
			return s, nil
		},
	}
}

func prefix() rule {
	return rule{
		allowed: `an IP address or a range such as "10.0.0.0/8"`,
		check: func(v any) (any, error) {
			s := strings.TrimSpace(v.(string))
			if p, err := netip.ParsePrefix(s); err == nil {
				return p.Masked().String(), nil
			}
			if a, err := netip.ParseAddr(s); err == nil {
				return netip.PrefixFrom(a, a.BitLen()).String(), nil
			}
			return nil, refuse("is not an address range")
		},
	}
}

func hostName() rule {
	return rule{
		allowed: `a host name or an IP address, without scheme and port, or "*" for any`,
		check: func(v any) (any, error) {
			s := strings.ToLower(strings.TrimSpace(v.(string)))
			if s == "*" {
				return s, nil
			}
			if _, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
				return strings.Trim(s, "[]"), nil
			}
			if s == "" || len(s) > 253 || strings.ContainsAny(s, ":/ @*") {
				return nil, refuse("is not a host name")
			}
			return s, nil
		},
	}
}
