package adminapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"haoke/backend/internal/settings"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/upstream"
	"haoke/backend/internal/wire"
)

// ProviderConfig is how a provider of the window is stored.
type ProviderConfig struct {
	Preset  string            `json:"preset"`
	BaseURL string            `json:"base_url"`
	Model   string            `json:"model"`
	Models  map[string]string `json:"models"`
}

func (a *API) providerHandlers() map[string]func(*call) (any, error) {
	return map[string]func(*call) (any, error){
		"listPresets":    a.listPresets,
		"addProvider":    a.addProvider,
		"orderProviders": a.orderProviders,
		"changeProvider": a.changeProvider,
		"deleteProvider": a.deleteProvider,
	}
}

// regions groups presets for the owner's choice.
var regions = map[string]string{
	"deepseek": "cn", "dashscope": "cn", "zhipu": "cn", "moonshot": "cn", "ollama": "local", "lmstudio": "local", "vllm": "local",
}

// keyPages are where an owner gets a key.
var keyPages = map[string]string{
	"openai": "https://platform.openai.com/api-keys", "azure": "https://portal.azure.com", "deepseek": "https://platform.deepseek.com/api_keys",
	"dashscope": "https://bailian.console.aliyun.com", "zhipu": "https://open.bigmodel.cn/usercenter/apikeys", "moonshot": "https://platform.moonshot.cn/console/api-keys",
	"openrouter": "https://openrouter.ai/keys", "groq": "https://console.groq.com/keys", "mistral": "https://console.mistral.ai/api-keys",
}

func (a *API) listPresets(*call) (any, error) {
	out := wire.PresetList{Items: []wire.Preset{}}
	for _, p := range upstream.Presets() {
		x := wire.Preset{ID: p.Name, Name: p.Title, BaseURL: p.BaseURL, Models: []string{}, KeysURL: keyPages[p.Name], NeedKey: !p.Local, Region: regions[p.Name], Note: p.Note}
		if x.Region == "" {
			x.Region = "global"
		}
		if p.Model != "" {
			x.Models = append(x.Models, p.Model)
		}
		out.Items = append(out.Items, x)
	}
	return out, nil
}

// checkProvider refuses what cannot be called.
func checkProvider(in *wire.ProviderWrite) error {
	in.BaseURL = strings.TrimRight(strings.TrimSpace(in.BaseURL), "/")
	u, err := url.Parse(in.BaseURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return invalid("base_url", "This is not the address of an API.", "It looks like https://api.openai.com/v1")
	}
	return nil
}

func (a *API) addProvider(c *call) (any, error) {
	a.keys.Lock()
	defer a.keys.Unlock()
	in, err := body[wire.ProviderWrite](c)
	if err != nil {
		return nil, err
	}
	in.Name = strings.TrimSpace(in.Name)
	if in.Name == "" || len(in.Name) > 40 {
		return nil, invalid("name", "A name has 1 to 40 characters.", "")
	}
	ring, err := a.keyRing(c.ctx())
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(ring.Providers, func(p wire.Provider) bool { return p.Name == in.Name }) {
		return nil, exists("name", fmt.Sprintf("There is a provider %q.", in.Name))
	}
	return a.putProvider(c, in.Name, int64(len(ring.Providers)), in)
}

func (a *API) putProvider(c *call, name string, pos int64, in wire.ProviderWrite) (any, error) {
	if err := checkProvider(&in); err != nil {
		return nil, err
	}
	config, err := json.Marshal(ProviderConfig{Preset: in.Preset, BaseURL: in.BaseURL, Model: in.Model, Models: in.Models})
	if err != nil {
		return nil, err
	}
	if err := a.DB.Keys().PutProvider(c.ctx(), sqlite.Provider{Name: name, Pos: pos, Enabled: in.Enabled, Config: string(config)}); err != nil {
		return nil, err
	}
	return a.providerAfter(c, name)
}

