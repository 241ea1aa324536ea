package engine

import (
	"context"
	"testing"
	"testing/synctest"

	"haoke/backend/internal/chat"
)

// strict finds a hit in every message of a visitor.
type strict struct{ plain }

func (strict) Check(_ chat.Direction, text string) chat.Verdict {
	return chat.Verdict{Text: text, Hits: []chat.Hit{{Layer: chat.LayerWords, Rule: "r", Match: text}}}
}

// hitMeter writes down the visitors' hits and whether their conversation was
// stored when they were told.
type hitMeter struct {
	plain
	store *memory
	told  []string
	early bool
}

func (m *hitMeter) FilterHits(id chat.ConversationID, dir chat.Direction, hits []chat.Hit) {
	if dir != chat.Inbound {
		return
	}
	if _, err := m.store.Head(context.Background(), id); err != nil {
		m.early = true
	}
	for _, h := range hits {
		m.told = append(m.told, h.Match)
	}
}

// TestHitsCountOnce: a hit is told when its message is stored, the first of a
// conversation too; not for a message that came twice or was refused.
func TestHitsCountOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &hitMeter{}
		b := newBench(t, echo, func(_ *Config, d *Deps) { d.Filter, d.Meter = strict{}, m })
		m.store = b.store
		defer b.stop()
		for range 2 {
			if err := b.say("a", "first"); err != nil {
				t.Fatal(err)
			}
		}
		b.store.mu.Lock()
		b.store.readOnly = true
		b.store.mu.Unlock()
		if err := b.say("b", "lost"); err == nil {
			t.Error("stored on a full disk")
		}
		if len(m.told) != 1 || m.told[0] != "first" || m.early {
			t.Errorf("told %q, before the conversation was there: %t", m.told, m.early)
		}
	})
}
