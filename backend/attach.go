package backend

import (
	"crypto/subtle"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"haoke/backend/internal/auth"
)

// Attach is the admin side of a server that another process runs on the same
// data folder: a reverse proxy that proves by runtime.json's token that its
// caller may read the folder. It follows a server that was started anew, and
// answers 503 while none runs.
func Attach(dataDir string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		running, err := ReadRuntime(dataDir)
		if err != nil {
			gone(w)
			return
		}
		target, err := url.Parse(running.Admin)
		if err != nil {
			gone(w)
			return
		}
		proxy := &httputil.ReverseProxy{
			Rewrite: func(p *httputil.ProxyRequest) {
				p.SetURL(target)
				p.Out.Host = target.Host
				p.Out.Header.Del("Origin") // the window's own scheme means nothing to the server
				p.Out.Header.Set(localHeader, running.Token)
			},
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { gone(w) },
		}
		proxy.ServeHTTP(w, r)
	})
}

// localHeader carries runtime.json's token.
const localHeader = "X-Haoke-Local"

// gone says that no server runs at the moment.
func gone(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Retry-After", "2")
	w.WriteHeader(http.StatusServiceUnavailable)
	// Whoever has gone needs no answer.
	_, _ = w.Write([]byte(`{"type":"haoke:gone","title":"Not running","status":503,"detail":"The service is not running at the moment; this window connects again by itself.","retry_after":2}`))
}

// localDoor lets the window of this machine in: only who can read the data
// folder knows the token.
func (p *parts) localDoor(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := r.Header.Get(localHeader)
		if given != "" && !strings.Contains(r.Header.Get("X-Forwarded-For"), ",") &&
			subtle.ConstantTimeCompare([]byte(given), []byte(p.localToken)) == 1 {
			r = r.WithContext(auth.WithOperator(r.Context(), auth.LocalOwner()))
		}
		next.ServeHTTP(w, r)
	})
}
