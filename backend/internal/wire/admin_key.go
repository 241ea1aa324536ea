package wire

import "time"

// Preset is a known provider.
type Preset struct {
	ID      string   `json:"id"`   // "openai", "azure", "deepseek", "moonshot", "ollama", "custom", ...
	Name    string   `json:"name"` // for people
	BaseURL string   `json:"base_url"`
	Models  []string `json:"models"`   // suggestions, best first
	KeysURL string   `json:"keys_url"` // where to get a key; empty: none needed
	NeedKey bool     `json:"need_key"`
	Region  string   `json:"region"` // "cn", "global" or "local"
	Note    string   `json:"note,omitempty"`
}

// PresetList is all presets in the order to show.
type PresetList struct {
	Items []Preset `json:"items"`
}

// KeyRing is all providers with their keys, in the order of use.
type KeyRing struct {
	Providers []Provider `json:"providers"`
	// Store is where the keys are kept: "keychain" or "file".
	Store     string `json:"store"`
	StoreNote string `json:"store_note,omitempty"`
	Currency  string `json:"currency"`
	// InFlight and InFlightMax are calls under way and their cap.
	InFlight    int `json:"in_flight"`
	InFlightMax int `json:"in_flight_max"`
	// Queue is how many calls wait, by class: "vip", "ordinary", "background".
	Queue map[string]int `json:"queue"`
}

// Provider is one OpenAI-compatible API. The first, named "main", is the
// [upstream] section of the settings.
type Provider struct {
	Name    string            `json:"name"`
	Preset  string            `json:"preset"`
	BaseURL string            `json:"base_url"` // empty on "main": the offline answerer
	Model   string            `json:"model"`
	Models  map[string]string `json:"models"` // model asked for -> model here
	Enabled bool              `json:"enabled"`
	// State: "ok", "open" (circuit open after failures), "off" or "unused".
	State  string   `json:"state"`
	Reason string   `json:"reason,omitempty"`
	Locked []string `json:"locked"` // settings paths that a file, environment or flag holds
	Keys   []Key    `json:"keys"`
}

// ProviderWrite adds or changes a provider. A base URL is trimmed; without a
// path "/v1" is suggested by the test, never added silently.
type ProviderWrite struct {
	Name    string            `json:"name"` // 1-40 characters; ignored on PUT
	Preset  string            `json:"preset"`
	BaseURL string            `json:"base_url"`
	Model   string            `json:"model"`
	Models  map[string]string `json:"models"`
	Enabled bool              `json:"enabled"`
}

// Key is a credential without its secret, which never leaves the appliance.
type Key struct {
	Name     string  `json:"name"` // unique over all providers
	Provider string  `json:"provider"`
	Masked   string  `json:"masked"` // for example "sk-…4f2a"
	Source   string  `json:"source"` // "window", "config.toml:12", "HAOKE_UPSTREAM_KEY", ...
	Locked   bool    `json:"locked"` // cannot be changed here
	Enabled  bool    `json:"enabled"`
	Weight   float64 `json:"weight"` // share among keys of equal health; 1: ordinary

	// State: "ok", "idle" (not used yet), "unproven" (no call has succeeded yet), "cooling", "refused", "quota", "off".
	State     string     `json:"state"`
	Reason    string     `json:"reason,omitempty"` // plain words
	Until     *time.Time `json:"until,omitempty"`  // end of the cool-down
	CheckedAt *time.Time `json:"checked_at,omitempty"`

	Requests Gauge `json:"requests"` // a minute
	Tokens   Gauge `json:"tokens"`   // a minute
	// AdmitRate is what the adaptive bucket allows, calls a minute; null: unlimited.
	AdmitRate    *float64  `json:"admit_rate"`
	InFlight     int       `json:"in_flight"`
	SpendToday   float64   `json:"spend_today"`
	CallsToday   int64     `json:"calls_today"`
	ErrorsToday  int64     `json:"errors_today"`
	FirstTokenMS *float64  `json:"first_token_ms"`
	CreatedAt    time.Time `json:"created_at"`
}

// Gauge is an allowance a minute.
type Gauge struct {
	Used       float64 `json:"used"`       // in the running minute
	Configured int64   `json:"configured"` // 0: not set
	Learned    int64   `json:"learned"`    // from the provider's headers; 0: not known
}

// KeyNew adds a key.
type KeyNew struct {
	Name     string  `json:"name"`     // empty: made from the provider's name
	Provider string  `json:"provider"` // empty: "main"
	Value    string  `json:"value"`    // spaces and line breaks around it are removed
	RPM      int64   `json:"rpm"`      // 0: learn it
	TPM      int64   `json:"tpm"`
	Weight   float64 `json:"weight"` // 0: 1
}

// KeyPatch changes a key; nil fields stay. A new Value rotates it: calls under
// way finish with the old one.
type KeyPatch struct {
	Value    *string  `json:"value,omitempty"`
	Enabled  *bool    `json:"enabled,omitempty"`
	RPM      *int64   `json:"rpm,omitempty"`
	TPM      *int64   `json:"tpm,omitempty"`
	Weight   *float64 `json:"weight,omitempty"`
	Provider *string  `json:"provider,omitempty"`
}

// KeyOrder puts providers or keys in order. Names left out keep their place
// behind those named.
type KeyOrder struct {
	Names []string `json:"names"`
}

// KeyProbe tests what is not saved yet.
type KeyProbe struct {
	Preset  string `json:"preset"`
	BaseURL string `json:"base_url"`
	Value   string `json:"value"` // empty: the stored key named Key
	Key     string `json:"key,omitempty"`
	Model   string `json:"model"` // empty: the first that the provider lists
}

// KeyTest is the result of a test. It is an answer with status 200 whether the
// key is good or not; the test takes at most 20 s.
type KeyTest struct {
	OK bool `json:"ok"`
	// Fault is a chat.Fault, or "" when OK.
	Fault  string `json:"fault,omitempty"`
	Status int    `json:"status,omitempty"` // HTTP status
	Text   string `json:"text"`             // one sentence: what happened
	Hint   string `json:"hint,omitempty"`   // what to do
	// BaseURL is a better one, when the test found it (for example with /v1).
	BaseURL      string     `json:"base_url,omitempty"`
	Model        string     `json:"model,omitempty"`
	Models       []string   `json:"models"` // what the key may use, at most 200
	Steps        []TestStep `json:"steps"`
	FirstTokenMS float64    `json:"first_token_ms,omitempty"`
	TotalMS      float64    `json:"total_ms"`
	RPM          int64      `json:"rpm,omitempty"` // learned from headers
	TPM          int64      `json:"tpm,omitempty"`
}

// TestStep is one step of a connection test.
type TestStep struct {
	Name   string  `json:"name"` // "dns", "connect", "tls", "models", "chat"; archive: "connect", "login", "rights", "schema", "write"
	OK     bool    `json:"ok"`
	MS     float64 `json:"ms"`
	Detail string  `json:"detail,omitempty"`
}

// AnswerCache is what is kept of merged answers for later identical questions
// (merge.cache_ttl).
type AnswerCache struct {
	Entries int   `json:"entries"`
	Bytes   int   `json:"bytes"`
	Hits    int64 `json:"hits"` // answers given from it since the start
	// TTLSeconds is how long an answer is kept; 0: none is.
	TTLSeconds int64 `json:"ttl_s"`
}
