package clickhouse

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"haoke/backend/internal/chat"
)

// fetchTimeout bounds how long a visitor who returns waits for the server.
const fetchTimeout = 10 * time.Second

// Fetch returns the sealed form of a conversation at a version, in one round
// trip. Errors: chat.ErrNotFound, ErrMismatch when the bytes do not match their
// checksum, *Fault.
func (s *Server) Fetch(ctx context.Context, id chat.ConversationID, version int64) (Blob, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	conn, sc, err := s.tables(ctx)
	if err != nil {
		return Blob{}, err
	}
	out := Blob{ID: id, Version: version}
	found, bad := false, false
	err = each(ctx, conn, fmt.Sprintf("SELECT codec, dict, messages, sealed, sum, data FROM %s WHERE conversation IN %s AND version = %d ORDER BY sealed",
		sc.sessions, idList([]string{string(id)}), version), func(r driver.Rows) error {
		var b = Blob{ID: id, Version: version}
		var dict, messages uint32
		var sum uint64
		var data string
		if err := r.Scan(&b.Codec, &dict, &messages, &b.Sealed, &sum, &data); err != nil {
			return err
		}
		b.Dict, b.Messages, b.Data = int64(dict), int64(messages), []byte(data)
		if rowKey(&b).sum != sum {
			bad = true
			return nil
		}
		out, found = b, true // the latest of several that differ
		return nil
	})
	switch {
	case err != nil:
		return Blob{}, s.diagnosed(fmt.Errorf("fetch conversation: %w", err))
	case found:
		return out, nil
	case bad:
		return Blob{}, fmt.Errorf("fetch conversation: %w", ErrMismatch)
	}
	return Blob{}, fmt.Errorf("fetch conversation: %w", chat.ErrNotFound)
}

const (
	deletePolls = 20
	deletePause = 250 * time.Millisecond
)

// Delete removes every copy of conversations from both tables. It returns nil
// only when none is left to readers; ErrUnderWay when the server has accepted
// the deletion and needs longer. It may be repeated.
func (s *Server) Delete(ctx context.Context, ids []chat.ConversationID) error {
	conn, sc, err := s.tables(ctx)
	if err != nil {
		return err
	}
	plain := make([]string, len(ids))
	for i, id := range ids {
		plain[i] = string(id)
	}
	for _, table := range []string{sc.messages, sc.sessions} {
		if err := s.deleteFrom(ctx, conn, table, plain); err != nil {
			return s.diagnosed(err)
		}
	}
	return nil
}

func (s *Server) deleteFrom(ctx context.Context, conn driver.Conn, table string, ids []string) error {
	left, err := remaining(ctx, conn, table, ids)
	if err != nil || len(left) == 0 {
		return err
	}
	asked, err := underWay(ctx, conn, table, left)
	if err != nil {
		return err
	}
	if len(asked) < len(left) {
		if err := conn.Exec(ctx, "ALTER TABLE "+table+" DELETE WHERE conversation IN "+idList(left)); err != nil {
			return fmt.Errorf("delete conversations: %w", err)
		}
	}
	for range deletePolls {
		if left, err = remaining(ctx, conn, table, ids); err != nil || len(left) == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(deletePause):
		}
	}
	return ErrUnderWay
}

// remaining lists which of ids have rows in the table.
func remaining(ctx context.Context, conn driver.Conn, table string, ids []string) ([]string, error) {
	var left []string
	err := each(ctx, conn, "SELECT DISTINCT conversation FROM "+table+" WHERE conversation IN "+idList(ids), func(r driver.Rows) error {
		var id string
		err := r.Scan(&id)
		left = append(left, idOf(id))
		return err
	})
	return left, err
}

// underWay lists which of ids the server is deleting already: repeating a
// deletion would rewrite the table's parts once more for each repetition.
func underWay(ctx context.Context, conn driver.Conn, table string, ids []string) ([]string, error) {
	var commands []string
	err := each(ctx, conn, "SELECT command FROM system.mutations WHERE database = currentDatabase() AND table = '"+strings.Trim(table, "`")+"' AND is_done = 0", func(r driver.Rows) error {
		var c string
		err := r.Scan(&c)
		commands = append(commands, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	all := strings.Join(commands, "\n")
	var asked []string
	for _, id := range ids {
		if strings.Contains(all, uuid(id)) {
			asked = append(asked, id)
		}
	}
	return asked, nil
}
