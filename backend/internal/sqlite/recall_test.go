package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"strings"
	"testing"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/testkit/dialogue"
)

// Recall over FTS5 with trigrams, as the store's search has them but with
// positions and BM25, beside the index of its own that the prompt uses: the
// better one stays. Its figures are in the log.
func TestRecallOwnIndexAgainstFTS5(t *testing.T) {
	// Only the ranking is of interest here, so this one need not be on disk.
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	fts := &dialogue.Ranker{Name: "FTS5 trigrams", Index: func(ctx context.Context, msgs []chat.Message) (func(string) ([]int, error), error) {
		for _, q := range []string{"DROP TABLE IF EXISTS r", "CREATE VIRTUAL TABLE r USING fts5 (text, tokenize = 'trigram')"} {
			if _, err := db.ExecContext(ctx, q); err != nil {
				return nil, err
			}
		}
		for i := range msgs {
			if _, err := db.ExecContext(ctx, "INSERT INTO r (rowid, text) VALUES (?,?)", i+1, indexed(msgs[i].Text)); err != nil {
				return nil, err
			}
		}
		return func(question string) ([]int, error) {
			rows, err := db.QueryContext(ctx, "SELECT rowid - 1 FROM r WHERE r MATCH ? ORDER BY bm25(r) LIMIT 200", match(strings.Fields(fold(question)), " OR ", 100))
			var out []int
			return out, eachRow(rows, err, func(r *sql.Rows) error {
				var i int
				err := r.Scan(&i)
				out = append(out, i)
				return err
			})
		}, nil
	}}
	var out bytes.Buffer
	rep, err := dialogue.Run(context.Background(), &out, dialogue.Options{Turns: []int{200}, Conversations: 2, Seed: 70_000, Other: fts})
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	known := map[string]float64{}
	for _, r := range rep.Rows {
		known[r.Method] += r.Known
	}
	if own, other := known["assembled"], known[fts.Name]; own < other || other == 0 {
		t.Errorf("own index %.3f, FTS5 %.3f", own, other)
	}
}
