package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"haoke/backend/internal/chat"
)

// Defaults of Config.
const (
	DefaultHotCapacity = 10_000
	DefaultHotBytes    = 256 << 20
)

const (
	// maxAttempts bounds the reloads after conflicts. Within one Manager the
	// lock makes conflicts impossible, so a few attempts are plenty.
	maxAttempts = 16
	// tailMessages is how many messages a session keeps at first; older ones
	// of longer conversations are read from the store.
	tailMessages = 4096
	// MaxMessages is the largest seq of a conversation: the store packs the
	// seq into 20 bits of its row key.
	MaxMessages = 1<<20 - 1
	// lastTextRunes bounds Conversation.LastText.
	lastTextRunes = 200
)

// ErrTooLong is returned when a conversation has MaxMessages messages.
var ErrTooLong = errors.New("conversation is too long")

// Config bounds the sessions in memory.
type Config struct {
	// HotCapacity is the number of sessions kept; 0: DefaultHotCapacity.
	HotCapacity int
	// HotBytes bounds their approximate size in bytes; 0: DefaultHotBytes.
	// Sessions with a write or read under way are never dropped, so the
	// bounds can be exceeded by what is in use at one moment.
	HotBytes int64
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Manager is the set of hot sessions over a store. It is safe for concurrent
// use and needs no Run: it owns no goroutine.
type Manager struct {
	store  Store
	thawer Thawer
	purger Purger
	now    func() time.Time
	cache  *cache
	// changes are used again: Commit does not keep them.
	changes sync.Pool
	// maxSession is the size above which a session keeps only its newer part.
	maxSession int64
}

// Option adds something optional to a Manager.
type Option func(*Manager)

// WithThawer makes cold conversations readable and writable again. Without one
// they return chat.ErrNotFound for their messages.
func WithThawer(t Thawer) Option { return func(m *Manager) { m.thawer = t } }

// WithPurger makes Delete reach the archive.
func WithPurger(p Purger) Option { return func(m *Manager) { m.purger = p } }

// New returns a Manager over store.
func New(cfg Config, store Store, opts ...Option) *Manager {
	if cfg.HotCapacity <= 0 {
		cfg.HotCapacity = DefaultHotCapacity
	}
	if cfg.HotBytes <= 0 {
		cfg.HotBytes = DefaultHotBytes
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	m := &Manager{
		store:      store,
		now:        cfg.Now,
		cache:      newCache(cfg.HotCapacity, cfg.HotBytes),
		changes:    sync.Pool{New: newChange},
		maxSession: max(cfg.HotBytes/8, 64<<10),
	}
	for _, o := range opts {
		o(m)
	}
	return m
}

// Stats are the Manager's figures.
type Stats struct {
	Hot    int    // sessions in memory
	Bytes  int64  // their approximate size
	Hits   uint64 // reads and writes that found their session in memory
	Misses uint64 // those that had to load it
}

// Stats returns the figures of this moment.
func (m *Manager) Stats() Stats { return m.cache.stats() }

// Head returns the head of a conversation, cold ones included (they are not
// thawed for it). A hot one costs no disk access.
func (m *Manager) Head(ctx context.Context, id chat.ConversationID) (chat.Conversation, error) {
	s, err := m.state(ctx, id, false)
	if err != nil {
		return chat.Conversation{}, fmt.Errorf("read conversation: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head, nil
}

// Messages returns the messages with seq > after, ascending, at most limit of
// them (limit <= 0: all). The slice and what it points to are shared and must
// not be changed. Turn.PromptTrace is not kept in memory: it is always empty
// here and has its own query in the store. A cold conversation is thawed.
func (m *Manager) Messages(ctx context.Context, id chat.ConversationID, after int64, limit int) ([]chat.Message, error) {
	s, err := m.state(ctx, id, true)
	if err != nil {
		return nil, fmt.Errorf("read messages: %w", err)
	}
	s.mu.Lock()
	first, msgs := s.first, s.after(after, limit)
	s.mu.Unlock()
	if after+1 < first && first > 1 {
		if msgs, err = m.store.Messages(ctx, id, after, limit); err != nil {
			return nil, fmt.Errorf("read messages: %w", err)
		}
	}
	return msgs, nil
}

// Pending lists the conversations with an open turn (Pending > 0), for the
// restart.
func (m *Manager) Pending(ctx context.Context) ([]chat.ConversationID, error) {
	ids, err := m.store.Pending(ctx)
	if err != nil {
		return nil, fmt.Errorf("list pending turns: %w", err)
	}
	return ids, nil
}

// Forget drops the session from memory after a write under way has ended. The
// store keeps it. The archive calls it after sealing a conversation.
func (m *Manager) Forget(ctx context.Context, id chat.ConversationID) error {
	e := m.cache.pin(id)
	defer m.cache.unpin(e)
	if err := e.lock(ctx); err != nil {
		return fmt.Errorf("forget conversation: %w", err)
	}
	e.snap.Store(nil)
	e.unlock()
	return nil
}

// Delete removes a conversation for good: archive, store, memory. An archive
// that cannot be reached now must have noted the deletion (Purger), otherwise
// Delete fails and may be repeated.
func (m *Manager) Delete(ctx context.Context, id chat.ConversationID) error {
	e := m.cache.pin(id)
	defer m.cache.unpin(e)
	if err := e.lock(ctx); err != nil {
		return fmt.Errorf("delete conversation: %w", err)
	}
	defer e.unlock()
	if m.purger != nil {
		if err := m.purger.Purge(ctx, id); err != nil {
			return fmt.Errorf("delete archived conversation: %w", err)
		}
	}
	e.snap.Store(nil)
	if err := m.store.Delete(ctx, id); err != nil {
		return fmt.Errorf("delete conversation: %w", err)
	}
	return nil
}

// state returns the session's state, loading it when it is not hot
// and, when rows is set, thawing it when it is cold.
func (m *Manager) state(ctx context.Context, id chat.ConversationID, rows bool) (*state, error) {
	if s := m.cache.get(id); s != nil && !(rows && s.cold) {
		return s, nil
	}
	e := m.cache.pin(id)
	defer m.cache.unpin(e)
	if err := e.lock(ctx); err != nil {
		return nil, err
	}
	defer e.unlock()
	return m.current(ctx, e, rows)
}

// current returns the state of a locked entry, loading and thawing as needed.
func (m *Manager) current(ctx context.Context, e *entry, rows bool) (*state, error) {
	s := e.snap.Load()
	if s == nil {
		var err error
		if s, err = m.load(ctx, e); err != nil {
			return nil, err
		}
	}
	if !s.cold || !rows {
		return s, nil
	}
	if m.thawer == nil {
		return nil, fmt.Errorf("conversation is archived and no archive is set up: %w", chat.ErrNotFound)
	}
	found, err := m.thawer.Thaw(ctx, e.id)
	if err != nil && ctx.Err() == nil && !errors.Is(err, chat.ErrReadOnly) {
		return nil, fmt.Errorf("%w: %w", chat.ErrUnreadable, err)
	}
	if err != nil {
		return nil, fmt.Errorf("thaw conversation: %w", err)
	}
	if !found {
		return nil, fmt.Errorf("conversation is not in the archive: %w", chat.ErrNotFound)
	}
	if s, err = m.load(ctx, e); err != nil {
		return nil, err
	}
	if s.cold {
		return nil, fmt.Errorf("conversation is still archived after thawing: %w", chat.ErrNotFound)
	}
	return s, nil
}

// load reads the store's state into a locked entry.
func (m *Manager) load(ctx context.Context, e *entry) (*state, error) {
	rec, err := m.store.Load(ctx, e.id, tailMessages)
	if err != nil {
		return nil, err
	}
	s := newState(rec)
	s.trim(m.maxSession)
	m.cache.publish(e, s)
	return s, nil
}
