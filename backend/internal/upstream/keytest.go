package upstream

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/codec"
)

// Report is the result of a key's test, for the owner.
type Report struct {
	OK        bool
	Status    int           // of the request that decided, 0: no answer came
	Fault     chat.Fault    // "" when OK
	Latency   time.Duration // of the short question, the connection included
	Models    []string      // what the provider lists, sorted, at most 500
	Diagnosis string        // plain words: what was found and what to do
	// BaseURL is a better base URL that was tried and works; "": none.
	BaseURL string
}

const (
	maxModels   = 500
	testTimeout = 15 * time.Second
)

// TestKey tries a target without a lease: its list of models, then a question
// of one word. A base URL that misses /v1 is tried with it, and the report then
// says so.
func (c *Client) TestKey(ctx context.Context, t chat.Target) Report {
	ctx, done, err := c.enter(ctx)
	if err != nil {
		return Report{Diagnosis: err.Error()}
	}
	defer done()
	ctx, cancel := context.WithTimeoutCause(ctx, 2*testTimeout, errSlow)
	defer cancel()
	r := c.testTarget(ctx, t)
	if r.OK || r.Fault != chat.FaultRequest && r.Fault != chat.FaultBadAnswer || endsInVersion(t.BaseURL) {
		return r
	}
	better := t
	better.BaseURL = strings.TrimRight(strings.TrimSpace(t.BaseURL), "/") + "/v1"
	if b := c.testTarget(ctx, better); b.OK || b.Fault == chat.FaultAuth {
		b.BaseURL = better.BaseURL
		b.Diagnosis = fmt.Sprintf("The base URL misses /v1: %s works. %s", better.BaseURL, b.Diagnosis)
		b.OK = false
		return b
	}
	return r
}

// Probe asks a target for its list of models, which costs nothing, without a
// lease: nil when the provider answers and accepts the key, also when it has no
// such list. It is for finding out whether a provider that failed is back.
func (c *Client) Probe(ctx context.Context, t chat.Target) error {
	ctx, done, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer done()
	cfg := c.cfg.Load()
	a := c.attempt(cfg, t, &collector{})
	defer a.release()
	_, err = c.fetch(ctx, a, "/models", nil, cfg.Timeout)
	if a.status != 0 && a.status < 500 && chat.FaultOf(err) == chat.FaultRequest {
		return nil // it is there, it only lists nothing
	}
	return err
}

// endsInVersion reports whether a base URL ends in something like /v1.
func endsInVersion(base string) bool {
	base = strings.TrimRight(strings.TrimSpace(base), "/")
	last := base[strings.LastIndexByte(base, '/')+1:]
	return len(last) >= 2 && last[0] == 'v' && last[1] >= '0' && last[1] <= '9'
}

func (c *Client) testTarget(ctx context.Context, t chat.Target) Report {
	cfg := *c.cfg.Load()
	cfg.Timeout = testTimeout
	var r Report

	list := c.attempt(&cfg, t, &collector{})
	defer list.release()
	if data, err := c.fetch(ctx, list, "/models", nil, testTimeout); err == nil {
		r.Models = modelNames(data)
	} else if f := chat.FaultOf(err); f != chat.FaultRequest && f != chat.FaultBadAnswer {
		return r.failed(list, err) // not merely without such a list
	}

	if t.Model == "" && len(r.Models) > 0 {
		t.Model = r.Models[0]
	}
	out := &collector{limit: cfg.AnswerBytes}
	ask := c.attempt(&cfg, t, out)
	defer ask.release()
	defer ask.hangUp(ctx)
	call := &chat.Call{Model: t.Model, MaxTokens: 16, Messages: []chat.PromptMessage{{Role: chat.RoleUser, Content: "Say OK."}}}
	err := c.run(ctx, ask, &request{call: call, stream: true}, testTimeout)
	for range 3 { // one for each quirk there is
		if err == nil || !c.quirks.learn(&t, err.Error()) {
			break
		}
		again := c.attempt(&cfg, t, out)
		defer again.release()
		defer again.hangUp(ctx)
		ask, err = again, c.run(ctx, again, &request{call: call, stream: true}, testTimeout)
	}
	if err != nil && !ask.reasoned { // thinking beyond so few tokens is a sign of life too
		return r.failed(ask, err)
	}
	r.OK, r.Status, r.Latency = true, ask.status, ask.total
	r.Diagnosis = fmt.Sprintf("It works: %q answered after %d ms.", t.Model, ask.firstToken.Milliseconds())
	if len(r.Models) > 0 && !slices.Contains(r.Models, t.Model) {
		r.Diagnosis += " The provider's list does not name this model, though."
	}
	return r
}

func (r Report) failed(a *attempt, err error) Report {
	r.Status, r.Fault, r.Latency = a.status, chat.FaultOf(err), a.total
	r.Diagnosis = "The test was stopped."
	if ue, ok := err.(*chat.UpstreamError); ok {
		r.Diagnosis = ue.Reason
		if len(r.Models) > 0 && r.Fault == chat.FaultRequest {
			r.Diagnosis += "; the provider offers " + strings.Join(r.Models[:min(8, len(r.Models))], ", ")
		}
	}
	return r
}

// modelNames reads {"data":[{"id":…}]}.
func modelNames(data []byte) []string {
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if codec.Decode(data, &list) != nil {
		return nil
	}
	var names []string
	for _, m := range list.Data {
		if m.ID != "" && len(names) < maxModels {
			names = append(names, clip(m.ID, 200))
		}
	}
	sort.Strings(names)
	return names
}

// trueKeys lists the keys of an object whose value is true, sorted.
func trueKeys(raw json.RawMessage) []string {
	var m map[string]any
	if json.Unmarshal(raw, &m) != nil {
		return nil
	}
	var keys []string
	for k, v := range m {
		if v == true {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	return keys
}
