package mix

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"haoke/backend/internal/chat"
)

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// ordinary is a conversation as the program makes them.
func ordinary(n int) []chat.Message {
	r := rand.New(rand.NewPCG(uint64(n), 7))
	var out []chat.Message
	now := int64(1_767_000_000_000) + int64(n)*600_000
	page, count := r.Uint32(), r.Uint32()
	for i := range 12 {
		now += int64(4000 + r.IntN(30_000))
		m := chat.Message{Seq: int64(i + 1), At: at(now), From: chat.FromVisitor, Text: fmt.Sprintf("Where is my order %d? 您好", r.IntN(1e6)), ClientID: fmt.Sprintf("%d-%d", page, count+uint32(i))}
		if i%2 == 1 {
			m = chat.Message{Seq: int64(i + 1), At: at(now), From: chat.FromAI, Finish: chat.FinishStop, Text: fmt.Sprintf("Order %d has left our warehouse.", r.IntN(1e6))}
			m.Turn = &chat.TurnInfo{Provider: "openai", Key: "main", Model: "gpt-4o-mini", Prompt: 300 + 40*i, Completion: 9, FilterUS: 12, PromptUS: 140, QueueUS: 2, FirstTokenUS: 400_000 + r.Int64N(1e5), TotalUS: 600_000 + r.Int64N(1e5)}
			m.Turn.Cost = float64(m.Turn.Prompt*150+m.Turn.Completion*600) / 1e9
		}
		out = append(out, m)
	}
	return out
}

// odd has everything that a message can have, and what it should not.
func odd() []chat.Message {
	return []chat.Message{
		{Seq: 7, From: chat.FromOperator, At: at(-62_135_596_800_000), Text: "a\x00b\x00", Author: "Mia", Mark: "noted"},
		{Seq: 8, From: chat.FromVisitor, At: at(4_102_444_800_123), Text: "\xff\xfe not UTF-8", ClientID: "00112233445566778899aabbccddeeff"},
		{Seq: 9, From: chat.FromVisitor, At: at(0), ClientID: "00112233-4455-6677-8899-aabbccddeeff"},
		{Seq: 10, From: chat.FromVisitor, At: at(1), ClientID: "m12", Text: "您好"},
		{Seq: 11, From: chat.FromVisitor, At: at(1), ClientID: "m14"},
		{Seq: 12, From: chat.FromVisitor, At: at(1), ClientID: "m014"},
		{Seq: 13, From: chat.FromVisitor, At: at(1), ClientID: "4294967295-4294967295"},
		{Seq: 14, From: chat.FromVisitor, At: at(1), ClientID: "4294967295-0"},
		{Seq: 15, From: chat.FromVisitor, At: at(1), ClientID: "999999999999999999999999"},
		{Seq: 16, From: chat.FromVisitor, At: at(1), ClientID: "é\x00" + strings.Repeat("z", 60)},
		{Seq: 17, From: chat.FromSystem, At: at(2), Finish: "odd", Text: "I take over"},
		{Seq: 18, From: chat.FromAI, At: at(3), Finish: chat.FinishError, Turn: &chat.TurnInfo{Cost: 0.1 + 0.2, Reason: "the key was refused", Merged: true}},
		{Seq: 19, From: chat.FromAI, At: at(3), Turn: &chat.TurnInfo{Cost: math.Inf(1), Prompt: math.MinInt, Completion: math.MaxInt, FilterUS: math.MinInt64, TotalUS: math.MaxInt64}},
		{Seq: 20, From: chat.FromAI, At: at(3), Turn: &chat.TurnInfo{Cost: math.Copysign(0, -1), Estimated: true, Cached: true}},
		{Seq: 21, From: chat.FromAI, At: at(3), Turn: &chat.TurnInfo{Cost: 0.123, FirstTokenUS: -5, TotalUS: -9}},
		{Seq: 22, From: chat.FromAI, At: at(9), Sources: []chat.Source{{Title: "FAQ", URL: "/a"}}, Turn: &chat.TurnInfo{PromptTrace: `[{"role":"system"}]`, Hits: []chat.Hit{{Layer: "words", Rule: "x", Start: 1, End: 2}}}},
	}
}

func primed() *Codec {
	var list [][]chat.Message
	for i := range 40 {
		list = append(list, ordinary(i))
	}
	return New(1, list)
}

