package adminapi

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/upstream"
	"haoke/backend/internal/wire"
)

func (a *API) keyHandlers() map[string]func(*call) (any, error) {
	return map[string]func(*call) (any, error){
		"listKeys":  func(c *call) (any, error) { return a.keyRing(c.ctx()) },
		"addKey":    a.addKey,
		"changeKey": a.changeKey,
		"deleteKey": a.deleteKey,
		"testKey":   a.testKey,
		"probeKey":  a.probeKey,
		"orderKeys": a.orderKeys,

		"getAnswerCache": func(*call) (any, error) { return a.answerCache(), nil },
		"purgeAnswers": func(c *call) (any, error) {
			a.Upstream.Purge()
			a.Log.Info("the kept answers were forgotten", "by", c.operator())
			return a.answerCache(), nil
		},
	}
}

func (a *API) answerCache() wire.AnswerCache {
	s := a.Upstream.Stats()
	return wire.AnswerCache{
		Entries: s.CacheEntries, Bytes: s.CacheBytes, Hits: s.CacheHits,
		TTLSeconds: int64(a.Settings.Current().Merge.CacheTTL / time.Second),
	}
}

// MainProvider is the name of the provider that [upstream] itself describes.
const MainProvider = "main"

// SecretName binds a sealed key to its name (the seal's associated data).
func SecretName(key string) []byte { return []byte("keys/" + key) }

// cleanSecret takes what a paste adds away and refuses what cannot be a key.
func cleanSecret(value string) (string, error) {
	v := strings.TrimSpace(value)
	v = strings.TrimSpace(strings.TrimPrefix(v, "Bearer "))
	v = strings.Trim(v, `"'`)
	switch {
	case v == "":
		return "", invalid("value", "The key is empty.", "Paste the whole key.")
	case len(v) > 4096:
		return "", invalid("value", "The key is too long.", "Paste the key alone.")
	case strings.ContainsFunc(v, func(r rune) bool { return unicode.IsSpace(r) || r < ' ' || r > '~' }):
		return "", invalid("value", "The key has spaces, line breaks or strange characters inside.", "Copy it once more, without anything around it.")
	}
	return v, nil
}

// findKey finds a key by name: stored here, or fixed by a file or the
// environment.
func (a *API) findKey(ctx context.Context, name string) (k sqlite.Key, fixed bool, err error) {
	s := a.Settings.Current()
	for _, f := range s.Upstream.Keys {
		if f.Name == name {
			return k, true, nil
		}
	}
	for _, p := range s.Upstream.Providers {
		for _, f := range p.Keys {
			if f.Name == name {
				return k, true, nil
			}
		}
	}
	all, err := a.DB.Keys().List(ctx)
	if err != nil {
		return k, false, err
	}
	for _, x := range all {
		if x.Name == name {
			return x, false, nil
		}
	}
	return k, false, notFound(fmt.Sprintf("There is no key %q.", name))
}

func (a *API) addKey(c *call) (any, error) {
	a.keys.Lock()
	defer a.keys.Unlock()
	in, err := body[wire.KeyNew](c)
	if err != nil {
		return nil, err
	}
	value, err := cleanSecret(in.Value)
	if err != nil {
		return nil, err
	}
	if in.Provider == "" {
		in.Provider = MainProvider
	}
	ring, err := a.keyRing(c.ctx())
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(ring.Providers, func(p wire.Provider) bool { return p.Name == in.Provider }) {
		return nil, invalid("provider", fmt.Sprintf("There is no provider %q.", in.Provider), "")
	}
	if in.RPM < 0 || in.TPM < 0 || in.Weight < 0 || in.Weight > 1000 {
		return nil, invalid("rpm", "Limits and weight cannot be negative.", "0 means: learn it")
	}
	all, err := a.DB.Keys().List(c.ctx())
	if err != nil {
		return nil, err
	}
	name := strings.TrimSpace(in.Name)
	taken := func(n string) bool {
		_, _, err := a.findKey(c.ctx(), n)
		return err == nil
	}
	if name == "" {
		name = in.Provider
		for i := 2; taken(name); i++ {
			name = fmt.Sprintf("%s %d", in.Provider, i)
		}
	}
	if len(name) > 60 || strings.ContainsFunc(name, unicode.IsControl) {
		return nil, invalid("name", "A name has at most 60 characters.", "")
	}
	if taken(name) {
		return nil, exists("name", fmt.Sprintf("There is a key %q.", name))
	}
	sealed, err := a.Sealer.Seal([]byte(value), SecretName(name))
	if err != nil {
		return nil, fmt.Errorf("seal the key: %w", err)
	}
	a.Logs.Hide(value)
	k := sqlite.Key{
		Name: name, Provider: in.Provider, Pos: int64(len(all) + 1), Enabled: true, Sealed: sealed, Masked: masked(value),
		RPM: in.RPM, TPM: in.TPM, Weight: orOne(in.Weight),
	}
	if err := a.DB.Keys().Put(c.ctx(), k); err != nil {
		return nil, err
	}
	return a.keyAfter(c, name)
}

