package upstream

import (
	"context"
	"errors"
	"time"

	"haoke/backend/internal/chat"
)

// maxPause bounds the pause before a try at a key that just failed.
const maxPause = 2 * time.Second

// tryAll makes a call: a lease, an attempt, and again while nothing was
// delivered, another try is allowed and time is left. Its bound on time is
// Config.Timeout over all attempts and pauses; waiting for leases does not
// count.
func (c *Client) tryAll(ctx context.Context, cfg *Config, ask chat.Ask, r *request, out receiver) (chat.Result, error) {
	var (
		res  chat.Result
		last error
		left = cfg.Timeout
	)
	for {
		queued := cfg.Now()
		lease, err := c.admit.Acquire(ctx, ask)
		res.Queue += cfg.Now().Sub(queued)
		if err != nil {
			if last != nil && chat.FaultOf(err) == chat.FaultNoKey && len(ask.NotKeys) > 0 && worthRepeating(last) {
				// There is no other key. The failed ones may work again, after a
				// pause of random length, so that not all come back at once.
				ask.NotKeys = nil
				if left, err = c.pause(ctx, cfg, res.Attempts, left); err == nil {
					continue
				}
			}
			res.Finish = chat.FinishError
			return res, c.acquireFailed(ctx, last, err)
		}
		out.admitted()
		res.Attempts++
		target := lease.Target() // a lease is worth nothing when it was returned
		began := cfg.Now()
		err = c.try(ctx, cfg, lease, r, out, left, &res)
		left -= cfg.Now().Sub(began)
		if err == nil || ctx.Err() != nil || out.delivered() > 0 || res.Attempts >= cfg.Attempts || left <= 0 {
			return res, err
		}
		switch chat.FaultOf(err) {
		case chat.FaultContent, chat.FaultCut, "":
			return res, err
		case chat.FaultRequest:
			if c.quirks.learn(&target, err.Error()) {
				last = err
				continue // the same target, said differently
			}
			if last != nil {
				return res, err // two refused it: it is the request
			}
		}
		last = err
		ask.NotKeys = append(ask.NotKeys, target.Key)
	}
}

// worthRepeating reports whether the same key may do better the next time.
func worthRepeating(err error) bool {
	switch chat.FaultOf(err) {
	case chat.FaultUnavailable, chat.FaultTimeout, chat.FaultBadAnswer, chat.FaultRate:
		return true
	}
	return false
}

// acquireFailed chooses the error that tells the owner more: that there was no
// further key matters less than why the last one failed.
func (c *Client) acquireFailed(ctx context.Context, last, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if last != nil && (chat.FaultOf(err) == chat.FaultNoKey || errors.Is(err, errSlow)) {
		return last
	}
	return err
}

// pause waits before the n-th further try with full jitter (a random part of an
// exponentially growing time), and returns the time that is left.
func (c *Client) pause(ctx context.Context, cfg *Config, n int, left time.Duration) (time.Duration, error) {
	d := time.Duration(cfg.Rand() * float64(min(maxPause, 200*time.Millisecond<<min(n-1, 8))))
	if d >= left {
		return 0, errSlow
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return left - d, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// try makes one attempt under lease, returns the lease, and writes down in res
// what came of it.
func (c *Client) try(ctx context.Context, cfg *Config, lease chat.Lease, r *request, out receiver, patience time.Duration, res *chat.Result) error {
	a := c.attempt(cfg, lease.Target(), out)
	defer a.release()
	defer a.hangUp(ctx)
	settled := false
	defer func() {
		if !settled { // a panic must not cost a lease
			lease.Done(chat.Outcome{Err: errClosed})
		}
	}()
	err := c.run(ctx, a, r, patience)

	res.Provider, res.Key, res.Model = a.target.Provider, a.target.Key, a.target.Model
	res.FirstToken, res.Upstream, res.Finish = a.firstToken, a.total, a.ending()
	if err != nil && res.Finish == chat.FinishStop {
		res.Finish = chat.FinishError
	}
	if !a.hasUsage && a.n > 0 {
		a.usage = c.count(cfg, r, a.target.Model, out)
	}
	res.Usage = a.usage
	o := chat.Outcome{Status: a.status, Header: a.header, Usage: a.usage, Err: err, Fault: chat.FaultOf(err),
		FirstToken: a.firstToken, Total: a.total}
	report := Attempt{Provider: res.Provider, Key: res.Key, Model: res.Model, Code: code(a.status), Fault: o.Fault,
		FirstToken: a.firstToken, Total: a.total, Usage: a.usage}
	var ue *chat.UpstreamError
	switch {
	case errors.As(err, &ue):
		o.RetryAfter, report.Reason = ue.RetryAfter, ue.Reason
		if a.status == 0 || a.status == 200 {
			report.Code = string(ue.Fault)
		}
	case err != nil:
		report.Code = "cancelled"
	}
	settled = true
	res.Cost = lease.Done(o)
	report.Cost = res.Cost
	c.observe.Attempt(report)
	if err == nil {
		out.answered(*res)
	}
	return err
}

// count is the usage as far as it can be counted here.
func (c *Client) count(cfg *Config, r *request, model string, out receiver) chat.Usage {
	u := chat.Usage{Estimated: true, Completion: cfg.Count(model, out.text())}
	for i := range r.call.Messages {
		u.Prompt += 4 + cfg.Count(model, r.call.Messages[i].Content)
	}
	return u
}
