package upstream

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/codec"
)

// collector receives an answer that is not streamed on.
type collector struct {
	raw   []byte
	n     int
	limit int
}

func (c *collector) pause() {}

func (c *collector) piece(raw []byte) bool {
	if len(c.raw)+len(raw) > c.limit {
		return false
	}
	c.raw = append(c.raw, raw[1:len(raw)-1]...)
	c.n++
	return true
}

func (c *collector) delivered() int { return c.n }
func (c *collector) admitted()      {}

func (c *collector) answered(chat.Result) {}

func (c *collector) text() string {
	s, _ := codec.Unquote(codec.JoinTokens(nil, append(append([]byte{'"'}, c.raw...), '"')))
	return s
}

// Complete makes a call that nobody waits for, such as a summary: not streamed,
// behind every visitor in the queue, neither merged nor cached. The text is
// what came, also beside an error.
func (c *Client) Complete(ctx context.Context, call chat.Call, caller chat.Caller) (string, chat.Result, error) {
	return c.complete(ctx, call, caller, true)
}

// Judge is Complete for a call that a visitor's turn waits for, such as a
// review.
func (c *Client) Judge(ctx context.Context, call chat.Call, caller chat.Caller) (string, chat.Result, error) {
	return c.complete(ctx, call, caller, false)
}

func (c *Client) complete(ctx context.Context, call chat.Call, caller chat.Caller, background bool) (string, chat.Result, error) {
	ctx, done, err := c.enter(ctx)
	if err != nil {
		return "", chat.Result{Finish: chat.FinishError}, err
	}
	defer done()
	cfg := c.cfg.Load()
	call = cfg.complete(call)
	ask := newAsk(&call, caller)
	ask.Queued, ask.Background = caller.Queued, background
	out := &collector{limit: cfg.AnswerBytes}
	res, err := c.tryAll(ctx, cfg, ask, &request{call: &call}, out)
	return out.text(), res, err
}

// enter counts a call in that runs on its caller's goroutine; its context ends
// with the client's too.
func (c *Client) enter(ctx context.Context) (context.Context, func(), error) {
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	if c.flights.closed {
		return ctx, nil, errClosed
	}
	c.wg.Add(1)
	ctx, cancel := context.WithCancelCause(ctx)
	stop := c.life.AfterFunc(func() { cancel(errClosed) })
	return ctx, func() {
		stop()
		cancel(nil)
		c.wg.Done()
	}, nil
}

// Moderation is what a moderation endpoint says of a text.
type Moderation struct {
	Flagged    bool
	Categories []string // the categories that apply
}

// Moderate asks the target of a lease for its opinion of text by
// /v1/moderations, which OpenAI and some others offer; for others the error has
// chat.FaultRequest. It is tried once, within Config.Timeout.
func (c *Client) Moderate(ctx context.Context, text string, caller chat.Caller) (Moderation, error) {
	ctx, done, err := c.enter(ctx)
	if err != nil {
		return Moderation{}, err
	}
	defer done()
	cfg := c.cfg.Load()
	lease, err := c.admit.Acquire(ctx, chat.Ask{Caller: caller, Tokens: estimate(text), PromptTokens: estimate(text)})
	if err != nil {
		return Moderation{}, fmt.Errorf("moderate: %w", err)
	}
	a := c.attempt(cfg, lease.Target(), &collector{})
	defer a.release()
	body := codec.AppendString([]byte(`{"input":`), text)
	data, err := c.fetch(ctx, a, "/moderations", append(body, '}'), cfg.Timeout)
	lease.Done(chat.Outcome{Status: a.status, Header: a.header, Err: err, Fault: chat.FaultOf(err), Total: a.total})
	if err != nil {
		return Moderation{}, fmt.Errorf("moderate: %w", err)
	}
	var answer struct {
		Results []struct {
			Flagged    bool            `json:"flagged"`
			Categories json.RawMessage `json:"categories"`
		} `json:"results"`
	}
	if err := codec.Decode(data, &answer); err != nil || len(answer.Results) == 0 {
		return Moderation{}, fmt.Errorf("moderate: %w", a.bad("it is not a moderation result", err))
	}
	m := Moderation{Flagged: answer.Results[0].Flagged}
	m.Categories = trueKeys(answer.Results[0].Categories)
	return m, nil
}

// fetch makes one request for a small document and returns its body, at most
// maxWhole bytes.
func (c *Client) fetch(ctx context.Context, a *attempt, path string, body []byte, patience time.Duration) ([]byte, error) {
	var err error
	if a.url, err = c.urls.get(&a.target, path); err != nil {
		return nil, err
	}
	if err := a.checkPlain(); err != nil {
		return nil, err
	}
	a.begin(ctx, patience)
	defer a.end(ctx)
	a.start = a.cfg.Now()
	req := newRequest(a.foreign(), &a.target, a.url, body, false, nil)
	resp, err := c.pools.get(a.cfg, a.url).RoundTrip(req)
	a.total = a.cfg.Now().Sub(a.start)
	if err != nil {
		return nil, a.broken(ctx, err)
	}
	defer resp.Body.Close()
	a.status, a.header = resp.StatusCode, resp.Header
	plain, err := a.plain(resp)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, a.refused(resp, plain)
	}
	data, err := io.ReadAll(io.LimitReader(plain, maxWhole))
	a.total = a.cfg.Now().Sub(a.start)
	if err != nil {
		return nil, a.broken(ctx, err)
	}
	if !codec.ValidJSON(data) {
		return nil, a.bad("it sent a page, not an answer; the base URL probably misses /v1 or belongs to a web site", nil)
	}
	return data, nil
}
