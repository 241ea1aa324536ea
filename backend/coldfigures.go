package backend

import (
	"context"
	"sync"
	"time"

	"haoke/backend/internal/archive"
)

// coldFiguresFor is how long the archive's figures are shown before they are
// asked for again: they are sums over all sealed conversations.
const coldFiguresFor = 10 * time.Second

// coldFigures remembers the archive's figures for a while.
type coldFigures struct {
	p *parts

	mu   sync.Mutex
	at   time.Time
	last archive.Health
}

func (c *coldFigures) now() archive.Health {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.at) < coldFiguresFor {
		return c.last
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if h, err := c.p.archive.Health(ctx); err == nil {
		c.last = h
	}
	c.at = time.Now()
	return c.last
}