// keyAfter brings changed keys into use and answers with one of them.
func (a *API) keyAfter(c *call, name string) (any, error) {
	if err := a.Host.ReloadKeys(c.ctx()); err != nil {
		return nil, err
	}
	ring, err := a.keyRing(c.ctx())
	if err != nil {
		return nil, err
	}
	for _, p := range ring.Providers {
		for i := range p.Keys {
			if p.Keys[i].Name == name {
				a.live.keep(wire.LiveEvent{Type: wire.LiveKey, Key: &p.Keys[i]})
				return p.Keys[i], nil
			}
		}
	}
	return nil, notFound("The key is stored, but its provider is not there any more.")
}

func (a *API) changeKey(c *call) (any, error) {
	a.keys.Lock()
	defer a.keys.Unlock()
	in, err := body[wire.KeyPatch](c)
	if err != nil {
		return nil, err
	}
	k, fixed, err := a.findKey(c.ctx(), c.param("name"))
	if err != nil {
		return nil, err
	}
	if fixed {
		return nil, locked("name", a.Settings.Origin("upstream.keys").Where)
	}
	if in.Value != nil {
		value, err := cleanSecret(*in.Value)
		if err != nil {
			return nil, err
		}
		if k.Sealed, err = a.Sealer.Seal([]byte(value), SecretName(k.Name)); err != nil {
			return nil, fmt.Errorf("seal the key: %w", err)
		}
		k.Masked = masked(value)
		a.Logs.Hide(value)
	}
	if err := a.patchKey(c.ctx(), &k, &in); err != nil {
		return nil, err
	}
	if err := a.DB.Keys().Put(c.ctx(), k); err != nil {
		return nil, err
	}
	if in.Value != nil { // a new value deserves a try at once
		a.Pool.Revive(k.Name)
	}
	return a.keyAfter(c, k.Name)
}

