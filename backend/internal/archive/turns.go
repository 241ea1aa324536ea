package archive

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"haoke/backend/internal/chat"
)

// How answers were made, field by field:
//
//	a byte a turn   which names differ from the turn before (provider, key,
//	                model, reason), estimated, merged, cached, has more
//	the names       that differ, each with its length
//	the numbers     one column after the other; those that grow as differences
//	the costs
//	the rest        hits and trace as JSON, each with its length
const (
	turnProvider = 1 << iota
	turnKey
	turnModel
	turnReason
	turnEstimated
	turnMerged
	turnCached
	turnMore
)

// turnMoreFields are the rarer fields of a turn.
type turnMoreFields struct {
	Hits  []chat.Hit `json:"h,omitempty"`
	Trace string     `json:"t,omitempty"`
}

// numbers are the columns of a turn. Some are told from one another or from
// the turn before, which leaves small values.
const turnColumns = 7

func numbersOf(t, last *chat.TurnInfo) [turnColumns]int64 {
	return [turnColumns]int64{
		int64(t.Prompt) - int64(last.Prompt), int64(t.Completion), t.FilterUS, t.PromptUS, t.QueueUS,
		t.FirstTokenUS - t.FilterUS - t.PromptUS - t.QueueUS, t.TotalUS - t.FirstTokenUS,
	}
}

func setNumbers(t, last *chat.TurnInfo, v [turnColumns]int64) {
	t.Prompt, t.Completion = int(v[0]+int64(last.Prompt)), int(v[1])
	t.FilterUS, t.PromptUS, t.QueueUS = v[2], v[3], v[4]
	t.FirstTokenUS = v[5] + v[2] + v[3] + v[4]
	t.TotalUS = v[6] + t.FirstTokenUS
}

// namesOf lists the texts of a turn in the order of their bits.
func namesOf(t *chat.TurnInfo) [4]*string {
	return [4]*string{&t.Provider, &t.Key, &t.Model, &t.Reason}
}

func flagsOf(t, last *chat.TurnInfo) byte {
	var f byte
	was := namesOf(last)
	for i, s := range namesOf(t) {
		if *s != *was[i] {
			f |= 1 << i
		}
	}
	if t.Estimated {
		f |= turnEstimated
	}
	if t.Merged {
		f |= turnMerged
	}
	if t.Cached {
		f |= turnCached
	}
	if len(t.Hits) > 0 || t.PromptTrace != "" {
		f |= turnMore
	}
	return f
}

// packTurns writes the turns of those messages that have one.
func packTurns(dst []byte, msgs []chat.Message) ([]byte, error) {
	var turns []*chat.TurnInfo
	for i := range msgs {
		if t := msgs[i].Turn; t != nil {
			turns = append(turns, t)
		}
	}
	before := func(i int) *chat.TurnInfo {
		if i == 0 {
			return &chat.TurnInfo{}
		}
		return turns[i-1]
	}
	flags := len(dst)
	for i, t := range turns {
		dst = append(dst, flagsOf(t, before(i)))
	}
	for i, t := range turns {
		for bit, s := range namesOf(t) {
			if dst[flags+i]&(1<<bit) != 0 {
				dst = appendBytes(dst, []byte(*s))
			}
		}
	}
	for c := range turnColumns {
		for i, t := range turns {
			dst = binary.AppendVarint(dst, numbersOf(t, before(i))[c])
		}
	}
	dst = packCosts(dst, turns)
	for i, t := range turns {
		if dst[flags+i]&turnMore == 0 {
			continue
		}
		b, err := json.Marshal(turnMoreFields{Hits: t.Hits, Trace: t.PromptTrace})
		if err != nil {
			return dst, fmt.Errorf("pack conversation: %w", err)
		}
		dst = appendBytes(dst, b)
	}
	return dst, nil
}

// unpackTurns is the reverse of packTurns: n turns.
func unpackTurns(r *reader, n int) []chat.TurnInfo {
	flags := r.take(uint64(n))
	if r.failed {
		return nil
	}
	turns := make([]chat.TurnInfo, n)
	blank := &chat.TurnInfo{}
	last := blank
	for i := range turns {
		t := &turns[i]
		was := namesOf(last)
		for bit, s := range namesOf(t) {
			*s = *was[bit]
			if flags[i]&(1<<bit) != 0 {
				*s = string(r.bytes())
			}
		}
		t.Estimated, t.Merged, t.Cached = flags[i]&turnEstimated != 0, flags[i]&turnMerged != 0, flags[i]&turnCached != 0
		last = t
	}
	columns := make([][turnColumns]int64, n)
	for c := range turnColumns {
		for i := range columns {
			columns[i][c] = r.varint()
		}
	}
	last = blank
	for i := range turns {
		setNumbers(&turns[i], last, columns[i])
		last = &turns[i]
	}
	unpackCosts(r, turns)
	for i := range turns {
		if flags[i]&turnMore == 0 {
			continue
		}
		var e turnMoreFields
		r.json(&e)
		turns[i].Hits, turns[i].PromptTrace = e.Hits, e.Trace
	}
	return turns
}
