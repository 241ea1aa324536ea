package metrics

import (
	"math"
	"strings"
	"sync"
	"sync/atomic"
)

// Bounds on what labels can take, so that a strange upstream cannot fill the
// memory: what is beyond counts under "other".
const (
	maxKeys  = 100
	maxCodes = 32
	maxLabel = 80
)

// gauge is a present value; until it is set it has none.
type gauge struct {
	known atomic.Bool
	bits  atomic.Uint64
}

func (g *gauge) set(v float64) {
	g.bits.Store(math.Float64bits(v))
	g.known.Store(true)
}

func (g *gauge) value() float64 {
	if !g.known.Load() {
		return gap
	}
	return math.Float64frombits(g.bits.Load())
}

// money is a sum that only grows.
type money struct{ bits atomic.Uint64 }

func (m *money) add(v float64) {
	if !(v > 0) || math.IsInf(v, 0) {
		return
	}
	for {
		old := m.bits.Load()
		if m.bits.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v)) {
			return
		}
	}
}

func (m *money) value() float64 { return math.Float64frombits(m.bits.Load()) }

// keyCounters are the counters of one key.
type keyCounters struct {
	mu    sync.RWMutex
	codes map[string]*atomic.Uint64

	prompt, cached, completion atomic.Uint64
	spend                      money
	rate                       gauge
}

// key returns the counters of a key's name.
func (r *Recorder) key(name string) *keyCounters {
	name = bounded(name)
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.keys[name]
	if k == nil {
		if len(r.keys) >= maxKeys {
			name = "other"
		}
		if k = r.keys[name]; k == nil {
			k = &keyCounters{codes: map[string]*atomic.Uint64{}}
			r.keys[name] = k
		}
	}
	return k
}

func (k *keyCounters) request(code string) {
	k.mu.RLock()
	c := k.codes[code]
	k.mu.RUnlock()
	if c == nil {
		c = k.code(code)
	}
	c.Add(1)
}

func (k *keyCounters) code(code string) *atomic.Uint64 {
	code = bounded(code)
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.codes[code]
	if c == nil {
		if len(k.codes) >= maxCodes {
			code = "other"
		}
		if c = k.codes[code]; c == nil {
			c = &atomic.Uint64{}
			k.codes[code] = c
		}
	}
	return c
}

func (k *keyCounters) token(kind string, n int) {
	if n <= 0 {
		return
	}
	switch kind {
	case "prompt":
		k.prompt.Add(uint64(n))
	case "cached":
		k.cached.Add(uint64(n))
	case "completion":
		k.completion.Add(uint64(n))
	}
}

// bounded makes a label of text: valid UTF-8 and short.
func bounded(s string) string {
	if len(s) > maxLabel {
		s = s[:maxLabel]
	}
	return strings.ToValidUTF8(s, "?")
}
