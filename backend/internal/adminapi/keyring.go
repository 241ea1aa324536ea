package adminapi

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"haoke/backend/internal/admit"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/wire"
)

// keyRing is everything about providers and keys, live state included.
func (a *API) keyRing(ctx context.Context) (wire.KeyRing, error) {
	s, snap := a.Settings.Current(), a.Gate.Snapshot()
	out := wire.KeyRing{
		Providers: []wire.Provider{}, Store: a.Sealer.Where(), Currency: snap.Money.Currency,
		InFlight: snap.InFlight, InFlightMax: snap.MaxInFlight, Queue: map[string]int{},
	}
	if err := a.Sealer.Locked(); err != nil {
		out.StoreNote = err.Error()
	}
	for _, l := range snap.Queue {
		out.Queue[l.Class] = l.Depth
	}
	stored, err := a.DB.Keys().List(ctx)
	if err != nil {
		return out, err
	}
	live := map[string]admit.KeyState{}
	for _, k := range snap.Keys {
		live[k.Key] = k
	}
	first := wire.Provider{
		Name: MainProvider, Preset: s.Upstream.Preset, BaseURL: s.Upstream.BaseURL, Model: s.Upstream.Model, Models: map[string]string{},
		Enabled: s.Upstream.BaseURL != "", Locked: a.lockedPaths("upstream.base_url", "upstream.model", "upstream.preset"),
	}
	out.Providers = append(out.Providers, a.withKeys(first, s.Upstream.Keys, stored, live))
	for _, p := range s.Upstream.Providers {
		out.Providers = append(out.Providers, a.withKeys(wire.Provider{
			Name: p.Name, Preset: p.Preset, BaseURL: p.BaseURL, Model: p.Model, Models: orEmpty(p.Models), Enabled: !p.Disabled,
			Locked: []string{"upstream.providers"},
		}, p.Keys, stored, live))
	}
	own, err := a.DB.Keys().Providers(ctx)
	if err != nil {
		return out, err
	}
	for _, p := range own {
		var c ProviderConfig
		if err := json.Unmarshal([]byte(p.Config), &c); err != nil {
			return out, fmt.Errorf("read provider %s: %w", p.Name, err)
		}
		out.Providers = append(out.Providers, a.withKeys(wire.Provider{
			Name: p.Name, Preset: c.Preset, BaseURL: c.BaseURL, Model: c.Model, Models: orEmpty(c.Models), Enabled: p.Enabled, Locked: []string{},
		}, nil, stored, live))
	}
	return out, nil
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

func (a *API) lockedPaths(paths ...string) []string {
	out := []string{}
	for _, p := range paths {
		if a.Settings.Origin(p).Locked() {
			out = append(out, p)
		}
	}
	return out
}

// withKeys adds a provider's keys, those of files first, and its state.
func (a *API) withKeys(p wire.Provider, fixed []settings.Key, stored []sqlite.Key, live map[string]admit.KeyState) wire.Provider {
	p.Keys = []wire.Key{}
	where := a.Settings.Origin("upstream.keys").Where
	for _, k := range fixed {
		p.Keys = append(p.Keys, withState(wire.Key{
			Name: k.Name, Provider: p.Name, Masked: masked(k.Value.Reveal()), Source: where, Locked: true, Enabled: !k.Disabled,
			Weight: orOne(k.Weight), Requests: wire.Gauge{Configured: int64(k.RPM)}, Tokens: wire.Gauge{Configured: int64(k.TPM)},
		}, live))
	}
	for _, k := range stored {
		if k.Provider == p.Name {
			p.Keys = append(p.Keys, withState(wire.Key{
				Name: k.Name, Provider: p.Name, Masked: k.Masked, Source: "window", Enabled: k.Enabled, Weight: orOne(k.Weight),
				Requests: wire.Gauge{Configured: k.RPM}, Tokens: wire.Gauge{Configured: k.TPM}, CreatedAt: k.Created,
			}, live))
		}
	}
	switch {
	case p.BaseURL == "":
		p.State = "unused"
	case !p.Enabled:
		p.State = "off"
	default:
		p.State = "ok"
	}
	for _, k := range live {
		if k.Provider == p.Name && k.State == "failing" {
			p.State, p.Reason = "open", k.Reason
		}
	}
	return p
}

func orOne(w float64) float64 {
	if w == 0 {
		return 1
	}
	return w
}

// withState adds what the pool knows of a key. The pool's words are its own;
// the page's are these.
func withState(k wire.Key, live map[string]admit.KeyState) wire.Key {
	st, ok := live[k.Name]
	if !k.Enabled {
		k.State = "off"
		return k
	}
	if !ok {
		k.State = "idle"
		return k
	}
	k.State = map[string]string{"ready": "ok", "busy": "ok", "resting": "cooling", "refused": "refused", "no_money": "quota", "failing": "cooling"}[st.State]
	switch {
	case k.State == "ok" && st.Calls == 0:
		k.State = "idle"
	case k.State == "ok" && st.Latency == 0: // called, and never an answer
		k.State = "unproven"
	}
	k.Reason, k.Until = st.Reason, st.Until
	k.Requests.Learned, k.Tokens.Learned = int64(st.LearnedRPM), int64(st.LearnedTPM)
	k.Requests.Used = used(max(st.RPM, st.LearnedRPM), st.LeftRequests)
	k.Tokens.Used = used(max(st.TPM, st.LearnedTPM), st.LeftTokens)
	if st.Rate >= 0 && !math.IsInf(st.Rate, 0) {
		perMinute := st.Rate * 60
		k.AdmitRate = &perMinute
	}
	k.InFlight, k.SpendToday, k.CallsToday, k.ErrorsToday = st.InFlight, st.SpentToday, st.Calls, st.Refusals
	if st.Latency > 0 {
		ms := float64(st.Latency) / float64(time.Millisecond)
		k.FirstTokenMS = &ms
	}
	return k
}

func used(limit, left float64) float64 {
	if limit <= 0 || left < 0 {
		return 0
	}
	return max(0, limit-left)
}

// masked shows the form of a key and its last four characters.
func masked(secret string) string {
	if len(secret) < 12 {
		return "…"
	}
	head := ""
	if i := strings.LastIndexAny(secret[:8], "-_"); i >= 0 {
		head = secret[:i+1]
	}
	return head + "…" + secret[len(secret)-4:]
}
