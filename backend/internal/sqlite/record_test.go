package sqlite

import (
	"context"
	"reflect"
	"testing"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

// Whatever is ever added to a conversation or a message is in the journal too,
// else this test fails: a commit that comes back from the journal is the same to
// the last column.
func TestRecordHoldsEveryField(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	must(t, db.write(ctx, func(tx *Tx) error { _, err := tx.exec("INSERT INTO meta VALUES ('synced', 1)"); return err }))
	synced := fileSize(db.Path() + "-wal")
	var was chat.Conversation
	var ref int64
	for n := int64(1); n <= 3; n++ { // made, changed in all, changed in all but what search finds
		ch := session.Change{Ref: ref, Was: was, Messages: make([]chat.Message, 1)}
		text := "文" + string(rune('a'+n))
		fill(reflect.ValueOf(&ch.Head).Elem(), text, n)
		fill(reflect.ValueOf(&ch.Messages[0]).Elem(), text, n)
		ch.Head.ID, ch.Messages[0].From, ch.Messages[0].Seq = "the same", chat.FromAI, n // of 20 bits
		ch.Head.Visitor.Facts = chat.Facts(`{"plan":"` + text + `"}`)
		if n == 3 {
			ch.Head.Visitor, ch.Head.Page, ch.Head.Operator, ch.Head.Comment, ch.Head.Site = was.Visitor, was.Page, was.Operator, was.Comment, was.Site
		}
		was = ch.Head
		var err error
		if ref, err = db.Conversations().Commit(ctx, &ch); err != nil {
			t.Fatal(err)
		}
	}
	sameAfter(t, db, powerCut(t, db, synced), "from the journal")
}
