package backend

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"haoke/backend/internal/admit"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/keypool"
	"haoke/backend/internal/price"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/upstream"
)

// buildUpstream makes the key pool, the gate in front of it and the client.
func (p *parts) buildUpstream(ctx context.Context, s *settings.Settings) error {
	pc := poolConfig(s)
	err := p.storedKeys(ctx, &pc, s)
	if err != nil {
		return err
	}
	if p.pool, err = keypool.New(pc, resolvePreset); err != nil {
		return &ConfigError{err}
	}
	ac, err := p.admitConfig(s)
	if err != nil {
		return &ConfigError{err}
	}
	if p.gate, err = admit.New(ac, p.pool, ledger{p.ledger}, admissions{p}); err != nil {
		return &ConfigError{err}
	}
	if err := p.gate.Load(ctx); err != nil {
		return fmt.Errorf("read what was spent: %w", err)
	}
	p.upstream = upstream.New(p.clientConfig(s), p.gate, attempts{p})
	return p.reloadFAQ(ctx)
}

// reconfigureUpstream brings changed settings, providers and keys into use.
func (p *parts) reconfigureUpstream(ctx context.Context, s *settings.Settings) error {
	ac, err := p.admitConfig(s)
	if err != nil {
		return err
	}
	pc := poolConfig(s)
	if err := p.storedKeys(ctx, &pc, s); err != nil {
		return err
	}
	if err := p.pool.Reconfigure(pc); err != nil {
		return err
	}
	if err := p.gate.Reconfigure(ac); err != nil {
		return err
	}
	p.upstream.Reconfigure(p.clientConfig(s))
	p.gate.Kick()
	if p.offlineOnly() == p.demoSilent.Load() {
		return p.reloadFAQ(ctx)
	}
	return nil
}

// mainProvider is the name of the provider that stands in [upstream] itself.
const mainProvider = "main"

// poolConfig turns the settings into providers and keys.
func poolConfig(s *settings.Settings) keypool.Config {
	u := s.Upstream
	c := keypool.Config{Model: u.Model}
	if u.BaseURL != "" {
		c.Providers = append(c.Providers, keypool.Provider{
			Name: mainProvider, Preset: presetOf(u.Preset, u.BaseURL), BaseURL: strings.TrimRight(u.BaseURL, "/"),
			NoKey: len(u.Keys) == 0, Keys: poolKeys(u.Keys),
		})
	}
	for _, x := range u.Providers {
		models := map[string]string{}
		for from, to := range x.Models {
			models[from] = to
		}
		if x.Model != "" {
			models["*"] = x.Model
		}
		c.Providers = append(c.Providers, keypool.Provider{
			Name: x.Name, Preset: presetOf(x.Preset, x.BaseURL), BaseURL: strings.TrimRight(x.BaseURL, "/"), Models: models,
			Order: x.Order, Weight: x.Weight, Disabled: x.Disabled, NoKey: len(x.Keys) == 0, Keys: poolKeys(x.Keys),
		})
	}
	return c
}

func poolKeys(keys []settings.Key) []keypool.Key {
	out := make([]keypool.Key, 0, len(keys))
	for _, k := range keys {
		out = append(out, keypool.Key{
			Name: k.Name, Secret: k.Value.Reveal(), RPM: float64(k.RPM), TPM: float64(k.TPM), Weight: k.Weight, Disabled: k.Disabled,
		})
	}
	return out
}

// presetOf tells the preset from the base URL where the owner named none.
func presetOf(name, base string) string {
	if name != "" {
		return name
	}
	u, err := url.Parse(base)
	if err != nil {
		return "custom"
	}
	for _, x := range upstream.Presets() {
		known, err := url.Parse(x.BaseURL)
		if err == nil && x.BaseURL != "" && known.Host == u.Host {
			return x.Name
		}
	}
	if strings.HasSuffix(u.Hostname(), ".openai.azure.com") {
		return "azure"
	}
	return "custom"
}

// resolvePreset is keypool's view of the presets.
func resolvePreset(name string) (chat.Target, bool) {
	x := upstream.PresetByName(name)
	if x.Name != name && name != "" {
		return chat.Target{}, false
	}
	return x.Apply(chat.Target{}), true
}

