package sqlite

import (
	"context"
	"fmt"
	"os"
	"testing"
)

// The mark file says at every moment what the database says.
func TestMarkFollowsTheCommits(t *testing.T) {
	db := open(t)
	for i := range 12 {
		must(t, db.write(context.Background(), func(tx *Tx) error {
			_, err := tx.exec("INSERT INTO meta VALUES (?, 1)", fmt.Sprint(i))
			return err
		}))
		text, err := os.ReadFile(db.cfg.Path + ".mark")
		must(t, err)
		if want := fmt.Sprintf(markFormat, db.mark.id, count(t, db, "SELECT value FROM meta WHERE key = 'commits'")); string(text) != want {
			t.Fatalf("mark %q, want %q", text, want)
		}
	}
}
