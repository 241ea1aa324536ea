package archive

import (
	"encoding/binary"
	"math"

	"haoke/backend/internal/chat"
)

// Costs are nearly always prices times tokens. They are stored as two prices
// and what they leave unexplained, which is mostly nothing:
//
//	byte 0: 8 bytes a cost, bit by bit
//	byte 1: the two prices, then the rest of each cost, in billionths
const (
	costsExact  = 0
	costsPriced = 1
)

// nanoMax bounds what is stored as billionths: beyond it a float64 is not
// exact.
const nanoMax = 1 << 50

// nano returns an amount in billionths, and whether that is exact.
func nano(v float64) (int64, bool) {
	n := math.Round(v * 1e9)
	return int64(n), n >= 0 && n < nanoMax && n/1e9 == v && !math.Signbit(v)
}

func packCosts(dst []byte, turns []*chat.TurnInfo) []byte {
	if len(turns) == 0 {
		return dst
	}
	for _, t := range turns {
		if _, ok := nano(t.Cost); !ok {
			dst = append(dst, costsExact)
			for _, t := range turns {
				dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(t.Cost))
			}
			return dst
		}
	}
	in, out := prices(turns)
	dst = append(dst, costsPriced)
	dst = binary.AppendVarint(dst, in)
	dst = binary.AppendVarint(dst, out)
	for _, t := range turns {
		n, _ := nano(t.Cost)
		dst = binary.AppendVarint(dst, n-in*int64(t.Prompt)-out*int64(t.Completion))
	}
	return dst
}

func unpackCosts(r *reader, turns []chat.TurnInfo) {
	if len(turns) == 0 {
		return
	}
	switch r.byte() {
	case costsExact:
		for i := range turns {
			if b := r.take(8); b != nil {
				turns[i].Cost = math.Float64frombits(binary.LittleEndian.Uint64(b))
			}
		}
	case costsPriced:
		in, out := r.varint(), r.varint()
		for i := range turns {
			t := &turns[i]
			t.Cost = float64(r.varint()+in*int64(t.Prompt)+out*int64(t.Completion)) / 1e9
		}
	default:
		r.fail()
	}
}

// prices finds the prices of a prompt's and an answer's token, in billionths,
// from two turns that tell them apart. Any result is right, since the rest is
// stored; a good one leaves little rest.
func prices(turns []*chat.TurnInfo) (in, out int64) {
	const tokensMax = 1 << 30 // keeps the products within 64 bits
	for i := 0; i+1 < min(len(turns), 8); i++ {
		a, b := turns[i], turns[i+1]
		p1, c1, p2, c2 := int64(a.Prompt), int64(a.Completion), int64(b.Prompt), int64(b.Completion)
		n1, _ := nano(a.Cost)
		n2, _ := nano(b.Cost)
		if max(p1, c1, p2, c2, n1, n2) > tokensMax || min(p1, c1, p2, c2) < 0 {
			continue
		}
		det := p1*c2 - p2*c1
		if det == 0 {
			continue
		}
		x, y := n1*c2-n2*c1, p1*n2-p2*n1
		if x%det == 0 && y%det == 0 && x/det >= 0 && y/det >= 0 {
			return x / det, y / det
		}
	}
	return 0, 0
}
