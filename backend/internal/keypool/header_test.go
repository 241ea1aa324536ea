package keypool

import (
	"net/http"
	"testing"
	"time"
)

var at = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func TestParseWait(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"20":                             20 * time.Second,
		" 1.5 ":                          1500 * time.Millisecond,
		"0":                              0,
		"6m0s":                           6 * time.Minute,
		"20ms":                           20 * time.Millisecond,
		"2m59.56s":                       2*time.Minute + 59560*time.Millisecond,
		"1h0m0s":                         time.Hour,
		"1d":                             24 * time.Hour,
		"1d2h":                           26 * time.Hour,
		"120us":                          120 * time.Microsecond,
		"Fri, 01 May 2026 12:00:30 GMT":  30 * time.Second,
		"Friday, 01-May-26 12:00:30 GMT": 30 * time.Second,
		"2026-05-01T12:01:00Z":           time.Minute,
		"1777636860":                     time.Minute,
		"1777636860000":                  time.Minute,
	} {
		got, ok := ParseWait(in, at)
		if !ok || got != want {
			t.Errorf("%q: %v %v, want %v", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "-1", "soon", "NaN", "-6m", "Fri, 01 May 2026 11:00:00 GMT", "1777636000", "d", "xd", "1e999", "-5d3h",
		"2020-01-01T00:00:00Z", "99999999999999999999999999999999999999999999999999999999999999999999"} {
		if got, ok := ParseWait(in, at); ok {
			t.Errorf("%q was taken for %v", in, got)
		}
	}
	if d, ok := ParseWait("1e300", at); !ok || d < 99*365*24*time.Hour {
		t.Errorf("a huge number must saturate: %v %v", d, ok)
	}
}

func header(kv ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(kv); i += 2 {
		h.Set(kv[i], kv[i+1])
	}
	return h
}

func TestParseLimits(t *testing.T) {
	none := Allowance{Remaining: -1}
	for _, c := range []struct {
		name string
		h    http.Header
		want Limits
	}{
		{"nothing", nil, Limits{none, none}},
		{"OpenAI", header("x-ratelimit-limit-requests", "60", "x-ratelimit-remaining-requests", "59", "x-ratelimit-reset-requests", "1s",
			"x-ratelimit-limit-tokens", "150000", "x-ratelimit-remaining-tokens", "149984", "x-ratelimit-reset-tokens", "6m0s"),
			Limits{Allowance{60, 59, time.Second}, Allowance{150000, 149984, 6 * time.Minute}}},
		{"Azure: -1 and 0", header("x-ratelimit-limit-requests", "-1", "x-ratelimit-remaining-requests", "-1",
			"x-ratelimit-limit-tokens", "0", "x-ratelimit-remaining-tokens", "0"), Limits{none, none}},
		{"remaining -1 alone", header("x-ratelimit-limit-requests", "60", "x-ratelimit-remaining-requests", "-1"), Limits{Allowance{60, -1, 0}, none}},
		{"remaining without limit", header("x-ratelimit-remaining-requests", "0"), Limits{none, none}},
		{"more left than there is", header("x-ratelimit-limit-requests", "60", "x-ratelimit-remaining-requests", "900"), Limits{Allowance{60, 60, 0}, none}},
		{"Mistral", header("x-ratelimit-limit-req-minute", "30", "x-ratelimit-remaining-req-minute", "29",
			"x-ratelimit-limit-tokens-minute", "50000", "x-ratelimit-remaining-tokens-minute", "49000"),
			Limits{Allowance{30, 29, 0}, Allowance{50000, 49000, 0}}},
		{"OpenRouter", header("X-RateLimit-Limit", "20", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1777636860000"),
			Limits{Allowance{20, 0, time.Minute}, none}},
		{"draft", header("RateLimit-Limit", "100, 100;w=60", "RateLimit-Remaining", "7", "RateLimit-Reset", "30"),
			Limits{Allowance{100, 7, 30 * time.Second}, none}},
		{"absurd", header("x-ratelimit-limit-requests", "1e300", "x-ratelimit-limit-tokens", "NaN"), Limits{none, none}},
		{"absurd reset", header("x-ratelimit-limit-requests", "60", "x-ratelimit-reset-requests", "9999h"), Limits{Allowance{60, -1, 24 * time.Hour}, none}},
	} {
		if got := ParseLimits(c.h, at); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		h    http.Header
		want time.Duration
	}{
		{nil, 0},
		{header("Retry-After", "7"), 7 * time.Second},
		{header("Retry-After", "-1"), 0},
		{header("Retry-After", "0"), 0},
		{header("Retry-After", "Fri, 01 May 2026 12:00:30 GMT"), 30 * time.Second},
		{header("Retry-After", "20", "retry-after-ms", "1500"), 1500 * time.Millisecond},
		{header("x-ms-retry-after-ms", "250"), 250 * time.Millisecond},
		{header("retry-after-ms", "-1", "Retry-After", "3"), 3 * time.Second},
	} {
		if got := RetryAfter(c.h, at); got != c.want {
			t.Errorf("%v: %v, want %v", c.h, got, c.want)
		}
	}
}

// FuzzHeaders: whatever an upstream sends, limits are positive and believable
// and waits are not negative.
func FuzzHeaders(f *testing.F) {
	for _, s := range []string{"60", "-1", "6m0s", "20ms", "1e308", "NaN", "1777636860000", "Fri, 01 May 2026 12:00:30 GMT", "100, 100;w=60", "1d2h", "\x00", "9223372036854775807"} {
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, limit, remaining, reset string) {
		h := header("x-ratelimit-limit-requests", limit, "x-ratelimit-remaining-requests", remaining, "x-ratelimit-reset-requests", reset,
			"x-ratelimit-limit-tokens", remaining, "x-ratelimit-remaining-tokens", limit, "x-ratelimit-reset-tokens", reset, "Retry-After", reset)
		l := ParseLimits(h, at)
		for _, a := range []Allowance{l.Requests, l.Tokens} {
			if !(a.Limit >= 0 && a.Limit <= maxAllowance) || !(a.Remaining >= -1 && a.Remaining <= maxAllowance) ||
				a.Reset < 0 || a.Reset > maxReset || a.Limit > 0 && a.Remaining > a.Limit {
				t.Fatalf("%q %q %q: %+v", limit, remaining, reset, a)
			}
		}
		if d := RetryAfter(h, at); d < 0 {
			t.Fatalf("%q: wait %v", reset, d)
		}
		p := mustPool(t, Config{Providers: []Provider{{Name: "p", BaseURL: "http://p", Keys: []Key{{Name: "k", Secret: "s"}}}}})
		var g Grant
		if _, ok := p.Take(at, Want{Tokens: 10}, &g); !ok {
			t.Fatal("a fresh key was denied")
		}
		p.Report(at.Add(time.Second), &g, outcome429(h))
		// Whatever was said, the key comes back within the cap and a minute's refill.
		later := at.Add(2*time.Minute + 5*time.Second)
		if den, ok := p.Take(later, Want{Tokens: 1}, &g); !ok && den.Wait > 2*time.Minute && l.Requests.Reset < 90*time.Second {
			t.Fatalf("%q %q %q: parked for %v: %s", limit, remaining, reset, den.Wait, den.Reason)
		}
	})
}
