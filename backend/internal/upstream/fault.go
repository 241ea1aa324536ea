package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/codec"
)

// where is the address as the owner may read it: no query, no credentials.
func (a *attempt) where() string {
	return a.url.Scheme + "://" + a.url.Host + a.url.Path
}

// fault makes the error of this attempt. What breaks an answer that has begun
// is a cut, whatever broke it.
func (a *attempt) fault(f chat.Fault, reason string, cause error) *chat.UpstreamError {
	if a.n > 0 && (f == chat.FaultBadAnswer || f == chat.FaultUnavailable || f == chat.FaultTimeout || f == chat.FaultRate) {
		f, reason = chat.FaultCut, "the answer was cut off: "+reason
	}
	return &chat.UpstreamError{Fault: f, Status: a.status, Provider: a.target.Provider, Key: a.target.Key,
		Reason: a.scrub(reason), Err: cause}
}

// bad is the error for what is not an answer.
func (a *attempt) bad(reason string, cause error) *chat.UpstreamError {
	return a.fault(chat.FaultBadAnswer, fmt.Sprintf("%d from %s: %s", a.status, a.where(), reason), cause)
}

// checkPlain refuses to send a key unencrypted to a host that is not named as
// local.
func (a *attempt) checkPlain() error {
	if a.url.Scheme == "https" || a.cfg.AllowLocal || isLocal(a.url.Hostname()) {
		return nil
	}
	return a.fault(chat.FaultRequest, "the base URL "+a.where()+" is plain http, which would send the key readable for everybody on the way; use https", nil)
}

// refused reads an answer with another status than 200.
func (a *attempt) refused(resp *http.Response, body io.Reader) error {
	data, _ := io.ReadAll(io.LimitReader(body, maxRefusal)) // what can be read is enough
	said, _ := codec.DecodeError(data)
	e := a.fault(faultOf(a.status, said), "", errRefused)
	e.Reason = a.scrub(fmt.Sprintf("%d from %s: %s", a.status, a.where(), a.advice(e.Fault, a.status, resp.Header.Get("Location"), said)))
	e.RetryAfter = RetryAfter(resp.Header, a.cfg.Now())
	return e
}

// errorInside reads an error object in an answer with status 200.
func (a *attempt) errorInside(data []byte) error {
	said, _ := codec.DecodeError(data)
	status := statusOf(said)
	e := a.fault(faultOf(status, said), "", nil)
	words := fmt.Sprintf("%s reported an error in its answer: %s", a.where(), a.advice(e.Fault, status, "", said))
	if e.Fault == chat.FaultCut {
		words = fmt.Sprintf("the answer was cut off: %s reported an error in it: %s", a.where(), clip(said.Message, 300))
	}
	e.Reason = a.scrub(words)
	return e
}

// statusOf is the HTTP status that an error would have had outside of a stream:
// the number that some upstreams put into its code, or what its words say.
func statusOf(said codec.APIError) int {
	if n, err := strconv.Atoi(said.Code); err == nil && n >= 400 && n <= 599 {
		return n
	}
	words := strings.ToLower(said.Code + " " + said.Type)
	for _, w := range [...]struct {
		word   string
		status int
	}{
		{"api_key", http.StatusUnauthorized}, {"authentication", http.StatusUnauthorized}, {"permission", http.StatusForbidden},
		{"rate_limit", http.StatusTooManyRequests}, {"insufficient_", http.StatusPaymentRequired},
		{"content_filter", http.StatusBadRequest}, {"context_length", http.StatusBadRequest},
		{"not_found", http.StatusNotFound}, {"invalid_request", http.StatusBadRequest},
	} {
		if strings.Contains(words, w.word) {
			return w.status
		}
	}
	return http.StatusInternalServerError
}

