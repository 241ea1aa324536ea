package keypool

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"haoke/backend/internal/chat"
)

// Pool chooses keys and learns from what came of their calls. It is safe for
// concurrent use and never blocks longer than its own short lock.
type Pool struct {
	resolve Resolve

	mu        sync.Mutex
	cfg       Config
	providers []*provider // by Order, then as configured
	tiers     [][]*key    // keys by Order, lowest first
	start     time.Time   // zero of the pool's time
	last      time.Duration
	clock     float64 // virtual time of the weighted choice
}

type provider struct {
	cfg      Provider
	target   chat.Target // without key and model
	brk      breaker
	inFlight int
}

type key struct {
	cfg  Key
	prov *provider
	tier int

	req, tok  limiter
	pace      pace
	learned   learned
	coolTil   time.Duration
	coolWhy   string
	coolFault chat.Fault
	probation bool // the pause was for a refused credential: one call at a time until one succeeds
	refused   int  // 429 in a row
	refusedAt time.Duration

	inFlight int
	used     float64 // virtual time of the last grant, for the weighted choice
	seq      int64   // grants so far
	tokSum   int64   // tokens granted so far

	born            time.Duration
	no              window // refusals, in the slot of their grant
	calls, refusals int64
	ewma            time.Duration // upstream time of successful calls
	gone            bool          // removed by Reconfigure while calls were in flight
}

// learned is what the upstream told about a key's limits.
type learned struct {
	rpm, tpm float64 // a minute; 0: not told
	perDay   float64 // requests a day, where the provider counts days
	dayHints int     // answers in a row that looked like a daily quota
}

// New makes a pool. resolve may be nil: then every provider must say its
// BaseURL and gets OpenAI's header style.
func New(cfg Config, resolve Resolve) (*Pool, error) {
	p := &Pool{resolve: resolve}
	if err := p.Reconfigure(cfg); err != nil {
		return nil, err
	}
	return p, nil
}

// Reconfigure replaces the configuration while calls go on. A key that keeps
// its provider, name and secret keeps what was learned about it; calls in
// flight end normally. On an error nothing changes.
func (p *Pool) Reconfigure(cfg Config) error {
	cfg = cfg.withDefaults()
	if cfg.Jitter == nil {
		cfg.Jitter = rand.Float64
	}
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("configure the key pool: %w", err)
	}
	targets := make([]chat.Target, len(cfg.Providers))
	for i, pc := range cfg.Providers {
		t, err := p.targetOf(pc)
		if err != nil {
			return fmt.Errorf("configure the key pool: %w", err)
		}
		targets[i] = t
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	old := map[string]*key{}
	oldProv := map[string]*provider{}
	for _, tier := range p.tiers {
		for _, k := range tier {
			k.gone = true
			old[k.cfg.Name] = k
			oldProv[k.prov.cfg.Name] = k.prov
		}
	}
	p.cfg = cfg
	p.providers, p.tiers = nil, nil
	for i, pc := range cfg.Providers {
		if !pc.Disabled {
			p.addProvider(pc, targets[i], oldProv[pc.Name], old)
		}
	}
	p.buildTiers(old)
	return nil
}

// targetOf joins a provider's settings with what its preset knows.
func (p *Pool) targetOf(pc Provider) (chat.Target, error) {
	t := chat.Target{AuthHeader: "Authorization", MaxTokensField: "max_tokens", StreamUsage: true}
	preset := cmp.Or(pc.Preset, "openai")
	if p.resolve != nil {
		known, ok := p.resolve(preset)
		if !ok {
			return t, fmt.Errorf("provider %q: there is no preset %q", pc.Name, preset)
		}
		t = known
	}
	t.Provider, t.Preset = pc.Name, preset
	t.BaseURL = strings.TrimRight(cmp.Or(pc.BaseURL, t.BaseURL), "/")
	t.Query = cmp.Or(pc.Query, t.Query)
	t.AuthHeader = cmp.Or(pc.AuthHeader, t.AuthHeader, "Authorization")
	t.MaxTokensField = cmp.Or(pc.MaxTokensField, t.MaxTokensField, "max_tokens")
	if t.BaseURL == "" && !pc.Disabled {
		return t, fmt.Errorf("provider %q: it has no base URL", pc.Name)
	}
	return t, nil
}

