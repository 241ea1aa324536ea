package keypool

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Limits is what one answer says about a key's allowances. A field that the
// upstream did not send, or sent as nonsense, is absent: limits and resets are
// 0, remaining counts are -1.
type Limits struct {
	Requests Allowance
	Tokens   Allowance
}

// Allowance is one dimension (requests or tokens) of Limits.
type Allowance struct {
	Limit     float64       // per period; 0: absent
	Remaining float64       // -1: absent
	Reset     time.Duration // until the allowance is full again; 0: absent
}

// maxAllowance is where a limit stops being believable: a billion a minute.
const maxAllowance = 1e9

// maxReset is where a reset stops being believable: the longest period that
// providers publish is a day.
const maxReset = 24 * time.Hour

// headerSet names the three headers of one allowance.
type headerSet struct{ limit, remaining, reset string }

// The first set of a list that is present wins. The names are those of OpenAI
// (https://platform.openai.com/docs/guides/rate-limits, used by Azure, Groq,
// vLLM proxies and most gateways), of Mistral, and the generic one of
// OpenRouter and of draft-ietf-httpapi-ratelimit-headers.
func requestHeaders() [4]headerSet {
	return [4]headerSet{
		{"X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests"},
		{"X-Ratelimit-Limit-Req-Minute", "X-Ratelimit-Remaining-Req-Minute", "X-Ratelimit-Reset-Req-Minute"},
		{"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset"},
		{"Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset"},
	}
}

func tokenHeaders() [3]headerSet {
	return [3]headerSet{
		{"X-Ratelimit-Limit-Tokens", "X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens"},
		{"X-Ratelimit-Limit-Tokens-Minute", "X-Ratelimit-Remaining-Tokens-Minute", "X-Ratelimit-Reset-Tokens-Minute"},
		{"Ratelimitbysize-Limit", "Ratelimitbysize-Remaining", "Ratelimitbysize-Reset"},
	}
}

// ParseLimits reads the rate limit headers of an answer that came at now. It
// accepts anything: what is malformed, negative or absurd counts as absent.
// A limit of 0 or less makes its whole allowance absent, because providers send
// -1 and 0 for "not tracked" (github.com/openai/openai-dotnet issue 838).
func ParseLimits(h http.Header, now time.Time) Limits {
	none := Allowance{Remaining: -1}
	out := Limits{Requests: none, Tokens: none}
	if len(h) == 0 {
		return out
	}
	for _, s := range requestHeaders() {
		if a, ok := parseAllowance(h, s, now); ok {
			out.Requests = a
			break
		}
	}
	for _, s := range tokenHeaders() {
		if a, ok := parseAllowance(h, s, now); ok {
			out.Tokens = a
			break
		}
	}
	return out
}

func parseAllowance(h http.Header, s headerSet, now time.Time) (Allowance, bool) {
	limit, okLimit := parseCount(h.Get(s.limit))
	remaining, okRemaining := parseCount(h.Get(s.remaining))
	if okLimit && limit <= 0 {
		return Allowance{}, false
	}
	if !okLimit {
		// A bare "remaining: 0" without a limit is the form in which some
		// routes say "not tracked"; a positive one is no use without a limit.
		return Allowance{}, false
	}
	a := Allowance{Limit: limit, Remaining: -1}
	if okRemaining && remaining >= 0 {
		a.Remaining = min(remaining, limit)
	}
	if d, ok := ParseWait(h.Get(s.reset), now); ok && d > 0 {
		a.Reset = min(d, maxReset)
	}
	return a, true
}

// parseCount reads a count. "100, 100;w=60" (the IETF draft's form) gives the
// first number.
func parseCount(s string) (float64, bool) {
	if i := strings.IndexAny(s, ",;"); i >= 0 {
		s = s[:i]
	}
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 24 {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) > maxAllowance {
		return 0, false
	}
	return f, true
}

// RetryAfter reads how long an answer that came at now asks to wait, 0 when it
// does not say. It knows Retry-After in seconds and as a date (RFC 9110,
// section 10.2.3) and the millisecond forms of OpenAI and Azure. The value is
// not capped: the caller decides what it believes.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	if len(h) == 0 {
		return 0
	}
	for _, name := range [2]string{"Retry-After-Ms", "X-Ms-Retry-After-Ms"} {
		if ms, ok := parseCount(h.Get(name)); ok && ms > 0 {
			return seconds(ms / 1000)
		}
	}
	if d, ok := ParseWait(h.Get("Retry-After"), now); ok && d > 0 {
		return d
	}
	return 0
}

// ParseWait reads a waiting time in any of the forms in use: seconds ("20",
// "1.5"), a duration ("6m0s", "20ms", "2m59.56s", "1d2h"), an HTTP date, an
// RFC 3339 time, or a Unix time in seconds or milliseconds. It reports false
// for what is none of them or lies in the past.
func ParseWait(s string, now time.Time) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 64 {
		return 0, false
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return waitFromNumber(f, now)
	}
	if d, ok := parseDuration(s); ok {
		return d, true
	}
	if t, err := http.ParseTime(s); err == nil {
		return until(t, now)
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return until(t, now)
	}
	return 0, false
}

// waitFromNumber tells seconds from Unix times by their size: nobody asks to
// wait for thirty years.
func waitFromNumber(f float64, now time.Time) (time.Duration, bool) {
	switch {
	case math.IsNaN(f) || f < 0:
		return 0, false
	case f >= 1e12 && f < 1e14:
		return until(time.UnixMilli(int64(f)), now)
	case f >= 1e9 && f < 1e11:
		return until(time.Unix(int64(f), 0), now)
	}
	return seconds(f), true
}

func until(t, now time.Time) (time.Duration, bool) {
	d := t.Sub(now)
	return max(d, 0), d >= 0
}

// parseDuration is time.ParseDuration with days in front.
func parseDuration(s string) (time.Duration, bool) {
	var days float64
	if i := strings.IndexByte(s, 'd'); i > 0 {
		f, err := strconv.ParseFloat(s[:i], 64)
		if err != nil || math.IsNaN(f) || f < 0 || f > 1e5 {
			return 0, false
		}
		days, s = f, s[i+1:]
		if s == "" {
			return seconds(days * 86400), true
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, false
	}
	return seconds(days*86400 + d.Seconds()), true
}

// seconds converts with saturation, so that 1e30 is "very long", not negative.
func seconds(f float64) time.Duration {
	const longest = float64(100 * 365 * 24 * time.Hour / time.Second)
	return time.Duration(min(f, longest) * float64(time.Second))
}