// faultOf sorts a refusal by its status and its words.
func faultOf(status int, said codec.APIError) chat.Fault {
	words := strings.ToLower(said.Code + " " + said.Type + " " + said.Message)
	has := func(list ...string) bool {
		for _, w := range list {
			if strings.Contains(words, w) {
				return true
			}
		}
		return false
	}
	switch {
	case status < 500 && has("content_filter", "content_policy", "data_inspection_failed", "datainspectionfailed", "contentfilter", "1301", "content management policy"):
		return chat.FaultContent
	case status == http.StatusPaymentRequired,
		status < 500 && has("insufficient_quota", "insufficient_balance", "insufficient balance", "exceeded_current_quota", "arrearage", "billing_not_active", "credit balance"):
		return chat.FaultQuota
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return chat.FaultAuth
	case status == http.StatusBadRequest && has("invalid_api_key", "api key not valid", "invalid api key"):
		return chat.FaultAuth
	case status == http.StatusTooManyRequests:
		return chat.FaultRate
	case status == http.StatusRequestTimeout, status == http.StatusConflict, status == http.StatusTooEarly, status >= 500:
		return chat.FaultUnavailable
	case status >= 400:
		return chat.FaultRequest
	}
	return chat.FaultBadAnswer // redirects, 1xx, 204, …
}

// advice says what a refusal means and what the owner can do.
func (a *attempt) advice(f chat.Fault, status int, location string, said codec.APIError) string {
	key := fmt.Sprintf("the key %q", a.target.Key)
	var advice string
	switch f {
	case chat.FaultAuth:
		advice = key + " was refused; paste a new one"
		if status == http.StatusForbidden {
			advice = key + " may not do this; check its rights, the region and the model"
		}
	case chat.FaultRate:
		advice = "too many requests for " + key + "; the appliance slows down by itself"
	case chat.FaultQuota:
		advice = "the account of " + key + " has no money left; top it up at the provider"
	case chat.FaultContent:
		return "the provider's content filter refused the conversation"
	case chat.FaultUnavailable:
		advice = "the provider has trouble; the appliance tries again by itself"
	case chat.FaultBadAnswer:
		advice = "this is not an answer"
		if location != "" {
			advice = "it redirects to " + clip(location, 200) + "; redirects are not followed with the key, put the final address into the base URL"
		}
	default:
		advice = a.requestAdvice(status, said)
	}
	if said.Message != "" {
		advice += " (it said: " + clip(said.Message, 300) + ")"
	}
	return advice
}

func (a *attempt) requestAdvice(status int, said codec.APIError) string {
	switch {
	case strings.Contains(said.Code+said.Message, "context_length") || strings.Contains(said.Message, "maximum context"):
		return "the conversation is too long for the model; lower context.tokens or choose a model with a longer context"
	case strings.Contains(said.Code, "model") || strings.Contains(strings.ToLower(said.Message), "model"):
		return fmt.Sprintf("the model %q was not accepted; choose one of the provider's list", a.target.Model)
	case status == http.StatusNotFound && !strings.Contains(a.target.BaseURL, "/v"):
		return "nothing is there; the base URL probably misses /v1"
	case status == http.StatusNotFound:
		return "nothing is there; check the base URL"
	}
	return "the request was not accepted"
}

// broken sorts what stopped an attempt. ctx is the call's context.
func (a *attempt) broken(ctx context.Context, err error) error {
	var ue *chat.UpstreamError
	switch {
	case errors.As(err, &ue):
		return ue
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(a.life.Err(), errSlow):
		if a.n > 0 {
			return a.fault(chat.FaultTimeout, fmt.Sprintf("%s sent nothing for %s", a.where(), a.cfg.Timeout), errSlow)
		}
		return a.fault(chat.FaultTimeout, fmt.Sprintf("no answer from %s within %s", a.where(), a.cfg.Timeout), errSlow)
	case errors.Is(err, errLongLine), errors.Is(err, errLongStream):
		return a.bad(err.Error(), err)
	}
	return a.fault(networkReason(a.where(), a.url.Hostname(), a.url.Port(), err))
}

