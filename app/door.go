package app

import (
	"fmt"
	"html"
	"net/http"
	"strings"
	"sync/atomic"
)

// door is what stands between the window's page and the appliance: the admin
// handler once there is one, a page with the reason when there is none.
type door struct {
	handler atomic.Pointer[http.Handler]
	reason  atomic.Pointer[string]
}

func (d *door) set(h http.Handler) { d.handler.Store(&h) }

// attach shows an appliance that another process serves. While none runs the
// page's place is held by one that tries again by itself.
func (d *door) attach(h http.Handler) {
	d.set(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") || r.Method != http.MethodGet {
			h.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(&orGone{ResponseWriter: w}, r)
	}))
}

// orGone puts the waiting page in the place of "503, nobody serves".
type orGone struct {
	http.ResponseWriter
	gone bool
}

// WriteHeader implements http.ResponseWriter.
func (o *orGone) WriteHeader(status int) {
	if status != http.StatusServiceUnavailable {
		o.ResponseWriter.WriteHeader(status)
		return
	}
	o.gone = true
	h := o.Header()
	h.Del("Content-Length")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", explainPolicy)
	h.Set("Refresh", "2")
	o.ResponseWriter.WriteHeader(http.StatusOK) // some web views show no page of a failed answer
	fmt.Fprintf(o.ResponseWriter, explainPage, `<meta http-equiv="refresh" content="2">`, words("gone"), "haoked", words("gone-hint"))
}

// Write implements http.ResponseWriter.
func (o *orGone) Write(p []byte) (int, error) {
	if o.gone {
		return len(p), nil // the problem's words are for the API
	}
	return o.ResponseWriter.Write(p)
}

// fail shows the reason in place of the page.
func (d *door) fail(err error) {
	text := err.Error()
	d.reason.Store(&text)
}

func (d *door) broken() bool { return d.reason.Load() != nil }

// middleware answers everything but Wails' own scripts. Wails' handler behind
// it serves files only, which the admin handler does as well.
func (d *door) middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch reason := d.reason.Load(); {
		case strings.HasPrefix(r.URL.Path, "/wails/"):
			next.ServeHTTP(w, r)
		case reason != nil:
			d.explain(w, r, *reason)
		case d.handler.Load() != nil:
			(*d.handler.Load()).ServeHTTP(w, r)
		default:
			starting(w, r)
		}
	})
}

// starting answers while the appliance is being opened, which may take a while
// after a power cut or for an upgrade: the page looks again by itself.
func starting(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "starting", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", explainPolicy)
	w.Header().Set("Cache-Control", "no-store")
	// As above: 200, or some web views show no page.
	fmt.Fprintf(w, explainPage, `<meta http-equiv="refresh" content="1">`, words("starting"), "haoke", words("starting-hint"))
}

// explain is the page of an appliance that could not start. It has no script
// and no strangers' text.
func (d *door) explain(w http.ResponseWriter, r *http.Request, reason string) {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		http.Error(w, reason, http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", explainPolicy)
	fmt.Fprintf(w, explainPage, "", words("failed"), html.EscapeString(reason), words("failed-hint"))
}

// explainPolicy allows what Wails puts into the page and nothing else.
const explainPolicy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'"

const explainPage = `<!doctype html><html><head><meta charset="utf-8">%s<title>Haoke</title><style>
body{font:14px/1.45 system-ui,"Noto Sans SC","PingFang SC","Microsoft YaHei",sans-serif;background:#faf9f7;color:#1f1d1a;margin:0;display:grid;place-items:center;min-height:100vh}
main{max-width:620px;padding:32px;background:#fff;border:1px solid #e6e3de;border-radius:10px}
h1{font-size:20px;font-weight:600;margin:0 0 12px}p{margin:0 0 12px}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#faf9f7;border:1px solid #e6e3de;border-radius:6px;padding:12px;user-select:text}
@media (prefers-color-scheme:dark){body{background:#161513;color:#edeae6}main{background:#1e1c1a;border-color:#33302c}pre{background:#161513;border-color:#33302c}}
</style></head><body><main><h1>%s</h1><pre>%s</pre><p>%s</p></main></body></html>`
