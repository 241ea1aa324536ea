package sim

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// limits are the allowances of all keys: token buckets that refill evenly
// over a minute.
type limits struct {
	cfg  Config
	mu   sync.Mutex
	keys map[string]*allowance
}

// allowance is what one key may still take.
type allowance struct {
	requests, tokens float64
	at               time.Time
}

// maxKeys bounds the keys that are told apart; further ones share one
// allowance.
const maxKeys = 10000

// take takes one request of n tokens from key's allowance, writes the
// x-ratelimit headers, and reports how long to wait when it was refused.
func (l *limits) take(h http.Header, key string, n int) (wait time.Duration, ok bool) {
	if l.cfg.RPM <= 0 && l.cfg.TPM <= 0 {
		return 0, true
	}
	burst := float64(l.cfg.Burst)
	if burst <= 0 {
		burst = float64(l.cfg.RPM)
	}
	now := l.cfg.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.keys[key]
	if a == nil && len(l.keys) >= maxKeys {
		key = ""
		a = l.keys[key]
	}
	if a == nil {
		a = &allowance{requests: burst, tokens: float64(l.cfg.TPM), at: now}
		l.keys[key] = a
	}
	minutes := max(0, now.Sub(a.at).Minutes())
	a.at = now
	a.requests = min(burst, a.requests+minutes*float64(l.cfg.RPM))
	a.tokens = min(float64(l.cfg.TPM), a.tokens+minutes*float64(l.cfg.TPM))

	ok = true
	if l.cfg.RPM > 0 && a.requests < 1 {
		ok, wait = false, lack(1-a.requests, l.cfg.RPM)
	}
	if need := min(float64(n), float64(l.cfg.TPM)); l.cfg.TPM > 0 && a.tokens < need {
		ok, wait = false, max(wait, lack(need-a.tokens, l.cfg.TPM))
	}
	if ok {
		a.requests--
		a.tokens = max(0, a.tokens-float64(n))
	}
	if l.cfg.RPM > 0 {
		rateHeaders(h, "requests", l.cfg.RPM, a.requests, lack(burst-a.requests, l.cfg.RPM))
	}
	if l.cfg.TPM > 0 {
		rateHeaders(h, "tokens", l.cfg.TPM, a.tokens, lack(float64(l.cfg.TPM)-a.tokens, l.cfg.TPM))
	}
	return wait, ok
}

// lack is how long a bucket of perMinute needs for missing more.
func lack(missing float64, perMinute int) time.Duration {
	return time.Duration(missing / float64(perMinute) * float64(time.Minute))
}

// rateHeaders writes one kind's headers in OpenAI's form; the reset is a Go
// duration such as 6m0s or 120ms.
func rateHeaders(h http.Header, kind string, limit int, remaining float64, reset time.Duration) {
	h.Set("x-ratelimit-limit-"+kind, strconv.Itoa(limit))
	h.Set("x-ratelimit-remaining-"+kind, strconv.Itoa(int(max(0, remaining))))
	h.Set("x-ratelimit-reset-"+kind, reset.Round(time.Millisecond).String())
}

// refuse writes a 429 with the wait in whole seconds, rounded up.
func refuse(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	writeError(w, http.StatusTooManyRequests, "requests", "rate_limit_exceeded",
		"Rate limit reached. Please try again in "+wait.Round(time.Millisecond).String()+".")
}
