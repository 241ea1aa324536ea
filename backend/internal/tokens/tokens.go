// Package tokens counts the tokens that a text costs a model: exactly, with
// the model's own vocabulary, where that is known (tiktoken, embedded, no
// network), and by a careful estimate everywhere else.
//
// The vocabularies are large (o200k_base: 200,000 entries), so they are loaded
// at their first use and never while the appliance starts. Counts are kept in
// a bounded cache because a prompt counts the same messages turn after turn.
package tokens

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"haoke/backend/internal/chat"
)

// Overheads of the chat format, in tokens, as OpenAI's cookbook "How to count
// tokens with tiktoken" gives them for its chat models.
const (
	PerMessage = 4 // role, separators; the cookbook's 3 plus one for the role
	PerPrompt  = 3 // every answer is primed with <|start|>assistant<|message|>
)

// Config of a Counter. The zero value is usable.
type Config struct {
	// CacheEntries bounds the cache of counts; 0: 16384 (about 0.7 MB). When
	// it is full the older half is forgotten.
	CacheEntries int
	// CacheMin is the length in bytes from which a text is worth a cache
	// entry; 0: 8.
	CacheMin int
}

// Counter counts tokens. It is safe for concurrent use.
type Counter struct {
	cfg   Config
	cache *cache
	encs  [len(encodingNames)]slot

	running atomic.Bool   // Run is up: loads happen there, Count never waits
	wanted  chan encoding // at most one entry an encoding
}

// slot holds one vocabulary, loaded at most once.
type slot struct {
	mu    sync.Mutex
	bpe   atomic.Pointer[bpe]
	asked atomic.Bool
	err   error
}

// New makes a Counter. It loads nothing.
func New(cfg Config) *Counter {
	if cfg.CacheEntries <= 0 {
		cfg.CacheEntries = 16384
	}
	if cfg.CacheMin <= 0 {
		cfg.CacheMin = 8
	}
	return &Counter{
		cfg:    cfg,
		cache:  newCache(cfg.CacheEntries),
		wanted: make(chan encoding, len(encodingNames)),
	}
}

// Run loads vocabularies in the background: while it runs, Count never waits
// for one but answers with the estimate until the vocabulary is there. Without
// Run the first Count of a model loads it (some tenths of a second). It ends
// with ctx and returns nil.
func (c *Counter) Run(ctx context.Context) error {
	c.running.Store(true)
	defer c.running.Store(false)
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-c.wanted:
			// A vocabulary that cannot be read leaves the estimate in
			// place; Warm reports the error to whoever asks.
			_, _ = c.load(e)
		}
	}
}

// Warm loads the vocabulary of model now. For a model whose vocabulary is not
// known it does nothing.
func (c *Counter) Warm(ctx context.Context, model string) error {
	e := encodingOf(model)
	if e == estimated {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := c.load(e); err != nil {
		return fmt.Errorf("load vocabulary of %s: %w", model, err)
	}
	return nil
}

// Encoding names the vocabulary that model's counts come from: "o200k_base",
// "cl100k_base" or "estimate".
func (c *Counter) Encoding(model string) string {
	if e := encodingOf(model); e != estimated {
		return encodingNames[e]
	}
	return "estimate"
}

// Count returns the number of tokens of text for model, without the overhead
// of a message. Estimates err on the high side.
func (c *Counter) Count(model, text string) int {
	if text == "" {
		return 0
	}
	e := encodingOf(model)
	if e == estimated {
		return Estimate(text)
	}
	b := c.vocabulary(e)
	if b == nil {
		return Estimate(text)
	}
	if len(text) < c.cfg.CacheMin {
		return b.count(text)
	}
	k := c.cache.key(e, text)
	if n, ok := c.cache.get(k); ok {
		return n
	}
	n := b.count(text)
	c.cache.put(k, n)
	return n
}

// Prompt returns the tokens of a whole prompt, with the overhead of its
// messages.
func (c *Counter) Prompt(model string, msgs []chat.PromptMessage) int {
	n := PerPrompt
	for _, m := range msgs {
		n += PerMessage + c.Count(model, m.Content)
	}
	return n
}

// vocabulary returns the loaded vocabulary, or nil when it is on its way or
// could not be loaded.
func (c *Counter) vocabulary(e encoding) *bpe {
	s := &c.encs[e]
	if b := s.bpe.Load(); b != nil {
		return b
	}
	if c.running.Load() {
		if s.asked.CompareAndSwap(false, true) {
			c.wanted <- e // never blocks: one place an encoding
		}
		return nil
	}
	b, err := c.load(e)
	if err != nil {
		return nil
	}
	return b
}

func (c *Counter) load(e encoding) (*bpe, error) {
	s := &c.encs[e]
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.bpe.Load(); b != nil {
		return b, nil
	}
	if s.err != nil {
		return nil, s.err
	}
	b, err := newBPE(e)
	if err != nil {
		s.err = err
		return nil, err
	}
	s.bpe.Store(b)
	return b, nil
}
