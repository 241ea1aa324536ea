package archive

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"haoke/backend/internal/chat"
)

// The packed record, version 1. Numbers are varints (zigzag where they can be
// negative), and everything of a kind lies side by side, so that a codec finds
// like next to like:
//
//	byte     1, the version of the format
//	uvarint  bytes up to the texts
//	uvarint  n, the number of messages; uvarint the seq of the first
//	n bytes  kinds: author 2 bits, finish 3 bits, has id, has turn, has more
//	         forms of the ids, then the ids
//	         turns, field by field (see turns.go)
//	n times  milliseconds since the message before (the first: since 1970);
//	         an answer's, less the time that its turn took
//	         the rarer fields as JSON, each with its length
//	byte     0: texts end with a zero byte; 1: the lengths of the texts follow
//	         the texts, in order
//
// A reader refuses versions it does not know. Fields are never given another
// meaning: a new field is a new version.
const recordVersion = 1

// MaxRecord bounds a packed record, in bytes. A conversation that packs to
// more stays warm; one blob that claims more is taken for damaged.
const MaxRecord = 1 << 29

// ErrCorrupt: a blob is not what was sealed. Other conversations are not
// affected.
var ErrCorrupt = errors.New("the sealed conversation is damaged")

var froms = [4]chat.From{chat.FromVisitor, chat.FromAI, chat.FromOperator, chat.FromSystem}

// finishes by code; code 7 stands for one that is spelled out among the rarer
// fields.
var finishes = [7]chat.Finish{"", chat.FinishStop, chat.FinishLength, chat.FinishBlocked, chat.FinishStopped, chat.FinishError, ""}

const (
	finishOther = 7
	kindID      = 1 << 5
	kindTurn    = 1 << 6
	kindMore    = 1 << 7
)

// more holds the rarer fields of a message.
type more struct {
	Finish  chat.Finish   `json:"f,omitempty"`
	Author  string        `json:"a,omitempty"`
	Sources []chat.Source `json:"s,omitempty"`
	Mark    string        `json:"m,omitempty"`
}

// Pack appends the packed record of msgs to dst. The messages must follow one
// another by seq. Times are kept to the millisecond, in UTC.
func Pack(dst []byte, msgs []chat.Message) ([]byte, error) {
	first := int64(1)
	if len(msgs) > 0 {
		first = msgs[0].Seq
	}
	if first < 0 {
		return dst, fmt.Errorf("pack conversation: it begins with seq %d", first)
	}
	head, err := packHead(first, msgs)
	if err != nil {
		return dst, err
	}
	dst = appendBytes(append(dst, recordVersion), head)
	return packTexts(dst, msgs), nil
}

// packHead writes all but the texts.
func packHead(first int64, msgs []chat.Message) ([]byte, error) {
	dst := make([]byte, 0, 64+24*len(msgs))
	dst = binary.AppendUvarint(dst, uint64(len(msgs)))
	dst = binary.AppendUvarint(dst, uint64(first))
	for i := range msgs {
		if msgs[i].Seq != first+int64(i) {
			return dst, fmt.Errorf("pack conversation: seq %d follows seq %d", msgs[i].Seq, first+int64(i)-1)
		}
		kind, err := kindOf(&msgs[i])
		if err != nil {
			return dst, err
		}
		dst = append(dst, kind)
	}
	dst = packIDs(dst, msgs)
	dst, err := packTurns(dst, msgs)
	if err != nil {
		return dst, err
	}
	dst = packTimes(dst, msgs)
	for i := range msgs {
		m := &msgs[i]
		e := moreOf(m)
		if !hasMore(&e) {
			continue
		}
		b, err := json.Marshal(e)
		if err != nil {
			return dst, fmt.Errorf("pack conversation: %w", err)
		}
		dst = appendBytes(dst, b)
	}
	return dst, nil
}

