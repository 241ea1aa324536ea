package settings

import "time"

// Upstream is the API that answers: the first provider's fields stand in [upstream] itself,
// further ones in [[upstream.providers]].
type Upstream struct {
	BaseURL             string        `toml:"base_url"` // OpenAI-compatible, ends in /v1; empty: the offline answerer
	Preset              string        `toml:"preset"`   // header style and quirks; "": told from the base URL
	Model               string        `toml:"model"`
	Temperature         float64       `toml:"temperature"` // negative: the provider's default
	Timeout             time.Duration `toml:"timeout"`     // whole life of a call that is not streamed; streamed: to the first token, and between tokens
	Retries             int           `toml:"retries"`     // further attempts before the first token
	Coalesce            time.Duration `toml:"coalesce"`    // join pieces that arrive within this time, after the first one; 0: off
	MaxIdleConns        int           `toml:"max_idle_conns"`
	MaxIdleConnsPerHost int           `toml:"max_idle_conns_per_host"` // also the cap of calls in flight
	IdleConnTimeout     time.Duration `toml:"idle_conn_timeout"`
	Proxy               string        `toml:"proxy"` // http, https or socks5 URL; "": the environment's
	Keys                []Key         `toml:"keys"`
	Providers           []Provider    `toml:"providers"`
}

// Key is one credential. Exactly one of Value, Env and File is written; after
// loading, Value holds the secret in every case.
type Key struct {
	Name     string  `toml:"name"`
	Value    Secret  `toml:"value"`
	Env      string  `toml:"env"`
	File     string  `toml:"file"`
	RPM      int     `toml:"rpm"` // requests a minute; 0: no limit known, learn it
	TPM      int     `toml:"tpm"` // tokens a minute; 0: no limit known, learn it
	Weight   float64 `toml:"weight"`
	Disabled bool    `toml:"disabled"`
}

// Provider is a further place to call, used when those before it cannot.
type Provider struct {
	Name     string            `toml:"name"`
	Preset   string            `toml:"preset"`
	BaseURL  string            `toml:"base_url"`
	Model    string            `toml:"model"`  // model here; "": that of [upstream]
	Models   map[string]string `toml:"models"` // model of [upstream] to the model's name here
	Order    int               `toml:"order"`  // lower is tried first; equal ones share the load
	Weight   float64           `toml:"weight"` // share among equals; 0: 1
	Disabled bool              `toml:"disabled"`
	Keys     []Key             `toml:"keys"`
}

// Prices is the owner's part of the price table; the built-in one stands below it.
type Prices struct {
	Currency string  `toml:"currency"` // ISO 4217, for display
	Models   []Price `toml:"models"`
}

// Price is what a model costs, per million tokens.
type Price struct {
	Model  string  `toml:"model"` // name, or a prefix ending in "*"
	Input  float64 `toml:"input"`
	Cached float64 `toml:"cached"` // input that the provider served from its cache; 0: as Input
	Output float64 `toml:"output"`
}

// Merge is the sharing of upstream calls.
type Merge struct {
	Enabled    bool          `toml:"enabled"`
	CacheTTL   time.Duration `toml:"cache_ttl"`   // 0: no cache
	CacheBytes int           `toml:"cache_bytes"` // bound on kept answers
}

// Burst is the joining of messages that a visitor writes in a row.
type Burst struct {
	TypingWait time.Duration `toml:"typing_wait"` // longest wait for a visitor who types on; 0: never wait
	Messages   int           `toml:"messages"`    // most messages joined in one turn
}