// networkReason explains a failure below HTTP.
func networkReason(where, host, port string, err error) (chat.Fault, string, error) {
	var (
		dns       *net.DNSError
		op        *net.OpError
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		alert     tls.AlertError
	)
	say := func(format string, args ...any) (chat.Fault, string, error) {
		return chat.FaultUnavailable, where + ": " + fmt.Sprintf(format, args...), err
	}
	if errors.As(err, &op) && op.Op == "proxyconnect" {
		return say("the proxy could not be used (%v); check HTTPS_PROXY", op.Err)
	}
	switch {
	case errors.Is(err, errForbiddenAddress):
		return chat.FaultRequest, where + ": refused to connect, " + err.Error() +
			"; write the address itself into the base URL, or allow local addresses, if it is meant", err
	case errors.As(err, &dns):
		if dns.IsNotFound {
			return say("the name %s is not known; check the base URL for a typo", host)
		}
		return say("the name %s could not be looked up; check the network and its DNS", host)
	case errors.As(err, &name):
		return say("the certificate is not for %s; check the base URL", host)
	case errors.As(err, &authority):
		return say("the certificate is signed by an authority that this machine does not know; a company proxy may stand between")
	case errors.As(err, &invalid):
		return say("the certificate is not valid (%v); check the clock of this machine", invalid)
	case errors.As(err, &verify):
		return say("the certificate could not be verified (%v)", verify.Err)
	case errors.As(err, &record), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return say("the server does not speak TLS there; does the base URL have to begin with http:// or name another port?")
	case errors.As(err, &alert):
		return say("the TLS handshake failed (%v)", alert)
	case errors.As(err, &op) && op.Op == "remote error": // an alert that the server sent
		return say("the TLS handshake failed (%v)", op.Err)
	case strings.Contains(err.Error(), "malformed"):
		return say("the connection broke or does not carry HTTP; is port %s right?", portOf(where, port))
	case errors.Is(err, syscall.ECONNREFUSED):
		return say("the connection was refused; is the server running, is port %s right?", portOf(where, port))
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return say("there is no way to it; check the network of this machine")
	case errors.Is(err, errNoEnd):
		return say("the stream ended in the middle")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return say("the connection broke")
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return say("the network did not answer in time")
	}
	return say("the connection failed (%s)", clip(err.Error(), 200))
}

func portOf(where, port string) string {
	if port != "" {
		return port
	}
	if strings.HasPrefix(where, "https:") {
		return "443"
	}
	return "80"
}

// scrub takes the secret, and what looks like one, out of words that came from
// outside.
func (a *attempt) scrub(s string) string {
	if len(a.target.Secret) >= 4 {
		s = strings.ReplaceAll(s, a.target.Secret, "•••")
	}
	return scrubKeys(s)
}

// scrubKeys covers words of the form sk-… that providers like to repeat.
func scrubKeys(s string) string {
	for from := 0; ; {
		i := strings.Index(s[from:], "sk-")
		if i < 0 {
			return s
		}
		i += from
		end := i + 3
		for end < len(s) && (s[end] == '-' || s[end] == '_' || s[end] == '*' || s[end] >= '0' && s[end] <= '9' ||
			s[end] >= 'a' && s[end] <= 'z' || s[end] >= 'A' && s[end] <= 'Z') {
			end++
		}
		if end-i >= 11 {
			s = s[:i] + "•••" + s[end:]
			end = i
		}
		from = min(end+1, len(s))
	}
}

// maxRetryAfter caps what an upstream may ask for.
const maxRetryAfter = 10 * time.Minute

// RetryAfter reads how long an answer asks to wait: retry-after-ms, or
// Retry-After in seconds, as a date, or as a duration such as 6m0s; 0 when it
// asks for nothing, or for what is not positive. Absurd values are capped at
// ten minutes.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("retry-after-ms"), 64); err == nil {
		return capWait(ms * float64(time.Millisecond))
	}
	v := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		return capWait(s * float64(time.Second))
	}
	if d, err := time.ParseDuration(v); err == nil {
		return capWait(float64(d))
	}
	if t, err := http.ParseTime(v); err == nil {
		return capWait(float64(t.Sub(now)))
	}
	return 0
}

func capWait(d float64) time.Duration {
	if !(d > 0) { // also NaN
		return 0
	}
	return time.Duration(min(d, float64(maxRetryAfter)))
}
