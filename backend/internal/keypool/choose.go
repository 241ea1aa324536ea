package keypool

import (
	"fmt"
	"slices"
	"time"

	"haoke/backend/internal/chat"
)

// Want is what a call needs of a key.
type Want struct {
	Model  string // empty: the configuration's
	Tokens int    // what it may take of the tokens-a-minute allowance
	// NotKeys must not be used. When no other key could serve soon either, the
	// denial is FaultNoKey: it is for the caller to try them again.
	NotKeys []string
	// Reserve (0 to 1) is the part of each burst that this call must leave.
	Reserve float64
	// Spill allows providers of a later Order though an earlier one would be
	// ready soon.
	Spill bool
}

// Grant is the right to make one call with one key. It is handed back by
// exactly one Report or Cancel.
type Grant struct {
	Target chat.Target

	key    *key
	at     time.Duration
	seq    int64
	tokSum int64 // including this grant
	tokens int64
}

// Denial says why there is no key now.
type Denial struct {
	// Wait is when to ask again; 0 when asking again is no use until the
	// configuration changes.
	Wait time.Duration
	// Fault is FaultRate when the keys are only busy or resting after 429,
	// otherwise what is wrong with all of them. FaultNoKey: there is none.
	Fault  chat.Fault
	Reason string // for the owner
	Key    string // the key that Reason is about, if one
	// Specific: another call may well be granted now, because only this one
	// excluded the keys that are free.
	Specific bool
}

// Take grants a key for a call at now, or says why not. It is the only
// decision on the way of a call and costs a few steps per key.
func (p *Pool) Take(t time.Time, w Want, g *Grant) (Denial, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now(t)
	if len(p.tiers) == 0 || p.empty() {
		return Denial{Fault: chat.FaultNoKey, Reason: "no usable key is configured: add one under Upstream"}, false
	}
	k, den := p.choose(now, &w, false)
	if k == nil && len(w.NotKeys) > 0 {
		if den.Fault != chat.FaultRate {
			return Denial{Fault: chat.FaultNoKey, Reason: "no other key can be used: " + den.Reason}, false
		}
		excluded, soon := p.choose(now, &w, true)
		den.Specific = excluded != nil || soon.Wait < den.Wait
	}
	if k == nil {
		return den, false
	}
	p.grant(now, k, &w, g)
	return Denial{}, true
}

func (p *Pool) empty() bool {
	for _, tier := range p.tiers {
		if len(tier) > 0 {
			return false
		}
	}
	return true
}

// choose is the best key that may be used at once, or the denial of the one
// that is ready soonest. all: the excluded keys too.
func (p *Pool) choose(now time.Duration, w *Want, all bool) (*key, Denial) {
	den := Denial{Fault: chat.FaultNoKey, Reason: "no other key is configured"}
	for _, tier := range p.tiers {
		var best *key
		for _, k := range tier {
			if !all && len(w.NotKeys) > 0 && slices.Contains(w.NotKeys, k.cfg.Name) {
				continue
			}
			d, ok := p.ready(now, k, w)
			if !ok {
				den = better(den, d)
				continue
			}
			if best == nil || k.used < best.used {
				best = k
			}
		}
		if best != nil {
			return best, Denial{}
		}
		if den.Fault == chat.FaultRate && den.Wait <= p.cfg.Spill && !w.Spill {
			break // worth waiting for the preferred provider
		}
	}
	return nil, den
}

// better is the more hopeful of two denials: one that only needs a pause
// before one that needs the owner, then the shorter wait.
func better(a, b Denial) Denial {
	rank := func(d Denial) int {
		switch d.Fault {
		case chat.FaultRate:
			return 3
		case chat.FaultNoKey:
			return 0
		case chat.FaultAuth, chat.FaultQuota:
			return 1
		}
		return 2
	}
	if ra, rb := rank(a), rank(b); ra != rb {
		if ra > rb {
			return a
		}
		return b
	}
	if b.Wait < a.Wait {
		return b
	}
	return a
}

// ready says whether k may be used now.
func (p *Pool) ready(now time.Duration, k *key, w *Want) (Denial, bool) {
	if k.coolTil > now {
		fault := k.coolFault
		return Denial{Wait: k.coolTil - now, Fault: fault, Reason: k.coolWhy, Key: k.cfg.Name}, false
	}
	if d, ok := k.prov.brk.wait(now); !ok {
		if d == 0 {
			d = time.Second // a probe is under way; its report wakes the queue
		}
		return Denial{Wait: d, Fault: chat.FaultUnavailable, Key: k.cfg.Name,
			Reason: fmt.Sprintf("%s is resting after failures: %s", k.prov.cfg.Name, k.prov.brk.reason)}, false
	}
	if k.probation && k.inFlight > 0 {
		return Denial{Wait: time.Second, Fault: k.coolFault, Reason: k.coolWhy, Key: k.cfg.Name}, false
	}
	if m := k.prov.cfg.MaxInFlight; m > 0 && k.prov.inFlight >= m {
		return Denial{Wait: time.Second, Fault: chat.FaultRate, Key: k.cfg.Name,
			Reason: "all places at " + k.prov.cfg.Name + " are taken"}, false
	}
	d := k.req.wait(now, 1, w.Reserve)
	d = max(d, k.tok.wait(now, float64(w.Tokens), w.Reserve))
	d = max(d, k.pace.wait(now, w.Reserve))
	if d > 0 {
		return Denial{Wait: d, Fault: chat.FaultRate, Key: k.cfg.Name,
			Reason: "the allowance of key " + k.cfg.Name + " is used up for the moment"}, false
	}
	return Denial{}, true
}

func (p *Pool) grant(now time.Duration, k *key, w *Want, g *Grant) {
	k.req.take(now, 1)
	tokens := int64(max(w.Tokens, 0))
	k.tok.take(now, tokens)
	k.pace.take(now, k.refused > 0)
	k.prov.brk.taken()
	k.inFlight++
	k.prov.inFlight++
	k.seq++
	k.tokSum += tokens
	k.calls++
	// Weighted fair choice: a grant moves the key's virtual time on by the
	// inverse of what it is worth, so that keys are used in proportion.
	// One that comes back from a pause starts at the pool's clock: it has not
	// saved up the calls it missed.
	p.clock = max(p.clock, k.used)
	k.used = p.clock + 1/k.worth(now)
	*g = Grant{Target: k.target(k.prov.model(w.Model, p.cfg.Model)), key: k, at: now,
		seq: k.seq, tokSum: k.tokSum, tokens: tokens}
}

// worth is a key's part in the choice: the owner's weights, its speed limit,
// what is left of its allowances, and how it fared lately.
func (k *key) worth(now time.Duration) float64 {
	w := orOne(k.cfg.Weight) * orOne(k.prov.cfg.Weight)
	if k.req.limit > 0 {
		w *= k.req.limit
	} else {
		w *= 1000 // a limit that nobody knows is taken for a middling one
	}
	w *= 0.05 + min(k.req.headroom(now), k.tok.headroom(now))
	return w / float64(1+min(k.refused+k.prov.brk.fails, 9))
}

func orOne(w float64) float64 {
	if w <= 0 {
		return 1
	}
	return w
}
