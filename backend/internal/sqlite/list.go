package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"haoke/backend/internal/chat"
)

// Where says in which tier conversations are looked for.
type Where int

// Tiers of a Query.
const (
	Anywhere Where = iota
	OnlyWarm       // message rows in this database
	OnlyCold       // archived
)

// Query selects conversations. The zero value lists all, newest first.
type Query struct {
	// Text: words that must all occur in one message or in what is known of
	// the visitor and the page; or the first 8 or more digits of an id.
	Text       string
	Mode       chat.Mode // empty: any
	Unread     bool      // only with unread visitor messages
	Unanswered bool      // only whose last answer was a fallback
	Blocked    bool      // only of blocked visitors
	MaxRating  int       // 1-5: only rated, at most this; 0: any
	Where      Where
	Since      time.Time // updated at or after; zero: any
	Before     time.Time // updated before; zero: any
	Limit      int       // 1-500; 0: 50
	Cursor     string    // Page.Next of the page before; empty: the first
}

// Item is a conversation in a list.
type Item struct {
	Head    chat.Conversation
	Cold    bool // archived
	Shipped bool // archived, and a copy is known to be in the archive's server
}

// Page is a stretch of a list.
type Page struct {
	Items []Item
	// Next is the cursor of the next page; empty: this was the last. A search
	// that has looked long enough ends its page early, even without an item.
	Next string
}

// ErrBadCursor is returned for a cursor that no page has given out.
var ErrBadCursor = errors.New("cursor is not valid")

// List returns conversations, most recently changed first. With Text, those
// created last come first.
func (c *Conversations) List(ctx context.Context, q Query) (Page, error) {
	switch {
	case q.Limit <= 0:
		q.Limit = 50
	case q.Limit > 500:
		q.Limit = 500
	}
	if words := terms(q.Text); len(words) > 0 {
		page, err := c.search(ctx, q, words)
		return page, wrap("search conversations", err)
	}
	rows, err := c.list(ctx, q)
	if err != nil {
		return Page{}, wrap("list conversations", err)
	}
	page := Page{Items: make([]Item, 0, min(len(rows), q.Limit))}
	for i := range rows {
		if i == q.Limit {
			last := rows[i-1]
			page.Next = encodeCursor(last.head.UpdatedAt.UnixMilli(), last.n)
			break
		}
		page.Items = append(page.Items, rows[i].item())
	}
	return page, nil
}

func (s stored) item() Item {
	return Item{Head: s.head, Cold: s.cold != warm, Shipped: s.cold == shipped}
}

// list reads one row more than the limit, to know whether there is a next page.
func (c *Conversations) list(ctx context.Context, q Query) ([]stored, error) {
	at, n := int64(1)<<62, int64(1)<<62
	if q.Cursor != "" {
		var err error
		if at, n, err = decodeCursor(q.Cursor); err != nil {
			return nil, err
		}
	}
	cond, args, index := q.filter()
	tiers := q.Where.tiers()
	if index != "" {
		// A rare property has its own small index, with all tiers in it.
		args = append(args, at, n, q.Limit+1)
		return c.scan(ctx, index, cond+" AND "+in("cold", tiers)+" AND (updated_at, n) < (?, ?)", args)
	}
	var all []stored
	for _, tier := range tiers {
		rows, err := c.scan(ctx, "conversations_recent", cond+fmt.Sprintf(" AND cold = %d AND (updated_at, n) < (?, ?)", tier),
			append(slices.Clone(args), at, n, q.Limit+1))
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	slices.SortFunc(all, func(a, b stored) int {
		return cmp.Or(b.head.UpdatedAt.Compare(a.head.UpdatedAt), cmp.Compare(b.n, a.n))
	})
	return all[:min(len(all), q.Limit+1)], nil
}

func (c *Conversations) scan(ctx context.Context, index, cond string, args []any) ([]stored, error) {
	var out []stored
	err := c.db.each(ctx, "SELECT "+headColumns+" FROM conversations INDEXED BY "+index+" WHERE "+cond+
		" ORDER BY updated_at DESC, n DESC LIMIT ?", args, func(r *sql.Rows) error {
		s, err := scanHead(r.Scan)
		out = append(out, s)
		return err
	})
	return out, err
}

// tiers are the values of the column cold.
func (w Where) tiers() []int {
	switch w {
	case OnlyWarm:
		return []int{warm}
	case OnlyCold:
		return []int{sealed, shipped}
	}
	return []int{warm, sealed, shipped}
}

func in(column string, values []int) string {
	return column + " IN (" + strings.Trim(strings.ReplaceAll(fmt.Sprint(values), " ", ","), "[]") + ")"
}

// filter gives the condition of a query, its arguments, and the partial index
// that serves it, if one does.
func (q *Query) filter() (cond string, args []any, index string) {
	conds := []string{"1"}
	add := func(ix, cond string, values ...any) {
		conds, args = append(conds, cond), append(args, values...)
		if index == "" {
			index = ix
		}
	}
	if q.Unanswered {
		add("conversations_unanswered", "unanswered = 1")
	}
	if q.Blocked {
		add("conversations_blocked", "blocked = 1")
	}
	if q.Unread {
		add("conversations_unread", "unread > 0")
	}
	if q.MaxRating > 0 {
		add("conversations_rated", "rating > 0 AND rating <= ?", q.MaxRating)
	}
	switch q.Mode {
	case "":
	case chat.ModeAI:
		add("", "mode = 'ai'")
	default:
		add("conversations_waiting", "mode <> 'ai' AND mode = ?", string(q.Mode))
	}
	if !q.Since.IsZero() {
		add("", "updated_at >= ?", q.Since.UnixMilli())
	}
	if !q.Before.IsZero() {
		add("", "updated_at < ?", q.Before.UnixMilli())
	}
	return strings.Join(conds, " AND "), args, index
}

// fits is filter for a row that was found otherwise.
func (q *Query) fits(s *stored) bool {
	h := &s.head
	return (q.Mode == "" || h.Mode == q.Mode) && (!q.Unread || h.Unread > 0) && (!q.Unanswered || h.Unanswered) &&
		(!q.Blocked || h.Blocked) && (q.MaxRating == 0 || h.Rating > 0 && h.Rating <= q.MaxRating) &&
		(q.Since.IsZero() || !h.UpdatedAt.Before(q.Since)) && (q.Before.IsZero() || h.UpdatedAt.Before(q.Before)) &&
		slices.Contains(q.Where.tiers(), s.cold)
}

func encodeCursor(a, b int64) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d", a, b))
}

