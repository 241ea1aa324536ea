package httpd

import (
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// Public is what the visitors' listener serves.
type Public struct {
	Chat    http.Handler // GET /v1/chat
	Site    http.Handler // GET /v1/site: the widget's look
	Offline http.Handler // POST /v1/offline: name, e-mail and message when nobody answers
	Upload  http.Handler // POST /v1/upload
	Files   http.Handler // GET /v1/files/*
	Health  http.Handler // GET /healthz
	Ready   http.Handler // GET /readyz
	Static  fs.FS        // the built widget: widget.js, chat.html, demo.html, ...
	// HostAllowed guards against DNS rebinding; nil: every host.
	HostAllowed func(host string) bool
	// Proxies are the CIDRs whose X-Forwarded-For is believed.
	Proxies []string
	// Built is when the static files were made, for conditional requests.
	Built time.Time
}

// pageCSP is for the demo shop and the full-page chat: nothing from others.
const pageCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'"

// Router builds the public handler. Admin paths are not here: they answer 404.
func (p Public) Router() http.Handler {
	r := chi.NewRouter()
	r.Use(clientIP(p.Proxies), p.guardHost, securityHeaders)
	r.Method(http.MethodGet, "/healthz", p.Health)
	r.Method(http.MethodGet, "/readyz", p.Ready)
	r.Method(http.MethodGet, "/v1/chat", p.Chat)
	r.With(anyOrigin).Method(http.MethodGet, "/v1/site", p.Site)
	r.With(anyOrigin).Method(http.MethodPost, "/v1/offline", p.Offline)
	r.With(anyOrigin).Method(http.MethodOptions, "/v1/offline", noContent)
	r.With(anyOrigin).Method(http.MethodPost, "/v1/upload", p.Upload)
	r.With(anyOrigin).Method(http.MethodOptions, "/v1/upload", noContent)
	r.Method(http.MethodGet, "/v1/files/*", p.Files)
	page := func(name string, frames bool) http.HandlerFunc { return p.page(name, frames) }
	for _, m := range []string{http.MethodGet, http.MethodHead} {
		r.Method(m, "/", page("demo.html", false))
		r.Method(m, "/demo", page("demo.html", false))
		r.Method(m, "/chat", page("chat.html", true))
		r.With(anyOrigin).Method(m, "/widget.js", p.file("widget.js"))
		r.With(anyOrigin).Method(m, "/assets/*", http.HandlerFunc(p.asset))
		r.Method(m, "/{file}", http.HandlerFunc(p.asset))
	}
	return r
}

// clientIP makes the visitor's address known: behind trusted proxies by the
// right-most untrusted entry of X-Forwarded-For, else by the connection.
func clientIP(proxies []string) func(http.Handler) http.Handler {
	if len(proxies) == 0 {
		return middleware.ClientIPFromRemoteAddr
	}
	return func(next http.Handler) http.Handler {
		direct := middleware.ClientIPFromRemoteAddr(next)
		forwarded := middleware.ClientIPFromXFF(proxies...)(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Forwarded-For") == "" || !trusted(r.RemoteAddr, proxies) {
				direct.ServeHTTP(w, r)
				return
			}
			forwarded.ServeHTTP(w, r)
		})
	}
}

// ClientIP is the visitor's address as the public router found it.
func ClientIP(r *http.Request) string {
	if ip := middleware.GetClientIP(r.Context()); ip != "" {
		return ip
	}
	return hostOf(r.RemoteAddr)
}

func (p Public) guardHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Probes of load balancers come by address; they learn nothing.
		probe := r.URL.Path == "/healthz" || r.URL.Path == "/readyz"
		if !probe && p.HostAllowed != nil && !p.HostAllowed(r.Host) {
			http.Error(w, "this server is not known by that name; set server.public_url", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func securityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		next.ServeHTTP(w, r)
	})
}

// anyOrigin lets the shop's pages read what is public anyway. The origins that
// may open a chat are checked at the chat itself.
func anyOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Headers", "Content-Type, Authorization")
		h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
		h.Set("Access-Control-Max-Age", "86400")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		next.ServeHTTP(w, r)
	})
}

var noContent = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })

func (p Public) page(name string, frames bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		csp := pageCSP
		if !frames {
			// The admin page's preview frames the demo shop, from a browser or
			// from the native window on this machine.
			csp += "; frame-ancestors 'self' http://127.0.0.1:* http://localhost:* wails://wails http://wails.localhost"
		}
		w.Header().Set("Content-Security-Policy", csp)
		w.Header().Set("Cache-Control", "no-cache")
		p.serve(w, r, name)
	}
}

func (p Public) file(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=300")
		p.serve(w, r, name)
	}
}

// asset serves the other files of the built widget, under /assets/ or at the
// top, never a page.
func (p Public) asset(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(strings.TrimPrefix(path.Clean(r.URL.Path), "/"), "assets/")
	if strings.HasSuffix(name, ".html") || strings.HasPrefix(path.Base(name), ".") {
		http.NotFound(w, r)
		return
	}
	if _, err := fs.Stat(p.Static, "assets/"+name); err == nil {
		name = "assets/" + name
	}
	w.Header().Set("Cache-Control", "public, max-age=300")
	p.serve(w, r, name)
}

func (p Public) serve(w http.ResponseWriter, r *http.Request, name string) {
	serveFile(w, r, p.Static, name, p.Built)
}

// serveFile answers with a file as it lies in fsys, without a copy of it in
// memory for each who asks; 404 without a Cache-Control when there is none.
func serveFile(w http.ResponseWriter, r *http.Request, fsys fs.FS, name string, built time.Time) {
	f, err := fsys.Open(name)
	if err != nil {
		w.Header().Del("Cache-Control")
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	content, ok := f.(io.ReadSeeker)
	if err != nil || !ok || info.IsDir() {
		w.Header().Del("Cache-Control")
		http.NotFound(w, r)
		return
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		w.Header().Set("Content-Type", t)
	}
	http.ServeContent(w, r, name, built, content)
}
