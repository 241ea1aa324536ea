package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

// Bits of a change's first byte in a record.
const (
	recordFull = 1 << iota
	recordBlocked
	recordUnanswered
)

// appendRecord writes what do binds: length, then the values in a fixed order,
// numbers as varints and texts with their length. A reader takes what is
// missing at the end as zero, so that later versions can add to it.
func (w *commit) appendRecord(b []byte) []byte {
	start := len(b)
	ch, h := w.change, &w.change.Head
	room := 512 + len(w.head) + len(w.rows.buf) + len(h.LastText) + len(h.Comment) // the rest of a head is short
	for i := range w.rows.msgs {
		m := &w.rows.msgs[i]
		room += 64 + len(m.Text)
		if m.Turn != nil {
			room += len(m.Turn.PromptTrace)
		}
	}
	b = append(slices.Grow(b, room), 0, 0, 0, 0)
	bits := byte(0)
	if w.full {
		bits |= recordFull
	}
	if h.Blocked {
		bits |= recordBlocked
	}
	if h.Unanswered {
		bits |= recordUnanswered
	}
	b = append(b, bits)
	for _, v := range [...]int64{ch.Ref, ch.Was.Version, h.Version, h.LastSeq, h.CreatedAt.UnixMilli(), h.UpdatedAt.UnixMilli(),
		h.Pending, h.Unread, int64(h.Rating), h.Tokens, h.Fence} {
		b = binary.AppendVarint(b, v)
	}
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(h.Spend))
	for _, s := range [...]string{string(h.ID), h.Site, string(h.Mode), h.Epoch, h.Operator, h.Comment, h.LastText, string(h.LastFrom), h.Visitor.Sub} {
		b = appendText(b, s)
	}
	b = appendText(b, w.head[:w.split])
	b = appendText(b, w.head[w.split:])
	b = binary.AppendVarint(b, int64(len(w.rows.msgs)))
	from := 0
	for i := range w.rows.msgs {
		m := &w.rows.msgs[i]
		b = binary.AppendVarint(b, m.Seq)
		b = append(b, byte(senderCode(m.From)))
		b = binary.AppendVarint(b, m.At.UnixMilli())
		b = appendText(b, m.Text)
		b = appendText(b, m.ClientID)
		b = appendText(b, w.rows.buf[from:w.rows.ends[i]])
		from = w.rows.ends[i]
		trace := ""
		if m.Turn != nil {
			trace = m.Turn.PromptTrace
		}
		b = appendText(b, trace)
	}
	binary.LittleEndian.PutUint32(b[start:], uint32(len(b)-start-4))
	return b
}

func appendText[T string | []byte](b []byte, s T) []byte {
	b = binary.AppendVarint(b, int64(len(s)))
	return append(b, s...)
}

var errRecord = errors.New("a record of the journal cannot be read")

// decode reads what appendRecord wrote, and returns what follows it.
func (w *commit) decode(b []byte) (rest []byte, err error) {
	if len(b) < 4 {
		return nil, errRecord
	}
	n := binary.LittleEndian.Uint32(b)
	if b = b[4:]; uint64(n) > uint64(len(b)) {
		return nil, errRecord
	}
	r := values{b: b[:n]}
	rest = b[n:]
	ch := &session.Change{}
	h := &ch.Head
	bits := r.byte()
	w.change, w.full, h.Blocked, h.Unanswered = ch, bits&recordFull != 0, bits&recordBlocked != 0, bits&recordUnanswered != 0
	ch.Ref, ch.Was.Version, h.Version, h.LastSeq = r.int(), r.int(), r.int(), r.int()
	h.CreatedAt, h.UpdatedAt = time.UnixMilli(r.int()), time.UnixMilli(r.int())
	h.Pending, h.Unread, h.Rating, h.Tokens, h.Fence = r.int(), r.int(), int(r.int()), r.int(), r.int()
	h.Spend = r.float()
	h.ID, h.Site, h.Mode, h.Epoch = chat.ConversationID(r.text()), string(r.text()), chat.Mode(r.text()), string(r.text())
	h.Operator, h.Comment, h.LastText, h.LastFrom = string(r.text()), string(r.text()), string(r.text()), chat.From(r.text())
	h.Visitor.Sub = string(r.text())
	w.head = append(w.head[:0], r.text()...)
	w.split = len(w.head)
	w.head = append(w.head, r.text()...)
	for range r.count() {
		m := chat.Message{Seq: r.int(), From: senderName(int(r.byte())), At: time.UnixMilli(r.int()), Text: string(r.text()), ClientID: string(r.text())}
		w.rows.buf = append(w.rows.buf, r.text()...)
		w.rows.ends = append(w.rows.ends, len(w.rows.buf))
		if trace := r.text(); len(trace) > 0 {
			m.Turn = &chat.TurnInfo{PromptTrace: string(trace)}
		}
		ch.Messages = append(ch.Messages, m)
	}
	w.rows.msgs = ch.Messages
	if r.bad {
		return nil, errRecord
	}
	return rest, nil
}

// redo is do for a change out of the journal. The row must be of the
// conversation that the change was made for.
func (w *commit) redo(tx *Tx) error {
	if w.change.Was.Version != 0 {
		var id string
		if err := tx.row("SELECT id FROM conversations WHERE n = ?", []any{w.change.Ref}, &id); err != nil && !noRows(err) {
			return err
		}
		if id != string(w.change.Head.ID) {
			return fmt.Errorf("row %d is of another conversation: %w", w.change.Ref, chat.ErrConflict)
		}
	}
	return w.do(tx)
}

// values reads a change's values one after the other. At the end of the bytes
// there are zeros and empty texts.
type values struct {
	b   []byte
	bad bool
}

func (v *values) byte() byte {
	if len(v.b) == 0 {
		return 0
	}
	c := v.b[0]
	v.b = v.b[1:]
	return c
}

func (v *values) int() int64 {
	if len(v.b) == 0 {
		return 0
	}
	i, n := binary.Varint(v.b)
	if n <= 0 {
		v.bad, v.b = true, nil
		return 0
	}
	v.b = v.b[n:]
	return i
}

// count is how many there are of what takes a byte at least.
func (v *values) count() int64 {
	n := v.int()
	if n < 0 || n > int64(len(v.b)) {
		v.bad, v.b = true, nil
		return 0
	}
	return n
}

func (v *values) float() float64 {
	if len(v.b) < 8 {
		v.bad, v.b = v.bad || len(v.b) > 0, nil
		return 0
	}
	f := math.Float64frombits(binary.LittleEndian.Uint64(v.b))
	v.b = v.b[8:]
	return f
}

func (v *values) text() []byte {
	n := v.count()
	s := v.b[:n]
	v.b = v.b[n:]
	return s
}
