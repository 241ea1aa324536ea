package sqlite

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"
)

// The mark file says what the database says, in a moment: nobody waits for it.
func TestMarkFollowsTheCommits(t *testing.T) {
	db := open(t)
	for i := range 12 {
		must(t, db.write(context.Background(), func(tx *Tx) error {
			_, err := tx.exec("INSERT INTO meta VALUES (?, 1)", fmt.Sprint(i))
			return err
		}))
		want := fmt.Sprintf(markFormat, db.mark.id, count(t, db, "SELECT value FROM meta WHERE key = 'commits'"))
		var text []byte
		for try := 0; string(text) != want; try++ {
			if try == 2000 {
				t.Fatalf("mark %q, want %q", text, want)
			}
			time.Sleep(time.Millisecond)
			var err error
			text, err = os.ReadFile(db.cfg.Path + ".mark")
			must(t, err)
		}
	}
}
