package archive_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"haoke/backend/internal/archive"
	"haoke/backend/internal/chat"
)

// shelf is a remote archive in memory.
type shelf struct {
	mu      sync.Mutex
	blobs   map[string]archive.Blob
	batches []string
	ships   int
	down    error // what every call answers
	lost    int   // so many answers get lost after the work was done
}

func newShelf() *shelf { return &shelf{blobs: map[string]archive.Blob{}} }

func key(id chat.ConversationID, version int64) string { return fmt.Sprintf("%s/%d", id, version) }

func (s *shelf) Ship(_ context.Context, batch string, again bool, rows []archive.Sealed) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ships++
	if s.down != nil {
		return s.down
	}
	s.batches = append(s.batches, batch)
	for _, r := range rows {
		s.blobs[key(r.Blob.ID, r.Blob.Version)] = r.Blob
	}
	if s.lost > 0 {
		s.lost--
		return errors.New("the answer was lost")
	}
	return nil
}

func (s *shelf) Fetch(_ context.Context, id chat.ConversationID, version int64) (archive.Blob, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.blobs[key(id, version)]
	if !ok {
		return b, chat.ErrNotFound
	}
	return b, s.down
}

func (s *shelf) Delete(_ context.Context, ids []chat.ConversationID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.blobs {
		for _, id := range ids {
			if strings.HasPrefix(k, string(id)) {
				delete(s.blobs, k)
			}
		}
	}
	return s.down
}
