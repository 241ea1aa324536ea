package wsconn

import (
	"context"
	"testing"
)

// BenchmarkSend is one piece of an answer on its way to a visitor, the write
// to the network included.
func BenchmarkSend(b *testing.B) {
	s := mode{}.serve(b, Config{QueueBytes: 64 << 20})
	c, cl := s.pair(b)
	c.Serve(newRecorder())
	frame := []byte(`{"type":"ai","seq":2,"part":17,"data":" parcel"}`)
	read := make(chan struct{})
	go func() {
		defer close(read)
		var buf []byte
		for range b.N {
			var err error
			if buf, err = cl.ReadInto(context.Background(), buf[:0]); err != nil {
				return
			}
		}
	}()
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if err := c.Send(frame); err != nil {
			b.Fatal(err)
		}
	}
	<-read
	b.StopTimer()
	cl.Cut()
}

// BenchmarkSendNow is BenchmarkSend for pieces that come one at a time.
func BenchmarkSendNow(b *testing.B) {
	s := mode{}.serve(b, Config{QueueBytes: 64 << 20})
	c, cl := s.pair(b)
	c.Serve(newRecorder())
	frame := []byte(`{"type":"ai","seq":2,"part":17,"data":" parcel"}`)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		if err := c.SendNow(frame); err != nil {
			b.Fatal(err)
		}
		var err error
		if buf, err = cl.ReadInto(context.Background(), buf[:0]); err != nil || string(buf) != string(frame) {
			b.Fatal(string(buf), err)
		}
	}
	b.StopTimer()
	cl.Cut()
}

// echoing answers each frame with itself.
type echoing struct {
	c     *Conn
	ended chan struct{}
}

func (e *echoing) Frame(f []byte) bool { return e.c.Send(f) == nil }
func (e *echoing) Ended(error)         { close(e.ended) }

// BenchmarkEcho is a round trip of one frame, both ends in this process.
func BenchmarkEcho(b *testing.B) {
	s := mode{}.serve(b, Config{})
	c, cl := s.pair(b)
	e := &echoing{c, make(chan struct{})}
	c.Serve(e)
	frame := []byte(`{"type":"ping","t":1}`)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		if err := cl.Write(context.Background(), frame); err != nil {
			b.Fatal(err)
		}
		var err error
		if buf, err = cl.ReadInto(context.Background(), buf[:0]); err != nil {
			b.Fatal(err)
		}
	}
	cl.Cut()
	<-e.ended
}
