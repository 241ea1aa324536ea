package sqlite

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"haoke/backend/internal/chat"
)

// Cold is the store of sealed conversations: their blobs, the dictionaries
// that some codecs need, and the outbox of what is to be shipped. Sealing and
// restoring take one transaction each, so that a kill leaves a conversation
// warm or cold, never between.
type Cold struct{ db *DB }

// Cold returns the store of sealed conversations.
func (db *DB) Cold() *Cold { return &Cold{db} }

// Blob is a sealed conversation.
type Blob struct {
	ID       chat.ConversationID
	Version  int64  // of the conversation when it was sealed; counts up from seal to seal
	Codec    string // how Data is packed; known to the archive
	Dict     int64  // dictionary that Data needs; 0: none
	Messages int64  // number of messages in it
	RawSize  int64  // bytes of the messages as the API carries them
	Data     []byte // nil: dropped here after shipping
	Sealed   time.Time
	Shipped  time.Time // zero: not yet
}

// ErrBadBlob: the stored bytes do not match their checksum.
var ErrBadBlob = errors.New("stored blob is damaged")

// Due lists warm conversations without a message since before and without an
// open turn, the longest silent first.
func (c *Cold) Due(ctx context.Context, before time.Time, limit int) ([]chat.ConversationID, error) {
	var ids []chat.ConversationID
	err := c.db.each(ctx, "SELECT id FROM conversations INDEXED BY conversations_recent "+
		"WHERE cold = 0 AND updated_at < ? AND pending = 0 ORDER BY updated_at LIMIT ?", []any{before.UnixMilli(), limit},
		func(r *sql.Rows) error {
			var id chat.ConversationID
			err := r.Scan(&id)
			ids = append(ids, id)
			return err
		})
	return ids, wrap("list conversations due for the archive", err)
}

// Seal stores the blob of a warm conversation, removes its message rows and
// prompt traces and, when ship is set, puts it into the outbox: all in one
// commit. b.Version must be the conversation's present version, otherwise
// chat.ErrConflict; the seal itself counts it up, so that whoever still has
// the conversation in memory notices. The full-text entries stay; what they
// lack is added before, in small commits of their own.
func (c *Cold) Seal(ctx context.Context, b Blob, ship bool) error {
	if len(b.Data) == 0 {
		return errors.New("seal conversation: empty blob")
	}
	if err := c.db.indexConversation(ctx, b.ID); err != nil {
		return wrap("seal conversation", err)
	}
	sum := sumOf(b.Data)
	err := c.db.writeIdle(ctx, func(tx *Tx) error {
		var n, version, last, indexed int64
		var cold int
		err := tx.row("SELECT n, version, last_seq, indexed_seq, cold FROM conversations WHERE id = ?", []any{string(b.ID)},
			&n, &version, &last, &indexed, &cold)
		switch {
		case noRows(err):
			return chat.ErrNotFound
		case err != nil:
			return err
		case version != b.Version || cold != warm:
			return chat.ErrConflict
		case last != b.Messages:
			return fmt.Errorf("the blob holds %d of %d messages", b.Messages, last)
		case indexed < last:
			return chat.ErrConflict
		}
		if err := putBlob(tx, n, &b, sum, c.db.now()); err != nil {
			return err
		}
		if _, err := tx.exec("UPDATE conversations SET cold = 1, version = version + 1 WHERE n = ?", n); err != nil {
			return err
		}
		if ship {
			if err := enqueue(tx, "ship", b.ID, b.Version, c.db.now()); err != nil {
				return err
			}
		}
		return dropRows(tx, n, false)
	})
	return wrap("seal conversation", err)
}

// sumLen is how much of the SHA-256 is stored to notice damage on disk. Older
// rows have all of it.
const sumLen = 8

func sumOf(data []byte) []byte {
	sum := sha256.Sum256(data)
	return sum[:sumLen]
}

func sumFits(data, stored []byte) bool {
	sum := sha256.Sum256(data)
	return len(stored) >= sumLen && bytes.HasPrefix(sum[:], stored)
}

func putBlob(tx *Tx, n int64, b *Blob, sum []byte, now int64) error {
	_, err := tx.exec(`INSERT OR REPLACE INTO blobs (conv, version, codec, dict, messages, raw_size, size, sum, sealed_at, shipped_at, data)
		VALUES (?,?,?,?,?,?,?,?,?,0,?)`, n, b.Version, b.Codec, b.Dict, b.Messages, b.RawSize, len(b.Data), sum, now, b.Data)
	return err
}