// TestRoundTrip: whatever a conversation holds comes back, from a fresh model
// and from a primed one, and again after others went through it.
func TestRoundTrip(t *testing.T) {
	noise := make([]byte, 5000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	long := ordinary(3)
	long[0].Text, long[1].Text = string(noise), strings.Repeat("abc", 2_000)
	all := [][]chat.Message{ordinary(100), odd(), nil, {{Seq: 1, From: chat.FromVisitor, At: at(5)}}, long, ordinary(101)}
	for name, c := range map[string]*Codec{"fresh": New(0, nil), "primed": primed()} {
		var first [][]byte
		for round := range 2 {
			for i, msgs := range all {
				b, err := c.Compress(msgs)
				if err != nil {
					t.Fatal(err)
				}
				got, err := c.Expand(b)
				if err != nil || len(got) != len(msgs) {
					t.Fatalf("%s: %d: %d of %d messages: %v", name, i, len(got), len(msgs), err)
				}
				for k := range msgs {
					if !same(got[k], msgs[k]) {
						t.Fatalf("%s: %d:\n%+v %+v\n%+v %+v", name, i, got[k], got[k].Turn, msgs[k], msgs[k].Turn)
					}
				}
				if round == 0 {
					first = append(first, b)
				} else if string(first[i]) != string(b) {
					t.Errorf("%s: %d is packed differently after others went through", name, i)
				}
			}
		}
	}
}

func same(a, b chat.Message) bool {
	if a.Turn != nil && b.Turn != nil && math.Float64bits(a.Turn.Cost) != math.Float64bits(b.Turn.Cost) {
		return false
	}
	return reflect.DeepEqual(a, b)
}

// TestPrimingPays: what a shop always says costs next to nothing.
func TestPrimingPays(t *testing.T) {
	c, fresh := primed(), New(0, nil)
	small, err := c.Compress(ordinary(100))
	if err != nil {
		t.Fatal(err)
	}
	big, err := fresh.Compress(ordinary(100))
	if err != nil {
		t.Fatal(err)
	}
	// 12 numbers of 20 bits, 12 pauses of 15, 6 answers with 34 bits of
	// latencies, 64 bits of an id and 33 of a time are drawn at random.
	if floor := (12*20 + 12*15 + 6*34 + 64 + 33) / 8; len(small) > floor*3/2 || len(small)*2 > len(big) {
		t.Errorf("primed %d bytes, fresh %d, random part %d", len(small), len(big), floor)
	}
}

func TestRefuses(t *testing.T) {
	c := New(0, nil)
	if _, err := c.Compress([]chat.Message{{Text: strings.Repeat("x", MaxText+1)}}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("long text: %v", err)
	}
	if _, err := c.Compress(make([]chat.Message, MaxMessages+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("many messages: %v", err)
	}
	b, err := c.Compress(ordinary(1))
	if err != nil {
		t.Fatal(err)
	}
	for n := range b {
		if _, err := c.Expand(b[:n]); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("cut after %d bytes: %v", n, err)
		}
	}
	if _, err := primed().Expand(b); !errors.Is(err, ErrCorrupt) {
		t.Errorf("the priming of another: %v", err)
	}
}

// FuzzExpand: whatever passes the check ends in messages or ErrCorrupt, within
// the bounds, and the model is as it was.
func FuzzExpand(f *testing.F) {
	c := New(2, [][]chat.Message{ordinary(1), odd()})
	for _, msgs := range [][]chat.Message{ordinary(2), odd(), nil} {
		b, err := c.Compress(msgs)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[2:])
	}
	f.Add([]byte(strings.Repeat("\xff", 300)))
	want, err := c.Compress(ordinary(9))
	if err != nil {
		f.Fatal(err)
	}
	c.m.most = 1000 // what is claimed beyond it takes long to be read
	f.Fuzz(func(t *testing.T, code []byte) {
		msgs, err := c.Expand(append(binary.LittleEndian.AppendUint16(nil, c.check(code)), code...))
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("untyped error: %v", err)
		}
		size := 0
		for i := range msgs {
			size += len(msgs[i].Text)
		}
		if len(msgs) > MaxMessages || size > c.m.most+1 {
			t.Fatalf("%d messages, %d bytes", len(msgs), size)
		}
		if got, err := c.Compress(ordinary(9)); err != nil || string(got) != string(want) {
			t.Fatalf("the model has changed: %v", err)
		}
	})
}

// TestRandomDamage is the fuzz test with damage drawn at random.
func TestRandomDamage(t *testing.T) {
	c := New(2, [][]chat.Message{ordinary(1)})
	b, err := c.Compress(odd())
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 40 {
		code := append([]byte(nil), b[2:]...)
		for range 1 + r.IntN(4) {
			code[r.IntN(len(code))] = byte(r.Uint32())
		}
		if _, err := c.Expand(append(binary.LittleEndian.AppendUint16(nil, c.check(code)), code...)); err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("untyped error: %v", err)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	c := New(2, [][]chat.Message{ordinary(1)})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			msgs := ordinary(i)
			b, err := c.Compress(msgs)
			if err != nil {
				t.Error(err)
				return
			}
			if got, err := c.Expand(b); err != nil || !reflect.DeepEqual(got, msgs) {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

func BenchmarkCompress(b *testing.B) {
	c := primed()
	msgs := ordinary(100)
	size := 0
	for i := range msgs {
		size += len(msgs[i].Text)
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		if _, err := c.Compress(msgs); err != nil {
			b.Fatal(err)
		}
	}
}