func packTimes(dst []byte, msgs []chat.Message) []byte {
	var at int64
	for i := range msgs {
		now := msgs[i].At.UnixMilli()
		dst = binary.AppendVarint(dst, now-at-expected(&msgs[i]))
		at = now
	}
	return dst
}

// expected is how long after the message before it a message should come, in
// milliseconds.
func expected(m *chat.Message) int64 {
	if m.Turn == nil {
		return 0
	}
	return m.Turn.TotalUS / 1000
}

func kindOf(m *chat.Message) (byte, error) {
	kind := byte(0xff)
	for i, f := range froms {
		if f == m.From {
			kind = byte(i)
		}
	}
	if kind == 0xff {
		return 0, fmt.Errorf("pack conversation: message %d is from %q", m.Seq, m.From)
	}
	kind |= finishCode(m.Finish) << 2
	if m.ClientID != "" {
		kind |= kindID
	}
	if m.Turn != nil {
		kind |= kindTurn
	}
	if e := moreOf(m); hasMore(&e) {
		kind |= kindMore
	}
	return kind, nil
}

func finishCode(f chat.Finish) byte {
	for i, name := range finishes[:len(finishes)-1] {
		if name == f {
			return byte(i)
		}
	}
	return finishOther
}

func moreOf(m *chat.Message) more {
	e := more{Author: m.Author, Sources: m.Sources, Mark: m.Mark}
	if finishCode(m.Finish) == finishOther {
		e.Finish = m.Finish
	}
	return e
}

func hasMore(e *more) bool {
	return e.Finish != "" || e.Author != "" || len(e.Sources) > 0 || e.Mark != ""
}

// Forms of ids. The widget's ids are 16 random bytes; others are written out.
const (
	idHex  = 0 // 32 hexadecimal digits
	idUUID = 1 // the same with dashes
	idText = 2 // idText+n: n bytes follow
)

func packIDs(dst []byte, msgs []chat.Message) []byte {
	var ids []byte
	for i := range msgs {
		id := msgs[i].ClientID
		if id == "" {
			continue
		}
		var raw [16]byte
		switch {
		case len(id) == 32 && decodeHex(&raw, id):
			dst, ids = binary.AppendUvarint(dst, idHex), append(ids, raw[:]...)
		case len(id) == 36 && decodeUUID(&raw, id):
			dst, ids = binary.AppendUvarint(dst, idUUID), append(ids, raw[:]...)
		default:
			dst, ids = binary.AppendUvarint(dst, idText+uint64(len(id))), append(ids, id...)
		}
	}
	return append(dst, ids...)
}

// decodeHex reports whether id is exactly what encoding raw again gives.
func decodeHex(raw *[16]byte, id string) bool {
	_, err := hex.Decode(raw[:], []byte(id))
	return err == nil && hex.EncodeToString(raw[:]) == id
}

func decodeUUID(raw *[16]byte, id string) bool {
	plain := id[:8] + id[9:13] + id[14:18] + id[19:23] + id[24:]
	return len(plain) == 32 && decodeHex(raw, plain) && encodeUUID(raw[:]) == id
}

func encodeUUID(raw []byte) string {
	h := hex.EncodeToString(raw)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// packTexts writes the texts. Ended by a zero byte they repeat more exactly
// than with lengths before them, and repetition is what the codecs live on.
func packTexts(dst []byte, msgs []chat.Message) []byte {
	counted := false
	for i := range msgs {
		counted = counted || bytes.IndexByte([]byte(msgs[i].Text), 0) >= 0
	}
	if !counted {
		dst = append(dst, 0)
		for i := range msgs {
			dst = append(append(dst, msgs[i].Text...), 0)
		}
		return dst
	}
	dst = append(dst, 1)
	for i := range msgs {
		dst = binary.AppendUvarint(dst, uint64(len(msgs[i].Text)))
	}
	for i := range msgs {
		dst = append(dst, msgs[i].Text...)
	}
	return dst
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}