// patchKey brings what is wanted of a key, its value apart, into k.
func (a *API) patchKey(ctx context.Context, k *sqlite.Key, in *wire.KeyPatch) error {
	if in.Enabled != nil {
		k.Enabled = *in.Enabled
	}
	if in.RPM != nil {
		k.RPM = *in.RPM
	}
	if in.TPM != nil {
		k.TPM = *in.TPM
	}
	if in.Weight != nil {
		k.Weight = *in.Weight
	}
	if k.RPM < 0 || k.TPM < 0 || k.Weight < 0 || k.Weight > 1000 {
		return invalid("rpm", "Limits and weight cannot be negative.", "0 means: learn it")
	}
	if in.Provider == nil || *in.Provider == k.Provider {
		return nil
	}
	ring, err := a.keyRing(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(ring.Providers, func(p wire.Provider) bool { return p.Name == *in.Provider }) {
		return invalid("provider", fmt.Sprintf("There is no provider %q.", *in.Provider), "")
	}
	k.Provider = *in.Provider
	return nil
}

func (a *API) deleteKey(c *call) (any, error) {
	a.keys.Lock()
	defer a.keys.Unlock()
	k, fixed, err := a.findKey(c.ctx(), c.param("name"))
	if err != nil {
		return nil, err
	}
	if fixed {
		return nil, locked("name", a.Settings.Origin("upstream.keys").Where)
	}
	if err := a.DB.Keys().Delete(c.ctx(), k.Name); err != nil {
		return nil, err
	}
	return nil, a.Host.ReloadKeys(c.ctx())
}

func (a *API) orderKeys(c *call) (any, error) {
	a.keys.Lock()
	defer a.keys.Unlock()
	in, err := body[wire.KeyOrder](c)
	if err != nil {
		return nil, err
	}
	all, err := a.DB.Keys().List(c.ctx())
	if err != nil {
		return nil, err
	}
	for _, k := range all {
		if i := slices.Index(in.Names, k.Name); i >= 0 {
			k.Pos = int64(i)
		} else {
			k.Pos = int64(len(in.Names)) + k.Pos
		}
		if err := a.DB.Keys().Put(c.ctx(), k); err != nil {
			return nil, err
		}
	}
	if err := a.Host.ReloadKeys(c.ctx()); err != nil {
		return nil, err
	}
	return a.keyRing(c.ctx())
}

func (a *API) testKey(c *call) (any, error) {
	name := c.param("name")
	if _, _, err := a.findKey(c.ctx(), name); err != nil {
		return nil, err
	}
	t, ok := a.Pool.Target(name, a.Settings.Current().Upstream.Model)
	if !ok {
		return nil, &fault{Type: wire.ProblemConflict, Title: "Not in use", Status: 409, Detail: "This key is switched off, or its provider has no address.", Hint: "Switch it on and set the base URL."}
	}
	out := a.test(c.ctx(), t)
	if out.OK {
		a.Pool.Revive(name) // a cool-down after a refusal ends with the proof that it works
		a.Gate.Kick()
	}
	return out, nil
}

func (a *API) probeKey(c *call) (any, error) {
	in, err := body[wire.KeyProbe](c)
	if err != nil {
		return nil, err
	}
	t := chat.Target{Provider: "test", Preset: in.Preset, BaseURL: strings.TrimRight(strings.TrimSpace(in.BaseURL), "/"), Model: in.Model}
	if in.Key != "" && in.Value == "" {
		stored, ok := a.Pool.Target(in.Key, in.Model)
		if !ok {
			return nil, notFound(fmt.Sprintf("There is no key %q.", in.Key))
		}
		t.Secret = stored.Secret
		if t.BaseURL == "" {
			t.BaseURL = stored.BaseURL
		}
	} else if in.Value != "" {
		if t.Secret, err = cleanSecret(in.Value); err != nil {
			return nil, err
		}
		a.Logs.Hide(t.Secret)
	}
	t = upstream.PresetByName(in.Preset).Apply(t)
	u, err := url.Parse(t.BaseURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, invalid("base_url", "This is not the address of an API.", "It looks like https://api.openai.com/v1")
	}
	return a.test(c.ctx(), t), nil
}

func (a *API) test(ctx context.Context, t chat.Target) wire.KeyTest {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	began := a.Now()
	r := a.Upstream.TestKey(ctx, t)
	out := wire.KeyTest{
		OK: r.OK, Fault: string(r.Fault), Status: r.Status, Text: r.Diagnosis, BaseURL: r.BaseURL, Model: t.Model,
		Models: r.Models, Steps: []wire.TestStep{}, FirstTokenMS: ms(r.Latency), TotalMS: ms(a.Now().Sub(began)),
	}
	if out.Models == nil {
		out.Models = []string{}
	}
	if len(out.Models) > 200 {
		out.Models = out.Models[:200]
	}
	out.Steps = append(out.Steps,
		wire.TestStep{Name: "models", OK: len(r.Models) > 0 || r.OK},
		wire.TestStep{Name: "chat", OK: r.OK, MS: ms(r.Latency)})
	return out
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
