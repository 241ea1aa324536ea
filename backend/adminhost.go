package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"haoke/backend/internal/adminapi"
	"haoke/backend/internal/auth"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/httpd"
	"haoke/backend/internal/keypool"
	"haoke/backend/internal/offline"
	"haoke/backend/internal/secret"
	"haoke/backend/internal/settings"
	"haoke/frontend"
)

// attachSettings finds the master key and joins what the window stored.
func (p *parts) attachSettings(ctx context.Context) error {
	s := p.settings.Current()
	var err error
	p.sealer, err = secret.New(ctx, secret.Config{Dir: p.b.dir, Store: s.Secrets.Store, Headless: !p.b.cfg.Desktop})
	if err != nil {
		return fmt.Errorf("the key for stored secrets: %w", err)
	}
	if err := p.settings.Attach(ctx, settingRows{p.db.Settings()}, p.sealer); err != nil {
		return err
	}
	for _, w := range p.settings.Warnings() {
		p.log.Warn("settings", "path", w.Key, "warning", w.Text)
	}
	return nil
}

// storedKeys adds the window's providers and keys to those of the settings.
func (p *parts) storedKeys(ctx context.Context, c *keypool.Config, s *settings.Settings) error {
	own, err := p.db.Keys().Providers(ctx)
	if err != nil {
		return err
	}
	order := 0
	for _, x := range c.Providers {
		order = max(order, x.Order)
	}
	for _, x := range own {
		var pc adminapi.ProviderConfig
		if err := json.Unmarshal([]byte(x.Config), &pc); err != nil {
			return fmt.Errorf("read provider %s: %w", x.Name, err)
		}
		order++
		models := map[string]string{}
		for from, to := range pc.Models {
			models[from] = to
		}
		if pc.Model != "" {
			models["*"] = pc.Model
		}
		c.Providers = append(c.Providers, keypool.Provider{
			Name: x.Name, Preset: presetOf(pc.Preset, pc.BaseURL), BaseURL: pc.BaseURL, Models: models, Order: order, Disabled: !x.Enabled, NoKey: true,
		})
	}
	keys, err := p.db.Keys().List(ctx)
	if err != nil {
		return err
	}
	for _, k := range keys {
		value, err := p.sealer.Open(k.Sealed, adminapi.SecretName(k.Name))
		if err != nil {
			p.log.Error("a stored key cannot be opened; type it anew on the Keys page", "key", k.Name, "err", err)
			continue
		}
		p.b.logs.Hide(string(value))
		for i := range c.Providers {
			if c.Providers[i].Name == k.Provider {
				c.Providers[i].NoKey = false
				c.Providers[i].Keys = append(c.Providers[i].Keys, keypool.Key{
					Name: k.Name, Secret: string(value), RPM: float64(k.RPM), TPM: float64(k.TPM), Weight: k.Weight, Disabled: !k.Enabled,
				})
			}
		}
	}
	return nil
}

// buildAdmin makes the admin API over everything else.
func (p *parts) buildAdmin(b *Backend) error {
	api, err := adminapi.New(adminapi.Deps{
		Guard: p.auth, Settings: p.settings, DB: p.db, Sealer: p.sealer, Sessions: p.sessions, Engine: p.engine, Presence: p.hub,
		Gate: p.gate, Pool: p.pool, Upstream: p.upstream, Metrics: p.metrics, Logs: b.logs, Filter: p.filter.Get,
		FAQ: func() *offline.Answerer { return p.answerer.Load() }, FAQSilent: p.silentFAQ, Ledger: p.ledger, Host: host{b}, Log: p.log,
		Probe: probeAddr, Files: http.HandlerFunc(p.serveFile), Keep: p.keepFile, DataDir: b.dir, ConfigFile: b.file, Version: Version, Commit: Commit,
		Updates: b.updater, UpdateAddress: UpdateAddress,
		Zone: func() *time.Location {
			zone, err := timeZone(p.settings.Current().Site.TimeZone)
			if err != nil {
				return time.Local
			}
			return zone
		},
	})
	if err != nil {
		return err
	}
	p.api = api
	p.feed.add(api.Live())
	p.metrics.OnTick(api.Live().Tick)
	return nil
}

// adminRouter is the admin side behind either door.
func (p *parts) adminRouter() httpd.Admin {
	return httpd.Admin{API: p.api, Metrics: p.auth.Near(p.metrics.Handler()), Static: frontend.Admin(), Built: time.Now(), Public: p.publicURL}
}

// move brings a changed address of a listener into use: "public" or "admin".
func (p *parts) move(name string, d *door, addr string) {
	if err := d.Move(addr); err != nil {
		p.log.Error("a listener cannot move to its new address; the old one stays", "listener", name, "addr", addr, "now", d.URL(), "err", err)
		return
	}
	p.log.Info("a listener is at another address now", "listener", name, "now", d.URL())
	if err := p.b.writeRuntime(); err != nil {
		p.log.Error("other programs of this machine are not told the new address", "err", err)
	}
}

func (p *parts) publicURL() string { return p.b.public.URL() }

// adminHandler is the browser's door: Host allow-list, foreign pages refused,
// sign-in by session or token.
func (p *parts) adminHandler(b *Backend) http.Handler {
	hosts := auth.NewHosts(func() []string { return p.settings.Current().Admin.AllowedHosts })
	router := p.adminRouter()
	router.Doors = []func(http.Handler) http.Handler{hosts.Handler, p.localDoor, p.auth.Protect}
	return router.Router()
}

// windowHandler is the window's door: whoever sits at this machine's screen is
// the owner.
func (p *parts) windowHandler() http.Handler {
	router := p.adminRouter()
	router.Doors = []func(http.Handler) http.Handler{func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(auth.WithOperator(r.Context(), auth.LocalOwner())))
		})
	}}
	return router.Router()
}

// host is adminapi's view of the whole.
type host struct{ b *Backend }

// Addresses implements adminapi.Host.
func (h host) Addresses() (public, admin string) {
	a := h.b.Addresses()
	return a.Public, a.Admin
}

// Unmoved implements adminapi.Host.
func (h host) Unmoved(path string) error {
	switch path {
	case "server.public_addr":
		return h.b.public.Fault()
	case "server.admin_addr":
		return h.b.admin.Fault()
	}
	return nil
}

// ReloadKeys implements adminapi.Host.
func (h host) ReloadKeys(ctx context.Context) error {
	return h.b.parts.reconfigureUpstream(ctx, h.b.settings.Current())
}

// ReloadFAQ implements adminapi.Host.
func (h host) ReloadFAQ(ctx context.Context) error { return h.b.parts.reloadFAQ(ctx) }

// ReloadFilter implements adminapi.Host.
func (h host) ReloadFilter(ctx context.Context) error {
	if err := h.b.parts.protect.configure(h.b.settings.Current()); err != nil {
		return err
	}
	return h.b.parts.rebuildFilter(ctx, h.b.settings.Current())
}

// CloseVisitor implements adminapi.Host.
func (h host) CloseVisitor(id chat.ConversationID) { h.b.parts.gateway.Replace(id) }

// Forget implements adminapi.Host.
func (h host) Forget(id chat.ConversationID) { h.b.parts.prompts.Forget(id) }

// Paused implements adminapi.Host.
func (h host) Paused() bool { return h.b.parts.paused.Load() }

// Pause implements adminapi.Host.
func (h host) Pause(on bool) { h.b.parts.paused.Store(on) }

// Archive implements adminapi.Host.
func (h host) Archive() adminapi.Archive { return h.b.parts.cold() }