// Blob returns the sealed form of a conversation: chat.ErrNotFound when it is
// not sealed, ErrBadBlob when its bytes have changed on disk. Data is nil when
// only the archive has it.
func (c *Cold) Blob(ctx context.Context, id chat.ConversationID) (Blob, error) {
	b := Blob{ID: id}
	var sum []byte
	var sealedAt, shippedAt int64
	err := c.db.row(ctx, `SELECT b.version, b.codec, b.dict, b.messages, b.raw_size, b.sum, b.sealed_at, b.shipped_at, b.data
		FROM blobs b JOIN conversations c ON c.n = b.conv WHERE c.id = ? AND c.cold > 0`, []any{string(id)},
		&b.Version, &b.Codec, &b.Dict, &b.Messages, &b.RawSize, &sum, &sealedAt, &shippedAt, &b.Data)
	if noRows(err) {
		return b, wrap("read blob", chat.ErrNotFound)
	}
	if err != nil {
		return b, wrap("read blob", err)
	}
	b.Sealed, b.Shipped = fromMillis(sealedAt), fromMillis(shippedAt)
	if b.Data != nil && !sumFits(b.Data, sum) {
		return b, wrap("read blob", ErrBadBlob)
	}
	return b, nil
}

// Restore makes a cold conversation warm again: msgs become its rows, the blob
// and a shipment that has not happened yet go, all in one commit. The messages
// must be the whole conversation, seq 1 to LastSeq. Restoring a conversation
// that is warm already does nothing, so that two callers may thaw at once.
func (c *Cold) Restore(ctx context.Context, id chat.ConversationID, msgs []chat.Message) error {
	var packed rows
	if err := packed.encode(msgs); err != nil {
		return wrap("restore conversation", err)
	}
	for i := range msgs {
		if msgs[i].Seq != int64(i)+1 {
			return fmt.Errorf("restore conversation: message %d has seq %d", i+1, msgs[i].Seq)
		}
	}
	err := c.db.write(ctx, func(tx *Tx) error {
		var n, last int64
		var cold int
		err := tx.row("SELECT n, last_seq, cold FROM conversations WHERE id = ?", []any{string(id)}, &n, &last, &cold)
		switch {
		case noRows(err):
			return chat.ErrNotFound
		case err != nil:
			return err
		case cold == warm:
			return nil
		case last != int64(len(msgs)):
			return fmt.Errorf("the archive has %d of %d messages", len(msgs), last)
		}
		lo, hi := midRange(n)
		for _, q := range []string{
			"DELETE FROM messages WHERE mid BETWEEN ? AND ?", // what sealing had not got round to deleting
			"DELETE FROM purge WHERE lo BETWEEN ? AND ?",
		} {
			if _, err := tx.exec(q, lo, hi); err != nil {
				return err
			}
		}
		if err := packed.insert(tx, n); err != nil {
			return err
		}
		if _, err := tx.exec("DELETE FROM blobs WHERE conv = ?", n); err != nil {
			return err
		}
		if _, err := tx.exec("DELETE FROM outbox WHERE conv = ? AND kind = 'ship'", string(id)); err != nil {
			return err
		}
		_, err = tx.exec("UPDATE conversations SET cold = 0, version = version + 1 WHERE n = ?", n)
		return err
	})
	return wrap("restore conversation", err)
}

// ColdStats are sums over the sealed conversations.
type ColdStats struct {
	Sealed   int64 // conversations sealed
	Shipped  int64 // of them confirmed by the archive's server
	Messages int64
	RawSize  int64 // bytes before packing
	Size     int64 // bytes packed, here or shipped
	Local    int64 // bytes packed that are kept here
}

// Stats sums up the sealed conversations.
func (c *Cold) Stats(ctx context.Context) (ColdStats, error) {
	var s ColdStats
	err := c.db.row(ctx, `SELECT count(*), coalesce(sum(shipped_at > 0), 0), coalesce(sum(messages), 0), coalesce(sum(raw_size), 0),
		coalesce(sum(size), 0), coalesce(sum(iif(shipped_at = 0, size, 0)), 0) FROM blobs INDEXED BY blobs_size`, nil,
		&s.Sealed, &s.Shipped, &s.Messages, &s.RawSize, &s.Size, &s.Local)
	return s, wrap("sum up the archive", err)
}

// AddDict stores a dictionary and returns its id. Dictionaries are never
// changed or removed: old blobs need them.
func (c *Cold) AddDict(ctx context.Context, codec string, data []byte) (int64, error) {
	var id int64
	err := c.db.write(ctx, func(tx *Tx) (err error) {
		id, err = tx.insert("INSERT INTO dicts (codec, data, created_at) VALUES (?,?,?)", codec, data, c.db.now())
		return err
	})
	return id, wrap("store dictionary", err)
}

// Dict returns a dictionary, chat.ErrNotFound when there is none of that id.
func (c *Cold) Dict(ctx context.Context, id int64) (codec string, data []byte, err error) {
	err = c.db.row(ctx, "SELECT codec, data FROM dicts WHERE id = ?", []any{id}, &codec, &data)
	if noRows(err) {
		err = chat.ErrNotFound
	}
	return codec, data, wrap("read dictionary", err)
}

// LatestDict returns the id of the newest dictionary of a codec, 0 when there
// is none.
func (c *Cold) LatestDict(ctx context.Context, codec string) (int64, error) {
	var id int64
	err := c.db.row(ctx, "SELECT coalesce(max(id), 0) FROM dicts WHERE codec = ?", []any{codec}, &id)
	return id, wrap("read dictionary", err)
}
