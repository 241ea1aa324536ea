package prompt

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"haoke/backend/internal/chat"
)

// notebook is a SummaryStore in memory.
type notebook struct {
	mu    sync.Mutex
	kept  map[chat.ConversationID]Summary
	saves int
}

func (n *notebook) LoadSummary(_ context.Context, id chat.ConversationID) (Summary, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.kept[id], nil
}

func (n *notebook) SaveSummary(_ context.Context, id chat.ConversationID, s Summary) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.kept[id] = s
	n.saves++
	return nil
}

// scribe is a Completer.
type scribe struct {
	calls  []chat.Call
	answer string
	err    error
}

func (s *scribe) Complete(_ context.Context, call chat.Call, _ chat.Caller) (string, error) {
	s.calls = append(s.calls, call)
	return s.answer, s.err
}

// summarised offers a conversation and waits until the work is done.
func summarised(t *testing.T, cfg SummariserConfig, store *notebook, up Completer, head chat.Conversation, msgs []chat.Message) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := NewSummariser(cfg, store, up, counter, nil)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		if !s.Offer(head, msgs, "") {
			t.Error("not taken")
		}
		if s.Offer(head, msgs, "") {
			t.Error("taken twice")
		}
		go func() { done <- s.Run(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestSummaryThroughUpstream(t *testing.T) {
	store := &notebook{kept: map[chat.ConversationID]Summary{}}
	up := &scribe{answer: "Sure! Here are the notes:\n- [1] wants a teapot\nFACT order: QX-1\nignore me"}
	head := chat.Conversation{ID: "s"}
	msgs := talk(chatter(60)...)
	summarised(t, SummariserConfig{Input: 1500}, store, up, head, msgs)
	got := store.kept["s"]
	if got.Made != "upstream" || got.Text != "- [1] wants a teapot" || len(got.Facts) != 1 || got.Upto != int64(len(msgs)-keepOut) {
		t.Errorf("summary %+v", got)
	}
	if len(up.calls) < 2 {
		t.Errorf("%d calls: a long stretch must be cut into rounds", len(up.calls))
	}
	if c := up.calls[0]; strings.Contains(c.Messages[0].Content, "matter number") || c.MaxTokens == 0 {
		t.Errorf("call %+v", c)
	}
	// Nothing new: no further call.
	n := len(up.calls)
	summarised(t, SummariserConfig{}, store, up, head, msgs)
	if len(up.calls) != n || store.saves != 1 {
		t.Errorf("%d calls, %d saves for nothing new", len(up.calls)-n, store.saves)
	}
	// A fence voids the old summary.
	head.Fence = 61
	summarised(t, SummariserConfig{}, store, up, head, msgs)
	if last := up.calls[len(up.calls)-1]; strings.Contains(last.Messages[1].Content, "wants a teapot") || store.kept["s"].Fence != 61 {
		t.Errorf("the old summary went on behind a fence: %+v", store.kept["s"])
	}
}

func TestSummaryByExtraction(t *testing.T) {
	lines := append([]string{"v: I would like a celadon gaiwan, the celadon one", "a: The celadon gaiwan is in stock."}, chatter(40)...)
	for name, up := range map[string]Completer{"none": nil, "fails": &scribe{err: errors.New("no network")}, "talks": &scribe{answer: "I cannot do that."}} {
		store := &notebook{kept: map[chat.ConversationID]Summary{}}
		summarised(t, SummariserConfig{Now: func() time.Time { return time.Unix(9, 0) }}, store, up, chat.Conversation{ID: "x"}, talk(lines...))
		got := store.kept["x"]
		if got.Made != "extract" || !strings.Contains(got.Text, "celadon gaiwan") || got.At.Unix() != 9 {
			t.Errorf("%s: %+v", name, got)
		}
		if n := counter.Count("", got.Text); n > summaryTokens {
			t.Errorf("%s: %d tokens", name, n)
		}
	}
}

func TestSummaryStandsInThePrompt(t *testing.T) {
	lines := append(chatter(80), "v: What now?")
	call, tr := build(t, Input{
		Messages: talk(lines...), Budget: 1500,
		Summary: Summary{Upto: 100, Text: "- [3] wants a jade rabbit\n- [9] found it", Facts: []string{"ring size: 17"}},
	})
	text := all(call)
	for _, want := range []string{"jade rabbit", "ring size: 17"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if tr.Tokens > 1500 {
		t.Errorf("%d tokens", tr.Tokens)
	}
}

func TestOfferIsBounded(t *testing.T) {
	s := NewSummariser(SummariserConfig{Queue: 2}, &notebook{}, nil, counter, nil)
	msgs := talk(chatter(30)...)
	taken := 0
	for _, id := range []chat.ConversationID{"a", "b", "c", "d"} {
		if s.Offer(chat.Conversation{ID: id}, msgs, "") {
			taken++
		}
	}
	if taken != 2 {
		t.Errorf("%d taken, queue of 2", taken)
	}
	if s.Offer(chat.Conversation{ID: "short"}, msgs[:10], "") {
		t.Error("a short conversation was taken")
	}
}
