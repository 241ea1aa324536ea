package backend

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/httpd"
	"haoke/backend/internal/session"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/upload"
)

// takeUpload stores a file for the visitor whose token the request carries.
func (p *parts) takeUpload(w http.ResponseWriter, r *http.Request) {
	s := p.settings.Current()
	if !s.Upload.Enabled {
		http.NotFound(w, r)
		return
	}
	if status := p.live.Load().Policy.Check(r); status != 0 {
		http.Error(w, "this page may not send files here", status)
		return
	}
	site := r.URL.Query().Get("site")
	if site == "" {
		site = "default"
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	id, err := p.gateway.Visitor(token, site)
	if err != nil {
		http.Error(w, "open the chat first", http.StatusUnauthorized)
		return
	}
	if !p.forms.allow(httpd.ClientIP(r), time.Now()) {
		w.Header().Set("Retry-After", "60")
		http.Error(w, "too many files", http.StatusTooManyRequests)
		return
	}
	limit := int64(s.Upload.MaxBytes)
	r.Body = http.MaxBytesReader(w, r.Body, limit+64<<10)
	file, header, err := r.FormFile("file")
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		http.Error(w, upload.ErrTooLarge.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		http.Error(w, "no file came", http.StatusBadRequest)
		return
	}
	defer file.Close()
	f, err := p.keepFile(file, header.Filename)
	if err == nil {
		err = p.noteFile(r.Context(), id, f)
	}
	switch {
	case errors.Is(err, upload.ErrTooLarge):
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
	case errors.Is(err, upload.ErrType), errors.Is(err, upload.ErrImage):
		http.Error(w, err.Error(), http.StatusUnsupportedMediaType)
	case err != nil:
		p.log.Error("a visitor's file could not be stored", "err", err)
		http.Error(w, "please try again later", http.StatusServiceUnavailable)
	default:
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"id": f.ID, "url": "/v1/files/" + f.ID, "name": f.Name, "type": f.Type, "size": f.Size})
	}
}

// noteFile remembers whose file it is, so that it goes with its visitor. A file
// of which that cannot be remembered is not kept.
func (p *parts) noteFile(ctx context.Context, id chat.ConversationID, f upload.File) error {
	err := p.db.Files().Add(ctx, sqlite.File{ID: f.ID, Conv: id, Name: f.Name, Type: f.Type, Size: f.Size})
	if err != nil {
		return errors.Join(err, p.uploads.Remove(f.ID))
	}
	return nil
}

// purger lets what lies outside of the conversations' store go with a
// conversation: what the visitor sent, what is remembered of personal data, and
// the archive's copies.
type purger struct{ p *parts }

var _ session.Purger = purger{}

// Purge implements session.Purger.
func (d purger) Purge(ctx context.Context, id chat.ConversationID) error {
	files := d.p.db.Files()
	list, err := files.Of(ctx, id)
	if err != nil {
		return err
	}
	for _, f := range list {
		if err := d.p.uploads.Remove(f.ID); err != nil {
			return err
		}
		if err := files.Delete(ctx, f.ID); err != nil && !errors.Is(err, sqlite.ErrNoRow) {
			return err
		}
	}
	d.p.protect.vault.Forget(string(id))
	return d.p.archive.Purge(ctx, id)
}

// keepFile stores a file of a visitor or an operator under the rules for both.
func (p *parts) keepFile(r io.Reader, name string) (upload.File, error) {
	s := p.settings.Current().Upload
	return p.uploads.Put(r, name, int64(s.MaxBytes), s.Types)
}

func (p *parts) serveFile(w http.ResponseWriter, r *http.Request) { p.uploads.ServeHTTP(w, r) }

// keptIP is what the owner wants kept of an address: all, the network, nothing.
func (p *parts) keptIP(ip string) string {
	switch p.settings.Current().Privacy.StoreIP {
	case "none":
		return ""
	case "full":
		return ip
	}
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	bits := 24
	if a = a.Unmap(); a.Is6() {
		bits = 48
	}
	n, err := a.Prefix(bits)
	if err != nil {
		return ""
	}
	return n.Addr().String()
}

// addressLimit lets one address send ten forms or files in ten minutes. It
// remembers at most 10,000 addresses; beyond that it starts anew.
type addressLimit struct {
	mu   sync.Mutex
	seen map[string][]time.Time
}

func (l *addressLimit) allow(ip string, now time.Time) bool {
	ip = httpd.Line(ip)
	const most, within, addresses = 10, 10 * time.Minute, 10_000
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil || len(l.seen) > addresses {
		l.seen = map[string][]time.Time{}
	}
	var recent []time.Time
	for _, t := range l.seen[ip] {
		if now.Sub(t) < within {
			recent = append(recent, t)
		}
	}
	if len(recent) >= most {
		l.seen[ip] = recent
		return false
	}
	l.seen[ip] = append(recent, now)
	return true
}
