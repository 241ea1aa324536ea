// Package keypool keeps the credentials of the upstreams: which provider and
// key the next call may use, how much each still allows, and which of them
// rest after a refusal and why.
//
// The pool never waits and starts nothing. It answers "this key, now" or "not
// before so long"; the queue in front of it belongs to package admit.
package keypool

import (
	"fmt"
	"strings"
	"time"

	"haoke/backend/internal/chat"
)

// Config is everything that can be set about the pool.
type Config struct {
	// Providers in any order. None: every Take is denied with FaultNoKey.
	Providers []Provider
	// Model is asked for where neither the call nor the provider names one.
	Model string
	// MaxCoolDown caps every pause that an upstream asks for or that grows by
	// doubling, so that an absurd Retry-After cannot park a key. 0: 60 s.
	MaxCoolDown time.Duration
	// AuthCoolDown is the pause of a key that was refused or has no money
	// left; after it one call tries again. 0: 10 minutes.
	AuthCoolDown time.Duration
	// BreakAfter is how many failures in a row open a provider's circuit
	// breaker. 0: 5.
	BreakAfter int
	// BreakFor is how long it stays open the first time; it doubles up to
	// MaxCoolDown. 0: 5 s.
	BreakFor time.Duration
	// Spill is how long a call waits for a preferred provider before one of a
	// later Order may take it. 0: 1 s.
	Spill time.Duration
	// Jitter gives numbers from 0 to 1 to spread the ends of pauses. It is
	// called under the pool's lock. nil: math/rand.
	Jitter func() float64
}

// Provider is one OpenAI-compatible API and its keys.
type Provider struct {
	Name    string
	Preset  string // "openai", "azure", ...; empty: "openai"
	BaseURL string // empty: the preset's
	// Models maps the model that is asked for to this provider's name of it;
	// "*" stands for every model that is not listed. Empty: names pass as they are.
	Models map[string]string
	// Order of fallback: providers of a lower Order are used first; those of
	// the same Order share the calls.
	Order int
	// Weight among providers of the same Order. 0: 1.
	Weight float64
	// MaxInFlight bounds the calls in flight at this provider. 0: no bound of
	// its own.
	MaxInFlight int
	// Query, AuthHeader and MaxTokensField replace the preset's where set.
	Query          string
	AuthHeader     string
	MaxTokensField string
	// NoKey: the provider wants no credential (a local model); it is used
	// without one when Keys is empty.
	NoKey    bool
	Disabled bool
	Keys     []Key
}

// Key is one credential. Its name is unique in the whole pool: metrics, the
// ledger and error messages know a key by it.
type Key struct {
	Name     string
	Secret   string  `json:"-"`
	RPM      float64 // requests a minute; 0: not known, learn it
	TPM      float64 // tokens a minute; 0: not known, learn it
	Weight   float64 // among the keys of one Order; 0: 1
	Disabled bool
}

// Resolve gives what a preset knows of a provider: BaseURL, AuthHeader,
// MaxTokensField, StreamUsage and Query. It reports false for an unknown name.
type Resolve func(preset string) (chat.Target, bool)

// localKeyName is the name of the credential that a NoKey provider goes
// without, made unique by the provider's name.
func localKeyName(provider string) string { return provider + " (no key)" }

func (c Config) withDefaults() Config {
	if c.MaxCoolDown <= 0 {
		c.MaxCoolDown = time.Minute
	}
	if c.AuthCoolDown <= 0 {
		c.AuthCoolDown = 10 * time.Minute
	}
	if c.BreakAfter <= 0 {
		c.BreakAfter = 5
	}
	if c.BreakFor <= 0 {
		c.BreakFor = 5 * time.Second
	}
	if c.Spill <= 0 {
		c.Spill = time.Second
	}
	return c
}

// Validate reports the first thing that cannot work, in words that name the
// provider and the key.
func (c Config) Validate() error {
	names := map[string]bool{}
	keys := map[string]string{}
	for i, p := range c.Providers {
		if p.Name == "" {
			return fmt.Errorf("provider %d: it has no name", i+1)
		}
		if names[p.Name] {
			return fmt.Errorf("provider %q: there are two of this name", p.Name)
		}
		names[p.Name] = true
		if p.Weight < 0 || p.MaxInFlight < 0 {
			return fmt.Errorf("provider %q: weight and calls in flight cannot be negative", p.Name)
		}
		for _, k := range p.Keys {
			if err := k.validate(); err != nil {
				return fmt.Errorf("provider %q: %w", p.Name, err)
			}
			if other, ok := keys[k.Name]; ok {
				return fmt.Errorf("provider %q: the key name %q is taken by a key of %q", p.Name, k.Name, other)
			}
			keys[k.Name] = p.Name
		}
	}
	return nil
}

func (k Key) validate() error {
	switch {
	case k.Name == "":
		return fmt.Errorf("a key has no name")
	case strings.ContainsAny(k.Secret, "\r\n\x00"):
		return fmt.Errorf("key %q: its value contains a line break", k.Name)
	case !(k.RPM >= 0 && k.RPM <= maxAllowance) || !(k.TPM >= 0 && k.TPM <= maxAllowance):
		return fmt.Errorf("key %q: rpm and tpm must be from 0 to %d", k.Name, int(maxAllowance))
	case !(k.Weight >= 0 && k.Weight <= 1e6):
		return fmt.Errorf("key %q: weight must be from 0 to 1000000", k.Name)
	}
	return nil
}
