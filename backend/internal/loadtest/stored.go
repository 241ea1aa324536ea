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
	run, stop := context.WithCancel(ctx)
	var back errgroup.Group
	back.Go(func() error { return db.Run(run) })
	const writers = 256 // they share commits
	var g errgroup.Group
	for w := range writers {
		g.Go(func() error {
			rng := rand.New(rand.NewPCG(seed, uint64(w)))
			for i := w; i < n; i += writers {
				old := oldConversation(rng, i)
				if _, err := db.Conversations().Commit(ctx, &old); err != nil {
					return fmt.Errorf("store conversations: %w", err)
				}
			}
			return nil
		})
	}
	err = g.Wait()
	stop()
	back.Wait() // ends with the context's error, which was ours
	if cerr := db.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("store conversations: %w", cerr)
	}
	return err
}

func oldConversation(rng *rand.Rand, i int) session.Change {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Second)
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
