package loadtest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"haoke/backend/internal/codec"
	"haoke/backend/internal/codec/textbook"
)

// sampleChunk is a chunk as an OpenAI-compatible API sends it.
const sampleChunk = `{"id":"chatcmpl-9lMgfRSWPHcw51s6wxKT1YEO2CKpd","object":"chat.completion.chunk","created":1721075653,"model":"gpt-4o-mini-2024-07-18","system_fingerprint":"fp_9b0abffe81","choices":[{"index":0,"delta":{"content":" parcel"},"logprobs":null,"finish_reason":null}]}`

// slim is the struct that a textbook stream reader decodes into.
type slim struct {
	Choices []struct {
		Delta struct {
			Content string `json:"content"`
		} `json:"delta"`
		FinishReason *string `json:"finish_reason"`
	} `json:"choices"`
}

// scans measures how the raw token of a piece is found, beside the two JSON
// libraries.
func (s *Suite) scans(context.Context) error {
	chunk := []byte(sampleChunk)
	var scanner codec.DeltaScanner
	var failed error
	ours := best(func() {
		if raw, ok := scanner.Token(chunk); !ok || len(raw) != len(`" parcel"`) {
			failed = fmt.Errorf("the scan found %q", raw)
		}
	})
	iter := best(func() {
		var v slim
		if err := textbook.Unmarshal(chunk, &v); err != nil || v.Choices[0].Delta.Content != " parcel" {
			failed = fmt.Errorf("json-iterator: %w", err)
		}
	})
	std := best(func() {
		var v slim
		if err := json.Unmarshal(chunk, &v); err != nil || v.Choices[0].Delta.Content != " parcel" {
			failed = fmt.Errorf("encoding/json: %w", err)
		}
	})
	if failed != nil {
		return failed
	}
	s.tell("raw token of a piece, ns", fmt.Sprintf("json-iterator %.0f, encoding/json %.0f", iter.ns, std.ns), "%.0f", ours.ns)
	s.atLeast("... times json-iterator", 7, iter.ns/ours.ns, "%.1f", "")
	s.atLeast("... times encoding/json", 20, std.ns/ours.ns, "%.1f", "")
	s.atMost("... allocations", 0, ours.allocs, "%.0f", fmt.Sprintf("json-iterator %.0f, encoding/json %.0f", iter.allocs, std.allocs))
	return nil
}

type cost struct{ ns, allocs, bytes float64 }

// best takes the best of three runs: the other ones were disturbed.
func best(f func()) cost {
	var least cost
	for i := range 3 {
		r := testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
		c := cost{float64(r.T.Nanoseconds()) / float64(r.N), float64(r.AllocsPerOp()), float64(r.AllocedBytesPerOp())}
		if i == 0 || c.ns < least.ns {
			least = c
		}
	}
	return least
}
