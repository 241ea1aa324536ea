package auth

import (
	"sync"
	"time"
)

const maxLocal = 100 // at the bound the longest unused one ends

// localSessions are the browser sessions of the person at the screen who has
// no account.
type localSessions struct {
	mu   sync.Mutex
	open map[string]localSession
}

type localSession struct {
	person        Person
	created, seen time.Time
}

func newLocalSessions() *localSessions { return &localSessions{open: map[string]localSession{}} }

func (l *localSessions) put(p Person, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) >= maxLocal {
		oldest := ""
		for k, s := range l.open {
			if oldest == "" || s.seen.Before(l.open[oldest].seen) {
				oldest = k
			}
		}
		delete(l.open, oldest)
	}
	l.open[string(p.Session)] = localSession{p, now, now}
}

func (l *localSessions) get(token []byte, now time.Time, idle, limit time.Duration) (Person, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.open[string(token)]
	if !ok {
		return Person{}, false
	}
	if now.Sub(s.seen) >= idle || now.Sub(s.created) >= limit {
		delete(l.open, string(token))
		return Person{}, false
	}
	s.seen = now
	l.open[string(token)] = s
	return s.person, true
}

// has is get without counting as a use.
func (l *localSessions) has(token []byte, now time.Time, idle, limit time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.open[string(token)]
	return ok && now.Sub(s.seen) < idle && now.Sub(s.created) < limit
}

// end removes one session, or with a nil token all of a name.
func (l *localSessions) end(name string, token []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if token != nil {
		delete(l.open, string(token))
		return
	}
	for k, s := range l.open {
		if s.person.Name == name {
			delete(l.open, k)
		}
	}
}
