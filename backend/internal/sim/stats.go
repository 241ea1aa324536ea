package sim

import (
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
)

// Stats is what a simulator has done since its start or the last Reset.
type Stats struct {
	Calls        int64            `json:"calls"`        // chat completions, refused ones included
	Streams      int64            `json:"streams"`      // of these asked for as a stream
	Answered     int64            `json:"answered"`     // that were answered completely
	Cancelled    int64            `json:"cancelled"`    // whose caller left before the end
	Refused      int64            `json:"refused"`      // answered with 429 by the limits
	Unauthorized int64            `json:"unauthorized"` // wrong key, any path
	Faults       int64            `json:"faults"`       // broken on purpose
	Moderations  int64            `json:"moderations"`
	Active       int64            `json:"active"`      // calls under way
	MaxActive    int64            `json:"max_active"`  // most at once
	Connections  int64            `json:"connections"` // accepted, with Serve or ConnState
	PerKey       map[string]int64 `json:"per_key"`     // calls by key
	LastBody     string           `json:"last_body"`   // the last call's body
}

type counters struct {
	calls, streams, answered, cancelled, refused, unauthorized, faults,
	moderations, active, maxActive, connections atomic.Int64

	mu       sync.Mutex
	perKey   map[string]int64
	lastBody []byte
}

// enter counts a call in and returns what counts it out.
func (c *counters) enter() func() {
	c.calls.Add(1)
	n := c.active.Add(1)
	for {
		m := c.maxActive.Load()
		if n <= m || c.maxActive.CompareAndSwap(m, n) {
			break
		}
	}
	return func() { c.active.Add(-1) }
}

func (c *counters) note(key string, body []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.perKey == nil {
		c.perKey = map[string]int64{}
	}
	if _, known := c.perKey[key]; known || len(c.perKey) < maxKeys {
		c.perKey[key]++
	}
	c.lastBody = append(c.lastBody[:0], body...)
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	c := &s.stats
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{
		Calls: c.calls.Load(), Streams: c.streams.Load(), Answered: c.answered.Load(),
		Cancelled: c.cancelled.Load(), Refused: c.refused.Load(), Unauthorized: c.unauthorized.Load(),
		Faults: c.faults.Load(), Moderations: c.moderations.Load(), Active: c.active.Load(),
		MaxActive: c.maxActive.Load(), Connections: c.connections.Load(),
		PerKey: maps.Clone(c.perKey), LastBody: string(c.lastBody),
	}
}

// Reset sets every counter to zero, except for calls under way, and forgets
// the answers' times and which numbered markers were used up.
func (s *Server) Reset() {
	s.times.reset()
	c := &s.stats
	for _, n := range []*atomic.Int64{&c.calls, &c.streams, &c.answered, &c.cancelled, &c.refused,
		&c.unauthorized, &c.faults, &c.moderations, &c.maxActive, &c.connections} {
		n.Store(0)
	}
	c.mu.Lock()
	c.perKey, c.lastBody = nil, c.lastBody[:0]
	c.mu.Unlock()
	s.mu.Lock()
	clear(s.seen)
	s.mu.Unlock()
}

func (s *Server) serveStats(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.Stats())
}
