package archive

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"haoke/backend/internal/chat"
)

// everything is a conversation that uses every field and the odd values.
func everything() []chat.Message {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123e6, time.UTC)
	turn := func(p int) *chat.TurnInfo {
		return &chat.TurnInfo{
			Provider: "openai", Key: "main", Model: "gpt-4o-mini", Prompt: p, Completion: 21, Cost: float64(p*150+21*600) / 1e9,
			FilterUS: 12, PromptUS: 130, QueueUS: 2, FirstTokenUS: 412_345, TotalUS: 912_345,
		}
	}
	odd := turn(900)
	odd.Cost, odd.Reason, odd.Estimated, odd.Merged, odd.Cached = math.Pi, "the key was refused", true, true, true
	odd.Hits = []chat.Hit{{Layer: chat.LayerWords, Rule: "x", Action: chat.ActionMask, Start: 1, End: 2, Match: "x"}}
	odd.PromptTrace = `[{"role":"system"}]`
	wild := &chat.TurnInfo{Prompt: -5, Completion: math.MaxInt32, Cost: -1, TotalUS: -7, FirstTokenUS: math.MaxInt64}
	msgs := []chat.Message{
		{From: chat.FromVisitor, Text: "Hello", At: at, ClientID: "00112233445566778899aabbccddeeff"},
		{From: chat.FromAI, Text: "Hi 你好", At: at.Add(900 * time.Millisecond), Finish: chat.FinishStop, Turn: turn(300)},
		{From: chat.FromVisitor, Text: "", At: at.Add(-time.Hour), ClientID: "00112233-4455-6677-8899-aabbccddeeff"},
		{From: chat.FromAI, Text: "…", At: at, Finish: chat.FinishLength, Turn: odd, Sources: []chat.Source{{Title: "FAQ", URL: "/a"}}, Mark: "noted"},
		{From: chat.FromVisitor, Text: "x", At: at, ClientID: "00112233-4455-6677-8899-AABBCCDDEEFF"},
		{From: chat.FromOperator, Text: "I take over", At: at, Author: "Mia", ClientID: "short"},
		{From: chat.FromSystem, Text: "…", At: at, Finish: "odd"},
		{From: chat.FromAI, Text: "?", At: at, Finish: chat.FinishError, Turn: wild},
		{From: chat.FromAI, Text: "!", At: at, Finish: chat.FinishStopped, Turn: turn(1000)},
	}
	for i := range msgs {
		msgs[i].Seq = int64(i + 1)
	}
	return msgs
}

func TestRecordReturnsEverything(t *testing.T) {
	for name, msgs := range map[string][]chat.Message{"everything": everything(), "none": {}, "one": everything()[:1]} {
		record, err := Pack([]byte("before"), msgs)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Unpack(record[len("before"):])
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, msgs) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, msgs)
		}
	}
	withZero := everything()
	withZero[3].Text = "a\x00b"
	record, err := Pack(nil, withZero)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Unpack(record); err != nil || !reflect.DeepEqual(got, withZero) {
		t.Errorf("zero bytes: %+v %v", got, err)
	}
}

func TestPackRefuses(t *testing.T) {
	gap := everything()
	gap[2].Seq = 7
	strange := everything()
	strange[0].From = "robot"
	for name, msgs := range map[string][]chat.Message{"gap": gap, "author": strange} {
		if _, err := Pack(nil, msgs); err == nil {
			t.Errorf("%s was packed", name)
		}
	}
}

func TestDamageIsNoticed(t *testing.T) {
	record, err := Pack(nil, everything())
	if err != nil {
		t.Fatal(err)
	}
	for n := range record {
		if _, err := Unpack(record[:n]); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("cut after %d bytes: %v", n, err)
		}
	}
	if _, err := Unpack(append(bytes.Clone(record), 0)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a byte too many: %v", err)
	}
	newer := bytes.Clone(record)
	newer[0] = recordVersion + 1
	if _, err := Unpack(newer); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a newer version: %v", err)
	}
}

func TestCodecs(t *testing.T) {
	ctx := context.Background()
	record, err := Pack(nil, everything())
	if err != nil {
		t.Fatal(err)
	}
	learned, err := TrainFor(Mix, [][]byte{record})
	if err != nil {
		t.Fatal(err)
	}
	empty, err := Pack(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := NewCodecs(oneDict{Mix, learned})
	for _, codec := range []string{Snappy, S2, Zstd, Mix} {
		all := [][]byte{record, empty}
		if codec != Mix { // which takes records only
			all = append(all, nil, bytes.Repeat([]byte("0123456789abcdef"), 1<<14))
		}
		for _, data := range all {
			b, err := c.Compress(ctx, codec, 0, data)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Expand(ctx, codec, 0, b)
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s of %d bytes: %v", codec, len(data), err)
			}
			if len(b) > 4 {
				if _, err := c.Expand(ctx, codec, 0, b[:len(b)/2]); !errors.Is(err, ErrCorrupt) {
					t.Errorf("%s cut in half: %v", codec, err)
				}
			}
		}
	}
	if _, err := c.Expand(ctx, "lzma", 0, record); !errors.Is(err, ErrCorrupt) {
		t.Errorf("unknown codec: %v", err)
	}
	if _, err := c.Compress(ctx, "lzma", 0, record); err == nil {
		t.Error("unknown codec was used")
	}
	// What claims to be enormous is refused before memory is asked for.
	huge, _ := hex.DecodeString("ffffffff0f00")
	if _, err := c.Expand(ctx, Snappy, 0, huge); !errors.Is(err, ErrCorrupt) {
		t.Errorf("enormous: %v", err)
	}
}

// FuzzUnpack: whatever a disk or a server makes of a blob, reading it ends in
// messages or in ErrCorrupt, and what was read packs to the same messages.
func FuzzUnpack(f *testing.F) {
	record, err := Pack(nil, everything())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(record)
	f.Add([]byte{recordVersion, 0, 1, 0})
	f.Add([]byte{recordVersion, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		msgs, err := Unpack(data)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("untyped error: %v", err)
			}
			return
		}
		again, err := Pack(nil, msgs)
		if err != nil {
			t.Fatalf("what was read cannot be packed: %v", err)
		}
		back, err := Unpack(again)
		if err != nil || len(back) != len(msgs) {
			t.Fatalf("what was packed again cannot be read: %v", err)
		}
	})
}