func (a *API) providerAfter(c *call, name string) (any, error) {
	if err := a.Host.ReloadKeys(c.ctx()); err != nil {
		return nil, err
	}
	ring, err := a.keyRing(c.ctx())
	if err != nil {
		return nil, err
	}
	for _, p := range ring.Providers {
		if p.Name == name {
			return p, nil
		}
	}
	return nil, notFound("There is no such provider.")
}

func (a *API) changeProvider(c *call) (any, error) {
	a.keys.Lock()
	defer a.keys.Unlock()
	in, err := body[wire.ProviderWrite](c)
	if err != nil {
		return nil, err
	}
	name := c.param("name")
	if name == MainProvider {
		return a.changeMain(c, in)
	}
	own, err := a.DB.Keys().Providers(c.ctx())
	if err != nil {
		return nil, err
	}
	for _, p := range own {
		if p.Name == name {
			return a.putProvider(c, name, p.Pos, in)
		}
	}
	for _, p := range a.Settings.Current().Upstream.Providers {
		if p.Name == name {
			return nil, locked("upstream.providers", a.Settings.Origin("upstream.providers").Where)
		}
	}
	return nil, notFound(fmt.Sprintf("There is no provider %q.", name))
}

// changeMain writes the first provider into the settings, what changed of it.
func (a *API) changeMain(c *call, in wire.ProviderWrite) (any, error) {
	s := a.Settings.Current().Upstream
	in.BaseURL = strings.TrimRight(strings.TrimSpace(in.BaseURL), "/")
	if !in.Enabled {
		in.BaseURL = ""
	}
	var edits []settings.Edit
	for _, x := range []struct{ path, was, now string }{
		{"upstream.base_url", s.BaseURL, in.BaseURL}, {"upstream.model", s.Model, in.Model}, {"upstream.preset", s.Preset, in.Preset},
	} {
		if x.now != x.was && (x.now != "" || x.path != "upstream.model") {
			value, err := json.Marshal(x.now)
			if err != nil {
				return nil, err
			}
			edits = append(edits, settings.Edit{Path: x.path, Value: value, Revision: settings.AnyRevision})
		}
	}
	if len(edits) > 0 {
		if _, err := a.Settings.SetAll(c.ctx(), settings.AnyRevision, edits); err != nil {
			return nil, err
		}
	}
	return a.providerAfter(c, MainProvider)
}

func (a *API) orderProviders(c *call) (any, error) {
	a.keys.Lock()
	defer a.keys.Unlock()
	in, err := body[wire.KeyOrder](c)
	if err != nil {
		return nil, err
	}
	own, err := a.DB.Keys().Providers(c.ctx())
	if err != nil {
		return nil, err
	}
	for _, p := range own {
		if i := slices.Index(in.Names, p.Name); i >= 0 {
			p.Pos = int64(i)
		} else {
			p.Pos = int64(len(in.Names)) + p.Pos
		}
		if err := a.DB.Keys().PutProvider(c.ctx(), p); err != nil {
			return nil, err
		}
	}
	if err := a.Host.ReloadKeys(c.ctx()); err != nil {
		return nil, err
	}
	return a.keyRing(c.ctx())
}

func (a *API) deleteProvider(c *call) (any, error) {
	a.keys.Lock()
	defer a.keys.Unlock()
	name := c.param("name")
	if name == MainProvider {
		return nil, &fault{Type: wire.ProblemConflict, Title: "The first provider", Status: 409, Detail: "The first provider stays.", Hint: "Switch it off instead."}
	}
	err := a.DB.Keys().DeleteProvider(c.ctx(), name)
	if errors.Is(err, sqlite.ErrNoRow) {
		return nil, notFound(fmt.Sprintf("There is no provider %q here.", name))
	}
	if err != nil {
		return nil, err
	}
	return nil, a.Host.ReloadKeys(c.ctx())
}
