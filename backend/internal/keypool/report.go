package keypool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"haoke/backend/internal/chat"
)

// Report hands a grant back with what came of its call, and learns from it.
func (p *Pool) Report(t time.Time, g *Grant, o chat.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now(t)
	k := g.key
	p.handBack(k)
	p.settleTokens(now, g, o)
	p.learn(now, t, g, o)
	fault := o.Fault
	if o.Err == nil {
		fault = ""
	} else if fault == "" {
		fault = faultOfStatus(o.Status)
	}
	if errors.Is(o.Err, context.Canceled) || errors.Is(o.Err, chat.ErrStopped) {
		// The visitor went away: that says nothing about the provider unless
		// it had answered well already.
		if o.FirstToken > 0 {
			k.prov.brk.succeeded(g.at)
		}
		k.prov.brk.forget()
		return
	}
	switch fault {
	case "", chat.FaultContent, chat.FaultRequest:
		// The provider works; a refused request is the request's fault.
		k.prov.brk.succeeded(g.at)
		if g.at >= k.refusedAt { // else it was sent before the refusal and proves nothing
			k.recover()
		}
		if fault == "" && o.Total > 0 {
			if k.ewma == 0 {
				k.ewma = o.Total
			}
			k.ewma += (o.Total - k.ewma) / 8
		}
	case chat.FaultRate:
		k.prov.brk.succeeded(g.at)
		p.refused(now, t, g, o)
	case chat.FaultAuth:
		k.prov.brk.succeeded(g.at)
		p.bench(now, k, p.cfg.AuthCoolDown, chat.FaultAuth,
			fmt.Sprintf("%s refused the key %q (%d): check or replace it", k.prov.cfg.Name, k.cfg.Name, o.Status))
	case chat.FaultQuota:
		k.prov.brk.succeeded(g.at)
		p.bench(now, k, p.cfg.AuthCoolDown, chat.FaultQuota,
			fmt.Sprintf("the account behind key %q at %s has no money left: top it up", k.cfg.Name, k.prov.cfg.Name))
	default: // unreachable, too slow, cut off, not an answer
		k.prov.brk.failed(now, &p.cfg, p.cfg.Jitter(), reasonOf(o))
	}
}

// Cancel hands back a grant whose call was never made. What it had taken of
// the allowances is given back too.
func (p *Pool) Cancel(t time.Time, g *Grant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now(t)
	k := g.key
	p.handBack(k)
	k.req.refund(now, g.at, 1)
	k.tok.refund(now, g.at, g.tokens)
	k.pace.level++
	k.calls--
	k.prov.brk.forget()
}

func (p *Pool) handBack(k *key) {
	k.inFlight--
	k.prov.inFlight--
}

// settleTokens replaces the estimate by what the call really took. Where the
// upstream counts the estimate itself against the allowance, as OpenAI does
// with max_tokens, its remaining-tokens header corrects this.
func (p *Pool) settleTokens(now time.Duration, g *Grant, o chat.Outcome) {
	took := int64(o.Usage.Prompt + o.Usage.Completion)
	if took == 0 && o.Err == nil {
		return // not told: the estimate stands
	}
	switch {
	case took < g.tokens:
		g.key.tok.refund(now, g.at, g.tokens-took)
	case took > g.tokens:
		g.key.tok.take(now, took-g.tokens)
	}
}

func faultOfStatus(status int) chat.Fault {
	switch {
	case status == 429:
		return chat.FaultRate
	case status == 401 || status == 403:
		return chat.FaultAuth
	case status == 402:
		return chat.FaultQuota
	case status >= 400 && status < 500:
		return chat.FaultRequest
	}
	return chat.FaultUnavailable
}

func reasonOf(o chat.Outcome) string {
	var ue *chat.UpstreamError
	if errors.As(o.Err, &ue) && ue.Reason != "" {
		return ue.Reason
	}
	if o.Err != nil {
		return o.Err.Error()
	}
	return "status " + fmt.Sprint(o.Status)
}

// bench takes a key out until it is replaced, tested or the pause is over;
// then one call at a time may try it.
func (p *Pool) bench(now time.Duration, k *key, d time.Duration, f chat.Fault, why string) {
	k.coolTil, k.coolWhy, k.coolFault, k.probation, k.refusedAt = now+d, why, f, true, now
}

