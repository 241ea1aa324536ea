package gateway

import (
	"context"
	"fmt"
	"testing"

	"haoke/backend/internal/chat"
)

// noHistory is a store without messages.
type noHistory struct{}

func (noHistory) Messages(context.Context, chat.ConversationID, int64, int) ([]chat.Message, error) {
	return nil, nil
}

// sink is an outlet that counts what comes.
type sink struct{ frames, bytes int }

func (s *sink) Send(b []byte) error     { s.frames++; s.bytes += len(b); return nil }
func (s *sink) SendNow(b []byte) error  { return s.Send(b) }
func (s *sink) SendWait(b []byte) error { return s.Send(b) }
func (s *sink) Close(int, string)       {}

// crowd is a hub with n sockets over as many conversations as the limit of
// sockets of one conversation needs.
func crowd(tb testing.TB, n int) (*Hub, []chat.ConversationID, []*sink) {
	tb.Helper()
	h := NewHub(noHistory{})
	var ids []chat.ConversationID
	var sinks []*sink
	for i := range n {
		if i%maxSubscribers == 0 {
			ids = append(ids, chat.ConversationID(fmt.Sprintf("%032x", i)))
		}
		s := &sink{}
		if _, err := h.Join(context.Background(), ids[len(ids)-1], 0, s); err != nil {
			tb.Fatal(err)
		}
		sinks = append(sinks, s)
	}
	return h, ids, sinks
}

// BenchmarkFanOut brings one piece of an answer to 1, 100 and 1,000 sockets.
func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h, ids, _ := crowd(b, n)
			raw := []byte(`" parcel"`)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if i%256 == 0 { // an answer is not endless
					for _, id := range ids {
						h.Begin(id, 2)
					}
				}
				i++
				for _, id := range ids {
					h.Delta(id, raw)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/socket")
		})
	}
}

// TestDeltaAllocatesNothing: a piece goes to every socket without garbage.
func TestDeltaAllocatesNothing(t *testing.T) {
	h, ids, sinks := crowd(t, 16)
	raw := []byte(`" parcel"`)
	h.Begin(ids[0], 2)
	for range 200 { // the buffers have their size
		h.Delta(ids[0], raw)
	}
	h.Begin(ids[0], 2)
	before := sinks[0].frames
	if n := testing.AllocsPerRun(100, func() { h.Delta(ids[0], raw) }); n != 0 {
		t.Errorf("%v allocations a piece", n)
	}
	if got := sinks[15].frames - before; got != 101 {
		t.Errorf("%d frames", got)
	}
}
