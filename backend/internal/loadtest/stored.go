package loadtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
	"haoke/backend/internal/sqlite"
)

// databaseFile is the database inside a data folder.
const databaseFile = "haoke.db"

// stored is a data folder with n finished conversations. The parts share it.
func (s *Suite) stored(ctx context.Context, n int) (dir string, err error) {
	dir = filepath.Join(s.dir, fmt.Sprintf("kept%d", n))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err = store(ctx, dir, n, 2); err != nil {
		os.RemoveAll(dir) // no part may take it for whole
	}
	return dir, err
}

// store fills the data folder with n finished conversations through the
// appliance's own store: a question and an answer each.
func store(ctx context.Context, dir string, n int, seed uint64) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("store conversations: %w", err)
	}
	db, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(dir, databaseFile), Reserve: -1})
	if err != nil {
		return fmt.Errorf("store conversations: %w", err)
	}
	day := time.Now().UTC().Add(-24 * time.Hour).Truncate(time.Second)
	const writers = 256 // they share commits
	var g errgroup.Group
	for w := range writers {
		g.Go(func() error {
			rng := rand.New(rand.NewPCG(seed, uint64(w)))
			for i := w; i < n; i += writers {
				old := oldConversation(rng, day, i)
				if _, err := db.Conversations().Commit(ctx, &old); err != nil {
					return fmt.Errorf("store conversations: %w", err)
				}
			}
			return nil
		})
	}
	if err = g.Wait(); err == nil {
		err = db.LeaveUnsought(ctx) // indexing them takes minutes, and what is measured is not that
	}
	if cerr := db.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("store conversations: %w", cerr)
	}
	return err
}

func oldConversation(rng *rand.Rand, day time.Time, i int) session.Change {
	// Of yesterday: what is much older would be archived as soon as the server
	// starts, beside what is measured.
	at := day.Add(time.Duration(i) * 50 * time.Millisecond)
	id := chat.ConversationID(fmt.Sprintf("%016x%016x", rng.Uint64(), rng.Uint64()))
	word := wordOf(uint64(i))
	answer := "Thank you for asking. The parcel " + word + " left our house this morning and arrives in two days."
	return session.Change{
		Was: chat.Conversation{ID: id},
		Head: chat.Conversation{ID: id, Version: 1, Site: "default", Mode: chat.ModeAI, Epoch: "bench", LastSeq: 2,
			CreatedAt: at, UpdatedAt: at, LastText: answer, LastFrom: chat.FromAI},
		Messages: []chat.Message{
			{Seq: 1, From: chat.FromVisitor, Text: "Where is the parcel " + word + "?", At: at, ClientID: "q" + word},
			{Seq: 2, From: chat.FromAI, Text: answer, At: at, Finish: chat.FinishStop},
		},
	}
}
