package keypool

import (
	"math"
	"time"

	"haoke/backend/internal/chat"
)

// KeyState is one key as the owner sees it. Secrets are not in it.
type KeyState struct {
	Provider string `json:"provider"`
	Preset   string `json:"preset"`
	Key      string `json:"key"`
	// State in one word: ready, busy (its allowance is used up for the
	// moment), resting (after 429), refused, no_money, failing (the provider's
	// breaker is open).
	State  string     `json:"state"`
	Reason string     `json:"reason,omitempty"` // in a sentence
	Until  *time.Time `json:"until,omitempty"`  // end of the pause

	RPM        float64 `json:"rpm"`         // as configured, 0: not set
	TPM        float64 `json:"tpm"`         //
	LearnedRPM float64 `json:"learned_rpm"` // as the upstream told, 0: it did not
	LearnedTPM float64 `json:"learned_tpm"` //
	PerDay     float64 `json:"per_day"`     // requests a day, where it counts days
	// LeftRequests and LeftTokens of the running minute; -1: no limit known.
	LeftRequests float64 `json:"left_requests"`
	LeftTokens   float64 `json:"left_tokens"`
	// Rate is how many calls a second are admitted now at most, +Inf written
	// as -1: no limit known.
	Rate     float64       `json:"rate"`
	Adaptive bool          `json:"adaptive"` // Rate was found by trial
	InFlight int           `json:"in_flight"`
	Calls    int64         `json:"calls"`
	Refusals int64         `json:"refusals"`
	Latency  time.Duration `json:"latency_ns"` // moving mean of successful calls
}

// Snapshot is the state of every enabled key, in the order of use.
func (p *Pool) Snapshot(t time.Time) []KeyState {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now(t)
	out := []KeyState{}
	for _, tier := range p.tiers {
		for _, k := range tier {
			out = append(out, p.state(now, k))
		}
	}
	return out
}

func (p *Pool) state(now time.Duration, k *key) KeyState {
	s := KeyState{
		Provider: k.prov.cfg.Name, Preset: k.prov.target.Preset, Key: k.cfg.Name, State: "ready",
		RPM: k.cfg.RPM, TPM: k.cfg.TPM, LearnedRPM: k.learned.rpm, LearnedTPM: k.learned.tpm,
		PerDay:       k.learned.perDay,
		LeftRequests: k.req.remaining(now), LeftTokens: k.tok.remaining(now),
		InFlight: k.inFlight, Calls: k.calls, Refusals: k.refusals, Latency: k.ewma,
	}
	k.pace.advance(now)
	s.Adaptive = k.pace.on
	if s.Rate = k.rate(now); math.IsInf(s.Rate, 1) {
		s.Rate = -1
	}
	pause := func(state, why string, until time.Duration) {
		s.State, s.Reason = state, why
		at := p.wall(until)
		s.Until = &at
	}
	_, closed := k.prov.brk.wait(now)
	switch {
	case k.coolTil > now && k.coolFault == chat.FaultAuth:
		pause("refused", k.coolWhy, k.coolTil)
	case k.coolTil > now && k.coolFault == chat.FaultQuota:
		pause("no_money", k.coolWhy, k.coolTil)
	case k.coolTil > now:
		pause("resting", k.coolWhy, k.coolTil)
	case !closed:
		pause("failing", k.prov.brk.reason, k.prov.brk.openTil)
	case s.LeftRequests == 0 || s.LeftTokens == 0:
		s.State, s.Reason = "busy", "the allowance of this minute is used up"
	}
	return s
}

// rate is how many calls a second the key admits in the long run, +Inf without
// any limit, 0 while it may not be used.
func (k *key) rate(now time.Duration) float64 {
	if _, closed := k.prov.brk.wait(now); !closed || k.coolTil > now {
		return 0
	}
	r := math.Inf(1)
	if k.req.limit > 0 {
		r = k.req.limit / 60
	}
	if k.tok.limit > 0 && k.calls > 0 && k.tokSum > 0 {
		mean := float64(k.tokSum) / float64(k.calls)
		r = min(r, k.tok.limit/60/mean)
	}
	if k.pace.on {
		r = min(r, k.pace.rate)
	}
	return r
}

// Capacity is how many calls a second all usable keys admit together (+Inf:
// no limit known) and, when that is 0, how long until one comes back.
func (p *Pool) Capacity(t time.Time) (perSecond float64, back time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now(t)
	back = -1
	for _, tier := range p.tiers {
		for _, k := range tier {
			perSecond += k.rate(now)
			til := k.coolTil
			if k.prov.brk.open {
				til = max(til, k.prov.brk.openTil)
			}
			if d := max(til-now, 0); back < 0 || d < back {
				back = d
			}
		}
	}
	return perSecond, max(back, 0)
}
