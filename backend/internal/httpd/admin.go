package httpd

import (
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
)

// Admin is what the admin listener and the window serve.
type Admin struct {
	API     http.Handler // everything under /api/admin/v1
	Metrics http.Handler // GET /metrics
	Static  fs.FS        // the built admin page
	Built   time.Time
	// Public gives the address of the visitors' listener, for the preview.
	Public func() string
	// Doors are the guards of this door, outermost first.
	Doors []func(http.Handler) http.Handler
}

// Router builds the handler of one door.
func (a Admin) Router() http.Handler {
	r := chi.NewRouter()
	r.Use(a.Doors...)
	r.Use(a.headers)
	r.Handle("/api/*", a.API)
	r.Method(http.MethodGet, "/metrics", a.Metrics)
	r.Method(http.MethodGet, "/*", http.HandlerFunc(a.page))
	r.Method(http.MethodHead, "/*", http.HandlerFunc(a.page))
	return r
}

// headers sets the strict policy of a page that shows strangers' texts with an
// owner's rights. Frames reach the visitors' listener for the preview and
// nothing else.
func (a Admin) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		public := a.Public()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "+
			"connect-src 'self' ws://127.0.0.1:* ws://localhost:* "+sameHostSocket(r)+"; frame-src "+public+"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		next.ServeHTTP(w, r)
	})
}

// sameHostSocket allows the live socket on the host that the page came from:
// older browsers do not count ws: as 'self'.
func sameHostSocket(r *http.Request) string {
	if r.Host == "" || strings.ContainsAny(r.Host, " ;,'\"") {
		return ""
	}
	if r.TLS != nil {
		return "wss://" + r.Host
	}
	return "ws://" + r.Host
}

func (a Admin) page(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if name == "" || name == "." {
		name = "index.html"
	}
	if strings.HasPrefix(name, "assets/") { // names carry a hash of the content
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		w.Header().Set("Cache-Control", "no-cache")
	}
	serveFile(w, r, a.Static, name, a.Built)
}
