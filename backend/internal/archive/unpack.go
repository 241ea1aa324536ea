package archive

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"haoke/backend/internal/chat"
)

// reader reads a packed record. The first thing that does not fit makes it
// fail; from then on it yields zeros, so that callers check once.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) fail() { r.failed, r.rest = true, nil }

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// take returns the next n bytes, which stay part of the record.
func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.fail()
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) bytes() []byte { return r.take(r.uvarint()) }

func (r *reader) json(v any) {
	b := r.bytes()
	if r.failed || json.Unmarshal(b, v) != nil {
		r.fail()
	}
}

// Unpack reads a packed record. Its error wraps ErrCorrupt. It allocates in
// proportion to data, whatever data claims.
func Unpack(data []byte) ([]chat.Message, error) {
	texts := &reader{rest: data}
	if v := texts.byte(); v != recordVersion {
		return nil, fmt.Errorf("record of version %d, this program reads %d: %w", v, recordVersion, ErrCorrupt)
	}
	r := &reader{rest: texts.bytes(), failed: texts.failed}
	n, first := r.uvarint(), r.uvarint()
	kinds := r.take(n)
	if r.failed || first > math.MaxInt64-n {
		return nil, fmt.Errorf("head of the record: %w", ErrCorrupt)
	}
	msgs := make([]chat.Message, n)
	turns := 0
	for i, kind := range kinds {
		m := &msgs[i]
		m.Seq = int64(first) + int64(i)
		m.From = froms[kind&3]
		if code := kind >> 2 & 7; code != finishOther {
			m.Finish = finishes[code]
		}
		if kind&kindTurn != 0 {
			turns++
		}
	}
	unpackIDs(r, kinds, msgs)
	infos := unpackTurns(r, turns)
	if r.failed {
		return nil, fmt.Errorf("columns of the record: %w", ErrCorrupt)
	}
	var at int64
	for i, kind := range kinds {
		if kind&kindTurn != 0 {
			msgs[i].Turn, infos = &infos[0], infos[1:]
		}
		at += r.varint() + expected(&msgs[i])
		msgs[i].At = time.UnixMilli(at).UTC()
	}
	for i, kind := range kinds {
		if kind&kindMore != 0 {
			unpackMore(r, kind, &msgs[i])
		}
	}
	unpackTexts(texts, msgs)
	if r.failed || texts.failed || len(r.rest)+len(texts.rest) > 0 {
		return nil, fmt.Errorf("texts of the record: %w", ErrCorrupt)
	}
	return msgs, nil
}

func unpackIDs(r *reader, kinds []byte, msgs []chat.Message) {
	var forms []uint64
	for _, kind := range kinds {
		if kind&kindID != 0 {
			forms = append(forms, r.uvarint())
		}
	}
	for i, kind := range kinds {
		if kind&kindID == 0 || r.failed {
			continue
		}
		form := forms[0]
		forms = forms[1:]
		size := uint64(16)
		if form >= idText {
			size = form - idText
		}
		b := r.take(size)
		switch {
		case r.failed:
		case form == idHex:
			msgs[i].ClientID = hex.EncodeToString(b)
		case form == idUUID:
			msgs[i].ClientID = encodeUUID(b)
		default:
			msgs[i].ClientID = string(b)
		}
	}
}

func unpackMore(r *reader, kind byte, m *chat.Message) {
	var e more
	r.json(&e)
	m.Author, m.Sources, m.Mark = e.Author, e.Sources, e.Mark
	if kind>>2&7 == finishOther {
		m.Finish = e.Finish
	}
}

func unpackTexts(r *reader, msgs []chat.Message) {
	switch r.byte() {
	case 0:
		for i := range msgs {
			n := bytes.IndexByte(r.rest, 0)
			if n < 0 {
				r.fail()
				return
			}
			msgs[i].Text = string(r.take(uint64(n)))
			r.take(1)
		}
	case 1:
		sizes := make([]uint64, 0, len(msgs))
		for range msgs {
			sizes = append(sizes, r.uvarint())
		}
		for i := range msgs {
			msgs[i].Text = string(r.take(sizes[i]))
		}
	default:
		r.fail()
	}
}
