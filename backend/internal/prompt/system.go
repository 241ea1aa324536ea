package prompt

import "sync"

// systemKey is everything that the system part of a prompt is made from, but
// the knowledge.
type systemKey struct {
	instructions, site, language, model string
	limit                               int
}

// system is the system part, and what had to be done to it.
type system struct{ text, note string }

// systems remembers system parts, which are the same from turn to turn. A part
// that was cut by an estimate, before the model's vocabulary was there, is as
// good as any: it only ever is too short. The zero value is ready.
type systems struct {
	mu sync.Mutex
	m  map[systemKey]system
}

// maxSystems bounds what is remembered; when it is full it starts anew.
const maxSystems = 64

func (s *systems) get(k systemKey, write func(systemKey) system) system {
	s.mu.Lock()
	sys, ok := s.m[k]
	s.mu.Unlock()
	if ok {
		return sys
	}
	sys = write(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil || len(s.m) >= maxSystems {
		s.m = map[systemKey]system{}
	}
	s.m[k] = sys
	return sys
}
