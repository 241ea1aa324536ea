package settings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // Windows has no zone database of its own
)

// clock is a time of day, or empty.
func clock() rule {
	return rule{
		allowed: `empty, or a time of day such as "09:30"`,
		check: func(v any) (any, error) {
			s := strings.TrimSpace(v.(string))
			if s == "" || s == "24:00" {
				return s, nil
			}
			t, err := time.Parse("15:04", s)
			if err != nil {
				return nil, refuse("is not a time of day")
			}
			return t.Format("15:04"), nil
		},
	}
}

func date() rule {
	return rule{
		allowed: `a date such as "2026-12-25"`,
		check: func(v any) (any, error) {
			s := strings.TrimSpace(v.(string))
			if _, err := time.Parse(time.DateOnly, s); err != nil {
				return nil, refuse("is not a date")
			}
			return s, nil
		},
	}
}

func zone() rule {
	return rule{
		allowed: `empty for the machine's zone, or an IANA name such as "Asia/Shanghai"`,
		check: func(v any) (any, error) {
			s := strings.TrimSpace(v.(string))
			if s == "" {
				return s, nil
			}
			if _, err := time.LoadLocation(s); err != nil {
				return nil, refuse("is not a known time zone")
			}
			return s, nil
		},
	}
}

func locale() rule {
	form := regexp.MustCompile(`^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8}){0,3}$`)
	return rule{
		allowed: `a language tag such as "en", "zh-CN" or "pt-BR"`,
		check: func(v any) (any, error) {
			s := strings.ReplaceAll(strings.TrimSpace(v.(string)), "_", "-")
			if !form.MatchString(s) {
				return nil, refuse("is not a language tag")
			}
			return s, nil
		},
	}
}

// pattern is an RE2 expression of bounded length.
func pattern() rule {
	return rule{
		allowed: "an RE2 expression of at most 1000 bytes",
		check: func(v any) (any, error) {
			s := v.(string)
			if len(s) > 1000 {
				return nil, refuse("is too long")
			}
			re, err := regexp.Compile(s)
			if err != nil {
				return nil, refuse("does not compile: " + strings.TrimPrefix(err.Error(), "error parsing regexp: "))
			}
			if re.MatchString("") {
				return nil, refuse("matches the empty text, and so every message")
			}
			return s, nil
		},
	}
}

func mediaType() rule {
	return rule{
		allowed: `a media type such as "image/png" or "image/*"`,
		check: func(v any) (any, error) {
			s := strings.ToLower(strings.TrimSpace(v.(string)))
			if _, _, err := mime.ParseMediaType(s); err != nil || strings.Count(s, "/") != 1 {
				return nil, refuse("is not a media type")
			}
			return s, nil
		},
	}
}

func currency() rule {
	form := regexp.MustCompile(`^[A-Z]{3}$`)
	return rule{
		allowed: `three letters such as "USD", "EUR" or "CNY"`,
		check: func(v any) (any, error) {
			s := strings.ToUpper(strings.TrimSpace(v.(string)))
			if !form.MatchString(s) {
				return nil, refuse("is not a currency code")
			}
			return s, nil
		},
	}
}

// clickhouseURL may carry a password, so refusals never quote it.
func clickhouseURL() rule {
	return rule{
		allowed: "empty, or clickhouse://user:password@host:9000/database",
		check: func(v any) (any, error) {
			s := clean(string(v.(Secret)))
			if s == "" {
				return Secret(""), nil
			}
			u, err := url.Parse(s)
			if err != nil || u.Hostname() == "" {
				return nil, refuse("is not a URL")
			}
			switch u.Scheme {
			case "clickhouse", "clickhouses", "tcp", "http", "https":
				return Secret(s), nil
			}
			return nil, refuse("has an unknown scheme")
		},
	}
}

func identifier() rule {
	form := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)
	return rule{
		allowed: "letters, digits and _, beginning with a letter",
		check: func(v any) (any, error) {
			if !form.MatchString(v.(string)) {
				return nil, refuse("is not a plain name")
			}
			return v, nil
		},
	}
}

// object is a JSON object of bounded size.
func object(maxBytes int) rule {
	return rule{
		allowed: fmt.Sprintf("a JSON object of at most %d bytes", maxBytes),
		check: func(v any) (any, error) {
			raw := v.(json.RawMessage)
			var buf bytes.Buffer
			if err := json.Compact(&buf, raw); err != nil {
				return nil, refuse("is not valid JSON")
			}
			if buf.Len() > maxBytes {
				return nil, refuse("is too large")
			}
			if b := buf.Bytes(); len(b) == 0 || b[0] != '{' {
				return nil, refuse("is not an object")
			}
			return json.RawMessage(buf.Bytes()), nil
		},
	}
}

// anything allows every value of the leaf's type.
func anything(allowed string) rule {
	return rule{allowed: allowed, check: func(v any) (any, error) { return v, nil }}
}

func yesNo() rule {
	r := anything("true, false")
	return r
}

// durationText prints a duration without the zero parts that time.Duration
// prints: "24h", "1m30s", "15s".
func durationText(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
