package tokens

import (
	"fmt"
	"hash/maphash"
	"math/bits"
)

// table finds the rank of a token. A vocabulary has up to 200,000 of them: as a
// map they take 16 MB, in the form of the library, which is made for decoding as
// well, 27 MB more. Here they take under 4 MB in three blocks without pointers,
// which the collector does not look through.
type table struct {
	text  string   // all tokens, in the order of their ranks
	ends  []uint32 // where each ends
	slots []uint32 // rank + 1 in the lower bits, a part of the hash above; 0: free
	seed  maphash.Seed
}

const (
	rankBits = 18
	maxRanks = 1<<rankBits - 1
)

// newTable takes tokens of the given sizes that stand one behind the other.
func newTable(sizes []byte, text string) (*table, error) {
	if len(sizes) > maxRanks {
		return nil, fmt.Errorf("%d tokens: %d at most", len(sizes), maxRanks)
	}
	t := &table{text: text, ends: make([]uint32, len(sizes)), seed: maphash.MakeSeed()}
	t.slots = make([]uint32, 1<<bits.Len(uint(len(sizes)+len(sizes)/4)))
	end := 0
	for rank, size := range sizes {
		if end += int(size); end > len(text) {
			return nil, fmt.Errorf("token %d is cut", rank)
		}
		t.ends[rank] = uint32(end)
		t.put(rank)
	}
	if end < len(text) {
		return nil, fmt.Errorf("%d bytes too many", len(text)-end)
	}
	return t, nil
}

// token is the token of a rank.
func (t *table) token(rank int) string {
	if rank == 0 {
		return t.text[:t.ends[0]]
	}
	return t.text[t.ends[rank-1]:t.ends[rank]]
}

func (t *table) put(rank int) {
	h := maphash.String(t.seed, t.token(rank))
	for i := int(h); ; i++ {
		if slot := &t.slots[i&(len(t.slots)-1)]; *slot == 0 {
			*slot = uint32(rank+1) | uint32(h>>32)&^maxRanks
			return
		}
	}
}

// rank finds a token. There is always a free slot, so that the search ends.
func (t *table) rank(s string) (rank int, known bool) {
	h := maphash.String(t.seed, s)
	part := uint32(h>>32) &^ maxRanks
	for i := int(h); ; i++ {
		slot := t.slots[i&(len(t.slots)-1)]
		if slot == 0 {
			return 0, false
		}
		if slot&^maxRanks == part {
			if rank := int(slot&maxRanks) - 1; t.token(rank) == s {
				return rank, true
			}
		}
	}
}
