package clickhouse

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"haoke/backend/internal/chat"
)

// Ship stores a batch and reads it back. It returns nil only when the server
// gave every session back byte for byte and has a row for every message. again
// says that the batch may be there already, in part or whole: what is there is
// not sent twice. Messages go before their session, so that a session that is
// there stands for both.
//
// Errors: *Fault, ErrMismatch, or ctx's.
func (s *Server) Ship(ctx context.Context, batch string, again bool, rows []Session) error {
	conn, sc, err := s.tables(ctx)
	if err != nil {
		return err
	}
	missing := rows
	if again {
		there, err := s.present(ctx, conn, sc, rows)
		if err != nil {
			return s.diagnosed(err)
		}
		missing = nil
		for i := range rows {
			if !there[rowKey(&rows[i].Blob)] {
				missing = append(missing, rows[i])
			}
		}
	}
	if len(missing) > 0 {
		if err := s.insertDicts(ctx, conn, sc, missing); err != nil {
			return s.diagnosed(fmt.Errorf("insert dictionaries: %w", err))
		}
		// Replicated tables drop a block that they have seen under its name.
		if err := s.insertMessages(named(ctx, sc, batch+"-m"), conn, sc, missing); err != nil {
			return s.diagnosed(fmt.Errorf("insert messages: %w", err))
		}
		if err := s.insertSessions(named(ctx, sc, batch+"-s"), conn, sc, missing); err != nil {
			return s.diagnosed(fmt.Errorf("insert sessions: %w", err))
		}
	}
	if err := s.readBack(ctx, conn, sc, rows); err != nil {
		return s.diagnosed(err)
	}
	s.dropSuperseded(ctx, conn, sc, rows)
	return nil
}

// named gives an insert its token where the server knows of tokens.
func named(ctx context.Context, sc *schema, token string) context.Context {
	if !sc.tokens {
		return ctx
	}
	return ch.Context(ctx, ch.WithSettings(ch.Settings{"insert_deduplication_token": token}))
}

type sessionKey struct {
	id      string
	version uint32
	sum     uint64 // first bytes of the SHA-256 of the data
}

func rowKey(b *Blob) sessionKey {
	return sessionKey{string(b.ID), clamp32(b.Version), sumOf(b.Data)}
}

// sumOf is the first 8 bytes of the SHA-256, 0 for nothing.
func sumOf(data []byte) uint64 {
	if len(data) == 0 {
		return 0
	}
	sum := sha256.Sum256(data)
	return binary.BigEndian.Uint64(sum[:])
}

// scanKey reads the three columns of the key, and more behind them.
func scanKey(r driver.Rows, k *sessionKey, more ...any) error {
	err := r.Scan(append([]any{&k.id, &k.version, &k.sum}, more...)...)
	k.id = idOf(k.id)
	return err
}

func conversations(rows []Session) string {
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = string(rows[i].Blob.ID)
	}
	return idList(ids)
}

// present tells which sessions the server has already.
func (s *Server) present(ctx context.Context, conn driver.Conn, sc *schema, rows []Session) (map[sessionKey]bool, error) {
	out := map[sessionKey]bool{}
	err := each(ctx, conn, "SELECT DISTINCT conversation, version, sum FROM "+sc.sessions+" WHERE conversation IN "+conversations(rows), func(r driver.Rows) error {
		var k sessionKey
		err := scanKey(r, &k)
		out[k] = true
		return err
	})
	return out, err
}

