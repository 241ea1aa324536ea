package upstream

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/span"
	"haoke/backend/internal/stack"
)

// errClosed is why calls end when the client is closed.
var errClosed = errors.New("upstream client closed")

// errBroken is why a call ends in which the program had a fault.
var errBroken = errors.New("a fault of the program; the log has it")

// Client makes calls. It is safe for concurrent use. Close it to end its
// goroutines, or keep Run running.
type Client struct {
	cfg     atomic.Pointer[Config]
	admit   Admitter
	observe Observer

	pools   pools
	flights flights
	cache   cache
	quirks  quirks
	urls    urls

	inflight atomic.Int64
	merged   atomic.Int64

	life span.Span // ends with Close
	wg   sync.WaitGroup

	attempts sync.Pool
	timers   sync.Pool
}

// New returns a client that asks admit for leases and tells observe (may be
// nil) what happens.
func New(cfg Config, admit Admitter, observe Observer) *Client {
	if observe == nil {
		observe = silent{}
	}
	c := &Client{admit: admit, observe: observe}
	c.flights.byID, c.flights.live = map[identity]*flight{}, map[*flight]struct{}{}
	c.flights.memory.New, c.attempts.New = newFlight, newAttempt
	c.pools.dialed = observe.Dialed
	c.cfg.Store(cfg.withDefaults())
	return c
}

// Reconfigure applies cfg to calls from now on. Cached answers of another
// Realm or Model can no longer be hit.
func (c *Client) Reconfigure(cfg Config) {
	next := cfg.withDefaults()
	prev := c.cfg.Swap(next)
	if prev.MaxIdleConns != next.MaxIdleConns || prev.MaxIdleConnsPerHost != next.MaxIdleConnsPerHost ||
		prev.IdleConnTimeout != next.IdleConnTimeout || prev.AllowLocal != next.AllowLocal || prev.TLS != next.TLS {
		c.pools.drop()
	}
	if next.CacheTTL <= 0 {
		c.cache.purge()
	}
}

// Run keeps the client until ctx ends, then closes it.
func (c *Client) Run(ctx context.Context) error {
	<-ctx.Done()
	c.Close()
	return nil
}

// Close cancels every call, waits for their goroutines and closes the idle
// connections. Later calls fail. Close may be called more than once.
func (c *Client) Close() {
	c.life.Cancel(errClosed)
	c.flights.close(errClosed) // a flight that is just starting has been counted when we get here
	c.wg.Wait()
	c.pools.drop()
}

// Stats are figures for the admin page and /metrics.
type Stats struct {
	Inflight     int64 // upstream calls under way
	Dials        int64 // connections made since the start
	Flights      int   // shared calls under way
	Merged       int64 // answers that shared another's call
	CacheHits    int64
	CacheMisses  int64
	CacheEntries int
	CacheBytes   int
}

// Stats returns the present figures.
func (c *Client) Stats() Stats {
	s := Stats{Inflight: c.inflight.Load(), Dials: c.pools.dials.Load(), Merged: c.merged.Load(), Flights: c.flights.count()}
	c.cache.stats(&s)
	return s
}

// Purge empties the answer cache.
func (c *Client) Purge() { c.cache.purge() }

// Answer delivers the answer to call piece by piece to sink, which is called by
// one goroutine at a time, not always the caller's, and never after Answer has
// returned. A sink that blocks holds up who joins the call just then, and nobody
// afterwards. The end of ctx or an error of sink ends this caller's part only;
// the upstream call ends when nobody is left.
//
// The error is nil when the answer is complete (or cut by a limit on its
// length, Result.Finish says which); a *chat.UpstreamError when the upstream or
// admission failed, with the Result of what had been delivered; sink's own
// error; or the cause of ctx's end.
func (c *Client) Answer(ctx context.Context, call chat.Call, caller chat.Caller, sink chat.Sink) (chat.Result, error) {
	cfg := c.cfg.Load()
	call = cfg.complete(call)
	if !cfg.Merge && cfg.CacheTTL <= 0 {
		sub, err := c.alone(cfg, call, caller, sink)
		if err != nil {
			return chat.Result{Finish: chat.FinishError}, err
		}
		return c.follow(ctx, sub, sink)
	}
	id := identify(cfg, &call)
	for again := false; ; again = true {
		sub, hit, err := c.join(cfg, call, caller, sink, id)
		if err != nil {
			return chat.Result{Finish: chat.FinishError}, err
		}
		if hit != nil {
			c.observe.Saved("cached")
			return hit.deliver(sink)
		}
		merged := sub.merged // who started the call shares its memory, and has let go of it soon
		res, err := c.follow(ctx, sub, sink)
		if !again && merged && sub.pos == 0 && ownLimit(err) && ctx.Err() == nil {
			continue // the call failed on the first caller's allowance: that is not ours
		}
		if merged && err == nil {
			c.observe.Saved("merged")
		}
		return res, err
	}
}

// ownLimit reports whether err is about the caller that made the call rather
// than about the upstream.
func ownLimit(err error) bool {
	f := chat.FaultOf(err)
	return f == chat.FaultBudget || f == chat.FaultRate
}

// complete fills in what a call leaves to the settings.
func (c *Config) complete(call chat.Call) chat.Call {
	if call.Model == "" {
		call.Model = c.Model
	}
	if call.MaxTokens <= 0 {
		call.MaxTokens = c.MaxTokens
	}
	return call
}

// fly makes the call of a flight and ends it. What breaks in it, a sink for
// example, costs this call and not the process.
func (c *Client) fly(f *flight) {
	stack.Grow16()
	defer c.wg.Done()
	cfg := f.cfg
	defer func() {
		if v := recover(); v != nil {
			cfg.Log.Error("a fault of the program ended a call", "fault", v, "stack", string(debug.Stack()))
			c.flights.landed(f) // its memory is not used again
			f.finish(chat.Result{Finish: chat.FinishError}, errBroken)
		}
	}()
	ask := newAsk(&f.call, f.caller)
	ask.Queued = f.queues
	if res, err := c.tryAll(&f.life, cfg, ask, &f.req, f); err != nil {
		c.flights.landed(f)
		f.finish(res, err)
	}
	c.release(f)
}

func newAsk(call *chat.Call, caller chat.Caller) chat.Ask {
	ask := chat.Ask{Caller: caller, Model: call.Model}
	for i := range call.Messages {
		ask.PromptTokens += 4 + estimate(call.Messages[i].Content)
	}
	ask.Tokens = ask.PromptTokens + call.MaxTokens
	return ask
}

// estimate guesses the tokens of a text: four ASCII characters, or one other.
func estimate(s string) int {
	ascii, other := 0, 0
	for i := 0; i < len(s); i++ {
		if s[i] < 0x80 {
			ascii++
		} else if s[i] >= 0xc0 {
			other++
		}
	}
	return (ascii+3)/4 + other
}

// timerAt returns a timer for t and its channel, both nil when t is zero. The
// timer goes back by stop.
func (c *Client) timerAt(now, t time.Time) (*time.Timer, <-chan time.Time) {
	if t.IsZero() {
		return nil, nil
	}
	timer, ok := c.timers.Get().(*time.Timer)
	if !ok {
		timer = time.NewTimer(t.Sub(now))
	} else {
		timer.Reset(t.Sub(now))
	}
	return timer, timer.C
}

// stop ends a timer of timerAt; nil is none.
func (c *Client) stop(timer *time.Timer) {
	if timer != nil {
		timer.Stop() // since Go 1.23 nothing is left in its channel
		c.timers.Put(timer)
	}
}
