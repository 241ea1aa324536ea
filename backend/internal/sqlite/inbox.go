package sqlite

import (
	"context"
	"database/sql"
	"time"

	"haoke/backend/internal/chat"
)

// LeftMessage is what a visitor left in the offline form.
type LeftMessage struct {
	ID      int64
	At      time.Time
	Site    string
	Name    string
	Email   string
	Text    string
	PageURL string
	IP      string
	Done    bool
}

// Inbox stores the offline form's messages.
type Inbox struct{ db *DB }

// Inbox returns the store of left messages.
func (db *DB) Inbox() *Inbox { return &Inbox{db} }

// Add stores a message durably and returns its id.
func (b *Inbox) Add(ctx context.Context, m LeftMessage) (int64, error) {
	var id int64
	err := b.db.write(ctx, func(tx *Tx) (err error) {
		id, err = tx.insert("INSERT INTO left_messages (at, site, name, email, text, page_url, ip) VALUES (?,?,?,?,?,?,?)",
			b.db.now(), m.Site, m.Name, m.Email, m.Text, m.PageURL, m.IP)
		return err
	})
	return id, wrap("store left message", err)
}

// List returns messages, newest first: those done or those open, with an id
// smaller than before (0: the newest), at most limit.
func (b *Inbox) List(ctx context.Context, done bool, before int64, limit int) ([]LeftMessage, error) {
	if before <= 0 {
		before = 1 << 62
	}
	if limit <= 0 {
		limit = 50
	}
	var out []LeftMessage
	err := b.db.each(ctx, "SELECT id, at, site, name, email, text, page_url, ip, done FROM left_messages WHERE done = ? AND id < ? ORDER BY id DESC LIMIT ?",
		[]any{done, before, limit}, func(r *sql.Rows) error {
			var m LeftMessage
			var at int64
			err := r.Scan(&m.ID, &at, &m.Site, &m.Name, &m.Email, &m.Text, &m.PageURL, &m.IP, &m.Done)
			m.At = fromMillis(at)
			out = append(out, m)
			return err
		})
	return out, wrap("list left messages", err)
}

// CountOpen counts the messages that are not done.
func (b *Inbox) CountOpen(ctx context.Context) (int, error) {
	var n int
	err := b.db.row(ctx, "SELECT count(*) FROM left_messages WHERE done = 0", nil, &n)
	return n, wrap("count left messages", err)
}

// SetDone marks a message; ErrNoRow when there is none of that id.
func (b *Inbox) SetDone(ctx context.Context, id int64, done bool) error {
	return wrap("mark left message", b.db.write(ctx, func(tx *Tx) error {
		return changed(tx.exec("UPDATE left_messages SET done = ? WHERE id = ?", done, id))
	}))
}

// Delete removes a message.
func (b *Inbox) Delete(ctx context.Context, id int64) error {
	return b.db.deleteOne(ctx, "delete left message", "DELETE FROM left_messages WHERE id = ?", id)
}

// File is what is known of an uploaded file; the bytes are a file of its own.
type File struct {
	ID      string // random, also the name on disk
	Conv    chat.ConversationID
	Name    string // as the visitor called it
	Type    string // sniffed media type
	Size    int64
	Created time.Time
}

// Files stores what is known of uploaded files.
type Files struct{ db *DB }

// Files returns the store of uploaded files' metadata.
func (db *DB) Files() *Files { return &Files{db} }

// Add stores a file's entry.
func (f *Files) Add(ctx context.Context, x File) error {
	return wrap("store file entry", f.db.write(ctx, func(tx *Tx) error {
		_, err := tx.insert("INSERT INTO files (id, conv, name, type, size, created_at) VALUES (?,?,?,?,?,?)",
			x.ID, string(x.Conv), x.Name, x.Type, x.Size, f.db.now())
		return err
	}))
}

// Get returns a file's entry, ErrNoRow when there is none.
func (f *Files) Get(ctx context.Context, id string) (File, error) {
	x := File{ID: id}
	var created int64
	err := f.db.row(ctx, "SELECT conv, name, type, size, created_at FROM files WHERE id = ?", []any{id}, &x.Conv, &x.Name, &x.Type, &x.Size, &created)
	if noRows(err) {
		err = ErrNoRow
	}
	x.Created = fromMillis(created)
	return x, wrap("read file entry", err)
}

// Of lists the files of a conversation.
func (f *Files) Of(ctx context.Context, conv chat.ConversationID) ([]File, error) {
	var out []File
	err := f.db.each(ctx, "SELECT id, name, type, size, created_at FROM files WHERE conv = ? ORDER BY created_at, id", []any{string(conv)}, func(r *sql.Rows) error {
		x := File{Conv: conv}
		var created int64
		err := r.Scan(&x.ID, &x.Name, &x.Type, &x.Size, &created)
		x.Created = fromMillis(created)
		out = append(out, x)
		return err
	})
	return out, wrap("list files", err)
}

// Expire removes the entries of files that came before a time.
func (f *Files) Expire(ctx context.Context, before time.Time) error {
	return wrap("delete old file entries", f.db.writeIdle(ctx, func(tx *Tx) error {
		_, err := tx.exec("DELETE FROM files WHERE created_at < ?", before.UnixMilli())
		return err
	}))
}

// Delete removes a file's entry.
func (f *Files) Delete(ctx context.Context, id string) error {
	return f.db.deleteOne(ctx, "delete file entry", "DELETE FROM files WHERE id = ?", id)
}
