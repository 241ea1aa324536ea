package backend

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"strings"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/gateway"
	"haoke/backend/internal/httpd"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/wire"
	"haoke/backend/internal/wsconn"
	"haoke/frontend"
)

// settingChecks are checks by the packages that own a setting's meaning.
var settingChecks = map[string]func(json.RawMessage) error{"widget.look": checkLook}

func checkLook(raw json.RawMessage) error {
	var site wire.Site
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	if err := d.Decode(&site); err != nil {
		return fmt.Errorf("is not a look of the widget: %w", err)
	}
	return nil
}

// refreshLive makes what the gateway reads anew at each use from the settings.
func (p *parts) refreshLive(s *settings.Settings) error {
	policy, err := wsconn.NewPolicy(s.Server.AllowedOrigins, s.Server.PublicURL)
	if err != nil {
		return err
	}
	now := time.Now()
	look, err := look(s, now)
	if err != nil {
		return err
	}
	p.live.Store(&gateway.Live{
		Limits: gateway.Limits{
			Connections: s.Limits.Connections, PerIP: s.Limits.ConnectionsPerIP,
			MessagesAMinute: s.Limits.MessagesPerMinute, MessageChars: s.Limits.MessageChars,
		},
		Policy: policy, Settings: look, IdentitySecret: []byte(s.Site.IdentitySecret.Reveal()),
		DefaultMode: modeAt(s, now), Epoch: p.epoch,
	})
	return nil
}

// look is the widget's cosmetics: the owner's, completed by the shop's name,
// greeting and limits, and by whether the shop wants to be seen now.
func look(s *settings.Settings, now time.Time) ([]byte, error) {
	var site wire.Site
	if err := json.Unmarshal(s.Widget.Look, &site); err != nil {
		return nil, fmt.Errorf("widget.look: %w", err)
	}
	if site.Title == "" {
		site.Title = s.Site.Name
	}
	if site.Greeting == "" {
		site.Greeting = s.Site.Greeting
	}
	site.Hidden = site.Hidden || hiddenAt(s, now)
	site.MaxChars = s.Limits.MessageChars
	site.Upload = &s.Upload.Enabled
	site.MaxUpload = int64(s.Upload.MaxBytes)
	return json.Marshal(site)
}

// publicHandler is everything that visitors can reach.
func (p *parts) publicHandler(b *Backend) http.Handler {
	s := p.settings.Current()
	return httpd.Public{
		Chat:    p.gateway,
		Site:    http.HandlerFunc(p.serveLook),
		Offline: http.HandlerFunc(p.takeOfflineForm),
		Upload:  http.HandlerFunc(p.takeUpload),
		Files:   http.HandlerFunc(p.serveFile),
		Health:  http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }),
		Ready:   http.HandlerFunc(b.serveReady),
		Static:  frontend.Widget(), Built: time.Now(),
		HostAllowed: func(host string) bool { return p.live.Load().Policy.HostAllowed(host) },
		Proxies:     s.Server.TrustedProxies,
	}.Router()
}

// serveReady answers 200 "ok", or 503 with the reason.
func (b *Backend) serveReady(w http.ResponseWriter, _ *http.Request) {
	switch err := b.db.ReadOnly(); {
	case !b.ready.Load():
		http.Error(w, "starting or stopping", http.StatusServiceUnavailable)
	case err != nil:
		http.Error(w, "messages cannot be stored", http.StatusServiceUnavailable)
	default:
		io.WriteString(w, "ok")
	}
}

// serveLook answers with the look of the moment. Browsers ask each time, so
// that a change is seen at once, and are told in 100 bytes that there is none.
func (p *parts) serveLook(w http.ResponseWriter, r *http.Request) {
	look := p.live.Load().Settings
	sum := sha256.Sum256(look)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "application/json")
	w.Write(look)
}

// maxForm bounds the body of the offline form.
const maxForm = 16 << 10

// takeOfflineForm stores what a visitor leaves when nobody can answer.
func (p *parts) takeOfflineForm(w http.ResponseWriter, r *http.Request) {
	if status := p.live.Load().Policy.Check(r); status != 0 {
		http.Error(w, "this page may not send messages here", status)
		return
	}
	var form struct {
		Site, Name, Email, Message string
		Page                       json.RawMessage
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&form); err != nil {
		http.Error(w, "the form could not be read", http.StatusBadRequest)
		return
	}
	form.Message = strings.TrimSpace(form.Message)
	if _, err := mail.ParseAddress(form.Email); err != nil || form.Message == "" {
		http.Error(w, "an e-mail address and a message are needed", http.StatusUnprocessableEntity)
		return
	}
	if !p.forms.allow(httpd.ClientIP(r), time.Now()) {
		w.Header().Set("Retry-After", "60")
		http.Error(w, "too many messages", http.StatusTooManyRequests)
		return
	}
	_, err := p.db.Inbox().Add(r.Context(), sqlite.LeftMessage{
		Site: wire.Clip(form.Site, 64), Name: chat.CleanText(form.Name, 200), Email: chat.CleanText(form.Email, 320),
		Text: wire.Clip(form.Message, 4000), PageURL: wire.Clip(pageURL(form.Page), 2000), IP: p.keptIP(httpd.ClientIP(r)),
	})
	if err != nil {
		p.log.Error("a visitor's message could not be stored", "err", err)
		http.Error(w, "please try again later", http.StatusServiceUnavailable)
		return
	}
	p.troubles.left()
	w.WriteHeader(http.StatusNoContent)
}

// pageURL reads the page of the form: a string, or an object with a url.
func pageURL(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var o struct{ URL string }
	if json.Unmarshal(raw, &o) == nil {
		return o.URL
	}
	return ""
}