func decodeCursor(s string) (a, b int64, err error) {
	text, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		_, err = fmt.Sscanf(string(text), "%d.%d", &a, &b)
	}
	if err != nil {
		return 0, 0, ErrBadCursor
	}
	return a, b, nil
}

// Counts are the numbers of conversations by state, for the tabs of a list.
type Counts struct {
	Warm, Cold                       int
	Human, Waiting, Offline          int
	Unread, Unanswered, Blocked, All int
}

// Counts counts the store. Warm and cold are counted along an index, about
// 20 ms for a million; the rest are small indexes.
func (c *Conversations) Counts(ctx context.Context) (Counts, error) {
	var n Counts
	err := c.db.row(ctx, `SELECT
		(SELECT count(*) FROM conversations INDEXED BY conversations_recent WHERE cold = 0),
		(SELECT count(*) FROM conversations INDEXED BY conversations_recent WHERE cold > 0),
		(SELECT count(*) FROM conversations INDEXED BY conversations_waiting WHERE mode <> 'ai' AND mode = 'human'),
		(SELECT count(*) FROM conversations INDEXED BY conversations_waiting WHERE mode <> 'ai' AND mode = 'waiting'),
		(SELECT count(*) FROM conversations INDEXED BY conversations_waiting WHERE mode <> 'ai' AND mode = 'offline'),
		(SELECT count(*) FROM conversations INDEXED BY conversations_unread WHERE unread > 0),
		(SELECT count(*) FROM conversations INDEXED BY conversations_unanswered WHERE unanswered = 1),
		(SELECT count(*) FROM conversations INDEXED BY conversations_blocked WHERE blocked = 1)`,
		nil, &n.Warm, &n.Cold, &n.Human, &n.Waiting, &n.Offline, &n.Unread, &n.Unanswered, &n.Blocked)
	n.All = n.Warm + n.Cold
	return n, wrap("count conversations", err)
}

// BySub lists the conversations of a signed-in visitor, newest first, for
// export and deletion.
func (c *Conversations) BySub(ctx context.Context, sub string) ([]chat.ConversationID, error) {
	var ids []chat.ConversationID
	err := c.db.each(ctx, "SELECT id FROM conversations WHERE sub <> '' AND sub = ? ORDER BY n DESC", []any{sub}, func(r *sql.Rows) error {
		var id chat.ConversationID
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, wrap("list a visitor's conversations", err)
}

// Idle lists conversations of all tiers without a message since before, at
// most limit, cold ones last and within a tier the longest silent first: for the owner's retention period.
func (c *Conversations) Idle(ctx context.Context, before time.Time, limit int) ([]chat.ConversationID, error) {
	var out []chat.ConversationID
	for _, tier := range Anywhere.tiers() {
		err := c.db.each(ctx, "SELECT id FROM conversations INDEXED BY conversations_recent WHERE cold = ? AND updated_at < ? ORDER BY updated_at LIMIT ?",
			[]any{tier, before.UnixMilli(), limit - len(out)}, func(r *sql.Rows) error {
				var id chat.ConversationID
				err := r.Scan(&id)
				out = append(out, id)
				return err
			})
		if err != nil {
			return nil, wrap("list idle conversations", err)
		}
		if len(out) >= limit {
			break
		}
	}
	return out, nil
}