// refused deals with a 429: the key rests as long as it was asked to, within
// reason, and its pace is cut once per overshoot.
func (p *Pool) refused(now time.Duration, t time.Time, g *Grant, o chat.Outcome) {
	k := g.key
	k.refusals++
	k.refusedAt = now
	k.no.advance(slotOf(now))
	k.no.add(slotOf(max(g.at, now-time.Minute)), 1)
	ask := o.RetryAfter
	if ask <= 0 {
		ask = RetryAfter(o.Header, t)
	}
	measured := p.measured(now, k)
	// Refused again with no success in between: the quota is still closed,
	// which says nothing about the rate. Nor does a refusal of a key that
	// carries next to nothing: the upstream is overloaded, or another program
	// uses the key.
	pauseOnly := k.refused > 0 || measured < slightRate
	news := k.pace.cut(now, g.at, measured, p.cfg.Jitter(), pauseOnly)
	if news {
		k.refused++
	}
	j := p.cfg.Jitter()
	why := fmt.Sprintf("%s asked key %q to slow down (429)", k.prov.cfg.Name, k.cfg.Name)
	var d time.Duration
	switch {
	case ask > p.cfg.MaxCoolDown:
		d = p.cfg.MaxCoolDown
		why += fmt.Sprintf("; it asked for a pause of %s, which is capped at %s", ask.Round(time.Second), d)
	case ask > 0:
		// The asked time is a floor; a little on top, so that several keys or
		// appliances do not come back in the same instant.
		d = ask + time.Duration(float64(min(ask/20, time.Second))*j)
		why += fmt.Sprintf("; it asked for a pause of %s", ask.Round(time.Millisecond))
	case !news:
		return // one of the same overshoot; the pause has begun already
	default:
		n := min(max(k.refused-1, 0), 8)
		d = min(time.Duration(float64(250*time.Millisecond<<n)*(0.5+j)), p.cfg.MaxCoolDown)
	}
	if now+d > k.coolTil {
		k.coolTil, k.coolWhy, k.coolFault = now+d, why, chat.FaultRate
	}
}

// slightRate is the calls a second below which a single refusal is not blamed
// on our own rate.
const slightRate = 0.5

// measured is how many calls a second went through in the trailing minute (or
// since the start): what the upstream let pass in a minute is what its quota
// carries, whichever way it counts. A shorter span would take a burst for it.
func (p *Pool) measured(now time.Duration, k *key) float64 {
	k.req.refill(now)
	k.no.advance(slotOf(now))
	n := float64(k.req.win.sum - k.no.sum)
	return max(n, 0) / min(60, max(1, (now-k.born).Seconds()))
}

// learn takes over the limits that the answer's headers tell.
func (p *Pool) learn(now time.Duration, t time.Time, g *Grant, o chat.Outcome) {
	if len(o.Header) == 0 {
		return
	}
	k := g.key
	lim := ParseLimits(o.Header, t)
	if a := lim.Requests; a.Limit > 0 {
		period := k.period(a)
		if period == time.Minute {
			k.learned.rpm = a.Limit
			k.learned.perDay = 0
		} else {
			k.learned.perDay = a.Limit
			k.learned.rpm = 0
		}
		k.req.told(now, g.at, g.seq, a, period, float64(k.seq-g.seq))
	}
	if a := lim.Tokens; a.Limit > 0 {
		k.learned.tpm = a.Limit
		k.tok.told(now, g.at, g.seq, a, time.Minute, float64(k.tokSum-g.tokSum))
	}
	p.applyLimits(k, now)
	k.pace.release(k.req.limit)
}

// period tells a daily request quota from one a minute. Groq sends the day's
// under the same header names (https://console.groq.com/docs/rate-limits). Two
// signs: a reset of more than a minute, which no quota a minute can have; or,
// three times in a row, used/reset being the refill of a day's quota.
func (k *key) period(a Allowance) time.Duration {
	const day = 24 * time.Hour
	daily := a.Reset > 90*time.Second
	if used := a.Limit - a.Remaining; !daily && a.Remaining >= 0 && used > 0 && a.Reset > 0 {
		implied := a.Limit / used * a.Reset.Seconds()
		daily = implied > 0.9*day.Seconds() && implied < 1.1*day.Seconds()
		if daily {
			k.learned.dayHints++
		} else {
			k.learned.dayHints = 0
		}
		daily = k.learned.dayHints >= 3
	} else if daily {
		k.learned.dayHints = 3
	} else {
		daily = k.learned.perDay == a.Limit
	}
	if daily {
		return day
	}
	return time.Minute
}