func (p *parts) admitConfig(s *settings.Settings) (admit.Config, error) {
	sheet := price.Default()
	if s.Prices.Currency != "" {
		sheet.Currency = s.Prices.Currency
	}
	own := make([]price.Entry, 0, len(s.Prices.Models))
	for _, m := range s.Prices.Models {
		own = append(own, price.Entry{Model: m.Model, Input: m.Input, Cached: m.Cached, Output: m.Output})
	}
	sheet.Entries = append(own, sheet.Entries...)
	table, err := price.New(sheet)
	if err != nil {
		return admit.Config{}, fmt.Errorf("prices: %w", err)
	}
	zone, err := timeZone(s.Site.TimeZone)
	if err != nil {
		return admit.Config{}, err
	}
	return admit.Config{
		MaxInFlight: s.Upstream.MaxIdleConnsPerHost, VIPShare: s.VIP.Share, MaxWait: s.Limits.QueueWait, MaxQueue: s.Limits.QueueLength,
		Money: admit.Money{
			PerVisitor: s.Limits.VisitorDailySpend, PerDay: s.Limits.DailySpend, PerMonth: s.Limits.MonthlySpend,
			AtCap: admit.Behaviour(s.Limits.AtCap), CheaperModel: s.Limits.CheaperModel, Zone: zone,
		},
		Prices: table,
		Probe:  func(ctx context.Context, t chat.Target) error { return p.upstream.Probe(ctx, t) },
	}, nil
}

func timeZone(name string) (*time.Location, error) {
	if name == "" {
		return time.Local, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("site.time_zone: %w", err)
	}
	return zone, nil
}

func (p *parts) clientConfig(s *settings.Settings) upstream.Config {
	realm := []string{s.Upstream.BaseURL}
	for _, x := range s.Upstream.Providers {
		realm = append(realm, x.BaseURL, x.Model, fmt.Sprint(x.Order, x.Models))
	}
	return upstream.Config{
		Realm: strings.Join(realm, " "), Model: s.Upstream.Model, MaxTokens: s.Limits.AnswerTokens,
		Timeout: s.Upstream.Timeout, Attempts: s.Upstream.Retries + 1,
		MaxIdleConns: s.Upstream.MaxIdleConns, MaxIdleConnsPerHost: s.Upstream.MaxIdleConnsPerHost, IdleConnTimeout: s.Upstream.IdleConnTimeout,
		Merge: s.Merge.Enabled, CacheTTL: s.Merge.CacheTTL, CacheBytes: s.Merge.CacheBytes, Coalesce: s.Upstream.Coalesce,
		Count: p.counter.Count, Log: p.log,
	}
}

// attempts tells the metrics and the owner of each try at a call.
type attempts struct{ p *parts }

// Attempt implements upstream.Observer.
func (a attempts) Attempt(t upstream.Attempt) {
	m := a.p.metrics
	m.UpstreamRequest(t.Key, t.Code)
	if t.Code == "cancelled" {
		return
	}
	if t.Fault == "" {
		m.UpstreamTime(t.Total)
		return
	}
	a.p.troubles.key(t)
}

// Dialed implements upstream.Observer.
func (a attempts) Dialed(string) { a.p.metrics.UpstreamDial() }

// Saved implements upstream.Observer.
func (a attempts) Saved(how string) {
	if how == "cached" {
		a.p.metrics.CacheHit()
		return
	}
	a.p.metrics.Merged()
}

// admissions tells the metrics and the owner what the gate does.
type admissions struct{ p *parts }

// Admitted implements admit.Observer.
func (a admissions) Admitted(class admit.Class, _ string, waited time.Duration) {
	a.p.metrics.QueueWait(class.String(), waited)
	a.p.metrics.UpstreamStarted()
}

// Returned implements admit.Observer.
func (a admissions) Returned() { a.p.metrics.UpstreamDone() }

// Settled implements admit.Observer.
func (a admissions) Settled(e admit.Entry) {
	m := a.p.metrics
	m.Tokens(e.Key, "prompt", e.Usage.Prompt)
	m.Tokens(e.Key, "completion", e.Usage.Completion)
	m.Spend(e.Key, e.Cost)
}

// Warned implements admit.Observer.
func (a admissions) Warned(w admit.Warning) { a.p.troubles.money(w) }

// watchGauges lets the metrics ask for what nobody tells them.
func (p *parts) watchGauges() {
	p.metrics.Watch("sessions_hot", func() float64 { return float64(p.sessions.Stats().Hot) })
	p.metrics.Watch("sqlite_bytes", func() float64 { return float64(fileSize(p.db.Path())) })
	p.metrics.Watch("spend_today", func() float64 { return p.gate.Snapshot().Money.SpentToday })
	for _, class := range []string{"vip", "ordinary", "background"} {
		p.metrics.Watch("queue_"+class, func() float64 {
			snap := p.gate.Snapshot()
			i := slices.IndexFunc(snap.Queue, func(l admit.LineState) bool { return l.Class == class })
			if class == "vip" { // once a second is enough for the keys too
				for _, k := range snap.Keys {
					if k.Rate >= 0 { // no limit known: no rate
						p.metrics.AdmitRate(k.Key, k.Rate)
					}
				}
			}
			if i < 0 {
				return 0
			}
			return float64(snap.Queue[i].Depth)
		})
	}
}
