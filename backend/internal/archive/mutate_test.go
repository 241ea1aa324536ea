package archive

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

// Damage drawn at random ends in messages or in ErrCorrupt, as in FuzzUnpack,
// in every ordinary run of the tests.
func TestRandomDamage(t *testing.T) {
	record, err := Pack(nil, everything())
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	read := 0
	for range 50_000 {
		data := bytes.Clone(record)
		for range 1 + r.IntN(4) {
			data[r.IntN(len(data))] = byte(r.Uint32())
		}
		msgs, err := Unpack(data)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("untyped error: %v", err)
			}
			continue
		}
		read++
		again, err := Pack(nil, msgs)
		if err != nil {
			t.Fatalf("what was read cannot be packed: %v\n%x", err, data)
		}
		if back, err := Unpack(again); err != nil || len(back) != len(msgs) {
			t.Fatalf("what was packed again cannot be read: %v\n%x", err, data)
		}
	}
	if read == 0 {
		t.Error("nothing was readable: the damage tests nothing")
	}
}