func each(ctx context.Context, conn driver.Conn, query string, f func(driver.Rows) error) error {
	rows, err := conn.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// insert sends rows in one batch: one block, which the server stores whole or
// not at all.
func insert(ctx context.Context, conn driver.Conn, table string, cols []column, fill func(add func(...any) error) error) (err error) {
	b, err := conn.PrepareBatch(ctx, "INSERT INTO "+table+" ("+strings.Join(names(cols), ", ")+")")
	if err != nil {
		return err
	}
	defer func() {
		if cerr := b.Close(); err == nil {
			err = cerr
		}
	}()
	if err := fill(b.Append); err != nil {
		return err
	}
	return b.Send()
}

func (s *Server) insertSessions(ctx context.Context, conn driver.Conn, sc *schema, rows []Session) error {
	return insert(ctx, conn, sc.sessions, sessionColumns, func(add func(...any) error) error {
		for i := range rows {
			h, b := &rows[i].Head, &rows[i].Blob
			k := rowKey(b)
			err := add(uuid(k.id), k.version, k.sum, b.Codec, clamp32(b.Dict), sumOf(rows[i].Dict), clamp32(b.Messages), string(b.Data),
				h.Site, h.Visitor.Sub, uint8(h.Rating), moment(h.UpdatedAt), moment(b.Sealed))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// insertDicts stores the dictionaries of sessions that the server lacks, so that
// what is there can be read without the appliance. Doubles do no harm.
func (s *Server) insertDicts(ctx context.Context, conn driver.Conn, sc *schema, rows []Session) error {
	s.mu.Lock()
	have := maps.Clone(s.dicts)
	s.mu.Unlock()
	if have == nil {
		have = map[uint64]bool{0: true}
		err := each(ctx, conn, "SELECT DISTINCT sum FROM "+sc.dicts, func(r driver.Rows) error {
			var sum uint64
			err := r.Scan(&sum)
			have[sum] = true
			return err
		})
		if err != nil {
			return err
		}
	}
	var lacking []*Session
	for i := range rows {
		if sum := sumOf(rows[i].Dict); !have[sum] {
			have[sum] = true
			lacking = append(lacking, &rows[i])
		}
	}
	if len(lacking) > 0 {
		err := insert(ctx, conn, sc.dicts, dictColumns, func(add func(...any) error) error {
			for _, r := range lacking {
				if err := add(sumOf(r.Dict), r.Blob.Codec, string(r.Dict), moment(r.Blob.Sealed)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.dicts = have
	s.mu.Unlock()
	return nil
}

func (s *Server) insertMessages(ctx context.Context, conn driver.Conn, sc *schema, rows []Session) error {
	return insert(ctx, conn, sc.messages, messageColumns, func(add func(...any) error) error {
		for i := range rows {
			updated := moment(rows[i].Head.UpdatedAt)
			for j := range rows[i].Messages {
				m := &rows[i].Messages[j]
				t := m.Turn
				if t == nil {
					t = &chat.TurnInfo{}
				}
				at, ms := moment(m.At), uint16(0)
				if !sc.fine {
					at, ms = at.Truncate(time.Second), uint16(m.At.Nanosecond()/1e6)
				}
				err := add(uuid(string(rows[i].Blob.ID)), uint32(m.Seq), clamp32(rows[i].Blob.Version), at, ms,
					string(m.From), m.Text, string(m.Finish), m.Author, m.Mark, t.Provider, t.Model,
					clamp32(int64(t.Prompt)), clamp32(int64(t.Completion)), float32(t.Cost), clamp32(t.FirstTokenUS/1000), clamp32(t.TotalUS/1000), updated)
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// moment keeps a time within what a DateTime can hold: a clock that jumped must
// not stop the shipping.
func moment(t time.Time) time.Time {
	first, last := time.Unix(0, 0), time.Unix(math.MaxUint32, 0)
	switch {
	case t.Before(first):
		t = first
	case t.After(last):
		t = last
	}
	return t.UTC()
}

func clamp32(v int64) uint32 { return uint32(min(max(v, 0), math.MaxUint32)) }

// readBack compares what the server has with what it was sent.
func (s *Server) readBack(ctx context.Context, conn driver.Conn, sc *schema, rows []Session) error {
	want := make(map[sessionKey][]byte, len(rows))
	for i := range rows {
		want[rowKey(&rows[i].Blob)] = rows[i].Blob.Data
	}
	err := each(ctx, conn, "SELECT conversation, version, sum, data FROM "+sc.sessions+" WHERE conversation IN "+conversations(rows), func(r driver.Rows) error {
		var k sessionKey
		var data string
		if err := scanKey(r, &k, &data); err != nil {
			return err
		}
		if sent, ok := want[k]; ok && bytes.Equal(sent, []byte(data)) {
			delete(want, k)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read sessions back: %w", err)
	}
	if len(want) > 0 {
		return fmt.Errorf("%d of %d sessions: %w", len(want), len(rows), ErrMismatch)
	}
	have := map[string]uint64{}
	err = each(ctx, conn, "SELECT conversation, uniqExact(seq) FROM "+sc.messages+" WHERE conversation IN "+conversations(rows)+" GROUP BY conversation", func(r driver.Rows) error {
		var id string
		var n uint64
		err := r.Scan(&id, &n)
		have[idOf(id)] = n
		return err
	})
	if err != nil {
		return fmt.Errorf("count messages back: %w", err)
	}
	for i := range rows {
		if b := &rows[i].Blob; have[string(b.ID)] < uint64(b.Messages) {
			return fmt.Errorf("%d of %d messages: %w", have[string(b.ID)], b.Messages, ErrMismatch)
		}
	}
	return nil
}

// dropSuperseded removes the sessions of conversations that were thawed,
// continued and sealed again. They take room and are never asked for, so a
// server that does not delete is no fault.
func (s *Server) dropSuperseded(ctx context.Context, conn driver.Conn, sc *schema, rows []Session) {
	newest := map[string]uint32{}
	for i := range rows {
		newest[uuid(string(rows[i].Blob.ID))] = clamp32(rows[i].Blob.Version)
	}
	var old []string
	err := each(ctx, conn, "SELECT DISTINCT conversation, version FROM "+sc.sessions+" WHERE conversation IN "+conversations(rows), func(r driver.Rows) error {
		var id string
		var version uint32
		err := r.Scan(&id, &version)
		if version < newest[id] {
			old = append(old, fmt.Sprintf("(conversation = toUUID('%s') AND version = %d)", id, version))
		}
		return err
	})
	if err == nil && len(old) > 0 {
		err = conn.Exec(ctx, "ALTER TABLE "+sc.sessions+" DELETE WHERE "+strings.Join(old, " OR "))
	}
	if err != nil && ctx.Err() == nil {
		s.cfg.Log.Info("older copies of continued conversations stay on the ClickHouse server", "err", firstLine(err.Error()))
	}
}