func (p *Pool) addProvider(pc Provider, t chat.Target, was *provider, old map[string]*key) {
	pr := &provider{cfg: pc, target: t}
	if was != nil {
		pr.inFlight = was.inFlight
		if was.target.BaseURL == t.BaseURL {
			pr.brk = was.brk
		}
		// Calls in flight hold the old provider through their key; keep one
		// object per name so that their reports still count.
		*was = *pr
		pr = was
	}
	p.providers = append(p.providers, pr)
	keys := pc.Keys
	if len(keys) == 0 && pc.NoKey {
		keys = []Key{{Name: localKeyName(pc.Name)}}
	}
	for _, kc := range keys {
		if kc.Disabled || kc.Secret == "" && !pc.NoKey {
			continue
		}
		k := old[kc.Name]
		if k == nil || k.prov != pr || k.cfg.Secret != kc.Secret {
			k = &key{used: p.clock, born: p.last}
		}
		k.cfg, k.prov, k.gone = kc, pr, false
		old[kc.Name] = k
		p.applyLimits(k, p.last)
	}
}

// buildTiers orders the live keys into one group per Order.
func (p *Pool) buildTiers(keys map[string]*key) {
	slices.SortStableFunc(p.providers, func(a, b *provider) int { return cmp.Compare(a.cfg.Order, b.cfg.Order) })
	for i, pr := range p.providers {
		if i == 0 || pr.cfg.Order != p.providers[i-1].cfg.Order {
			p.tiers = append(p.tiers, nil)
		}
		tier := len(p.tiers) - 1
		names := pr.cfg.Keys
		if len(names) == 0 {
			names = []Key{{Name: localKeyName(pr.cfg.Name)}}
		}
		for _, kc := range names {
			if k := keys[kc.Name]; k != nil && !k.gone && k.prov == pr {
				k.tier = tier
				p.tiers[tier] = append(p.tiers[tier], k)
			}
		}
	}
}

// now is t in the pool's time, which never runs backwards: where a clock
// without a monotonic reading is set back, time stands still for one moment
// and goes on from there.
func (p *Pool) now(t time.Time) time.Duration {
	if p.start.IsZero() {
		p.start = t
	}
	d := t.Sub(p.start)
	if d < p.last {
		p.start = t.Add(-p.last)
		d = p.last
	}
	p.last = d
	return d
}

// wall is the time of day of a moment of the pool's time.
func (p *Pool) wall(d time.Duration) time.Time { return p.start.Add(d) }

// applyLimits sets the key's limiters to the lower of what the owner and what
// the upstream said.
func (p *Pool) applyLimits(k *key, now time.Duration) {
	k.req.setLimit(lower(k.cfg.RPM, k.learned.rpm), 3, 0.25/60, now)
	k.tok.setLimit(lower(k.cfg.TPM, k.learned.tpm), 1, 0.1, now)
}

// lower is the smaller of two limits of which 0 means none.
func lower(a, b float64) float64 {
	if a <= 0 || b > 0 && b < a {
		return b
	}
	return a
}

// model is the provider's name for the asked model.
func (pr *provider) model(asked, fallback string) string {
	asked = cmp.Or(asked, fallback)
	if m, ok := pr.cfg.Models[asked]; ok && m != "" {
		return m
	}
	if m := pr.cfg.Models["*"]; m != "" {
		return m
	}
	return asked
}

func (k *key) target(model string) chat.Target {
	t := k.prov.target
	t.Key, t.Secret, t.Model = k.cfg.Name, k.cfg.Secret, model
	return t
}

// Target is where a call with the named key and model would go, whatever the
// key's state: for the key test of the admin page. It carries the secret.
func (p *Pool) Target(keyName, model string) (chat.Target, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, tier := range p.tiers {
		for _, k := range tier {
			if k.cfg.Name == keyName {
				return k.target(k.prov.model(model, p.cfg.Model)), true
			}
		}
	}
	return chat.Target{}, false
}

// Revive ends the named key's pause and its provider's open breaker, after a
// test has succeeded. It reports whether there is such a key.
func (p *Pool) Revive(keyName string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, tier := range p.tiers {
		for _, k := range tier {
			if k.cfg.Name == keyName {
				k.recover()
				k.prov.brk = breaker{}
				return true
			}
		}
	}
	return false
}

// Sick gives what a health check should try: every key that was refused or has
// no money, and one key of each provider whose breaker is open. Success is
// reported with Revive. The targets carry secrets.
func (p *Pool) Sick() []chat.Target {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []chat.Target
	seen := map[*provider]bool{}
	for _, tier := range p.tiers {
		for _, k := range tier {
			if k.probation || k.prov.brk.open && !seen[k.prov] {
				seen[k.prov] = true
				out = append(out, k.target(k.prov.model("", p.cfg.Model)))
			}
		}
	}
	return out
}

func (k *key) recover() {
	k.coolTil, k.coolWhy, k.coolFault = 0, "", ""
	k.probation, k.refused = false, 0
}
