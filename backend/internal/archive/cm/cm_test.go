package cm

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 5000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	priming := []byte(strings.Repeat("Your order has left our warehouse. ", 300))
	for _, c := range []*Codec{New(nil), New(priming)} {
		for _, record := range [][]byte{
			nil, {0}, {255}, make([]byte, 3000), noise, []byte("Your order has left our warehouse on Monday. 您好"),
			bytes.Repeat([]byte("abc"), 50_000), bytes.Repeat([]byte{255}, 70_000),
		} {
			b, err := c.Compress(record)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Expand(b)
			if err != nil || !bytes.Equal(got, record) {
				t.Fatalf("%d bytes: %v", len(record), err)
			}
			if len(record) > 100 {
				if got, err := c.Expand(b[:len(b)/2]); !errors.Is(err, ErrCorrupt) {
					t.Errorf("%d bytes cut in half: %v %d", len(record), err, len(got))
				}
			}
		}
	}
	if _, err := New(nil).Compress(make([]byte, MaxRecord+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
}
